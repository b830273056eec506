"""Neighbours from rtnetlink RTM_GETNEIGH: ARP, NDP, proxy entries, and forwarding tables of bridges and VXLAN."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink import names
from collectors.netlink.dump import NETLINK_ROUTE, decode_dump, dump
from collectors.table import Column, Table
from collectors.values import IPV4, IPV6, LINK_LAYER, Cell
from collectors.wire.netlink import DecodeError, Messages
from collectors.wire.shapes import Shape, shapes

RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
AF_BRIDGE = 7

# uapi linux/neighbour.h, struct ndmsg
NDMSG = np.dtype(
    [
        ("ndm_family", "u1"),
        ("ndm_pad1", "u1"),
        ("ndm_pad2", "<u2"),
        ("ndm_ifindex", "<i4"),
        ("ndm_state", "<u2"),
        ("ndm_flags", "u1"),
        ("ndm_type", "u1"),
    ]
)
NDA_DST, NDA_LLADDR, NDA_CACHEINFO, NDA_PROBES, NDA_VLAN, NDA_PORT, NDA_VNI, NDA_IFINDEX, NDA_MASTER = range(1, 10)
NDA_LINK_NETNSID, NDA_SRC_VNI, NDA_PROTOCOL, NDA_NH_ID, NDA_FDB_EXT_ATTRS, NDA_FLAGS_EXT = range(10, 16)
NFEA_ACTIVITY_NOTIFY = 1  # inside NDA_FDB_EXT_ATTRS
FDB_NOTIFY_BIT, FDB_NOTIFY_INACTIVE_BIT = 1, 2

# struct nda_cacheinfo, times in clock ticks
CACHEINFO = np.dtype(
    [("ndm_confirmed", "<u4"), ("ndm_used", "<u4"), ("ndm_updated", "<u4"), ("ndm_refcnt", "<u4")],
)
USER_HZ = 100
NTF_PROXY = 0x08
NTF = names.NameBits(
    {0x80: "router", 0x08: "proxy", 0x10: "extern_learn", 0x20: "offload", 0x02: "self", 0x04: "master",
     0x40: "sticky", 0x01: "use", 0x100: "managed", 0x200: "locked", 0x400: "extern_valid"}
)  # fmt: skip
EXTENDED = 8  # NDA_FLAGS_EXT's bits are named from this bit on
NUD = names.NameBits(
    {0x01: "INCOMPLETE", 0x02: "REACHABLE", 0x04: "STALE", 0x08: "DELAY", 0x10: "PROBE", 0x20: "FAILED",
     0x40: "NOARP", 0x80: "PERMANENT"}
)  # fmt: skip
NUD_REACHABLE, NUD_STALE, NUD_NOARP, NUD_PERMANENT = 0x02, 0x04, 0x40, 0x80

COLUMNS = (
    Column("family", "text", "key", help="inet (ARP), inet6 (NDP) or bridge (forwarding table)"),
    Column("ifindex", "u4", "key", help="interface index; of a bridge's entry the port's"),
    Column("dst", "address", "key", help="neighbour's address; of a VXLAN entry the remote VTEP"),
    Column("mac", "address", "key", help="link-layer address that a forwarding entry is for"),
    Column("lladdr", "address", "label", help="link-layer address"),
    Column("state", "json", "label", help="REACHABLE, STALE, …; of a forwarding entry permanent, static, stale"),
    Column("flags", "json", "label", help="router, proxy, extern_learn, offload, self, master, sticky, …"),
    Column("vlan", "u2", "key", help="VLAN of a forwarding entry"),
    Column("port", "u2", "label", help="UDP port of the remote VTEP, where it is not the device's"),
    Column("vni", "u4", "key", help="VXLAN network identifier, where it is not the device's"),
    Column("src_vni", "u4", "key", help="VXLAN network identifier that the entry is for"),
    Column("via_index", "u4", "label", help="interface index that the remote VTEP is reached by"),
    Column("link_netnsid", "i4", "label", help="namespace of that interface", path="linkNetNsId"),
    Column("master_index", "u4", "label", help="interface index of the bridge"),
    Column("protocol", "text", "label", help="who made the entry"),
    Column("nhid", "u4", "label", help="nexthop object"),
    Column("probes", "u4", "gauge", help="solicitations without an answer"),
    Column("refcnt", "u4", "gauge", help="references held to the entry"),
    Column("used", "u4", "gauge", "s", "time since it was last used"),
    Column("confirmed", "u4", "gauge", "s", "time since it was last confirmed"),
    Column("updated", "u4", "gauge", "s", "time since it last changed"),
    Column("activity_notify", "bool", "label", help="the entry reports when it is used"),
    Column("inactive", "bool", "label", help="not used for longer than the ageing time"),
)
WORDS = (
    ("vlan", NDA_VLAN, "<u2"),
    ("port", NDA_PORT, ">u2"),
    ("vni", NDA_VNI, "<u4"),
    ("src_vni", NDA_SRC_VNI, "<u4"),
    ("via_index", NDA_IFINDEX, "<u4"),
    ("link_netnsid", NDA_LINK_NETNSID, "<i4"),
    ("master_index", NDA_MASTER, "<u4"),
    ("nhid", NDA_NH_ID, "<u4"),
    ("probes", NDA_PROBES, "<u4"),
)


def read(host: Host) -> Iterator[Block]:
    for part, family, flags in (
        ("neighbours", socket.AF_UNSPEC, 0),
        ("proxies", socket.AF_UNSPEC, NTF_PROXY),
        ("forwarding", AF_BRIDGE, 0),
    ):
        yield from dump(host, NETLINK_ROUTE, RTM_GETNEIGH, struct.pack("=BBHiHBB", family, 0, 0, 0, 0, flags, 0), part)


def decode(raw: Raw) -> Table:
    return decode_dump(raw, dict.fromkeys(("neighbours", "proxies", "forwarding"), rows), [RTM_NEWNEIGH])


def rows(messages: Messages) -> Table:
    """One row per neighbour message, those in state NOARP too (``ip neigh show nud all``)."""
    draft = Draft(COLUMNS, len(messages))
    for shape in shapes(messages, NDMSG.itemsize, {NDA_FDB_EXT_ATTRS: {}}):
        header = shape.header(NDMSG)
        bridged = header["ndm_family"] == AF_BRIDGE
        draft.named("family", header["ndm_family"], names.family_name, shape.at)
        draft.numbers("ifindex", header["ndm_ifindex"], shape.at)
        draft.named("state", header["ndm_state"] | bridged * np.uint32(1 << 16), state, shape.at)
        put_flags(draft, shape, header)
        put_addresses(draft, shape, header)
        put_attributes(draft, shape)
    return draft.table()


def state(number: int) -> Cell:
    """NUD_* as ``ip neigh`` tells it; with bit 16 set, of a forwarding entry, as ``bridge fdb`` does."""
    if not number >> 16:
        return NUD(number)
    if number & NUD_PERMANENT:
        return "permanent"
    if number & NUD_NOARP:
        return "static"
    if number & NUD_STALE:
        return "stale"
    return None if number & NUD_REACHABLE else f"state={number & 0xFFFF:#x}"


def put_flags(draft: Draft, shape: Shape, header: NDArray[np.void]) -> None:
    flags = header["ndm_flags"].astype(np.uint64)
    if NDA_FLAGS_EXT in shape:
        flags |= shape.number("<u4", NDA_FLAGS_EXT).astype(np.uint64) << np.uint64(EXTENDED)
    draft.named("flags", flags, NTF, shape.at)


def put_addresses(draft: Draft, shape: Shape, header: NDArray[np.void]) -> None:
    """The form of a destination follows from its length in a forwarding table, else from the family."""
    if NDA_DST in shape:
        octets = shape.bytes_of(NDA_DST)
        forms = names.address_forms(header["ndm_family"], octets.shape[1])
        by_length = {4: IPV4, 16: IPV6}.get(octets.shape[1], 0)
        draft.addresses("dst", octets, np.where(header["ndm_family"] == AF_BRIDGE, by_length, forms), shape.at)
    if NDA_LLADDR in shape:
        octets = shape.bytes_of(NDA_LLADDR)
        form = link_layer_form(octets.shape[1], shape)
        draft.addresses("lladdr", octets, form, shape.at)
        if (bridged := header["ndm_family"] == AF_BRIDGE).any():
            draft.addresses("mac", octets, np.where(bridged, form, 0), shape.at)


def link_layer_form(length: int, shape: Shape) -> int:
    """Tunnels (GRE, IPIP, SIT) have IP addresses in place of link-layer ones; MAX_ADDR_LEN is 32."""
    if length > 32:
        raise DecodeError(shape.fields[NDA_LLADDR,][0], f"link-layer address of {length} bytes")
    return {0: 0, 4: IPV4, 16: IPV6}.get(length, LINK_LAYER + length)


def put_attributes(draft: Draft, shape: Shape) -> None:
    at = shape.at
    for name, number, dtype in WORDS:
        if number in shape:
            draft.numbers(name, shape.number(dtype, number), at)
    if NDA_PROTOCOL in shape:
        draft.named("protocol", shape.number("u1", NDA_PROTOCOL), names.route_protocol, at)
    if NDA_CACHEINFO in shape:
        cache = shape.struct(CACHEINFO, NDA_CACHEINFO)
        for name in cache.keys() - {"ndm_refcnt"}:
            draft.numbers(name.removeprefix("ndm_"), cache[name] // USER_HZ, at)
        if "ndm_refcnt" in cache:
            draft.numbers("refcnt", cache["ndm_refcnt"], at, cache["ndm_refcnt"] != 0)
    if (NDA_FDB_EXT_ATTRS, NFEA_ACTIVITY_NOTIFY) in shape:
        notify = shape.number("u1", NDA_FDB_EXT_ATTRS, NFEA_ACTIVITY_NOTIFY)
        draft.numbers("activity_notify", True, at, notify & FDB_NOTIFY_BIT != 0)
        draft.numbers("inactive", True, at, notify & FDB_NOTIFY_INACTIVE_BIT != 0)


NEIGHBOURS = Collector("neighbours", COLUMNS, read, decode, "rtnetlink RTM_GETNEIGH")
