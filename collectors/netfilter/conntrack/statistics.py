"""What conntrack did with packets, per CPU, from ctnetlink IPCTNL_MSG_CT_GET_STATS_CPU and its kin (conntrack -S)."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.nfnetlink import NFGENMSG
from collectors.table import Column, Gap, Table
from collectors.wire.netlink import DecodeError, Messages, attribute_map, messages

IPCTNL_MSG_CT_GET_STATS_CPU, IPCTNL_MSG_CT_GET_STATS, IPCTNL_MSG_EXP_GET_STATS_CPU = 4, 5, 3
FLOWS, EXPECTED, WHOLE_TABLE, BUCKETS = "flows", "expectations", "table", "buckets"
BUCKETS_FILE = "sys/net/netfilter/nf_conntrack_buckets"

# uapi linux/netfilter/nfnetlink_conntrack.h, enum ctattr_stats_cpu, in conntrack(8)'s words
Names = Sequence[tuple[int, str, str, str]]
FLOW_COUNTERS: Names = (
    (2, "found", "", "look-ups of a tuple that was taken, by NAT in search of a free one mostly"),
    (4, "invalid", "packets", "packets that fit no flow: state INVALID in rules"),
    (8, "insert", "", "entries put into the table; newer kernels count only those that ctnetlink puts in"),
    (9, "insert_failed", "packets", "entries that could not be put in, as there was one: their packets are dropped"),
    (10, "drop", "packets", "packets dropped for want of an entry (table full, no memory) or by a helper"),
    (11, "early_drop", "", "entries thrown out before their time, to make room in the full table"),
    (12, "error", "packets", "packets that could not be tracked, ICMP errors mostly; before 5.9 inside invalid"),
    (13, "search_restart", "", "look-ups begun again, as the hash table was resized meanwhile"),
    (14, "clash_resolve", "", "packets of one new flow on two CPUs at once, of which one entry was kept"),
    (15, "chaintoolong", "packets", "entries that were refused, as their hash chain was too long"),
    (1, "searched", "", "look-ups; only old kernels tell"),
    (3, "new", "", "entries made; only old kernels tell"),
    (5, "ignore", "packets", "packets that had an entry already; only old kernels tell"),
    (6, "delete", "", "entries removed; only old kernels tell"),
    (7, "delete_list", "", "entries put on the dying list; only old kernels tell"),
)
EXPECTATION_COUNTERS: Names = (
    (1, "expect_new", "", "expected flows that came"),
    (2, "expect_create", "", "expectations made"),
    (3, "expect_delete", "", "expectations removed"),
)
TABLE_GAUGES: Names = (
    (1, "entries", "", "entries in this namespace's table, the same on every CPU's row"),
    (2, "max_entries", "", "most that fit (nf_conntrack_max), the same on every row"),
)
COLUMNS = (
    Column("cpu", "u4", "key", help="processor"),
    *(Column(name, "u4", "counter", unit, help) for _, name, unit, help in (*FLOW_COUNTERS, *EXPECTATION_COUNTERS)),
    *(Column(name, "u4", "gauge", unit, help) for _, name, unit, help in TABLE_GAUGES),
    Column("buckets", "u4", "gauge", "", "hash buckets of the host (nf_conntrack_buckets), the same on every row"),
)


def read(host: Host) -> Iterator[Block | Gap]:
    lacking = nfnetlink.absence(host, nfnetlink.CTNETLINK)
    if lacking:
        raise FileNotFoundError(errno.ENOENT, f"{lacking.reason}; {lacking.remedy}")
    yield from nfnetlink.dump_of(host, nfnetlink.CTNETLINK, IPCTNL_MSG_CT_GET_STATS_CPU, part=FLOWS)
    yield from nfnetlink.dump_of(host, nfnetlink.CTNETLINK_EXP, IPCTNL_MSG_EXP_GET_STATS_CPU, part=EXPECTED)
    table = nfnetlink.one(host, nfnetlink.CTNETLINK, IPCTNL_MSG_CT_GET_STATS)
    yield Block(WHOLE_TABLE, table.data)
    try:
        yield Block(BUCKETS, host.read(BUCKETS_FILE))
    except OSError:
        yield Gap(f"number of hash buckets: /proc/{BUCKETS_FILE} cannot be read")


Counts = dict[str, int]
PARTS = {
    FLOWS: (nfnetlink.kind(nfnetlink.CTNETLINK, IPCTNL_MSG_CT_GET_STATS_CPU), FLOW_COUNTERS),
    # the answer bears the other subsystem's number (ctnetlink_exp_stat_fill_info)
    EXPECTED: (nfnetlink.kind(nfnetlink.CTNETLINK, IPCTNL_MSG_EXP_GET_STATS_CPU), EXPECTATION_COUNTERS),
    WHOLE_TABLE: (nfnetlink.kind(nfnetlink.CTNETLINK, IPCTNL_MSG_CT_GET_STATS), TABLE_GAUGES),
}


def decode(raw: Raw) -> Table:
    """A row per CPU that the kernel may have, with the whole table's fill on each of them."""
    cpus: dict[int, Counts] = {}
    whole: Counts = {}
    gaps: list[Gap] = []
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
        elif item.part == BUCKETS:
            whole["buckets"] = plain_number(bytes(item.data))
        elif item.part not in PARTS:
            raise DecodeError(0, f"no such part of the statistics: {item.part!r}")
        else:
            kind, names = PARTS[item.part]
            for cpu, counts in counted(messages(item.data).of(kind), names):
                (whole if item.part == WHOLE_TABLE else cpus.setdefault(cpu, {})).update(counts)
    return made(cpus, whole).with_gaps(gaps)


def counted(found: Messages, names: Names) -> Iterator[tuple[int, Counts]]:
    """Each message's CPU (nfgenmsg res_id) and its counters by name, be32 each."""
    for offset, length in zip(found.offsets.tolist(), found.lengths.tolist(), strict=True):
        body = bytes(found.data[offset + 16 : offset + length])
        if len(body) < NFGENMSG.itemsize:
            raise DecodeError(offset, f"message of {length} bytes is too short")
        held = attribute_map(body[NFGENMSG.itemsize :])
        counts = {entry[1]: be32(held[entry[0]]) for entry in names if entry[0] in held}
        yield int.from_bytes(body[2:4], "big"), counts


def be32(value: bytes) -> int:
    if len(value) != 4:
        raise DecodeError(0, f"a counter of {len(value)} bytes")
    return int.from_bytes(value, "big")


def plain_number(data: bytes) -> int:
    if not data.strip().isdigit() or int(data) > 0xFFFFFFFF:
        raise DecodeError(0, f"/proc/{BUCKETS_FILE}: {data[:20]!r}")
    return int(data)


def made(cpus: Mapping[int, Counts], whole: Counts) -> Table:
    draft = Draft(COLUMNS, len(cpus))
    draft.numbers("cpu", np.array(sorted(cpus), np.uint32))
    rows = [{**cpus[cpu], **whole} for cpu in sorted(cpus)]
    for column in COLUMNS[1:]:
        known = np.array([column.name in row for row in rows], np.bool_)
        if known.any():
            draft.numbers(column.name, np.array([row.get(column.name, 0) for row in rows], np.uint32), known=known)
    return draft.table()


CONNTRACK_STATISTICS = Collector(
    "conntrack_statistics", COLUMNS, read, decode, "ctnetlink IPCTNL_MSG_CT_GET_STATS_CPU", every=2.0
)
