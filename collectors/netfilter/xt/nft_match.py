"""Matches that iptables-nft writes in nf_tables' own expressions, told as the xtables match they stand for."""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass, field

from collectors.netfilter.told import NotTheirs
from collectors.netfilter.xt import match_headers, match_hosts, match_ports, match_rates, target_ways
from collectors.netfilter.xt.fields import ALL32, hex_masked, option
from collectors.netfilter.xt.quoting import quoted
from collectors.netfilter.xt.setting import NFPROTO_IPV4, Setting
from collectors.wire.templates import Pieces, View

# uapi linux/netfilter/nf_tables.h
NFT_CMP_EQ, NFT_CMP_NEQ, NFT_CMP_LT, NFT_CMP_LTE, NFT_CMP_GT, NFT_CMP_GTE = range(6)
LIMIT_RATE, LIMIT_UNIT, LIMIT_BURST, LIMIT_TYPE, LIMIT_FLAGS = range(1, 6)
LOG_GROUP, LOG_PREFIX, LOG_SNAPLEN, LOG_THRESHOLD = range(1, 5)
XT_LIMIT_SCALE = 10000
TTL_EQ, TTL_NE, TTL_LT, TTL_GT = range(4)  # uapi linux/netfilter_ipv4/ipt_ttl.h
SIDES = SOURCE, DESTINATION = "sport", "dport"


@dataclass
class Ports:
    """``-m tcp`` or ``-m udp``: what several comparisons say together, the last one of a side."""

    name: str
    sides: dict[str, Pieces] = field(default_factory=dict)
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)  # of sides that are told by two comparisons
    flags: str = ""

    def pieces(self) -> Pieces:
        said = [piece for side in (SOURCE, DESTINATION) for piece in self.sides.get(side, ())]
        return (f" -m {self.name}", *said, self.flags)

    def one(self, side: str, operator: int, port: View) -> None:
        """One port, or all that are smaller or larger."""
        if operator in (NFT_CMP_EQ, NFT_CMP_NEQ):
            self.sides[side] = option(side, "", operator == NFT_CMP_NEQ) + " ", port.place(">u2")
            return
        number = port.number(">H")
        low, high = self.bounds.get(side, (0, 65535))
        self.bounds[side] = {
            NFT_CMP_LT: (low, max(number - 1, 1)),
            NFT_CMP_LTE: (low, number),
            NFT_CMP_GT: (min(number + 1, 65535), high),
            NFT_CMP_GTE: (number, high),
        }[operator]
        self.sides[side] = (match_ports.port_range(side, self.bounds[side], False),)

    def range(self, side: str, low: View, high: View, inverted: bool) -> None:
        self.sides[side] = option(side, "", inverted) + " ", low.place(">u2"), ":", high.place(">u2")

    def flagged(self, wanted: int, mask: int, inverted: bool) -> None:
        """Flags by the words of the struct that iptables puts them in (struct xt_tcp)."""
        octets = struct.pack("=4H4B", 0, 65535, 0, 65535, 0, mask, wanted, 4 if inverted else 0)
        self.flags = match_ports.tcp(octets, Setting(NFPROTO_IPV4))


def mark(value: View, mask: View | None, inverted: bool) -> Pieces:
    bits = ALL32 if mask is None else mask.number("=I")
    told = value.part(0, 4).hole(lambda octets: hex_masked(int.from_bytes(octets, sys.byteorder), bits))
    return f" -m mark{option('mark', '', inverted)} ", told


def packet_type(value: View, inverted: bool, setting: Setting) -> Pieces:
    return " -m pkttype", match_hosts.pkttype(struct.pack("=ii", value.number("=B"), inverted), setting)


def hops(value: View, operator: int, setting: Setting) -> Pieces:
    """-m ttl or -m hl: "at most" and "at least" are told by the neighbouring number."""
    number = value.number("=B")
    modes = {NFT_CMP_EQ: TTL_EQ, NFT_CMP_NEQ: TTL_NE, NFT_CMP_LT: TTL_LT, NFT_CMP_GT: TTL_GT}
    if operator == NFT_CMP_LTE and number < 255:
        operator, number = NFT_CMP_LT, number + 1
    if operator == NFT_CMP_GTE and number:
        operator, number = NFT_CMP_GT, number - 1
    if operator not in modes:
        raise NotTheirs("hop limit")
    name = "ttl" if setting.family == NFPROTO_IPV4 else "hl"
    return (f" -m {name}{match_headers.hops(name, bytes([modes[operator], number]))}",)


def icmp(value: View, setting: Setting) -> Pieces:
    """-m icmp or -m icmp6, from the type, or the type with the code behind it."""
    name, named = ("icmp", "icmp-type") if setting.family == NFPROTO_IPV4 else ("icmp6", "icmpv6-type")
    octets = value.octets()
    return (f" -m {name}{option(named, '/'.join(map(str, octets)))}",)


def limit(attributes: dict[int, View], setting: Setting) -> Pieces:
    """-m limit, from packets (rate) in so many seconds (unit)."""
    rate, unit = attributes[LIMIT_RATE].number(">Q"), attributes[LIMIT_UNIT].number(">Q")
    of_packets = not any(attributes[key].number() for key in (LIMIT_TYPE, LIMIT_FLAGS) if key in attributes)
    if not rate or not of_packets:
        raise NotTheirs("limit")
    burst = attributes[LIMIT_BURST].number() if LIMIT_BURST in attributes else 0
    octets = struct.pack("=II", XT_LIMIT_SCALE * unit // rate & ALL32, burst)
    return (f" -m limit{match_rates.limit(octets, setting)}",)


def log(attributes: dict[int, View], setting: Setting) -> Pieces:
    """-j NFLOG, from a log expression that names a group."""
    if LOG_GROUP not in attributes:
        raise NotTheirs("log without a group")
    prefix: Pieces = ()
    if LOG_PREFIX in attributes:
        prefix = " --nflog-prefix ", attributes[LOG_PREFIX].hole(quoted)
    size = attributes[LOG_SNAPLEN].number() if LOG_SNAPLEN in attributes else 0
    threshold = attributes[LOG_THRESHOLD].number(">H") if LOG_THRESHOLD in attributes else 0
    octets = struct.pack("=IHHH2x64x", size, attributes[LOG_GROUP].number(">H"), threshold, LOG_SNAPLEN in attributes)
    return " -j NFLOG", *prefix, target_ways.nflog(octets, setting)
