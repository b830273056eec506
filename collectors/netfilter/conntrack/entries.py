"""Conntrack entries from ctnetlink's messages, dumps and events (uapi linux/netfilter/nfnetlink_conntrack.h)."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netfilter.conntrack import tuples as tuples
from collectors.netfilter.conntrack import words as words
from collectors.netfilter.conntrack.columns import COLUMNS
from collectors.netfilter.conntrack.nat import put_nat
from collectors.netfilter.nfnetlink import NFGENMSG
from collectors.table import Table
from collectors.values import Cell
from collectors.wire.netlink import Messages, attribute_map, text
from collectors.wire.shapes import Nested, Shape, shapes

CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_STATUS, CTA_PROTOINFO, CTA_HELP, CTA_TIMEOUT, CTA_MARK = 1, 2, 3, 4, 5, 7, 8
CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY, CTA_USE, CTA_ID, CTA_TUPLE_MASTER = 9, 10, 11, 12, 14
CTA_SEQ_ADJ_ORIG, CTA_SEQ_ADJ_REPLY, CTA_ZONE, CTA_SECCTX, CTA_TIMESTAMP = 15, 16, 18, 19, 20
CTA_MARK_MASK, CTA_LABELS, CTA_SYNPROXY, CTA_STATUS_MASK = 21, 22, 24, 26
CTA_PROTOINFO_TCP, CTA_PROTOINFO_DCCP, CTA_PROTOINFO_SCTP = 1, 2, 3
CTA_COUNTERS_PACKETS, CTA_COUNTERS_BYTES = 1, 2
CTA_TIMESTAMP_START, CTA_TIMESTAMP_STOP = 1, 2
CTA_HELP_NAME, CTA_SECCTX_NAME = 1, 1
NANOSECONDS = 10**9

NESTED: Nested = {
    CTA_TUPLE_ORIG: tuples.TUPLE,
    CTA_TUPLE_REPLY: tuples.TUPLE,
    CTA_PROTOINFO: {CTA_PROTOINFO_TCP: {}, CTA_PROTOINFO_DCCP: {}, CTA_PROTOINFO_SCTP: {}},
    CTA_HELP: {},
    CTA_COUNTERS_ORIG: {},
    CTA_COUNTERS_REPLY: {},
    CTA_SECCTX: {},
    CTA_TIMESTAMP: {},
}
TCP, DCCP, SCTP = ((CTA_PROTOINFO, kind) for kind in (CTA_PROTOINFO_TCP, CTA_PROTOINFO_DCCP, CTA_PROTOINFO_SCTP))
NUMBERS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("id", ">u4", (CTA_ID,)),
    ("timeout", ">u4", (CTA_TIMEOUT,)),
    ("mark", ">u4", (CTA_MARK,)),
    ("use", ">u4", (CTA_USE,)),
    ("zone", ">u2", (CTA_ZONE,)),
    ("orig_zone", ">u2", (CTA_TUPLE_ORIG, tuples.CTA_TUPLE_ZONE)),
    ("reply_zone", ">u2", (CTA_TUPLE_REPLY, tuples.CTA_TUPLE_ZONE)),
    ("packets", ">u8", (CTA_COUNTERS_ORIG, CTA_COUNTERS_PACKETS)),
    ("bytes", ">u8", (CTA_COUNTERS_ORIG, CTA_COUNTERS_BYTES)),
    ("reply_packets", ">u8", (CTA_COUNTERS_REPLY, CTA_COUNTERS_PACKETS)),
    ("reply_bytes", ">u8", (CTA_COUNTERS_REPLY, CTA_COUNTERS_BYTES)),
    ("start", ">u8", (CTA_TIMESTAMP, CTA_TIMESTAMP_START)),
    ("stop", ">u8", (CTA_TIMESTAMP, CTA_TIMESTAMP_STOP)),
    ("wscale", "u1", (*TCP, 2)),  # CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, _REPLY
    ("reply_wscale", "u1", (*TCP, 3)),
    ("vtag", ">u4", (*SCTP, 2)),  # CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, _REPLY
    ("reply_vtag", ">u4", (*SCTP, 3)),
)
NAMED: tuple[tuple[str, str, tuple[int, ...], Callable[[int], Cell]], ...] = (
    ("proto", "u1", (CTA_TUPLE_ORIG, tuples.CTA_TUPLE_PROTO, tuples.CTA_PROTO_NUM), words.protocol),
    ("status", ">u4", (CTA_STATUS,), words.status),
    ("state", "u1", (*TCP, 1), words.stated(words.TCP_STATES)),
    ("state", "u1", (*SCTP, 1), words.stated(words.SCTP_STATES)),
    ("state", "u1", (*DCCP, 1), words.stated(words.DCCP_STATES)),
    ("dccp_role", "u1", (*DCCP, 2), words.stated(("client", "server"))),
    # struct nf_ct_tcp_flags { __u8 flags, mask; }
    ("tcp_flags", "u1", (*TCP, 4), words.tcp_flags),
    ("reply_tcp_flags", "u1", (*TCP, 5), words.tcp_flags),
)


def rows(messages: Messages) -> Table:
    """One row per entry; of an event, what it tells."""
    draft = Draft(COLUMNS, len(messages))
    for shape in shapes(messages, NFGENMSG.itemsize, NESTED):
        draft.named("family", shape.header(NFGENMSG)["nfgen_family"], words.family, shape.at)
        first = tuples.put_tuple(draft, shape, "", CTA_TUPLE_ORIG)
        reply = tuples.put_tuple(draft, shape, "reply_", CTA_TUPLE_REPLY)
        put_nat(draft, shape.at, first, reply)
        put_numbers(draft, shape)
        put_spelled(draft, shape)
    return draft.table()


def put_numbers(draft: Draft, shape: Shape) -> None:
    for name, dtype, path in NUMBERS:
        if path in shape:
            draft.numbers(name, shape.number(dtype, *path), shape.at)
    for name, dtype, path, namer in NAMED:
        if path in shape:
            native = shape.number(dtype, *path).astype(dtype.strip(">"), copy=False)  # sorted ten times as fast
            draft.named(name, native, namer, shape.at)


def put_spelled(draft: Draft, shape: Shape) -> None:
    spelled: tuple[tuple[str, tuple[int, ...], Callable[[bytes], Cell]], ...] = (
        ("helper", (CTA_HELP, CTA_HELP_NAME), word),
        ("secctx", (CTA_SECCTX, CTA_SECCTX_NAME), word),
        ("labels", (CTA_LABELS,), words.labels),
        ("master", (CTA_TUPLE_MASTER,), tuples.told),
        ("seqadj", (CTA_SEQ_ADJ_ORIG,), seqadj),
        ("reply_seqadj", (CTA_SEQ_ADJ_REPLY,), seqadj),
        ("synproxy", (CTA_SYNPROXY,), synproxy),
    )
    for name, path, speller in spelled:
        if path in shape:
            draft.spelled(name, shape.bytes_of(*path), speller, shape.at)


def word(value: bytes) -> str | None:
    return text(value) or None


def seqadj(value: bytes) -> dict[str, Cell] | None:
    """CTA_SEQADJ_CORRECTION_POS, _OFFSET_BEFORE, _OFFSET_AFTER: be32 each, the offsets signed."""
    return of_words(value, "correction_pos", "offset_before", "offset_after", layout="Iii")


def synproxy(value: bytes) -> dict[str, Cell] | None:
    """CTA_SYNPROXY_ISN, _ITS, _TSOFF: be32 each, all zero where there is no proxy."""
    return of_words(value, "isn", "its", "tsoff", layout="III")


def of_words(value: bytes, *names: str, layout: str) -> dict[str, Cell] | None:
    """Nested attributes 1, 2, … of four bytes by name; None where all are zero."""
    inner = attribute_map(value)
    found: dict[str, Cell] = {}
    for number, (name, code) in enumerate(zip(names, layout, strict=True), 1):
        if len(inner.get(number, b"")) == 4:
            (found[name],) = struct.unpack(f">{code}", inner[number])
    return found if any(found.values()) else None


def lasting(table: Table, now: float) -> Table:
    """With delta_time, in whole seconds from a flow's start to its stop, or to ``now`` (seconds since the epoch)."""
    start, stop = table.numbers("start"), table.numbers("stop")
    if not start.present().any():
        return table
    end: NDArray[np.uint64] = np.where(stop.present(), stop.numbers, np.uint64(now * NANOSECONDS)).astype(np.uint64)
    passed = end // np.uint64(NANOSECONDS) - start.numbers // np.uint64(NANOSECONDS)
    known = start.present() & (start.numbers != 0)
    draft = Draft([table.column("delta_time")], len(table))
    draft.numbers("delta_time", np.where(end >= start.numbers, passed, 0), known=known)
    return table.extended([], draft.table().arrays)
