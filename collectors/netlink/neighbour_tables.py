"""Neighbour tables with their limits and counters, from rtnetlink RTM_GETNEIGHTBL (ip ntable)."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink import names
from collectors.netlink.dump import NETLINK_ROUTE, decode_dump, open_netlink, received
from collectors.netlink.receiving import Receiver
from collectors.table import Column, Table
from collectors.wire.netlink import NLM_F_DUMP, Messages, request, text
from collectors.wire.shapes import Shape, shapes

# uapi linux/rtnetlink.h and linux/neighbour.h
RTM_NEWNEIGHTBL, RTM_GETNEIGHTBL = 64, 66
NDTMSG = np.dtype([("ndtm_family", "u1"), ("ndtm_pad1", "u1"), ("ndtm_pad2", "<u2")])
NDTA_NAME, NDTA_THRESH1, NDTA_THRESH2, NDTA_THRESH3, NDTA_CONFIG, NDTA_PARMS, NDTA_STATS = range(1, 8)
# struct ndt_stats { __u64 ndts_allocs, …; }; table_fulls since 4.3
STATS = np.dtype(
    [
        (name, "<u8")
        for name in (
            "allocs", "destroys", "hash_grows", "res_failed", "lookups", "hits", "rcv_probes_mcast",
            "rcv_probes_ucast", "periodic_gc_runs", "forced_gc_runs", "table_fulls",
        )
    ]
)  # fmt: skip
# struct ndt_config { __u16 ndtc_key_len, ndtc_entry_size; __u32 ndtc_entries, ndtc_last_flush, ndtc_last_rand,
# ndtc_hash_rnd, ndtc_hash_mask, ndtc_hash_chain_gc, ndtc_proxy_qlen; }
CONFIG = np.dtype([("key_length", "<u2"), ("entry_size", "<u2"), ("entries", "<u4")])
NDTA_GC_INTERVAL = 8
# NDTPA_*: number, type, unit and meaning of the settings that a new device begins with, in whatever namespace
PARMS = {
    "base_reachable": (4, "u8", "ms", "mean time for which an answer counts"),
    "retrans": (5, "u8", "ms", "between two requests"),
    "gc_stale": (6, "u8", "ms", "after which an unused entry may be collected"),
    "delay_probe": (7, "u8", "ms", "from the use of a stale entry to the first request"),
    "queue": (8, "u4", "packets", "that wait for one address"),
    "app_probes": (9, "u4", "", "requests to user space"),
    "ucast_probes": (10, "u4", "", "requests by unicast"),
    "mcast_probes": (11, "u4", "", "requests by multicast or broadcast"),
    "anycast_delay": (12, "u8", "ms", "most that an anycast answer is delayed (NDP)"),
    "proxy_delay": (13, "u8", "ms", "most that a proxy's answer is delayed"),
    "proxy_queue": (14, "u4", "packets", "requests that wait for a proxy's answer"),
    "locktime": (15, "u8", "ms", "for which an entry is kept from being replaced"),
    "queue_lenbytes": (16, "u4", "B", "that wait for one address (unres_qlen_bytes)"),
    "mcast_reprobes": (17, "u4", "", "requests by multicast after those by unicast; since 4.1"),
}
HELP = {
    "allocs": "entries made",
    "destroys": "entries removed",
    "hash_grows": "times the hash table grew",
    "res_failed": "addresses that nobody answered for",
    "lookups": "look-ups",
    "hits": "of these, found",
    "rcv_probes_mcast": "probes received by multicast (NDP)",
    "rcv_probes_ucast": "probes received by unicast (NDP)",
    "periodic_gc_runs": "rounds of the garbage collector",
    "forced_gc_runs": "rounds that were forced, as the table was filling",
    "table_fulls": "entries that were refused, as the table was full (gc_thresh3)",
}
COLUMNS = (
    Column("family", "text", "key", help="inet (ARP) or inet6 (NDP)"),
    Column("name", "text", "key", help="arp_cache or ndisc_cache"),
    Column("entries", "u4", "gauge", "entries", "in all namespaces; permanent ones too, which gc_thresh3 ignores"),
    Column("thresh1", "u4", "label", "entries", "below it nothing is collected (gc_thresh1)"),
    Column("thresh2", "u4", "label", "entries", "above it for five seconds, collection is forced (gc_thresh2)"),
    Column("thresh3", "u4", "label", "entries", "most that fit (gc_thresh3)"),
    *(Column(name, "u8", "counter", "", meaning) for name, meaning in HELP.items()),
    Column("gc_interval", "u8", "label", "ms", "between two rounds of the garbage collector"),
    Column("key_length", "u2", "label", "B", "of an address"),
    Column("entry_size", "u2", "label", "B", "of an entry in the kernel's memory"),
    *(Column(name, dtype, "label", unit, meaning) for name, (_, dtype, unit, meaning) in PARMS.items()),
)


def read(host: Host) -> Iterator[Block]:
    """Each family's first message, which is its table; behind it come the settings of every device.

    The kernel tells the table again at the head of each further part (net/core/neighbour.c, neightbl_dump_info).
    """
    receiver, first = Receiver(1), []
    for number, family in enumerate((socket.AF_INET, socket.AF_INET6), 1):
        with open_netlink(host, NETLINK_ROUTE) as sock:
            sock.send(request(RTM_GETNEIGHTBL, NLM_F_DUMP, number, struct.pack("=BBH", family, 0, 0)))
            (datagram,) = received(sock, receiver, 1)
            first.append(datagram[: int.from_bytes(datagram[:4], sys.byteorder) + 3 & ~3].copy())
    yield Block("tables", np.concatenate(first))


def decode(raw: Raw) -> Table:
    return decode_dump(raw, {"tables": rows}, [RTM_NEWNEIGHTBL])


def rows(messages: Messages) -> Table:
    """A row per table; messages about one device's settings, which carry no statistics, have none."""
    tables = Draft(COLUMNS, len(messages))
    whole = np.zeros(len(messages), np.bool_)
    for shape in shapes(messages, NDTMSG.itemsize, {NDTA_PARMS: {}}):
        if NDTA_STATS in shape and NDTA_NAME in shape:
            whole[shape.at] = True
            put(tables, shape)
    return tables.table().take(np.flatnonzero(whole))


def put(tables: Draft, shape: Shape) -> None:
    tables.named("family", shape.header(NDTMSG)["ndtm_family"], names.family_name, shape.at)
    tables.spelled("name", shape.bytes_of(NDTA_NAME), text, shape.at)
    for name, number in (("thresh1", NDTA_THRESH1), ("thresh2", NDTA_THRESH2), ("thresh3", NDTA_THRESH3)):
        if number in shape:
            tables.numbers(name, shape.number("<u4", number), shape.at)
    if NDTA_GC_INTERVAL in shape:
        tables.numbers("gc_interval", shape.number("<u8", NDTA_GC_INTERVAL), shape.at)
    for layout, number in ((CONFIG, NDTA_CONFIG), (STATS, NDTA_STATS)):
        if number in shape:
            for name, numbers in shape.struct(layout, number).items():
                tables.numbers(name, numbers, shape.at)
    for name, (number, dtype, *_) in PARMS.items():
        if (NDTA_PARMS, number) in shape:
            tables.numbers(name, shape.number(f"<{dtype}", NDTA_PARMS, number), shape.at)


NEIGHBOUR_TABLES = Collector("neighbour_tables", COLUMNS, read, decode, "rtnetlink RTM_GETNEIGHTBL", every=2.0)
