"""Queues to user space (NFQUEUE) with what they dropped, from /proc/net/netfilter/nfnetlink_queue."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.table import Column, Table
from collectors.wire.netlink import DecodeError

# net/netfilter/nfnetlink_queue.c, seq_show: the columns in the file's order; the last is always 1
COLUMNS = (
    Column("queue", "u4", "key", help="number of the queue"),
    Column("portid", "u4", "label", help="netlink address of its reader, most often the process id"),
    Column("waiting", "u4", "gauge", "packets", "packets that wait for a verdict"),
    Column("copy_mode", "u4", "label", help="0 nothing, 1 metadata, 2 packet is handed to the reader"),
    Column("copy_range", "u4", "label", "B", "of a packet at most"),
    Column("queue_dropped", "u8", "counter", "packets", "dropped as too many waited (the queue's maxlen)"),
    Column("user_dropped", "u8", "counter", "packets", "dropped as the reader's socket was full"),
    Column("id_sequence", "u8", "counter", "packets", "packets queued so far"),
)
PATH = "net/netfilter/nfnetlink_queue"


def read(host: Host) -> Iterator[Block]:
    """Nothing where the module is not loaded: then there is no queue."""
    try:
        yield Block("nfnetlink_queue", host.read(PATH))
    except FileNotFoundError:
        return


def decode(raw: Raw) -> Table:
    """A row per queue that has a reader."""
    lines = [line for block in raw if isinstance(block, Block) for line in bytes(block.data).splitlines()]
    try:
        numbers = np.array([[int(word) for word in line.split()[: len(COLUMNS)]] for line in lines], np.uint64)
        numbers = numbers.reshape(len(lines), len(COLUMNS))
    except (ValueError, OverflowError) as error:
        raise DecodeError(0, f"nfnetlink_queue: {error}") from error
    draft = Draft(COLUMNS, len(lines))
    for place, column in enumerate(COLUMNS):
        draft.numbers(column.name, numbers[:, place])
    return draft.table()


NFQUEUES = Collector("nfqueues", COLUMNS, read, decode, f"/proc/{PATH}", every=2.0)
