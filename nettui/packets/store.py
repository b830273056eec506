"""Packets that can be looked at: batches in the order of capture, whose headers are kept while there is room."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from sys import getsizeof
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.table import Table, concatenate
from collectors.values import Cell, is_constant, joined
from collectors.wire.packets.decode import AT_ONCE, decoded
from collectors.wire.packets.records import Records
from nettui.packets.judged import marked, marks_of
from nettui.packets.original import Place
from nettui.packets.reading import Batch

TOGETHER = AT_ONCE // 4  # packets of a batch that may be made one with others: a quiet device gives many small ones
RECORD = 16  # bytes of the header before each packet of a segment
SAMPLE = 16  # every so many lists are measured
NO_BYTES = np.zeros(0, np.uint8)
Reread = Callable[[NDArray[np.uint8], int], Records]  # the packets in some bytes from an offset on


class Shared:
    """Bytes that batches of one segment stand in, as far as it goes by now: each mapping of it costs a descriptor."""

    __slots__ = ("data",)

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self.data = data


class Kept:
    """A batch in the store: where its packets stand, and their headers. What there was no room for is found again.

    Of a file that stands on a disk (``place``) no bytes are kept.
    ``begin``, ``end``: the numbers in the capture of its first packet, and of its last. ``start``, ``stop``: where the
    first one's bytes begin, and the last one's end. ``size``: bytes that go when it is let go.
    """

    __slots__ = (
        "_count",
        "_marks",
        "_numbers",
        "_records",
        "_reread",
        "_table",
        "begin",
        "end",
        "place",
        "shared",
        "size",
        "start",
        "stop",
    )

    def __init__(
        self, records: Records, table: Table, reread: Reread | None = None, place: Place | None = None
    ) -> None:
        numbers = table.numbers("number").numbers
        self.begin, self.end, self._count = int(numbers[0]), int(numbers[-1]), len(records)
        self._marks = marks_of(table)
        self._numbers = None if self.end - self.begin + 1 == self._count else numbers  # where some were left out
        self.place, self.shared = place, Shared(NO_BYTES if place else records.data)
        self.start = int(records.at[0])
        self.stop = int(records.at[-1]) + int(records.captured[-1])
        self._records: Records | None = replace(records, data=NO_BYTES)
        self._table: Table | None = table
        self._reread = reread
        self.size = held_by(table) + (28 * len(records) if reread else 0)

    def __len__(self) -> int:
        return self._count

    @property
    def records(self) -> Records:
        records, data = self._records, self.shared.data
        if records is not None:
            return self.place.read(records) if self.place else replace(records, data=data)
        assert self._reread is not None
        return self._reread(data[: self.stop], self.start - RECORD)

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
        kept = Kept(batch.records, batch.table, self._reread, batch.place)
        with self._lock:
            if self._kept and follows(self._kept[-1], kept):
                share(kept, self._kept[-1].shared)
            self._kept.append(kept)
            together = self._small()
            if len(together) > 1:
                self._kept[-len(together) :] = [merged(together, self._reread)]
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
        """The last ones, as far as they stand together and each is no larger than all behind it.

        So each packet is moved a few times only, and few batches remain, however large they come.
        """
        found = self._kept[-1:]
        count = len(found[0])
        for kept in reversed(self._kept[:-1]):
            if len(kept) > count or count + len(kept) > TOGETHER or not follows(kept, found[0]):
                break
            found.insert(0, kept)
            count += len(kept)
        return found

    def _make_room(self) -> None:
        held = 0
        for kept in reversed(self._kept):
            held += kept.size
            if held > self._room:
                kept.let_go()


def follows(one: Kept, other: Kept) -> bool:
    """Whether the other's bytes begin where this one's end, in the same segment."""
    if one.place or other.place:
        return False
    return one.end + 1 == other.begin and one.stop + RECORD == other.start


def share(kept: Kept, shared: Shared) -> None:
    """It goes further in the same bytes, and brings them as far as that."""
    shared.data = kept.shared.data
    kept.shared = shared


def merged(parts: Sequence[Kept], reread: Reread | None) -> Kept:
    """Batches of one segment as one; the last one's bytes contain those of the others."""
    records = [part.records for part in parts]

    def column(name: str) -> Any:
        return joined([getattr(each, name) for each in records])

    whole = Records(
        records[-1].data, column("at"), column("captured"), column("lengths"), column("times"), column("links"),
        column("devices"), records[-1].names,
    )  # fmt: skip
    found = Kept(whole, concatenate([part.table() for part in parts]), reread)
    share(found, parts[-1].shared)
    return found


def held_by(table: Table) -> int:
    """Bytes that a table keeps, about."""
    size = 0
    for values in table.arrays.values():
        for field in fields(values):  # type: ignore[arg-type]
            part = getattr(values, field.name)
            if isinstance(part, np.ndarray):
                size += 0 if is_constant(part) else part.nbytes
            elif isinstance(part, tuple):
                size += held_by_cells(part)
    return size


def held_by_cells(pool: tuple[Cell, ...]) -> int:
    """Of lists (SACK's blocks, chunks) some stand for all: there may be one for each packet."""
    lists = pool[::SAMPLE] if pool and isinstance(pool[0], list) else ()
    inside = sum(held_by_cell(cell) - getsizeof(cell) for cell in lists)
    return sum(map(getsizeof, pool)) + inside * len(pool) // max(len(lists), 1)


def held_by_cell(cell: Cell) -> int:
    size = getsizeof(cell)
    return size + sum(map(held_by_cell, cell)) if isinstance(cell, list) else size
