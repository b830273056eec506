"""Values as ``nft list`` prints them, by the user space's data type numbers (nftables 1.0.6, enum datatypes)."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from collectors.netfilter.nft import symbols
from collectors.netfilter.nft.model import Context

Order = Literal["big", "little"]
BIG: Order = "big"
HOST: Order = sys.byteorder

(
    INVALID, VERDICT, NFPROTO, BITMASK, INTEGER, STRING, LLADDR, IPADDR, IP6ADDR, ETHERADDR, ETHERTYPE, ARPOP,
    INET_PROTOCOL, INET_SERVICE, ICMP_TYPE, TCP_FLAG, DCCP_PKTTYPE, MH_TYPE, TIME, MARK, IFINDEX, ARPHRD, REALM,
    CLASSID, UID, GID, CT_STATE, CT_DIR, CT_STATUS, ICMP6_TYPE, CT_LABEL, PKTTYPE, ICMP_CODE, ICMPV6_CODE,
    ICMPX_CODE, DEVGROUP, DSCP, ECN, FIB_ADDR, BOOLEAN, CT_EVENTBIT, IFNAME, IGMP_TYPE, TIME_DATE, TIME_HOUR,
    TIME_DAY, CGROUPV2,
) = range(47)  # fmt: skip
RAW = 63  # no number of nft's: bits of a header that is not known
TYPE_BITS = 6  # of each part of a concatenation's number
NFT_DATA_VERDICT = 0xFFFFFF00

VERDICTS = {0: "drop", 1: "accept", 2: "stolen", 3: "queue"}  # NF_*
NFT_CONTINUE, NFT_BREAK, NFT_JUMP, NFT_GOTO, NFT_RETURN = -1, -2, -3, -4, -5
CHAINLESS = {NFT_CONTINUE: "continue", NFT_BREAK: "break", NFT_RETURN: "return"}


@dataclass(frozen=True, slots=True)
class DataType:
    """``octets``: its size, 0 where each use has its own; ``form``: how a number without a name is written;
    ``write``: where it is more than a number. Names in quotes are this host's own, from files.
    """

    octets: int
    order: Order = BIG
    form: str = "d"
    names: Callable[[], symbols.Names] | None = None
    quoted: bool = False
    bitmask: bool = False
    prefix: bool = False  # a masked value of it is told as value/length
    write: Callable[[int, Context], str] | None = None


def link_address(value: int, context: Context) -> str:
    return value.to_bytes(max(6, (value.bit_length() + 7) // 8), "big").hex(":")


def ipv4_address(value: int, context: Context) -> str:
    return socket.inet_ntop(socket.AF_INET, value.to_bytes(4, "big"))


def ipv6_address(value: int, context: Context) -> str:
    return socket.inet_ntop(socket.AF_INET6, value.to_bytes(16, "big"))


def milliseconds(value: int, context: Context | None = None) -> str:
    """Days to milliseconds, without those that are none: "" for 0."""
    told = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, value = divmod(value, size)
        told += f"{count}{unit}" if count else ""
    return told


def interface(value: int, context: Context) -> str:
    name = context.device(value)
    return str(value) if name is None else f'"{name}"'


def class_id(value: int, context: Context) -> str:
    return {0: "none", 0xFFFFFFFF: "root"}.get(value) or f"{value >> 16:x}:{value & 0xFFFF:x}"


def label(value: int, context: Context) -> str:
    bit = (value & -value).bit_length() - 1
    name = symbols.connlabels().get(bit)
    return str(bit) if name is None else f'"{name}"'


def date(value: int, context: Context) -> str:
    try:
        return time.strftime('"%Y-%m-%d %H:%M:%S"', time.localtime(value // 1_000_000_000))
    except (OverflowError, OSError, ValueError):
        return "Error converting timestamp to printed time"


def hour(value: int, context: Context) -> str:
    """The kernel compares seconds of a UTC day; nft tells them in local time."""
    seconds = (value + time.localtime().tm_gmtoff) % 86400
    told = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f'"{told}:{seconds % 60:02}"' if seconds % 60 else f'"{told}"'


def cgroup(value: int, context: Context) -> str:
    path = symbols.cgroup_path(value)
    return str(value) if path is None else f'"{path}"'


def untyped(value: int, context: Context) -> str:
    return f"{value:#x} [invalid type]"


def named(table: dict[int, str]) -> Callable[[], symbols.Names]:
    return lambda: table


NUMBER = DataType(0)
TYPES: dict[int, DataType] = {
    INVALID: DataType(0, write=untyped),
    RAW: DataType(0, form="#x"),
    NFPROTO: DataType(1, names=named(symbols.NFPROTO)),
    BITMASK: DataType(0, form="#x"),
    INTEGER: NUMBER,
    STRING: DataType(0, HOST),
    LLADDR: DataType(0, write=link_address),
    IPADDR: DataType(4, prefix=True, write=ipv4_address),
    IP6ADDR: DataType(16, prefix=True, write=ipv6_address),
    ETHERADDR: DataType(6, write=link_address),
    ETHERTYPE: DataType(2, form="#06x", names=named(symbols.ETHER_TYPE)),
    ARPOP: DataType(2, names=named(symbols.ARP_OP)),
    INET_PROTOCOL: DataType(1, names=symbols.protocols),
    INET_SERVICE: DataType(2),
    ICMP_TYPE: DataType(1, names=named(symbols.ICMP_TYPE)),
    TCP_FLAG: DataType(1, form="#x", names=named(symbols.TCP_FLAG), bitmask=True),
    DCCP_PKTTYPE: DataType(1, names=named(symbols.DCCP_TYPE)),
    MH_TYPE: DataType(1, names=named(symbols.MH_TYPE)),
    TIME: DataType(4, HOST, write=milliseconds),
    MARK: DataType(4, HOST, "#010x", symbols.marks, quoted=True, prefix=True),
    IFINDEX: DataType(4, HOST, write=interface),
    ARPHRD: DataType(2, HOST, names=named(symbols.IFACE_TYPE)),
    REALM: DataType(4, HOST, names=symbols.realms, quoted=True, prefix=True),
    CLASSID: DataType(4, HOST, write=class_id),
    UID: DataType(4, HOST),
    GID: DataType(4, HOST),
    CT_STATE: DataType(4, HOST, "#x", named(symbols.CT_STATE), bitmask=True),
    CT_DIR: DataType(1, names=named(symbols.CT_DIR)),
    CT_STATUS: DataType(4, HOST, "#x", named(symbols.CT_STATUS), bitmask=True),
    ICMP6_TYPE: DataType(1, names=named(symbols.ICMPV6_TYPE)),
    CT_LABEL: DataType(16, HOST, "#x", bitmask=True, write=label),
    PKTTYPE: DataType(1, HOST, names=named(symbols.PKT_TYPE)),
    ICMP_CODE: DataType(1, names=named(symbols.ICMP_CODE)),
    ICMPV6_CODE: DataType(1, names=named(symbols.ICMPV6_CODE)),
    ICMPX_CODE: DataType(1, names=named(symbols.ICMPX_CODE)),
    DEVGROUP: DataType(4, HOST, names=symbols.groups, quoted=True, prefix=True),
    DSCP: DataType(1, form="#04x", names=named(symbols.DSCP)),
    ECN: DataType(1, form="#x", names=named(symbols.ECN)),
    FIB_ADDR: DataType(4, HOST, names=named(symbols.FIB_ADDR_TYPE)),
    BOOLEAN: DataType(1, names=named(symbols.BOOLEAN)),
    CT_EVENTBIT: DataType(4, HOST, "#x", named(symbols.CT_EVENT), bitmask=True),
    IFNAME: DataType(16, HOST),
    IGMP_TYPE: DataType(1, names=named(symbols.IGMP_TYPE)),
    TIME_DATE: DataType(8, HOST, write=date),
    TIME_HOUR: DataType(4, HOST, write=hour),
    TIME_DAY: DataType(1, names=named(symbols.DAY), quoted=True),
    CGROUPV2: DataType(8, HOST, write=cgroup),
}


def parts(data_type: int) -> tuple[int, ...]:
    """The types of a concatenation in order; of any other type itself.

    nft reads them up to the first that it has no type for, and tells no more of the values either.
    """
    found: tuple[int, ...] = ()
    while data_type:
        kind = data_type & (1 << TYPE_BITS) - 1
        found = (kind, *found) if kind else ()
        data_type >>= TYPE_BITS
    return found


def number_text(data_type: int, value: int, context: Context, *, plain: bool = False) -> str:
    """One number of a type; ``plain``: without names, as in ranges."""
    kind = TYPES.get(data_type, NUMBER)
    if kind.octets and value >> 8 * kind.octets:
        return f"{value:#x}"  # wider than anything that the type can be
    if data_type == TIME and plain:
        return f"{value // 1000}s"
    if kind.write:
        return kind.write(value, context)
    name = kind.names().get(value) if kind.names and not plain else None
    if name is None:
        return "0x0" if kind.form == "#x" and not value else format(value, kind.form)
    return f'"{name}"' if kind.quoted else name


def value_text(data_type: int, octets: bytes, context: Context, order: Order | None = None) -> str:
    """A value, or a concatenation's values each padded to four bytes. ``order``: where it is not the type's own."""
    if data_type >> TYPE_BITS:
        return " . ".join(value_text(kind, part, context) for kind, part in divided(data_type, octets))
    if data_type in (STRING, IFNAME):
        return string_text(octets)
    kind = TYPES.get(data_type, NUMBER)
    value = int.from_bytes(octets[: kind.octets] if kind.octets else octets, order or kind.order)
    return " | ".join(flag_texts(data_type, value, context)) if kind.bitmask else number_text(data_type, value, context)


def divided(data_type: int, octets: bytes) -> list[tuple[int, bytes]]:
    """The types and the unpadded bytes of a concatenation's parts; one whose size is its use's takes four bytes."""
    found, at = [], 0
    for number in parts(data_type):
        size = TYPES.get(number, NUMBER).octets or 4
        found.append((number, octets[at : at + size]))
        at += (size + 3) & ~3
    return found


def prefix_text(data_type: int, octets: bytes, length: int, context: Context) -> str:
    """A value of which only the first ``length`` bits count; a name's are told by a star."""
    if data_type in (STRING, IFNAME):
        return string_text(octets[: length // 8])
    return f"{value_text(data_type, octets, context)}/{length}"


def range_text(data_type: int, low: bytes, high: bytes, context: Context, order: Order | None = None) -> str:
    """Both ends, numbers by no name."""
    kind = TYPES.get(data_type, NUMBER)
    ends = [int.from_bytes(octets[: kind.octets or None], order or kind.order) for octets in (low, high)]
    return "-".join(number_text(data_type, end, context, plain=True) for end in ends)


def string_text(octets: bytes) -> str:
    """A name in quotes; one without its NUL is the start of a name."""
    told, nul, _ = octets.partition(b"\0")
    text = told.decode("utf-8", "surrogateescape")
    if not nul:
        return f'"{text}*"'
    return f'"{text[:-1]}\\*"' if text.endswith("*") else f'"{text}"'


def is_bitmask(data_type: int) -> bool:
    return TYPES.get(data_type, NUMBER).bitmask


def flag_texts(data_type: int, value: int, context: Context) -> list[str]:
    """Each bit of a mask by its name, the lowest first; what is no bit at all is told as one number."""
    bits = [1 << bit for bit in range(value.bit_length()) if value >> bit & 1]
    return [number_text(data_type, bit, context) for bit in bits or [0]]


def verdict_text(code: int, chain: str = "") -> str:
    """A verdict from NFTA_VERDICT_CODE (signed) and the chain that it names."""
    if code in (NFT_JUMP, NFT_GOTO):
        return f"{'jump' if code == NFT_JUMP else 'goto'} {chain}"
    return CHAINLESS.get(code) or VERDICTS.get(code & 0xFF) or f"unknown verdict value {code & 0xFFFFFFFF}"
