"""Tables and chains of nf_tables, from NFT_MSG_GETTABLE and NFT_MSG_GETCHAIN (uapi linux/netfilter/nf_tables.h)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.payloads import comment, number, signed
from collectors.netfilter.nft.uapi import NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS
from collectors.netlink.names import NameBits
from collectors.wire.netlink import DecodeError, Messages, attribute_map, attributes, text

NFTA_TABLE_NAME, NFTA_TABLE_FLAGS, NFTA_TABLE_HANDLE, NFTA_TABLE_USERDATA, NFTA_TABLE_OWNER = 1, 2, 4, 6, 7
NFTA_CHAIN_TABLE, NFTA_CHAIN_HANDLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY = 1, 2, 3, 4, 5
NFTA_CHAIN_TYPE, NFTA_CHAIN_COUNTERS, NFTA_CHAIN_FLAGS, NFTA_CHAIN_USERDATA = 7, 8, 10, 12
NFTA_HOOK_HOOKNUM, NFTA_HOOK_PRIORITY, NFTA_HOOK_DEV, NFTA_HOOK_DEVS = 1, 2, 3, 4
NFTA_DEVICE_NAME, NFTA_DEVICE_PREFIX = 1, 2  # the latter since Linux 6.17
NFT_CHAIN_BASE, NFT_CHAIN_HW_OFFLOAD, NFT_CHAIN_BINDING = 1, 2, 4
TABLE_FLAGS = NameBits({1: "dormant", 2: "owner", 4: "persist"})

FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
INET_HOOKS = {0: "prerouting", 1: "input", 2: "forward", 3: "output", 4: "postrouting", 5: "ingress"}
HOOKS = {
    nfnetlink.NFPROTO_NETDEV: {0: "ingress", 1: "egress"},
    nfnetlink.NFPROTO_ARP: {0: "input", 1: "output", 2: "forward"},
}
POLICIES = {0: "drop", 1: "accept"}

# priorities with a name (nft(8), "Standard priority names"); in a bridge family they have other numbers
NAMED = {-300: "raw", -150: "mangle", -100: "dstnat", 0: "filter", 50: "security", 100: "srcnat"}
NAMED_BRIDGE = {-300: "dstnat", -200: "filter", 100: "out", 300: "srcnat"}
NAMED_ARP = {0: "filter"}
NEAR = 10  # how far from a named priority nft still tells it by its name


class TableKey(NamedTuple):
    family: int
    name: str


@dataclass(frozen=True, slots=True)
class NftTable:
    """``flags``: names; ``owner``: netlink port id of the process that alone may change it."""

    key: TableKey
    handle: int
    flags: tuple[str, ...]
    owner: int | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class NftChain:
    """``hook``: None for a chain that is only jumped to; ``counted``: packets and bytes that its policy met."""

    key: TableKey
    name: str
    handle: int
    flags: int
    hook: str | None = None
    priority: int | None = None
    policy: str | None = None
    type: str | None = None
    devices: tuple[str, ...] = ()
    counted: tuple[int, int] | None = None
    comment: str | None = None


def tables(messages: Messages) -> Iterator[NftTable]:
    for family, found in objects(messages):
        flags = TABLE_FLAGS(number(found, NFTA_TABLE_FLAGS))
        owner = number(found, NFTA_TABLE_OWNER) if NFTA_TABLE_OWNER in found else None
        yield NftTable(
            TableKey(family, text(found.get(NFTA_TABLE_NAME, b""))),
            number(found, NFTA_TABLE_HANDLE),
            tuple(map(str, flags)) if isinstance(flags, list) else (),
            owner,
            comment(found.get(NFTA_TABLE_USERDATA, b"")),
        )


def chains(messages: Messages) -> Iterator[NftChain]:
    for family, found in objects(messages):
        key = TableKey(family, text(found.get(NFTA_CHAIN_TABLE, b"")))
        name, handle = text(found.get(NFTA_CHAIN_NAME, b"")), number(found, NFTA_CHAIN_HANDLE)
        flags, said = number(found, NFTA_CHAIN_FLAGS), comment(found.get(NFTA_CHAIN_USERDATA, b""))
        if NFTA_CHAIN_HOOK not in found:
            yield NftChain(key, name, handle, flags, comment=said)
            continue
        hook = attribute_map(found[NFTA_CHAIN_HOOK])
        yield NftChain(
            key,
            name,
            handle,
            flags | NFT_CHAIN_BASE,
            hook_name(family, number(hook, NFTA_HOOK_HOOKNUM)),
            signed(hook, NFTA_HOOK_PRIORITY),
            POLICIES.get(number(found, NFTA_CHAIN_POLICY)) if NFTA_CHAIN_POLICY in found else None,
            text(found.get(NFTA_CHAIN_TYPE, b"")) or None,
            devices(hook),
            counted(found.get(NFTA_CHAIN_COUNTERS)),
            said,
        )


def hook_name(family: int, place: int) -> str:
    return HOOKS.get(family, INET_HOOKS).get(place, str(place))


def objects(messages: Messages) -> Iterator[tuple[int, dict[int, bytes]]]:
    """The family and the attributes of each message of a dump of few objects."""
    size = 16 + nfnetlink.NFGENMSG.itemsize
    for offset, length in zip(messages.offsets.tolist(), messages.lengths.tolist(), strict=True):
        if length < size:
            raise DecodeError(offset, f"message of {length} bytes, nfgenmsg needs {size}")
        body = messages.data[offset + 16 : offset + length].tobytes()
        yield body[0], attribute_map(body[4:])


def devices(hook: Mapping[int, bytes]) -> tuple[str, ...]:
    if NFTA_HOOK_DEVS in hook:
        return device_list(hook[NFTA_HOOK_DEVS])
    return (text(hook[NFTA_HOOK_DEV]),) if NFTA_HOOK_DEV in hook else ()


def device_list(nested: bytes) -> tuple[str, ...]:
    """Names, and beginnings of names with a star; before Linux 6.17 these were names without their NUL."""
    return tuple(
        text(name) + ("*" if kind == NFTA_DEVICE_PREFIX or not name.endswith(b"\0") else "")
        for kind, name in attributes(nested)
        if kind in (NFTA_DEVICE_NAME, NFTA_DEVICE_PREFIX)
    )


def counted(value: bytes | None) -> tuple[int, int] | None:
    """Packets and bytes of an nft_counter."""
    if value is None:
        return None
    found = attribute_map(value)
    return number(found, NFTA_COUNTER_PACKETS), number(found, NFTA_COUNTER_BYTES)


def priority_name(family: int, hook: str, priority: int) -> str:
    """As ``nft list`` prints it: by name within 10 of a named one, where the hook knows that name."""
    for known, name in sorted(named_priorities(family, hook).items(), key=lambda entry: abs(entry[0] - priority)):
        difference = priority - known
        if not difference:
            return name
        if abs(difference) <= NEAR:
            return f"{name} {'+' if difference > 0 else '-'} {abs(difference)}"
    return str(priority)


def named_priorities(family: int, hook: str) -> Mapping[int, str]:
    if family == nfnetlink.NFPROTO_BRIDGE:
        named, only = NAMED_BRIDGE, {"dstnat": ("prerouting",), "out": ("output",), "srcnat": ("postrouting",)}
    elif family in (nfnetlink.NFPROTO_ARP, nfnetlink.NFPROTO_NETDEV):
        return NAMED_ARP
    else:
        named, only = NAMED, {"dstnat": ("prerouting",), "srcnat": ("postrouting",)}
    return {known: name for known, name in named.items() if hook in only.get(name, (hook,))}
