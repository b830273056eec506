"""Queueing disciplines and their classes with counters, from rtnetlink RTM_GETQDISC and RTM_GETTCLASS."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink.disciplines import options, statistics
from collectors.netlink.dump import NETLINK_ROUTE, decode_dump, dump
from collectors.table import Column, Table
from collectors.values import Cell
from collectors.wire.netlink import Messages, messages, text
from collectors.wire.shapes import Shape, shapes

RTM_NEWQDISC, RTM_GETQDISC, RTM_NEWTCLASS, RTM_GETTCLASS = 36, 38, 40, 42

# uapi linux/rtnetlink.h, struct tcmsg
TCMSG = np.dtype(
    [
        ("tcm_family", "u1"),
        ("tcm_pad1", "u1"),
        ("tcm_pad2", "<u2"),
        ("tcm_ifindex", "<i4"),
        ("tcm_handle", "<u4"),
        ("tcm_parent", "<u4"),
        ("tcm_info", "<u4"),
    ]
)
TCA_KIND, TCA_OPTIONS, TCA_XSTATS, TCA_STATS2, TCA_HW_OFFLOAD, TCA_INGRESS_BLOCK, TCA_EGRESS_BLOCK = (
    1, 2, 4, 7, 12, 13, 14,
)  # fmt: skip
TC_H_ROOT = 0xFFFFFFFF

# uapi linux/gen_stats.h
TCA_STATS_BASIC, TCA_STATS_RATE_EST, TCA_STATS_QUEUE, TCA_STATS_APP, TCA_STATS_RATE_EST64 = range(1, 6)
TCA_STATS_PKT64 = 8  # since 5.5, where 32 bits are too few
BASIC = np.dtype([("bytes", "<u8"), ("packets", "<u4")])
QUEUE = np.dtype(
    [("qlen", "<u4"), ("backlog", "<u4"), ("drops", "<u4"), ("requeues", "<u4"), ("overlimits", "<u4")],
)
RATE_EST = np.dtype([("rate", "<u4"), ("pps", "<u4")])
RATE_EST64 = np.dtype([("rate", "<u8"), ("pps", "<u8")])

# Disciplines whose classes are made by the administrator or stand for the device's queues
CLASSFUL = frozenset(
    ("htb", "hfsc", "cbq", "drr", "qfq", "ets", "dsmark", "prio", "mq", "mqprio", "multiq", "taprio"),
)


def counters(under: str) -> tuple[Column, ...]:
    """The generic statistics, which tc's JSON nests ``under`` an object for classes."""
    return (
        Column("bytes", "u8", "counter", "B", "bytes sent", f"{under}bytes"),
        Column("packets", "u8", "counter", "packets", "packets sent", f"{under}packets"),
        Column("drops", "u4", "counter", "packets", "packets dropped, in most kinds by a full queue", f"{under}drops"),
        Column("overlimits", "u4", "counter", "", "times the rate held a packet back", f"{under}overlimits"),
        Column("requeues", "u4", "counter", "", "times the driver gave a packet back", f"{under}requeues"),
        Column("rate", "u8", "gauge", "B/s", "rate, where an estimator is set", f"{under}rate"),
        Column("pps", "u8", "gauge", "packets/s", "packet rate, where an estimator is set", f"{under}pps"),
        Column("backlog", "u4", "gauge", "B", "bytes waiting now", f"{under}backlog"),
        Column("qlen", "u4", "gauge", "packets", "packets waiting now", f"{under}qlen"),
        Column("xstats", "json", "label", help="the kind's own counters", path=f"{under}xstats"),
    )


PLACE = (
    Column("ifindex", "u4", "key", help="interface index"),
    Column("handle", "text", "key", help="its number, hexadecimal major:minor"),
    Column("parent", "text", "key", help="the class, or the hook, that it is attached to"),
    Column("root", "bool", "label", help="it is the device's own"),
)
COLUMNS = (
    *PLACE,
    Column("kind", "text", "key", help="fq_codel, htb, mq, noqueue, …"),
    Column("options", "json", "label", help="settings of the kinds that are known"),
    Column("refcnt", "u4", "label", help="references held to it"),
    Column("offloaded", "bool", "label", help="the device does it"),
    Column("ingress_block", "u4", "label", help="block of filters shared by devices, incoming"),
    Column("egress_block", "u4", "label", help="block of filters shared by devices, outgoing"),
    *counters(""),
)
CLASS_COLUMNS = (
    *PLACE,
    Column("kind", "text", "key", help="kind of its discipline", path="class"),
    Column("leaf", "text", "label", help="handle of the discipline below"),
    Column("options", "json", "label", help="settings of the kinds that are known"),
    *counters("stats."),
)


def read(host: Host) -> Iterator[Block]:
    yield from dump(host, NETLINK_ROUTE, RTM_GETQDISC, bytes(TCMSG.itemsize))


def decode(raw: Raw) -> Table:
    return decode_dump(raw, {"": rows}, [RTM_NEWQDISC])


def read_classes(host: Host) -> Iterator[Block]:
    """Classes are dumped by device: those of devices that have a classful discipline (tc's default hides the rest)."""
    for index in sorted({index for block in read(host) for index in classful(messages(block.data))}):
        body = struct.pack("=BBHiIII", 0, 0, 0, index, 0, 0, 0)
        yield from dump(host, NETLINK_ROUTE, RTM_GETTCLASS, body, "classes")


