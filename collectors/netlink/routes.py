"""Routes of every table, IPv4 and IPv6, from rtnetlink RTM_GETROUTE."""

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
from collectors.netlink.dump import NETLINK_ROUTE, answer_one, decode_dump, dump
from collectors.netlink.nexthops import ROUTE_FLAGS, encapsulation, encapsulation_type, metrics, multipath, realms, via
from collectors.table import Column, Table
from collectors.values import Codes
from collectors.wire.netlink import Messages, attribute
from collectors.wire.shapes import Shape, shapes

RTM_NEWROUTE, RTM_GETROUTE = 24, 26

# uapi linux/rtnetlink.h, struct rtmsg
RTMSG = np.dtype(
    [
        ("rtm_family", "u1"),
        ("rtm_dst_len", "u1"),
        ("rtm_src_len", "u1"),
        ("rtm_tos", "u1"),
        ("rtm_table", "u1"),
        ("rtm_protocol", "u1"),
        ("rtm_scope", "u1"),
        ("rtm_type", "u1"),
        ("rtm_flags", "<u4"),
    ]
)
RTM_F_CLONED, RTM_F_LOOKUP_TABLE, RTM_F_FIB_MATCH = 0x200, 0x1000, 0x2000
RTA_DST, RTA_SRC, RTA_IIF, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS, RTA_MULTIPATH = range(1, 10)
RTA_FLOW, RTA_CACHEINFO, RTA_TABLE, RTA_MARK, RTA_VIA, RTA_PREF = 11, 12, 15, 16, 18, 20
RTA_ENCAP_TYPE, RTA_ENCAP, RTA_EXPIRES, RTA_UID, RTA_TTL_PROPAGATE, RTA_NH_ID = 21, 22, 23, 25, 26, 30

# uapi linux/rtnetlink.h, struct rta_cacheinfo
CACHEINFO = np.dtype(
    [
        ("rta_clntref", "<u4"),
        ("rta_lastuse", "<u4"),
        ("rta_expires", "<i4"),
        ("rta_error", "<i4"),
        ("rta_used", "<u4"),
        ("rta_id", "<u4"),
        ("rta_ts", "<u4"),
        ("rta_tsage", "<u4"),
    ]
)
USER_HZ = 100
PREFERENCES = {0: "medium", 1: "high", 3: "low"}  # RFC 4191, as linux/icmpv6.h ICMPV6_ROUTER_PREF_*

COLUMNS = (
    Column("family", "text", "key", help="inet or inet6"),
    Column("table", "text", "key", help="routing table, by its name in rt_tables"),
    Column("type", "text", "label", help="unicast, local, blackhole, …"),
    Column("dst", "address", "key", help="destination prefix"),
    Column("from", "address", "key", help="source prefix (IPv6 subtrees)"),
    Column("tos", "text", "key", help="type of service the route is for, by its name in rt_dsfield"),
    Column("gateway", "address", "key", help="next hop"),
    Column("via", "json", "label", help="next hop of another address family"),
    Column("oif", "u4", "key", help="interface index of the way out"),
    Column("metric", "u4", "key", help="priority: the smallest wins"),
    Column("protocol", "text", "label", help="who installed the route"),
    Column("scope", "text", "label", help="how far the destination is"),
    Column("prefsrc", "address", "label", help="source address that is preferred"),
    Column("flags", "json", "label", help="dead, linkdown, onlink, offload, …"),
    Column("nhid", "u4", "label", help="nexthop object"),
    Column("nexthops", "json", "label", help="multipath: gateway, dev index, weight, flags"),
    Column("metrics", "json", "label", help="mtu, advmss, window, rtt, …; those in lock do not change"),
    Column("encap", "text", "label", help="lightweight tunnel"),
    Column("encap_info", "json", "label", help="what the lightweight tunnel adds"),
    Column("flow", "json", "label", help="realms of origin (from) and destination (to)"),
    Column("pref", "text", "label", help="router preference (IPv6)"),
    Column("expires", "i4", "gauge", "s", "time until the route is removed"),
    Column("error", "i4", "label", help="errno that the route gives"),
    Column("used", "u4", "gauge", help="uses, as the cache information counts them"),
    Column("ttl_propagate", "bool", "label", help="MPLS: copy the TTL", path="ttl-propogate"),
)


def read(host: Host) -> Iterator[Block]:
    for family, part in ((socket.AF_INET, "inet"), (socket.AF_INET6, "inet6")):
        yield from dump(host, NETLINK_ROUTE, RTM_GETROUTE, struct.pack("=8BI", family, *bytes(7), 0), part)


def decode(raw: Raw) -> Table:
    return decode_dump(raw, {"inet": rows, "inet6": rows}, [RTM_NEWROUTE])


def rows(messages: Messages) -> Table:
    """One row per route message; copies in the route cache (RTM_F_CLONED) are left out."""
    draft = Draft(COLUMNS, len(messages))
    cloned = np.zeros(len(messages), bool)
    for shape in shapes(messages, RTMSG.itemsize):
        header = shape.header(RTMSG)
        cloned[shape.at] = header["rtm_flags"] & RTM_F_CLONED != 0
        put_header(draft, shape, header)
        put_destination(draft, shape, header)
        put_attributes(draft, shape)
    table = draft.table()
    return table.take(np.flatnonzero(~cloned)) if cloned.any() else table


