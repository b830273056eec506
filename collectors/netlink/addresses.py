"""Addresses of every interface, IPv4 and IPv6, from rtnetlink RTM_GETADDR, in the kernel's order."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink import names
from collectors.netlink.dump import NETLINK_ROUTE, decode_dump, dump
from collectors.table import Column, Table
from collectors.values import IPV4, Addresses, Numbers
from collectors.wire.netlink import Messages, text
from collectors.wire.shapes import Shape, shapes

RTM_NEWADDR, RTM_GETADDR = 20, 22

# uapi linux/if_addr.h, struct ifaddrmsg
IFADDRMSG = np.dtype(
    [("ifa_family", "u1"), ("ifa_prefixlen", "u1"), ("ifa_flags", "u1"), ("ifa_scope", "u1"), ("ifa_index", "<u4")]
)
IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST, IFA_ANYCAST, IFA_CACHEINFO, IFA_MULTICAST, IFA_FLAGS = range(1, 9)
IFA_RT_PRIORITY, IFA_TARGET_NETNSID, IFA_PROTO = 9, 10, 11  # IFA_PROTO since 5.18

# struct ifa_cacheinfo: lifetimes in seconds, stamps in hundredths of seconds since boot
CACHEINFO = np.dtype([("ifa_prefered", "<u4"), ("ifa_valid", "<u4"), ("cstamp", "<u4"), ("tstamp", "<u4")])

IFA_F_SECONDARY, IFA_F_PERMANENT, IFA_F_MANAGETEMPADDR = 0x01, 0x80, 0x100
DYNAMIC, TEMPORARY = 1 << 32, 1 << 33  # ours: not IFA_F_PERMANENT; IFA_F_SECONDARY of IPv6
IFA_F = {  # words and order of ip's print_ifa_flags, which tells what is not permanent
    IFA_F_SECONDARY: "secondary",
    TEMPORARY: "temporary",
    0x02: "nodad",
    0x04: "optimistic",
    0x08: "dadfailed",
    0x10: "home",
    0x20: "deprecated",
    0x40: "tentative",
    DYNAMIC: "dynamic",
    IFA_F_MANAGETEMPADDR: "mngtmpaddr",
    0x200: "noprefixroute",
    0x400: "autojoin",
    0x800: "stable-privacy",
}
FLAGS = names.NameBits(IFA_F)
IFAPROT = {0: "unspec", 1: "kernel_lo", 2: "kernel_ra", 3: "kernel_ll"}
MEANINGS = {
    "secondary": "in the subnet of an earlier address (its primary)",
    "temporary": "privacy address, RFC 8981",
    "nodad": "no duplicate address detection",
    "optimistic": "usable while duplicates are looked for, RFC 4429",
    "dadfailed": "another host has it: not in use",
    "home": "Mobile IPv6 home address",
    "deprecated": "preferred lifetime is over: not for new connections",
    "tentative": "duplicate address detection runs or waits for the link",
    "dynamic": "has a lifetime",
    "mngtmpaddr": "temporary addresses are made from it",
    "noprefixroute": "no route to its prefix was made",
    "autojoin": "the multicast group was joined",
    "stable-privacy": "interface identifier of RFC 7217",
}

COLUMNS = (
    Column("ifindex", "u4", "key", help="interface index"),
    Column("family", "text", "key", help="inet or inet6"),
    Column("local", "address", "key", help="the address"),
    Column("prefixlen", "u1", "key", help="length of its subnet's prefix"),
    Column("address", "address", "key", help="the peer's address of a point-to-point link"),
    Column("broadcast", "address", "label", help="broadcast address"),
    Column("scope", "text", "label", help="how far it is valid: global, link, host"),
    Column("label", "text", "label", help="alias name (eth0:1)"),
    Column("position", "u4", "label", help="place in the kernel's list of this interface and family, from 0"),
    Column("primary", "address", "label", help="the address that a secondary or temporary one depends on"),
    Column("flags", "json", "label", help="secondary, tentative, dadfailed, deprecated, dynamic, …"),
    *(Column(word.replace("-", "_"), "bool", "label", help=MEANINGS[word], path=word) for word in IFA_F.values()),
    Column("protocol", "text", "label", help="who added it: kernel_lo, kernel_ra, kernel_ll or a number"),
    Column("metric", "u4", "label", help="priority of its prefix route"),
    Column("valid_life_time", "u4", "gauge", "s", "time until it is removed; 4294967295: for ever"),
    Column("preferred_life_time", "u4", "gauge", "s", "time until it is deprecated; 4294967295: for ever"),
    Column("cstamp", "f8", "label", "s", "when it was made, since boot"),
    Column("tstamp", "f8", "label", "s", "when it last changed, since boot"),
)


def read(host: Host) -> Iterator[Block]:
    yield from dump(host, NETLINK_ROUTE, RTM_GETADDR, bytes(IFADDRMSG.itemsize))


def decode(raw: Raw) -> Table:
    return arranged(decode_dump(raw, {"": rows}, [RTM_NEWADDR]))


def rows(messages: Messages) -> Table:
    draft = Draft(COLUMNS, len(messages))
    for shape in shapes(messages, IFADDRMSG.itemsize):
        header = shape.header(IFADDRMSG)
        draft.numbers("ifindex", header["ifa_index"], shape.at)
        draft.named("family", header["ifa_family"], names.family_name, shape.at)
        draft.numbers("prefixlen", header["ifa_prefixlen"], shape.at)
        draft.named("scope", header["ifa_scope"], names.route_scope, shape.at)
        put_addresses(draft, shape, header)
        put_flags(draft, shape, header)
        put_attributes(draft, shape)
    return draft.table()


def put_addresses(draft: Draft, shape: Shape, header: NDArray[np.void]) -> None:
    """IFA_LOCAL is left out where it would repeat IFA_ADDRESS, which is the peer's where both are there."""
    local = IFA_LOCAL if IFA_LOCAL in shape else IFA_ADDRESS
    for name, number in (("local", local), ("broadcast", IFA_BROADCAST)):
        if number in shape:
            octets = shape.bytes_of(number)
            forms = names.address_forms(header["ifa_family"], octets.shape[1])
            draft.addresses(name, octets, forms, shape.at)
    if IFA_LOCAL in shape and IFA_ADDRESS in shape:
        octets = shape.bytes_of(IFA_ADDRESS)
        forms = names.address_forms(header["ifa_family"], octets.shape[1])
        if octets.shape == shape.bytes_of(IFA_LOCAL).shape:
            forms = np.where((octets != shape.bytes_of(IFA_LOCAL)).any(axis=1), forms, 0)
        draft.addresses("address", octets, forms, shape.at)


