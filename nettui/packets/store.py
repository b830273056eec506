"""Packets that can be looked at: batches in the order of capture, whose headers are kept while there is room."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.table import Table, concatenate
from collectors.values import is_constant, joined
from collectors.wire.packets.decode import AT_ONCE, decoded
from collectors.wire.packets.records import Records
from nettui.packets.judged import marked, marks_of
from nettui.packets.reading import Batch

TOGETHER = 16  # small batches that are made one: a quiet device gives many, of a packet or two
RECORD = 16  # bytes of the header before each packet of a segment
CELL = 64  # bytes, about, of a text in a pool


Reread = Callable[[NDArray[np.uint8], int], Records]  # the packets in some bytes from an offset on


class Kept:
    """A batch in the store: where its packets stand, and their headers. What there was no room for is found again.

    ``begin``, ``end``: the numbers in the capture of its first packet, and of its last.
    """

    __slots__ = (
        "_count",
        "_data",
        "_marks",
        "_numbers",
        "_records",
        "_reread",
        "_start",
        "_table",
        "begin",
        "end",
        "size",
    )

    def __init__(self, records: Records, table: Table, reread: Reread | None = None) -> None:
        numbers = table.numbers("number").numbers
        self.begin, self.end, self._count = int(numbers[0]), int(numbers[-1]), len(records)
        self._marks = marks_of(table)
        self._numbers = None if self.end - self.begin + 1 == self._count else numbers  # where some were left out
        self._records: Records | None = records
        self._table: Table | None = table
        self._reread, self._start = reread, int(records.at[0]) - RECORD
        self._data = records.data[: int(records.at[-1]) + int(records.captured[-1])]
        self.size = held_by(table) + (28 * len(records) if reread else 0)  # bytes that go when it is let go

    def __len__(self) -> int:
        return self._count

    @property
    def records(self) -> Records:
        records = self._records
        if records is not None:
            return records
        assert self._reread is not None
        return self._reread(self._data, self._start)

    def table(self) -> Table:
        """Its headers (nettui.packets.judged)."""
        table = self._table
        if table is not None:
            return table
        found = decoded(self.records, self.begin - 1 if self._numbers is None else self._numbers - 1)
        return found if self._marks is None else marked(found, self._marks)

    def number(self, row: int) -> int:
        """Of the packet in that row."""
        return self.begin + row if self._numbers is None else int(self._numbers[row])

    def row(self, number: int) -> int:
        """Of the packet of that number, or of the first one behind it."""
        if self._numbers is None:
            return max(0, number - self.begin)
        return int(np.searchsorted(self._numbers, number))

    def let_go(self) -> None:
        self._table = None
        if self._reread:
            self._records = None


class Store:
    """Batches, added by one thread and looked at by any; ``room``: bytes for their headers.

    ``reread``: finds the packets of a batch's bytes again, where that can be done; they then cost room too.
    """

    def __init__(self, room: int, reread: Reread | None = None) -> None:
        self._room, self._reread = room, reread
        self._kept: list[Kept] = []
        self._lock = threading.Lock()

    def add(self, batch: Batch) -> None:
        """Behind the others, in the order of capture."""
        if not len(batch.records):
            return
        kept = Kept(batch.records, batch.table, self._reread)
        with self._lock:
            self._kept.append(kept)
            while len(together := self._small()) == TOGETHER:
                self._kept[-TOGETHER:] = [merged(together, self._reread)]
            self._make_room()

    def forget(self, before: int) -> None:
        """Those of which all packets are among the first ``before`` of the capture."""
        with self._lock:
            gone = next((at for at, kept in enumerate(self._kept) if kept.end > before), len(self._kept))
            del self._kept[:gone]

    def batches(self) -> tuple[Kept, ...]:
        with self._lock:
            return tuple(self._kept)

    def _small(self) -> list[Kept]:
        """The last ones as far as they are of one size, stand together, and may be one."""
        found = self._kept[-1:]
        for kept in reversed(self._kept[-TOGETHER:-1]):
            if magnitude(kept) != magnitude(found[0]) or not follows(kept, found[0]):
                break
            found.insert(0, kept)
        return found if sum(map(len, found)) <= AT_ONCE else []

    def _make_room(self) -> None:
        held = 0
        for kept in reversed(self._kept):
            held += kept.size
            if held > self._room:
                kept.let_go()


def magnitude(kept: Kept) -> int:
    return (len(kept).bit_length() - 1) // (TOGETHER.bit_length() - 1)


def follows(one: Kept, other: Kept) -> bool:
    """Whether the other's bytes begin where this one's end, in the same segment."""
    if one.end + 1 != other.begin:
        return False
    left, right = one.records, other.records
    return int(left.at[-1]) + int(left.captured[-1]) + RECORD == int(right.at[0])


def merged(parts: Sequence[Kept], reread: Reread | None) -> Kept:
    """Batches of one segment as one; the last one's bytes contain those of the others."""
    records = [part.records for part in parts]

    def column(name: str) -> Any:
        return joined([getattr(each, name) for each in records])

    whole = Records(
        records[-1].data, column("at"), column("captured"), column("lengths"), column("times"), column("links"),
        column("devices"), records[-1].names,
    )  # fmt: skip
    return Kept(whole, concatenate([part.table() for part in parts]), reread)


def held_by(table: Table) -> int:
    """Bytes that a table keeps, about."""
    size = 0
    for values in table.arrays.values():
        for field in fields(values):  # type: ignore[arg-type]
            part = getattr(values, field.name)
            if isinstance(part, np.ndarray):
                size += 0 if is_constant(part) else part.nbytes
            elif isinstance(part, tuple):
                size += len(part) * CELL
    return size
