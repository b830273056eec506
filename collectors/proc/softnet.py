"""Receive backlog per CPU, from /proc/net/softnet_stat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.table import Column, Table
from collectors.wire.netlink import DecodeError

# net/core/net-procfs.c, softnet_seq_show. Positions 3 to 7 were throttling counters until 2.6.
COLUMNS = (
    Column("cpu", "u4", "key", help="processor"),
    Column("processed", "u4", "counter", "packets", "packets taken from device queues and backlogs"),
    Column("dropped", "u4", "counter", "packets", "packets refused by the full backlog (netdev_max_backlog)"),
    Column("time_squeeze", "u4", "counter", "", "times the softirq stopped with work left (netdev_budget)"),
    Column("cpu_collision", "u4", "counter", "", "times a transmit lock was busy; always 0 since 4.7"),
    Column("received_rps", "u4", "counter", "packets", "wake-ups by RPS for packets steered here; since 2.6.35"),
    Column("flow_limit", "u4", "counter", "packets", "packets of large flows refused, inside dropped; since 3.11"),
    Column("backlog_len", "u4", "gauge", "packets", "packets waiting now; since 5.10"),
    Column("input_queue_len", "u4", "gauge", "packets", "of these, in the input queue; since 6.7"),
    Column("process_queue_len", "u4", "gauge", "packets", "of these, being processed; since 6.7"),
)
POSITIONS = {
    "processed": 0,
    "dropped": 1,
    "time_squeeze": 2,
    "cpu_collision": 8,
    "received_rps": 9,
    "flow_limit": 10,
    "backlog_len": 11,
    "cpu": 12,
    "input_queue_len": 13,
    "process_queue_len": 14,
}


def read(host: Host) -> Iterator[Block]:
    yield Block("softnet_stat", host.read("net/softnet_stat"))


def decode(raw: Raw) -> Table:
    """A row per CPU that is online; kernels before 5.10 do not name the CPU, and a line's number need not be it."""
    (block,) = [item for item in raw if isinstance(item, Block)]
    try:
        lines = [[int(word, 16) for word in line.split()] for line in bytes(block.data).splitlines()]
        numbers = np.array(lines, np.uint64).astype(np.uint32)
    except (ValueError, OverflowError) as error:
        raise DecodeError(0, f"softnet_stat: {error}") from error
    draft = Draft(COLUMNS, len(numbers))
    for name, position in POSITIONS.items():
        if numbers.ndim == 2 and position < numbers.shape[1]:
            draft.numbers(name, numbers[:, position])
    return draft.table()


SOFTNET = Collector("softnet", COLUMNS, read, decode, "/proc/net/softnet_stat")