def put_flags(draft: Draft, shape: Shape, header: NDArray[np.void]) -> None:
    """IFA_FLAGS holds the header's eight bits and those that came later."""
    flags = (shape.number("<u4", IFA_FLAGS) if IFA_FLAGS in shape else header["ifa_flags"]).astype(np.uint64)
    flags = np.where(flags & np.uint64(IFA_F_PERMANENT), flags, flags | np.uint64(DYNAMIC))
    flags &= ~np.uint64(IFA_F_PERMANENT)
    temporary = (header["ifa_family"] == socket.AF_INET6) & (flags & np.uint64(IFA_F_SECONDARY) != 0)
    flags = np.where(temporary, flags ^ np.uint64(IFA_F_SECONDARY | TEMPORARY), flags)
    draft.named("flags", flags, FLAGS, shape.at)
    for bit, word in IFA_F.items():
        found = flags & np.uint64(bit) != 0
        if found.any():
            draft.numbers(word.replace("-", "_"), True, shape.at, found)


def put_attributes(draft: Draft, shape: Shape) -> None:
    at = shape.at
    if IFA_LABEL in shape:
        draft.spelled("label", shape.bytes_of(IFA_LABEL), text, at)
    if IFA_PROTO in shape:
        draft.named("protocol", shape.number("u1", IFA_PROTO), address_protocol, at)
    if IFA_RT_PRIORITY in shape:
        draft.numbers("metric", shape.number("<u4", IFA_RT_PRIORITY), at)
    if IFA_CACHEINFO in shape:
        cache = shape.struct(CACHEINFO, IFA_CACHEINFO)
        for name, field in (("valid_life_time", "ifa_valid"), ("preferred_life_time", "ifa_prefered")):
            if field in cache:
                draft.numbers(name, cache[field], at)
        for name in cache.keys() & {"cstamp", "tstamp"}:
            draft.numbers(name, cache[name] / 100, at)


def address_protocol(number: int) -> str:
    return names.configured("rt_addrprotos").get(number) or IFAPROT.get(number) or str(number)


def arranged(table: Table) -> Table:
    """With ``position`` and ``primary``, which follow from the dump's order and flags."""
    local, peer = table["local"], table["address"]
    assert isinstance(local, Addresses)
    assert isinstance(peer, Addresses)
    keys = list(zip(table.numbers("ifindex").numbers.tolist(), local.form.tolist(), strict=True))
    seen: dict[tuple[int, int], int] = {}
    positions = np.zeros(len(table), np.uint32)
    for row, key in enumerate(keys):
        positions[row] = seen.setdefault(key, 0)
        seen[key] += 1
    primaries = np.array(primary_rows(table, local, peer), np.intp)
    primary = local.take(np.where(primaries < 0, 0, primaries)) if len(table) else local
    primary = Addresses(primary.octets, np.where(primaries < 0, 0, primary.form).astype(np.uint8))
    return table.extended(
        [column for column in COLUMNS if column.name in ("position", "primary")],
        {"position": Numbers(positions), "primary": primary},
    )


def primary_rows(table: Table, local: Addresses, peer: Addresses) -> list[int]:
    """Row of each row's primary, -1 where it is one itself or none is known.

    IPv4: __inet_insert_ifa (net/ipv4/devinet.c) makes an address secondary when an earlier one of the interface has
    its mask and its subnet, that of the peer's address. IPv6: a temporary address belongs to the mngtmpaddr one of
    its 64-bit prefix (net/ipv6/addrconf.c, ipv6_create_tempaddr); where two have that prefix, the kernel does not
    tell which.
    """
    lengths, indexes = table.numbers("prefixlen").numbers.tolist(), table.numbers("ifindex").numbers.tolist()
    depends = (table["secondary"].present() | table["temporary"].present()).tolist()
    managed = table["mngtmpaddr"].present().tolist()
    subnets: dict[object, int] = {}
    keys: list[object] = []
    for row, form in enumerate(local.form.tolist()):
        source = peer if form == IPV4 and peer.form[row] else local
        length = lengths[row] if form == IPV4 else 64
        width = 32 if form == IPV4 else 128
        number = int.from_bytes(source.octets[row].tobytes()[: width // 8], "big")
        key = (indexes[row], form, length, number >> max(width - length, 0))
        keys.append(key)
        if not depends[row] and (form == IPV4 or managed[row]):
            subnets[key] = -1 if key in subnets and form != IPV4 else row
    return [subnets.get(key, -1) if secondary else -1 for key, secondary in zip(keys, depends, strict=True)]


ADDRESSES = Collector("addresses", COLUMNS, read, decode, "rtnetlink RTM_GETADDR")
