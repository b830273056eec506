"""Expected flows that a helper has announced, from ctnetlink IPCTNL_MSG_EXP_GET (conntrack -L expect)."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.conntrack import tuples as tuples
from collectors.netfilter.conntrack import words as words
from collectors.netfilter.nfnetlink import NFGENMSG
from collectors.netlink.dump import decode_dump
from collectors.table import Column, Gap, Table
from collectors.wire.netlink import Messages, text
from collectors.wire.shapes import Nested, shapes

IPCTNL_MSG_EXP_NEW, IPCTNL_MSG_EXP_GET = 0, 1
# uapi linux/netfilter/nfnetlink_conntrack.h
CTA_EXPECT_MASTER, CTA_EXPECT_TUPLE, CTA_EXPECT_MASK, CTA_EXPECT_TIMEOUT, CTA_EXPECT_ID = 1, 2, 3, 4, 5
CTA_EXPECT_HELP_NAME, CTA_EXPECT_ZONE, CTA_EXPECT_FLAGS, CTA_EXPECT_CLASS, CTA_EXPECT_NAT, CTA_EXPECT_FN = (
    6,
    7,
    8,
    9,
    10,
    11,
)
CTA_EXPECT_NAT_DIR, CTA_EXPECT_NAT_TUPLE = 1, 2

NAT_TUPLE = (CTA_EXPECT_NAT, CTA_EXPECT_NAT_TUPLE)
NESTED: Nested = {
    CTA_EXPECT_MASTER: tuples.TUPLE,
    CTA_EXPECT_TUPLE: tuples.TUPLE,
    CTA_EXPECT_MASK: tuples.TUPLE,
    CTA_EXPECT_NAT: {CTA_EXPECT_NAT_TUPLE: tuples.TUPLE},
}
TUPLES = {
    "": (CTA_EXPECT_TUPLE,),
    "mask_": (CTA_EXPECT_MASK,),
    "master_": (CTA_EXPECT_MASTER,),
    "nat_": NAT_TUPLE,
}
COLUMNS = (
    Column("id", "u4", "key", help="the kernel's number of the expectation"),
    Column("family", "text", help="inet or inet6"),
    Column("proto", "text", help="tcp, udp, …"),
    *tuples.columns("", "of the expected flow", "sport", "dport"),
    *tuples.columns("mask_", "as a mask: the bits of the expected flow's that count"),
    *tuples.columns("master_", "of the flow whose helper expects it"),
    *tuples.columns("nat_", "that NAT puts in the place of the expected flow's"),
    Column("nat_dir", "text", help="direction in which NAT changes it: original or reply"),
    Column("timeout", "u4", "gauge", "s", "until it is expected no more"),
    Column("helper", "text", help="the helper that expects it"),
    Column("class", "u4", help="which of the helper's limits it counts for"),
    Column("flags", "json", help="PERMANENT, INACTIVE, USERSPACE"),
    Column("zone", "u2", help="zone; absent: the default one"),
    Column("fn", "text", help="function of the kernel that is called when it comes"),
)
NUMBERS = (
    ("id", ">u4", CTA_EXPECT_ID),
    ("timeout", ">u4", CTA_EXPECT_TIMEOUT),
    ("class", ">u4", CTA_EXPECT_CLASS),
    ("zone", ">u2", CTA_EXPECT_ZONE),
)
DIRECTIONS = ("original", "reply")


def read(host: Host) -> Iterator[Block | Gap]:
    lacking = nfnetlink.absence(host, nfnetlink.CTNETLINK_EXP)
    if lacking:
        raise FileNotFoundError(errno.ENOENT, f"{lacking.reason}; {lacking.remedy}")
    yield from nfnetlink.dump_of(host, nfnetlink.CTNETLINK_EXP, IPCTNL_MSG_EXP_GET, part="dump")


def decode(raw: Raw) -> Table:
    return decode_dump(raw, {"dump": rows}, [nfnetlink.kind(nfnetlink.CTNETLINK_EXP, IPCTNL_MSG_EXP_NEW)])


def rows(messages: Messages) -> Table:
    """One row per expectation."""
    draft = Draft(COLUMNS, len(messages))
    for shape in shapes(messages, NFGENMSG.itemsize, NESTED):
        at = shape.at
        draft.named("family", shape.header(NFGENMSG)["nfgen_family"], words.family, at)
        for prefix, path in TUPLES.items():
            tuples.put_tuple(draft, shape, prefix, *path)
        protocol = (CTA_EXPECT_TUPLE, tuples.CTA_TUPLE_PROTO, tuples.CTA_PROTO_NUM)
        if protocol in shape:
            draft.named("proto", shape.number("u1", *protocol), words.protocol, at)
        for name, dtype, number in NUMBERS:
            if number in shape:
                draft.numbers(name, shape.number(dtype, number), at)
        for name, number in (("helper", CTA_EXPECT_HELP_NAME), ("fn", CTA_EXPECT_FN)):
            if number in shape:
                draft.spelled(name, shape.bytes_of(number), lambda value: text(value) or None, at)
        if CTA_EXPECT_FLAGS in shape:
            draft.named("flags", shape.number(">u4", CTA_EXPECT_FLAGS), words.expect_flags, at)
        if (CTA_EXPECT_NAT, CTA_EXPECT_NAT_DIR) in shape:
            way = shape.number(">u4", CTA_EXPECT_NAT, CTA_EXPECT_NAT_DIR)
            draft.named("nat_dir", way, words.stated(DIRECTIONS), at)
    return draft.table()


EXPECTATIONS = Collector("expectations", COLUMNS, read, decode, "ctnetlink IPCTNL_MSG_EXP_GET", every=2.0)
