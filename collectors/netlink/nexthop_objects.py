"""Nexthop objects and groups, which routes refer to by nhid, from rtnetlink RTM_GETNEXTHOP (uapi linux/nexthop.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink import names
from collectors.netlink.dump import NETLINK_ROUTE, decode_dump, dump
from collectors.netlink.nexthops import ROUTE_FLAGS, encapsulation, encapsulation_type
from collectors.table import Column, Table
from collectors.values import Cell
from collectors.wire.netlink import Messages, attribute_map
from collectors.wire.shapes import Shape, shapes

RTM_NEWNEXTHOP, RTM_GETNEXTHOP = 104, 106

# struct nhmsg
NHMSG = np.dtype([("nh_family", "u1"), ("nh_scope", "u1"), ("nh_protocol", "u1"), ("resvd", "u1"), ("nh_flags", "<u4")])
NHA_ID, NHA_GROUP, NHA_GROUP_TYPE, NHA_BLACKHOLE, NHA_OIF, NHA_GATEWAY, NHA_ENCAP_TYPE, NHA_ENCAP = range(1, 9)
NHA_FDB, NHA_RES_GROUP = 11, 12
GROUP_TYPES = {0: None, 1: "resilient"}  # ip does not tell mpath, the usual one
USER_HZ = 100
# NHA_RES_GROUP_*: number -> word, divisor into seconds
RES_GROUP = {
    1: ("buckets", 1),
    2: ("idle_timer", USER_HZ),
    3: ("unbalanced_timer", USER_HZ),
    4: ("unbalanced_time", USER_HZ),
}

COLUMNS = (
    Column("id", "u4", "key", help="number that routes call it by (nhid)"),
    Column("family", "text", "label", help="inet or inet6; any: a group"),
    Column("group", "json", "label", help="id and weight of each nexthop of a group"),
    Column("type", "text", "label", help="resilient: flows stay with their nexthop when the group changes"),
    Column("resilient_args", "json", "label", help="buckets and timers (s) of a resilient group"),
    Column("gateway", "address", "label", help="next hop"),
    Column("oif", "u4", "label", help="interface index of the way out"),
    Column("encap", "text", "label", help="lightweight tunnel"),
    Column("encap_info", "json", "label", help="what the lightweight tunnel adds"),
    Column("blackhole", "bool", "label", help="drops"),
    Column("fdb", "bool", "label", help="for VXLAN forwarding entries"),
    Column("scope", "text", "label", help="how far the next hop is"),
    Column("protocol", "text", "label", help="who made it"),
    Column("flags", "json", "label", help="onlink, dead, linkdown, offload, …"),
)


def read(host: Host) -> Iterator[Block]:
    yield from dump(host, NETLINK_ROUTE, RTM_GETNEXTHOP, bytes(NHMSG.itemsize))


def decode(raw: Raw) -> Table:
    return decode_dump(raw, {"": rows}, [RTM_NEWNEXTHOP])


def rows(messages: Messages) -> Table:
    draft = Draft(COLUMNS, len(messages))
    for shape in shapes(messages, NHMSG.itemsize):
        header = shape.header(NHMSG)
        draft.named("family", header["nh_family"], names.family_name, shape.at)
        draft.named("scope", header["nh_scope"], names.route_scope, shape.at)
        draft.named("protocol", header["nh_protocol"], names.route_protocol, shape.at)
        draft.named("flags", header["nh_flags"], ROUTE_FLAGS, shape.at)
        put_nexthop(draft, shape, header)
        put_group(draft, shape)
    return draft.table()


def put_nexthop(draft: Draft, shape: Shape, header: NDArray[np.void]) -> None:
    at = shape.at
    for name, number in (("id", NHA_ID), ("oif", NHA_OIF)):
        if number in shape:
            draft.numbers(name, shape.number("<u4", number), at)
    for name, number in (("blackhole", NHA_BLACKHOLE), ("fdb", NHA_FDB)):
        if number in shape:
            draft.numbers(name, True, at)
    if NHA_GATEWAY in shape:
        octets = shape.bytes_of(NHA_GATEWAY)
        draft.addresses("gateway", octets, names.address_forms(header["nh_family"], octets.shape[1]), at)
    if NHA_ENCAP_TYPE in shape:
        draft.named("encap", shape.number("<u2", NHA_ENCAP_TYPE), encapsulation_type, at)
        if NHA_ENCAP in shape:
            both = np.hstack([shape.bytes_of(NHA_ENCAP_TYPE), shape.bytes_of(NHA_ENCAP)])
            draft.spelled("encap_info", both, encapsulation, at)


def put_group(draft: Draft, shape: Shape) -> None:
    if NHA_GROUP in shape:
        draft.spelled("group", shape.bytes_of(NHA_GROUP), group, shape.at)
    if NHA_GROUP_TYPE in shape:
        kinds = shape.number("<u2", NHA_GROUP_TYPE)
        draft.named("type", kinds, lambda number: GROUP_TYPES.get(number, str(number)), shape.at)
    if NHA_RES_GROUP in shape:
        draft.spelled("resilient_args", shape.bytes_of(NHA_RES_GROUP), resilient, shape.at)


def group(value: bytes) -> list[dict[str, Cell]]:
    """struct nexthop_grp { __u32 id; __u8 weight; __u8 weight_high; __u16 resvd2; }[], weights less one; the high
    byte since 6.12. ip leaves a weight of one out.
    """
    found: list[dict[str, Cell]] = []
    for at in range(0, len(value) - 7, 8):
        number, low, high = struct.unpack_from("=IBB", value, at)
        weight = (high << 8 | low) + 1
        found.append({"id": number, "weight": weight} if weight > 1 else {"id": number})
    return found


def resilient(value: bytes) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for number, payload in attribute_map(value).items():
        if number in RES_GROUP:
            word, divisor = RES_GROUP[number]
            amount = int.from_bytes(payload, "little")
            found[word] = amount if divisor == 1 else amount / divisor
    return found


NEXTHOPS = Collector("nexthops", COLUMNS, read, decode, "rtnetlink RTM_GETNEXTHOP")
