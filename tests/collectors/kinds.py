"""Messages of queueing disciplines that a recording kernel need not have, put together from pkt_sched.h's structs.

``fixtures/kinds/tc.json`` is what ``tc -j -s -d qdisc`` of iproute2 6.1 printed when it received these bytes.
"""

from __future__ import annotations

import struct

from collectors.netlink.qdiscs import RTM_NEWQDISC
from collectors.wire.netlink import attribute, request

NONE = 0xFFFFFFFF


def nest(*pairs: tuple[int, bytes | int]) -> bytes:
    """Attributes behind each other; integers as __u32."""
    return b"".join(attribute(number, u32(value) if isinstance(value, int) else value) for number, value in pairs)


def u32(*numbers: int) -> bytes:
    return struct.pack(f"={len(numbers)}I", *numbers)


def u64(number: int) -> bytes:
    return struct.pack("=Q", number)


def qdisc(kind: str, options: bytes, own: bytes = b"") -> bytes:
    """A root discipline of lo with 4321 packets sent, 7 waiting, 11 dropped, 13 requeues and 17 overlimits."""
    header = struct.pack("=BBHiIII", 0, 0, 0, 1, 0x80010000, NONE, 2)
    statistics = nest((1, struct.pack("=QII", 123456789, 4321, 0)), (3, u32(7, 7000, 11, 13, 17)))
    statistics += attribute(4, own) if own else b""
    body = nest((1, kind.encode() + b"\0"), (2, options), (7, statistics))
    return request(RTM_NEWQDISC, 0, 0, header + body)


FQ_CODEL = nest((1, 4999), (2, 10240), (3, 99999), (4, 1), (5, 1024), (6, 1514), (7, 2000), (8, 64), (9, 33554432))
FQ_CODEL_PLAIN = nest((1, 4999), (2, 10240), (3, 99999), (4, 0), (5, 1024), (6, 1514), (8, 64), (9, 33554432))
FQ = nest(
    (1, 10000), (2, 100), (8, 10), (10, 1023), (5, 1), (3, 3028), (4, 15140), (7, NONE), (11, 68750), (9, 40000),
    (12, NONE), (13, 10000), (14, 10000000), (15, b"\1"),
)  # fmt: skip
FQ_LIMITED = nest(
    (1, 10000), (2, 100), (8, 10), (10, 1023), (5, 0), (3, 3028), (4, 15140), (7, 125000), (11, 68750), (9, 40000),
    (12, 5000), (13, 10000), (14, 10000000), (15, b"\0"),
)  # fmt: skip
PRIO = struct.pack("=i16B", 3, 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)
SFQ = struct.pack("=Ii3I", 1514, 10, 127, 1024, 128) + u32(127, 0, 0, 0, 0) + bytes(32)
SFQ_RED = struct.pack("=Ii3I", 1514, 0, 127, 1024, 128) + u32(12, 1, 60000, 3000, 9000)
SFQ_RED += bytes([5, 6, 7, 1]) + u32(1 << 30, 1, 2, 3, 4, 5, 6)
RED = u32(400000, 30000, 90000) + bytes([4, 20, 11])
STILL = nest((10, bytes(8)), (11, bytes(8)))
NETEM = u32(1562500, 1000, 42949673, 5, 85899346, 156250) + nest(
    (1, u32(1 << 30, 1 << 29, 1 << 28)), (3, u32(1 << 31, 1 << 30)), (4, u32(42949673, 1 << 30)),
    (6, struct.pack("=IiIi", 125000, 5, 6, 7)), (10, u64(100000000)), (11, u64(10000000)),
)  # fmt: skip
NETEM_PLAIN = u32(0, 1000, 0, 0, 0, 0) + nest((1, bytes(12)), (3, bytes(8)), (4, bytes(8)))
MODEL = nest((2, u32(1 << 30, 1 << 29, 1 << 28, 1 << 27)))
TIN = nest(
    (2, 10), (3, u64(1000)), (4, 1), (5, u64(2)), (6, 3), (8, 4), (10, 5), (11, 6), (12, u64(125000)), (13, 5000),
    (14, 100000), (15, 1), (16, 2), (17, 3), (18, 4), (19, 5), (20, 6), (21, 7), (22, 8), (23, 9), (24, 1514),
    (25, 300),
)  # fmt: skip
CAKE = nest(
    (2, u64(1250000)), (3, 1), (4, 0), (5, 7), (6, 18), (7, 100000), (8, 5000), (9, 1), (10, 4000000), (11, 1), (13, 1),
    (14, 64), (15, 1), (16, 1), (17, 1), (18, 255),
)  # fmt: skip
CAKE_STATISTICS = nest(
    (2, u64(1000)), (3, 4194304), (4, 100), (5, 14), (6, 40), (7, 1500), (8, 60), (9, 1518),
    (10, nest((1, TIN), (2, TIN))),
)  # fmt: skip
CAKE_PLAIN = nest(
    (2, u64(0)), (3, 0), (4, 1), (5, 4), (6, 0), (7, 100000), (9, 0), (11, 0), (12, 0), (13, 0), (15, 0), (16, 0),
    (17, 0),
)  # fmt: skip

KINDS = b"".join(
    (
        qdisc("fq_codel", FQ_CODEL, u32(0, 1514, 5, 23, 31, 2, 3, 41, 4096, 6)),
        qdisc("fq_codel", FQ_CODEL_PLAIN, u32(0, 1514, 0, 0, 0, 0, 0, 0, 0, 0)),
        qdisc("fq", FQ, struct.pack("=7Qq4I3Q", 1, 2, 3, 4, 5, 6, 7, 123456, 8, 9, 10, 11, 12, 13, 14)),
        qdisc("fq", FQ_LIMITED, struct.pack("=7Qq4I3Q", 1, 2, 0, 4, 0, 0, 0, -5, 8, 9, 10, 0, 0, 0, 0)),
        qdisc("codel", nest((1, 4999), (2, 1000), (3, 99999), (4, 1), (5, 777)), u32(1514, 3, 2, 100, 50, 4, 5, 1, 6)),
        qdisc("codel", nest((1, 4999), (2, 1000), (3, 99999), (4, 0)), u32(1514, 3, 2, 100, NONE - 49, 4, 5, 0, 0)),
        qdisc("prio", PRIO),
        qdisc("pfifo_fast", PRIO),
        qdisc("pfifo", u32(1000)),
        qdisc("bfifo", u32(100000)),
        qdisc("pfifo_head_drop", u32(50)),
        qdisc("sfq", SFQ),
        qdisc("sfq", SFQ_RED),
        qdisc("red", nest((1, RED + b"\1"), (3, 85899345)), u32(1, 2, 3, 4)),
        qdisc("red", nest((1, RED + b"\6"), (3, 85899345), (4, u32(14, 15))), u32(1, 2, 3, 4)),
        qdisc("netem", NETEM),
        qdisc("netem", NETEM_PLAIN + nest((6, bytes(16)), (7, 1)) + STILL),
        qdisc("netem", NETEM_PLAIN + nest((6, u32(NONE, 0, 0, 0)), (8, u64(1 << 33)), (5, MODEL)) + STILL),
        qdisc("cake", CAKE, CAKE_STATISTICS),
        qdisc("cake", CAKE_PLAIN, nest((2, u64(0)), (3, 4194304), (4, 0))),
        qdisc("mqprio", struct.pack("=B16BB16H16H", 3, *([0] * 16), 1, *([1] * 16), *([0] * 16))),
        qdisc("mystery", nest((1, 3), (2, b"abc"))),
    )
)
