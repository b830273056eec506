"""Packets written to a pcap file, with the stamps and lengths that they had."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collectors.capture.created import created
from collectors.capture.filters import ETHERNET, SNAPLEN
from collectors.wire.packets.records import Records

MAGIC_NANO = 0xA1B23C4D  # a pcap file whose stamps are in nanoseconds
HEADER = struct.Struct("<IHHiIII")
RECORD = np.dtype([("seconds", "<u4"), ("nanoseconds", "<u4"), ("captured", "<u4"), ("length", "<u4")])
NANO = 1_000_000_000
AT_ONCE = 4096  # packets that are joined to one write
Rows = NDArray[np.integer] | None  # None: all


class SeveralLinkTypes(ValueError):
    """A pcap file has one."""


class Saving:
    """A pcap file that is being written; ``packets``: how many are in it. A new file is its owner's alone (0600).

    Raises OSError, and SeveralLinkTypes: what was written until then is there. "-" is standard output.
    """

    def __init__(self, path: str | Path) -> None:
        self.packets = 0
        self._link: int | None = None
        self._descriptor = os.dup(1) if str(path) == "-" else created(Path(path))

    def add(self, records: Records, rows: Rows = None) -> None:
        chosen = np.arange(len(records)) if rows is None else rows
        if not len(chosen):
            return
        found = link_of(records, chosen, self._link)
        if self._link is None:
            write(self._descriptor, header(found))
        self._link = found
        for block in blocks(records, chosen):
            write(self._descriptor, block)
        self.packets += len(chosen)

    def close(self) -> None:
        """With no packets it is a file all the same."""
        try:
            if self._link is None:
                write(self._descriptor, header(ETHERNET))
        finally:
            os.close(self._descriptor)

    def __enter__(self) -> Saving:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def saved(batches: Iterable[tuple[Records, Rows]], path: Path) -> int:
    """Write the rows of these batches; how many packets they were. Raises what Saving does."""
    with Saving(path) as saving:
        for records, rows in batches:
            saving.add(records, rows)
    return saving.packets


def link_of(records: Records, rows: NDArray[np.integer], before: int | None) -> int:
    """The link type of all of them."""
    found = {before, *records.links[rows].tolist()} - {None}
    if len(found) > 1:
        raise SeveralLinkTypes("the packets are of several link types, and a pcap file has one: filter by dev")
    return int(records.links[rows[0]])


def header(link: int) -> bytes:
    return HEADER.pack(MAGIC_NANO, 2, 4, 0, 0, SNAPLEN, link)


def blocks(records: Records, rows: NDArray[np.integer]) -> Iterator[bytes]:
    """Record after record, as they stand in a file."""
    octets = records.data.data
    for begin in range(0, len(rows), AT_ONCE):
        some = rows[begin : begin + AT_ONCE]
        heads = np.zeros(len(some), RECORD)
        heads["seconds"], heads["nanoseconds"] = np.divmod(records.times[some], NANO)
        heads["captured"], heads["length"] = records.captured[some], records.lengths[some]
        told = memoryview(heads.tobytes())
        starts, ends = records.at[some], records.at[some] + records.captured[some]
        yield b"".join(
            part
            for at, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True))
            for part in (told[at * RECORD.itemsize : (at + 1) * RECORD.itemsize], octets[start:end])
        )


def write(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]