def put_header(draft: Draft, shape: Shape, header: NDArray[np.void]) -> None:
    at = shape.at
    draft.named("family", header["rtm_family"], names.family_name, at)
    draft.named("type", header["rtm_type"], names.route_type, at)
    draft.named("protocol", header["rtm_protocol"], names.route_protocol, at)
    draft.named("scope", header["rtm_scope"], names.route_scope, at)
    draft.named("flags", header["rtm_flags"], ROUTE_FLAGS, at)
    if header["rtm_tos"].any():
        draft.named("tos", header["rtm_tos"], lambda number: names.traffic_class(number) if number else None, at)
    tables = shape.number("<u4", RTA_TABLE) if RTA_TABLE in shape else header["rtm_table"]
    draft.named("table", tables, names.route_table, at)


def put_destination(draft: Draft, shape: Shape, header: NDArray[np.void]) -> None:
    families = header["rtm_family"]
    for name, number, lengths in (("dst", RTA_DST, header["rtm_dst_len"]), ("from", RTA_SRC, header["rtm_src_len"])):
        if number in shape:
            octets = shape.bytes_of(number)
            draft.addresses(name, octets, names.address_forms(families, octets.shape[1]), shape.at, lengths)
        elif name == "dst":
            zero = np.zeros((len(shape), 16 if (families == socket.AF_INET6).any() else 4), np.uint8)
            draft.addresses(name, zero, names.family_forms(families), shape.at, lengths)
    for name, number in (("gateway", RTA_GATEWAY), ("prefsrc", RTA_PREFSRC)):
        if number in shape:
            octets = shape.bytes_of(number)
            draft.addresses(name, octets, names.address_forms(families, octets.shape[1]), shape.at)


def put_attributes(draft: Draft, shape: Shape) -> None:
    at = shape.at
    for name, number in (("oif", RTA_OIF), ("metric", RTA_PRIORITY), ("nhid", RTA_NH_ID)):
        if number in shape:
            draft.numbers(name, shape.number("<u4", number), at)
    for name, number, spell in (
        ("metrics", RTA_METRICS, metrics),
        ("nexthops", RTA_MULTIPATH, multipath),
        ("via", RTA_VIA, via),
    ):
        if number in shape:
            draft.spelled(name, shape.bytes_of(number), spell, at)
    if RTA_FLOW in shape:
        draft.named("flow", shape.number("<u4", RTA_FLOW), realms, at)
    if RTA_PREF in shape:
        draft.named("pref", shape.number("u1", RTA_PREF), lambda number: PREFERENCES.get(number, str(number)), at)
    if RTA_TTL_PROPAGATE in shape:
        draft.numbers("ttl_propagate", shape.number("u1", RTA_TTL_PROPAGATE) != 0, at)
    if RTA_ENCAP_TYPE in shape:
        kinds = shape.number("<u2", RTA_ENCAP_TYPE)
        draft.named("encap", kinds, encapsulation_type, at)
        if RTA_ENCAP in shape:
            draft.spelled(
                "encap_info", np.hstack([shape.bytes_of(RTA_ENCAP_TYPE), shape.bytes_of(RTA_ENCAP)]), encapsulation, at
            )
    if RTA_CACHEINFO in shape:
        put_cache(draft, shape)


def put_cache(draft: Draft, shape: Shape) -> None:
    cache = shape.struct(CACHEINFO, RTA_CACHEINFO)
    for name, field, divisor in (
        ("expires", "rta_expires", USER_HZ),
        ("error", "rta_error", 1),
        ("used", "rta_used", 1),
    ):
        if field in cache and cache[field].any():
            draft.numbers(name, np.trunc(cache[field] / divisor), shape.at, cache[field] != 0)


def lookup(host: Host, destination: str, source: str = "", mark: int = 0) -> Table:
    """The route that a packet to ``destination`` takes now: one row, the table's matched entry with its prefix.

    Raises ValueError for a text that is no address, NetlinkError where the kernel knows no way.
    """
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    wanted = packed(family, destination)
    origin = packed(family, source) if source else b""
    flags = RTM_F_FIB_MATCH | (RTM_F_LOOKUP_TABLE if family == socket.AF_INET else 0)  # IPv6 tells the table unasked
    body = struct.pack("=8BI", family, 8 * len(wanted), 8 * len(origin), *bytes(5), flags) + attribute(RTA_DST, wanted)
    body += attribute(RTA_SRC, origin) if origin else b""
    body += attribute(RTA_MARK, struct.pack("=I", mark)) if mark else b""
    return unmerged(rows(answer_one(host, NETLINK_ROUTE, RTM_GETROUTE, body).of(RTM_NEWROUTE)))


def unmerged(found: Table) -> Table:
    """A looked-up route whose table the kernel does not tell apart, with the table absent.

    Until the first rule is added, local and main share one trie (net/ipv4/fib_frontend.c, fib_trie_unmerge), and the
    answer says main for the addresses of this host too.
    """
    own = found.codes("type").matching(lambda kind: kind in ("local", "broadcast"))
    tables = found.codes("table")
    doubtful = own & tables.matching(lambda table: table == "main")
    return found.extended([], {"table": Codes(np.where(doubtful, -1, tables.codes), tables.pool)})


def packed(family: int, address: str) -> bytes:
    try:
        return socket.inet_pton(family, address)
    except OSError as error:
        raise ValueError(f"{address!r} is not an {'IPv6' if family == socket.AF_INET6 else 'IPv4'} address") from error


ROUTES = Collector("routes", COLUMNS, read, decode, "rtnetlink RTM_GETROUTE")
