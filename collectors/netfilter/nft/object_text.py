"""What named objects and flowtables of nf_tables are, in nft's words: the lines between their braces, as one.

uapi linux/netfilter/nf_tables.h, NFT_OBJECT_* and the attributes of each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from collectors.netfilter.nfnetlink import NFPROTO_NETDEV
from collectors.netfilter.nft import symbols
from collectors.netfilter.nft.chains import FAMILIES, device_list, priority_name
from collectors.netfilter.nft.datatypes import milliseconds
from collectors.netfilter.nft.payloads import number, signed
from collectors.netfilter.nft.stateful import Found, connections, limit, quota
from collectors.netfilter.nft.uapi import (
    NFT_OBJECT_COUNTER,
    NFT_OBJECT_QUOTA,
    NFTA_COUNTER_BYTES,
    NFTA_COUNTER_PACKETS,
)
from collectors.wire.netlink import attribute_map, text

NFTA_CT_HELPER_NAME, NFTA_CT_HELPER_L3PROTO, NFTA_CT_HELPER_L4PROTO = 1, 2, 3
NFTA_CT_TIMEOUT_L3PROTO, NFTA_CT_TIMEOUT_L4PROTO, NFTA_CT_TIMEOUT_DATA = 1, 2, 3
NFTA_CT_EXPECT_L3PROTO, NFTA_CT_EXPECT_L4PROTO, NFTA_CT_EXPECT_DPORT = 1, 2, 3
NFTA_CT_EXPECT_TIMEOUT, NFTA_CT_EXPECT_SIZE = 4, 5
NFTA_SECMARK_CTX = 1
NFTA_SYNPROXY_MSS, NFTA_SYNPROXY_WSCALE, NFTA_SYNPROXY_FLAGS = 1, 2, 3
SYNPROXY = {0x8: "timestamp", 0x4: "sack-perm"}
NFTA_FLOWTABLE_HOOK_NUM, NFTA_FLOWTABLE_HOOK_PRIORITY, NFTA_FLOWTABLE_HOOK_DEVS = 1, 2, 3
NFT_FLOWTABLE_HW_OFFLOAD, NFT_FLOWTABLE_COUNTER = 1, 2
IPPROTO_TCP, IPPROTO_UDP = 6, 17

# states of a timeout policy by attribute, with the time that nft leaves out as usual
# uapi linux/netfilter/nfnetlink_cttimeout.h
TIMEOUTS: Mapping[int, Mapping[int, tuple[str, int]]] = {
    IPPROTO_TCP: {
        1: ("syn_sent", 120), 2: ("syn_recv", 60), 3: ("established", 432000), 4: ("fin_wait", 120),
        5: ("close_wait", 60), 6: ("last_ack", 30), 7: ("time_wait", 120), 8: ("close", 10), 10: ("retrans", 300),
        11: ("unack", 300),
    },
    IPPROTO_UDP: {1: ("unreplied", 30), 2: ("replied", 120)},
}  # fmt: skip


def counter(data: Found) -> str:
    return f"packets {number(data, NFTA_COUNTER_PACKETS)} bytes {number(data, NFTA_COUNTER_BYTES)}"


def helper(data: Found) -> str:
    name, protocol = text(data.get(NFTA_CT_HELPER_NAME, b"")), protocol_name(number(data, NFTA_CT_HELPER_L4PROTO))
    return f'type "{name}" protocol {protocol} l3proto {family(number(data, NFTA_CT_HELPER_L3PROTO))}'


def timeout(data: Found) -> str:
    protocol = number(data, NFTA_CT_TIMEOUT_L4PROTO)
    found = attribute_map(data.get(NFTA_CT_TIMEOUT_DATA, b""))
    unusual = [
        f"{state} : {seconds}"
        for place, (state, usual) in TIMEOUTS.get(protocol, {}).items()
        if place in found and (seconds := number(found, place)) != usual
    ]
    layer3 = family(number(data, NFTA_CT_TIMEOUT_L3PROTO))
    policy = f"{{ {', '.join(unusual)} }}" if unusual else "{ }"
    return f"protocol {protocol_name(protocol)} l3proto {layer3} policy = {policy}"


def expectation(data: Found) -> str:
    after = int.from_bytes(data.get(NFTA_CT_EXPECT_TIMEOUT, b""), sys.byteorder)  # ms; the kernel does not turn it
    return (
        f"protocol {protocol_name(number(data, NFTA_CT_EXPECT_L4PROTO))} dport {number(data, NFTA_CT_EXPECT_DPORT)}"
        f" timeout {milliseconds(after)} size {number(data, NFTA_CT_EXPECT_SIZE)}"
        f" l3proto {family(number(data, NFTA_CT_EXPECT_L3PROTO))}"
    )


def synproxy(data: Found) -> str:
    flags = number(data, NFTA_SYNPROXY_FLAGS)
    words = [word for bit, word in SYNPROXY.items() if flags & bit]
    return " ".join([f"mss {number(data, NFTA_SYNPROXY_MSS)} wscale {number(data, NFTA_SYNPROXY_WSCALE)}", *words])


def flowtable(hook: Found, flags: int) -> str:
    """From the attributes of NFTA_FLOWTABLE_HOOK."""
    name, order = flowtable_hook(hook), signed(hook, NFTA_FLOWTABLE_HOOK_PRIORITY)
    names = flowtable_devices(hook)
    said = [f"hook {name} priority {priority_name(NFPROTO_NETDEV, name, order)}"]
    if names:
        said.append(f"devices = {{ {', '.join(names)} }}")
    if flags & NFT_FLOWTABLE_HW_OFFLOAD:
        said.append("flags offload")
    if flags & NFT_FLOWTABLE_COUNTER:
        said.append("counter")
    return " ".join(said)


def flowtable_hook(hook: Found) -> str:
    place = number(hook, NFTA_FLOWTABLE_HOOK_NUM)
    return {0: "ingress", 1: "egress"}.get(place, str(place))


def flowtable_devices(hook: Found) -> tuple[str, ...]:
    return device_list(hook.get(NFTA_FLOWTABLE_HOOK_DEVS, b""))


def protocol_name(protocol: int) -> str:
    return symbols.protocols().get(protocol, str(protocol))


def family(protocol: int) -> str:
    return FAMILIES.get(protocol, "unknown")


# NFT_OBJECT_* -> what nft calls it, and how it tells what it is
OBJECTS: Mapping[int, tuple[str, Callable[[Found], str] | None]] = {
    NFT_OBJECT_COUNTER: ("counter", counter),
    NFT_OBJECT_QUOTA: ("quota", quota),
    3: ("ct helper", helper),
    4: ("limit", limit),
    5: ("ct count", connections),
    6: ("tunnel", None),
    7: ("ct timeout", timeout),
    8: ("secmark", lambda data: f'"{text(data.get(NFTA_SECMARK_CTX, b""))}"'),
    9: ("ct expectation", expectation),
    10: ("synproxy", synproxy),
}


def object_name(kind: int) -> str:
    return OBJECTS[kind][0] if kind in OBJECTS else f"object {kind}"
