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

from collectors.collector import Block, Collector, Equalities, Raw
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.conntrack import entries, filter, proc
from collectors.netfilter.conntrack.columns import COLUMNS
from collectors.netlink.dump import decode_dump
from collectors.table import Gap, Table, concatenate
from collectors.wire.netlink import DecodeError, NetlinkError, messages

IPCTNL_MSG_CT_NEW, IPCTNL_MSG_CT_GET = 0, 1
CT_NEW = nfnetlink.kind(nfnetlink.CTNETLINK, IPCTNL_MSG_CT_NEW)
CLOCK, LISTED, DUMPED = "clock", "nf_conntrack", "dump"
FILE = "net/nf_conntrack"
SHORT = 1024  # bytes: a refusal is shorter


def read(host: Host, equalities: Equalities = ()) -> Iterator[Block | Gap]:
    """All entries; with ``equalities`` only those that the kernel finds to have them, as far as it looks."""
    yield Block(CLOCK, struct.pack("=d", time.time()))
    lacking = nfnetlink.absence(host, nfnetlink.CTNETLINK)
    if lacking:
        yield from listed(host, lacking)
        return
    family, attributes = filter.request(equalities)
    for block in dumped(host, family, attributes):
        if attributes and refused(block):
            yield from dumped(host)
            return
        yield block


def dumped(host: Host, family: int = nfnetlink.NFPROTO_UNSPEC, attributes: bytes = b"") -> Iterator[Block]:
    return nfnetlink.dump_of(host, nfnetlink.CTNETLINK, IPCTNL_MSG_CT_GET, family, attributes, DUMPED)


def refused(block: Block) -> bool:
    """Whether the kernel takes no such filter, as one without marks or zones; any other refusal is the decoder's."""
    if len(block.data) < SHORT:
        try:
            messages(block.data)
        except NetlinkError as error:
            return error.errno in (errno.EOPNOTSUPP, errno.EINVAL)
    return False


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

    def dumps() -> Iterator[Block | Gap]:
        nonlocal now
        for item in raw:
            if isinstance(item, Block) and item.part == CLOCK:
                now = clock(bytes(item.data))
            elif isinstance(item, Block) and item.part == LISTED:
                tables.append(proc.rows(bytes(item.data)))
            else:
                yield item

    table = decode_dump(dumps(), {DUMPED: entries.rows}, [CT_NEW])
    return entries.lasting(concatenate([table, *tables]) if tables else table, now)


def clock(data: bytes) -> float:
    if len(data) != 8:
        raise DecodeError(0, f"a time of {len(data)} bytes")
    (now,) = struct.unpack("=d", data)
    if not 0 <= now < 2**33:
        raise DecodeError(0, "no time")
    return float(now)


CONNTRACK = Collector("conntrack", COLUMNS, read, decode, "ctnetlink IPCTNL_MSG_CT_GET", every=2.0, narrowed=read)
