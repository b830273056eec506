"""What a route message nests: multipath next hops, metrics, lightweight tunnels (uapi rtnetlink.h, lwtunnel.h)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from collectors.netlink.fields import little
from collectors.netlink.names import NameBits, route_realm, route_table
from collectors.values import Cell
from collectors.wire.netlink import DecodeError, attribute_map, attributes, text

# RTNH_F_* of rtnetlink.h, which share rtm_flags with RTM_F_*; words and order of iproute2's print_rt_flags
ROUTE_FLAGS = NameBits(
    {
        0x01: "dead",
        0x04: "onlink",
        0x02: "pervasive",
        0x08: "offload",
        0x40: "trap",
        0x100: "notify",
        0x10: "linkdown",
        0x20: "unresolved",
        0x4000: "rt_offload",
        0x8000: "rt_trap",
        0x20000000: "rt_offload_failed",
    }
)
# RTAX_*: index -> iproute2's word
RTAX = {
    2: "mtu", 3: "window", 4: "rtt", 5: "rttvar", 6: "ssthresh", 7: "cwnd", 8: "advmss", 9: "reordering",
    10: "hoplimit", 11: "initcwnd", 12: "features", 13: "rto_min", 14: "initrwnd", 15: "quickack",
    16: "congestion", 17: "fastopen_no_cookie",
}  # fmt: skip
RTAX_LOCK, RTAX_FEATURES, RTAX_CC_ALGO = 1, 12, 16
RTAX_SCALE = {4: 8, 5: 4}  # rtt and rttvar are kept in eighths and quarters of a millisecond
RTAX_FEATURE = NameBits({0x01: "ecn", 0x02: "sack", 0x04: "timestamp", 0x08: "allfrag", 0x10: "tcp_usec_ts"})
LWTUNNEL_ENCAP = {
    1: "mpls",
    2: "ip",
    3: "ila",
    4: "ip6",
    5: "seg6",
    6: "bpf",
    7: "seg6local",
    8: "rpl",
    9: "ioam6",
    10: "xfrm",
}
RTA_GATEWAY, RTA_FLOW, RTA_VIA, RTA_NEWDST, RTA_ENCAP_TYPE, RTA_ENCAP = 5, 11, 18, 19, 21, 22


def address(value: bytes) -> str:
    """An address whose family follows from its length."""
    if len(value) == 4:
        return socket.inet_ntop(socket.AF_INET, value)
    return socket.inet_ntop(socket.AF_INET6, value) if len(value) == 16 else value.hex(":")


def via(value: bytes) -> dict[str, Cell]:
    """struct rtvia { __kernel_sa_family_t rtvia_family; __u8 rtvia_addr[]; }"""
    family = int.from_bytes(value[:2], "little")
    return {"family": {2: "inet", 10: "inet6"}.get(family, str(family)), "host": address(value[2:])}


def metrics(value: bytes) -> list[dict[str, Cell]]:
    """RTA_METRICS by iproute2's words, in the list of one that it makes; the locked ones are named in ``lock``."""
    found: dict[str, Cell] = {}
    locked = 0
    for number, payload in attributes(value):
        amount = little(payload[:4])
        if number == RTAX_CC_ALGO:
            found["congestion"] = text(payload)
        elif number == RTAX_LOCK:
            locked = amount
        elif number == RTAX_FEATURES:
            found |= dict.fromkeys(RTAX_FEATURE(amount), True)
        else:
            found[RTAX.get(number, f"metric {number}")] = amount // RTAX_SCALE.get(number, 1)
    if locked:
        found["lock"] = [name for number, name in RTAX.items() if locked >> number & 1]
    return [found]


def realms(number: int) -> dict[str, Cell]:
    """RTA_FLOW: the realm of origin in the upper half, of destination in the lower."""
    origin: dict[str, Cell] = {"from": route_realm(number >> 16)} if number >> 16 else {}
    return {**origin, "to": route_realm(number & 0xFFFF)}


