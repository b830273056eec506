"""The drivers' own counters of every device (ethtool -S), by the ioctls ETHTOOL_GSTRINGS and ETHTOOL_GSTATS."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink.ethtool_wire import ETH_GSTRING_LEN, statistics, texts
from collectors.table import Column, Table
from collectors.wire.netlink import DecodeError

COLUMNS = (
    Column("ifindex", "i4", "key", help="number of the device"),
    Column("name", "text", "key", help="the driver's name of the counter"),
    Column("slot", "u4", "key", help="its place among the driver's counters: some drivers use a name twice"),
    Column("value", "u8", "counter", help="its value; some drivers have gauges among them"),
)
RECORD = struct.Struct("=iI")  # ifindex, number of counters; then their names, then their values


def read(host: Host) -> Iterator[Block]:
    """A record for each device that has counters of its own; one that goes meanwhile has none."""
    records = []
    with host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
        for index, name in host.inside(socket.if_nameindex):
            try:
                names, values = statistics(sock, name)
            except OSError as error:
                if error.errno != errno.ENODEV:
                    raise
                continue
            if values:
                records += [RECORD.pack(index, len(values) // 8), names, values]
    yield Block("statistics", b"".join(records))


def decode(raw: Raw) -> Table:
    """A row per counter, in the drivers' order; devices whose names are the same bytes are told once."""
    indexes: list[int] = []
    counts: list[int] = []
    names: list[str] = []
    values: list[NDArray[np.uint64]] = []
    known: dict[bytes, list[str]] = {}
    for block in raw:
        if isinstance(block, Block):
            for index, spelled, numbers in records(bytes(block.data)):
                indexes.append(index)
                counts.append(len(numbers))
                if spelled not in known:
                    known[spelled] = texts(spelled)
                names += known[spelled]
                values.append(numbers)
    draft = Draft(COLUMNS, len(names))
    draft.numbers("ifindex", np.repeat(np.array(indexes, np.int32), counts))
    draft.cells("name", names)
    draft.numbers("slot", np.concatenate([np.arange(count) for count in counts]) if counts else np.zeros(0))
    draft.numbers("value", np.concatenate(values) if values else np.zeros(0))
    return draft.table()


def records(data: bytes) -> Iterator[tuple[int, bytes, NDArray[np.uint64]]]:
    """ifindex, names and values of each device."""
    at = 0
    while at < len(data):
        if at + RECORD.size > len(data):
            raise DecodeError(at, "a record is cut short")
        index, count = RECORD.unpack_from(data, at)
        first, middle = at + RECORD.size, at + RECORD.size + count * ETH_GSTRING_LEN
        at = middle + count * 8
        if at > len(data):
            raise DecodeError(first, f"{count} counters of device {index} do not fit")
        yield index, data[first:middle], np.frombuffer(data, "<u8", count, middle)


DRIVER_STATISTICS = Collector("driver_statistics", COLUMNS, read, decode, "SIOCETHTOOL ETHTOOL_GSTATS", every=5.0)
