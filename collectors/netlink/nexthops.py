"""What a route message nests: multipath next hops, metrics, lightweight tunnels (uapi rtnetlink.h, lwtunnel.h)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from collectors.netlink.names import NameBits
from collectors.values import Cell
from collectors.wire.netlink import attribute_map, attributes, text

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
    16: "congctl", 17: "fastopen_no_cookie",
}  # fmt: skip
RTAX_LOCK, RTAX_CC_ALGO = 1, 16
RTAX_SCALE = {4: 8.0, 5: 4.0}  # rtt and rttvar are kept in eighths and quarters of a millisecond
RTAX_FEATURES = NameBits({0x01: "ecn", 0x02: "sack", 0x04: "timestamp", 0x08: "allfrag", 0x10: "tcp_usec_ts"})
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


def metrics(value: bytes) -> dict[str, Cell]:
    """RTA_METRICS by iproute2's words; a locked metric stands in ``lock``."""
    found: dict[str, Cell] = {}
    locked = 0
    for number, payload in attributes(value):
        if number == RTAX_CC_ALGO:
            found["congctl"] = text(payload)
            continue
        amount = int.from_bytes(payload[:4], "little")
        if number == RTAX_LOCK:
            locked = amount
        elif number == 12:
            found["features"] = RTAX_FEATURES(amount)
        else:
            found[RTAX.get(number, f"metric {number}")] = (
                amount / RTAX_SCALE[number] if number in RTAX_SCALE else amount
            )
    if locked:
        found["lock"] = [name for number, name in RTAX.items() if locked >> number & 1]
    return found


def multipath(value: bytes) -> list[dict[str, Cell]]:
    """struct rtnexthop { u16 rtnh_len; u8 rtnh_flags; u8 rtnh_hops; int rtnh_ifindex; } with attributes behind each."""
    found: list[dict[str, Cell]] = []
    at = 0
    while len(value) - at >= 8:
        length, flags, hops, index = struct.unpack_from("=HBBi", value, at)
        if length < 8 or length > len(value) - at:
            break
        inner = attribute_map(value[at + 8 : at + length])
        hop: dict[str, Cell] = {"oif": index, "weight": hops + 1, "flags": ROUTE_FLAGS(flags)}
        if RTA_GATEWAY in inner:
            hop["gateway"] = address(inner[RTA_GATEWAY])
        if RTA_VIA in inner:
            hop["via"] = via(inner[RTA_VIA])
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
    fields = ENCAPSULATIONS.get(kind, {})
    return {name: spell(inner[number]) for number, (name, spell) in fields.items() if number in inner}


def big(value: bytes) -> int:
    return int.from_bytes(value, "big")


def little(value: bytes) -> int:
    return int.from_bytes(value, "little")


def labels(value: bytes) -> str:
    """A stack of MPLS labels, RFC 3032: 20 bits each at the top of 4 bytes."""
    return "/".join(str(int.from_bytes(value[at : at + 3], "big") >> 4) for at in range(0, len(value) - 3, 4))


Speller = Callable[[bytes], Cell]
TUNNEL: dict[int, tuple[str, Speller]] = {
    1: ("id", big),
    2: ("dst", address),
    3: ("src", address),
    4: ("ttl", little),
    5: ("tos", little),
}
TUNNEL6: dict[int, tuple[str, Speller]] = {
    1: ("id", big),
    2: ("dst", address),
    3: ("src", address),
    4: ("hoplimit", little),
    5: ("tc", little),
}
ENCAPSULATIONS: dict[int, dict[int, tuple[str, Speller]]] = {
    1: {1: ("dst", labels), 2: ("ttl", little)},
    2: TUNNEL,
    4: TUNNEL6,
}