def classful(found: Messages) -> Iterator[int]:
    """The devices of these qdiscs that have classes."""
    for shape in shapes(found.of(RTM_NEWQDISC), TCMSG.itemsize):
        if TCA_KIND in shape:
            kinds = shape.bytes_of(TCA_KIND)
            for row, index in enumerate(shape.header(TCMSG)["tcm_ifindex"].tolist()):
                if text(kinds[row].tobytes()) in CLASSFUL:
                    yield index


def decode_classes(raw: Raw) -> Table:
    return decode_dump(raw, {"classes": class_rows}, [RTM_NEWTCLASS])


def rows(messages: Messages) -> Table:
    draft = Draft(COLUMNS, len(messages))
    for shape in shapes(messages, TCMSG.itemsize, {TCA_STATS2: {}}):
        header = shape.header(TCMSG)
        put_place(draft, shape, header, lambda handle: f"{handle >> 16:x}:")
        put_settings(draft, shape)
        put_statistics(draft, shape)
        draft.numbers("refcnt", header["tcm_info"], shape.at)
        for name, number in (("ingress_block", TCA_INGRESS_BLOCK), ("egress_block", TCA_EGRESS_BLOCK)):
            if number in shape:
                draft.numbers(name, shape.number("<u4", number), shape.at)
        if TCA_HW_OFFLOAD in shape:
            draft.numbers("offloaded", True, shape.at, shape.number("u1", TCA_HW_OFFLOAD) != 0)
    return draft.table()


def class_rows(messages: Messages) -> Table:
    draft = Draft(CLASS_COLUMNS, len(messages))
    for shape in shapes(messages, TCMSG.itemsize, {TCA_STATS2: {}}):
        header = shape.header(TCMSG)
        put_place(draft, shape, header, class_identifier)
        put_settings(draft, shape)
        put_statistics(draft, shape)
        draft.named("leaf", header["tcm_info"], lambda info: f"{info >> 16:x}:" if info else None, shape.at)
    return draft.table()


def put_place(draft: Draft, shape: Shape, header: NDArray[np.void], spell: Callable[[int], Cell]) -> None:
    draft.numbers("ifindex", header["tcm_ifindex"], shape.at)
    draft.named("handle", header["tcm_handle"], spell, shape.at)
    draft.named("parent", header["tcm_parent"], parent, shape.at)
    draft.numbers("root", True, shape.at, header["tcm_parent"] == TC_H_ROOT)


def class_identifier(number: int) -> Cell:
    """As tc's print_tc_classid: major and minor, hexadecimal, each left out when it is 0."""
    if not number:
        return "none"
    major, minor = number >> 16, number & 0xFFFF
    return f"{major:x}:{minor:x}" if major and minor else f"{major:x}:" if major else f":{minor:x}"


def parent(number: int) -> Cell:
    return None if number in (0, TC_H_ROOT) else class_identifier(number)


def put_settings(draft: Draft, shape: Shape) -> None:
    if TCA_KIND not in shape:
        return
    draft.spelled("kind", shape.bytes_of(TCA_KIND), text, shape.at)
    if TCA_OPTIONS in shape:
        put_by_kind(draft, shape, "options", shape.bytes_of(TCA_OPTIONS), options)
    own = [path for path in ((TCA_STATS2, TCA_STATS_APP), (TCA_XSTATS,)) if path in shape]
    if own:
        put_by_kind(draft, shape, "xstats", shape.bytes_of(*own[0]), statistics)


def put_by_kind(
    draft: Draft, shape: Shape, name: str, octets: NDArray[np.uint8], spell: Callable[[str, bytes], Cell]
) -> None:
    """Bytes that mean what the row's kind makes of them."""
    kinds = shape.bytes_of(TCA_KIND)
    length = kinds.shape[1]
    both = np.hstack([kinds, octets])
    draft.spelled(name, both, lambda raw: spell(text(raw[:length]), raw[length:]), shape.at)


def put_statistics(draft: Draft, shape: Shape) -> None:
    """TCA_STATS2: gnet_stats_basic, gnet_stats_queue and, where set, an estimator; the wider of two wins."""
    for number, dtype in (
        (TCA_STATS_BASIC, BASIC),
        (TCA_STATS_QUEUE, QUEUE),
        (TCA_STATS_RATE_EST, RATE_EST),
        (TCA_STATS_RATE_EST64, RATE_EST64),
    ):
        if (TCA_STATS2, number) in shape:
            for name, values in shape.struct(dtype, TCA_STATS2, number).items():
                draft.numbers(name, values, shape.at)
    if (TCA_STATS2, TCA_STATS_PKT64) in shape:
        draft.numbers("packets", shape.number("<u8", TCA_STATS2, TCA_STATS_PKT64), shape.at)


QDISCS = Collector("qdiscs", COLUMNS, read, decode, "rtnetlink RTM_GETQDISC")
CLASSES = Collector("classes", CLASS_COLUMNS, read_classes, decode_classes, "rtnetlink RTM_GETTCLASS", every=2.0)