def multipath(value: bytes) -> list[dict[str, Cell]]:
    """struct rtnexthop { u16 rtnh_len; u8 rtnh_flags; u8 rtnh_hops; int rtnh_ifindex; } with attributes behind each."""
    found: list[dict[str, Cell]] = []
    at = 0
    while len(value) - at >= 8:
        length, flags, hops, index = struct.unpack_from("=HBBi", value, at)
        if length < 8 or length > len(value) - at:
            raise DecodeError(at, f"next hop of {length} bytes with {len(value) - at} bytes left")
        inner = attribute_map(value[at + 8 : at + length])
        hop: dict[str, Cell] = {"oif": index, "weight": hops + 1, "flags": ROUTE_FLAGS(flags)}
        if RTA_GATEWAY in inner:
            hop["gateway"] = address(inner[RTA_GATEWAY])
        if RTA_VIA in inner:
            hop["via"] = via(inner[RTA_VIA])
        if RTA_FLOW in inner:
            hop["flow"] = realms(little(inner[RTA_FLOW][:4]))
        if RTA_ENCAP_TYPE in inner:
            kind = int.from_bytes(inner[RTA_ENCAP_TYPE][:2], "little")
            hop["encap"] = encapsulation_type(kind)
            hop["encap_info"] = encapsulation(inner[RTA_ENCAP_TYPE] + inner.get(RTA_ENCAP, b""))
        found.append(hop)
        at += (length + 3) & ~3
    return found


def encapsulation_type(number: int) -> str:
    return LWTUNNEL_ENCAP.get(number, str(number))


def encapsulation(value: bytes) -> dict[str, Cell]:
    """RTA_ENCAP_TYPE's two bytes, then RTA_ENCAP: the fields of the kinds that are known, {} for others."""
    kind, inner = int.from_bytes(value[:2], "little"), attribute_map(value[2:])
    fields = ENCAPSULATIONS.get(kind, [])
    return {name: spell(inner[number]) for number, name, spell in fields if number in inner}


def big(value: bytes) -> int:
    return int.from_bytes(value, "big")


def labels(value: bytes) -> str:
    """A stack of MPLS labels, RFC 3032: 20 bits each at the top of 4 bytes."""
    return "/".join(str(int.from_bytes(value[at : at + 3], "big") >> 4) for at in range(0, len(value) - 3, 4))


Speller = Callable[[bytes], Cell]
TUNNEL: list[tuple[int, str, Speller]] = [
    (1, "id", big), (2, "dst", address), (3, "src", address), (4, "ttl", little), (5, "tos", little),
]  # fmt: skip
TUNNEL6: list[tuple[int, str, Speller]] = [
    (1, "id", big), (2, "dst", address), (3, "src", address), (4, "hoplimit", little), (5, "tc", little),
]  # fmt: skip
SEG6_MODES = ("inline", "encap", "l2encap", "encap.red", "l2encap.red")
SEG6_ACTIONS = {
    1: "End", 2: "End.X", 3: "End.T", 4: "End.DX2", 5: "End.DX6", 6: "End.DX4", 7: "End.DT6", 8: "End.DT4",
    9: "End.B6", 10: "End.B6.Encaps", 11: "End.BM", 12: "End.S", 13: "End.AS", 14: "End.AM", 15: "End.BPF",
    16: "End.DT46",
}  # fmt: skip


def seg6_mode(value: bytes) -> str:
    """struct seg6_iptunnel_encap { int mode; struct ipv6_sr_hdr srh[]; }"""
    mode = little(value[:4])
    return SEG6_MODES[mode] if mode < len(SEG6_MODES) else str(mode)


def segments(value: bytes) -> list[Cell]:
    """RFC 8754: the segments of ipv6_sr_hdr stand in reverse, from first_segment (its fifth byte) down to 0."""
    last = value[8] if len(value) > 8 else 0
    found = [value[12 + at * 16 : 28 + at * 16] for at in range(last, -1, -1)]
    return [address(segment) for segment in found if len(segment) == 16]


ENCAPSULATIONS: dict[int, list[tuple[int, str, Speller]]] = {
    1: [(1, "dst", labels), (2, "ttl", little)],
    2: TUNNEL,
    4: TUNNEL6,
    5: [(1, "mode", seg6_mode), (1, "segs", lambda value: segments(value))],
    7: [
        (1, "action", lambda value: SEG6_ACTIONS.get(little(value), str(little(value)))),
        (2, "segs", lambda value: segments(bytes(4) + value)),
        (3, "table", lambda value: route_table(little(value))),
        (4, "nh4", address),
        (5, "nh6", address),
        (6, "iif", little),
        (7, "oif", little),
        (9, "vrftable", lambda value: route_table(little(value))),
    ],
}
