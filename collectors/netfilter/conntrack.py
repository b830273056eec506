"""Conntrack entries, from ctnetlink IPCTNL_MSG_CT_GET; where that is not at hand, from /proc/net/nf_conntrack.

The kernel walks its hash table bucket by bucket and marks no dump as interrupted (net/netfilter/nf_conntrack_netlink.c,
ctnetlink_dump_table). So the table is no picture of one moment: a flow that lasts is in it once, one that begins or
ends meanwhile may be in it or not, and a change of nf_conntrack_buckets may leave flows out or repeat them.
"""

from __future__ import annotations

import errno
import struct
import time
from collections.abc import Iterator

from collectors.collector import Block, Collector, Raw
from collectors.host import Host
from collectors.netfilter import conntrack_entries, conntrack_proc, nfnetlink
from collectors.netfilter.conntrack_columns import COLUMNS
from collectors.netlink.dump import decode_dump
from collectors.table import Gap, Table, concatenate
from collectors.wire.netlink import DecodeError

IPCTNL_MSG_CT_NEW, IPCTNL_MSG_CT_GET = 0, 1
CT_NEW = nfnetlink.kind(nfnetlink.CTNETLINK, IPCTNL_MSG_CT_NEW)
CLOCK, LISTED, DUMPED = "clock", "nf_conntrack", "dump"
FILE = "net/nf_conntrack"


def read(host: Host) -> Iterator[Block | Gap]:
    yield Block(CLOCK, struct.pack("=d", time.time()))
    lacking = nfnetlink.absence(host, nfnetlink.CTNETLINK)
    if lacking is None:
        yield from nfnetlink.dump_of(host, nfnetlink.CTNETLINK, IPCTNL_MSG_CT_GET, part=DUMPED)
    else:
        yield from listed(host, lacking)


def listed(host: Host, lacking: Gap) -> Iterator[Block | Gap]:
    """The listing in /proc, with fewer columns; FileNotFoundError where this kernel has none."""
    try:
        text = host.read(FILE)
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, f"{lacking.reason}; {lacking.remedy}") from None
    yield Block(LISTED, text)
    yield Gap(f"as /proc/{FILE} lists them, without id, status bits and more: {lacking.reason}", lacking.remedy)


def decode(raw: Raw) -> Table:
    """The entries in the order of the kernel's hash table."""
    now, tables = 0.0, []

    def dumped() -> Iterator[Block | Gap]:
        nonlocal now
        for item in raw:
            if isinstance(item, Block) and item.part == CLOCK:
                now = clock(bytes(item.data))
            elif isinstance(item, Block) and item.part == LISTED:
                tables.append(conntrack_proc.rows(bytes(item.data)))
            else:
                yield item

    table = decode_dump(dumped(), {DUMPED: conntrack_entries.rows}, [CT_NEW])
    return conntrack_entries.lasting(concatenate([table, *tables]) if tables else table, now)


def clock(data: bytes) -> float:
    if len(data) != 8:
        raise DecodeError(0, f"a time of {len(data)} bytes")
    (now,) = struct.unpack("=d", data)
    if not 0 <= now < 2**33:
        raise DecodeError(0, "no time")
    return float(now)


CONNTRACK = Collector("conntrack", COLUMNS, read, decode, "ctnetlink IPCTNL_MSG_CT_GET", every=2.0)
