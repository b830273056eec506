"""What a rule of iptables-nft compares: addresses, devices, protocol, ports and fields that stand for a match."""

from __future__ import annotations

import sys
from collections.abc import Callable

from collectors.netfilter.nft.model import Context
from collectors.netfilter.told import NotTheirs
from collectors.netfilter.xt import nft_match, parts
from collectors.netfilter.xt.nft_match import NFT_CMP_EQ, NFT_CMP_NEQ, Ports
from collectors.netfilter.xt.nft_reading import TCP, UDP, Load, Reading
from collectors.netfilter.xt.setting import NFPROTO_IPV4
from collectors.wire.templates import View, told_string

# uapi linux/netfilter/nf_tables.h
NETWORK_HEADER, TRANSPORT_HEADER = 1, 2
META_MARK, META_IIF, META_OIF, META_IIFNAME, META_OIFNAME, META_L4PROTO, META_PKTTYPE = 3, 4, 5, 6, 7, 16, 19

ICMP, ICMPV6 = 1, 58
NO_DEVICE = b"INVAL/D\0"  # a name that no device can have: "! -i +"


def compare(reading: Reading, load: Load, operator: int, wanted: View) -> None:
    """One comparison of what a register holds."""
    if load.key is not None:
        compare_meta(reading, load, operator, wanted)
    elif load.base == NETWORK_HEADER:
        compare_header(reading, load, operator, wanted)
    elif load.base == TRANSPORT_HEADER:
        compare_transport(reading, load, operator, wanted)
    else:
        raise NotTheirs("cmp")


def compare_range(reading: Reading, load: Load, low: View, high: View, inverted: bool) -> None:
    side = {0: nft_match.SOURCE, 2: nft_match.DESTINATION}.get(load.offset)
    if load.base != TRANSPORT_HEADER or load.length != 2 or load.mask is not None or side is None:
        raise NotTheirs("range")
    if reading.protocol not in (TCP, UDP):
        raise NotTheirs("transport header")
    reading.ports().range(side, low, high, inverted)


def inversion(operator: int) -> bool:
    if operator not in (NFT_CMP_EQ, NFT_CMP_NEQ):
        raise NotTheirs("cmp operator")
    return operator == NFT_CMP_NEQ


def compare_meta(reading: Reading, load: Load, operator: int, wanted: View) -> None:
    inverted = inversion(operator)
    if load.key == META_MARK:
        reading.matches.append(nft_match.mark(wanted, load.mask, inverted))
        return
    if load.mask is not None:
        raise NotTheirs("mask")
    if load.key == META_L4PROTO:
        compare_protocol(reading, wanted, inverted)
    elif load.key in (META_IIFNAME, META_OIFNAME):
        compare_name(reading, "i" if load.key == META_IIFNAME else "o", wanted, inverted)
    elif load.key in (META_IIF, META_OIF):
        letter = "i" if load.key == META_IIF else "o"
        reading.option(letter, parts.device(letter, wanted, device_name(reading.context, wanted), inverted))
    elif load.key == META_PKTTYPE:
        reading.matches.append(nft_match.packet_type(wanted, inverted, reading.setting))
    else:
        raise NotTheirs("meta")


def compare_protocol(reading: Reading, wanted: View, inverted: bool) -> None:
    number = wanted.number("=B")
    reading.protocol = number
    reading.option("p", (parts.protocol(number, inverted),))


def compare_name(reading: Reading, letter: str, wanted: View, inverted: bool) -> None:
    """A device's name with its NUL, or the beginning of names without one."""
    if len(wanted) == len(NO_DEVICE) and wanted.part(0, 1).octets() == b"I" and wanted.octets() == NO_DEVICE:
        reading.option(letter, (f"{parts.flag(letter, True)} +",))
        return
    if not 0 < len(wanted) <= parts.IFNAMSIZ:
        raise NotTheirs("length of a device's name")
    reading.option(letter, parts.device(letter, wanted, name_or_start, inverted))


def name_or_start(octets: bytes) -> str:
    return told_string(octets) + ("+" if octets[-1] else "")


def device_name(context: Context, index: View) -> Callable[[bytes], str]:
    """The name of an ifindex; a device that has gone leaves the rule to nft, which tells the number."""

    def name(octets: bytes) -> str:
        return context.device(int.from_bytes(octets, sys.byteorder)) or ""

    if len(index) != 4 or not index.classified(lambda octets: bool(name(octets))):
        raise NotTheirs("ifindex")
    return name


def compare_header(reading: Reading, load: Load, operator: int, wanted: View) -> None:
    ipv4 = reading.setting.family == NFPROTO_IPV4
    size, source, destination, hops = (4, 12, 16, 8) if ipv4 else (16, 8, 24, 7)
    if load.offset in (source, destination) and load.length <= size:
        compare_address(reading, "s" if load.offset == source else "d", load, operator, wanted, size)
    elif load.offset == hops and load.length == 1 and load.mask is None:
        reading.matches.append(nft_match.hops(wanted, operator, reading.setting))
    elif ipv4 and load.offset == 9 and load.length == 1 and load.mask is None:
        compare_protocol(reading, wanted, inversion(operator))
    elif ipv4 and load.offset == 6 and load.mask is not None and load.mask.octets() == b"\x1f\xff":
        reading.option("f", (parts.fragment(not inversion(operator)),))
    else:
        raise NotTheirs("header")


def compare_address(reading: Reading, letter: str, load: Load, operator: int, wanted: View, size: int) -> None:
    inverted = inversion(operator)
    mask = load.mask.octets() if load.mask is not None else b"\xff" * load.length
    if not any(mask) and not inverted:
        return
    if len(mask) > size or len(wanted) > size:
        raise NotTheirs("address")
    mask = mask.ljust(size, b"\0")
    reading.option(letter, parts.addressed(letter, wanted, mask, inverted, reading.setting.family))


def compare_transport(reading: Reading, load: Load, operator: int, wanted: View) -> None:
    if reading.protocol in (ICMP, ICMPV6):
        if operator != NFT_CMP_EQ or load.mask is not None or load.offset or load.length not in (1, 2):
            raise NotTheirs("icmp")
        reading.matches.append(nft_match.icmp(wanted, reading.setting))
    elif reading.protocol not in (TCP, UDP):
        raise NotTheirs("transport header")
    elif reading.protocol == TCP and (load.offset, load.length) == (13, 1):
        mask = 0xFF if load.mask is None else load.mask.number("=B")
        reading.ports().flagged(wanted.number("=B"), mask, inversion(operator))
    else:
        compare_ports(reading.ports(), load, operator, wanted)


def compare_ports(ports: Ports, load: Load, operator: int, wanted: View) -> None:
    sides = {(0, 2): (nft_match.SOURCE,), (2, 2): (nft_match.DESTINATION,), (0, 4): nft_match.SIDES}
    if load.mask is not None or (load.offset, load.length) not in sides or len(wanted) != load.length:
        raise NotTheirs("ports")
    for at, side in enumerate(sides[load.offset, load.length]):
        ports.one(side, operator, wanted.part(2 * at, 2))
