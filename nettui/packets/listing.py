"""Packets in the order of capture, all of them or those that a filter takes, as they were at one moment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.table import Table, concatenate
from collectors.values import Index
from collectors.wire.packets.records import Records
from nettui.packets.judged import COLUMNS
from nettui.packets.store import Kept
from nettui.query import Query

Rows = NDArray[np.unsignedinteger] | None  # of a batch that are shown, in ascending order; None: all of them
DECODED = 3  # batches whose headers are kept for the screen although there was no room for them
NOTHING = Draft(COLUMNS, 0).table()


class Packet(NamedTuple):
    """One packet: its bytes as far as they were captured, the LINKTYPE_ of its first header, nanoseconds since 1970,
    bytes on the wire, its number in the capture."""

    octets: bytes
    link: int
    time: int
    length: int
    number: int


class Listing:
    """``total``: packets that could be shown without the filter. A position counts the shown ones, from 0.

    ``earlier``: one of a moment before, of which what was decoded for the screen is taken over.
    """

    def __init__(
        self,
        batches: Sequence[Kept] = (),
        rows: Sequence[Rows] = (),
        where: Query | None = None,
        earlier: Listing | None = None,
    ) -> None:
        self.batches, self.rows, self.where = tuple(batches), tuple(rows), where
        counts = [len(kept) if shown is None else len(shown) for kept, shown in zip(batches, rows, strict=True)]
        self._ends: list[int] = np.cumsum(counts, dtype=np.int64).tolist()
        there = set(batches)
        found = earlier._decoded.copy() if earlier else {}  # at once, as the screen goes on decoding into that one
        self._decoded: dict[Kept, Table] = {kept: table for kept, table in found.items() if kept in there}
        self.total = sum(map(len, batches))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def table(self, start: int, stop: int) -> Table:
        """The packets at these positions."""
        found = [self._table(kept).take(rows) for kept, rows in self._spans(max(start, 0), min(stop, len(self)))]
        return concatenate(found) if found else NOTHING

    def parts(self, start: int, stop: int) -> Iterator[tuple[Table, Records]]:
        """The packets at these positions with where they stand, batch by batch."""
        for kept, rows in self._spans(max(start, 0), min(stop, len(self))):
            yield self._table(kept).take(rows), kept.records.take(rows)

    def number_at(self, position: int) -> int:
        kept, row = self._place(position)
        return kept.number(row)

    def position_of(self, number: int) -> int:
        """Where the packet of that number is shown, or the next one that is; the last where none follows."""
        at = bisect_left(self.batches, number, key=lambda kept: kept.end)
        if at == len(self.batches):
            return max(0, len(self) - 1)
        row, shown = self.batches[at].row(number), self.rows[at]
        behind = row if shown is None else int(np.searchsorted(shown, row))
        return min(self._start(at) + behind, max(0, len(self) - 1))

    def packet(self, position: int) -> Packet:
        kept, row = self._place(position)
        records = kept.records
        at, size = int(records.at[row]), int(records.captured[row])
        octets = records.data[at : at + size].tobytes()
        length, stamp = int(records.lengths[row]), int(records.times[row])
        return Packet(octets, int(records.links[row]), stamp, length, kept.number(row))

    def chosen(self) -> Iterator[tuple[Records, Rows]]:
        """Batch by batch, with the rows that are shown."""
        for kept, rows in zip(self.batches, self.rows, strict=True):
            yield kept.records, rows

    def _start(self, at: int) -> int:
        return self._ends[at - 1] if at else 0

    def _place(self, position: int) -> tuple[Kept, int]:
        at = bisect_right(self._ends, position)
        behind, shown = position - self._start(at), self.rows[at]
        return self.batches[at], behind if shown is None else int(shown[behind])

    def _spans(self, start: int, stop: int) -> Iterator[tuple[Kept, Index]]:
        """The batches that have these positions, each with its rows."""
        at = bisect_right(self._ends, start)
        while start < stop:
            begin, end = start - self._start(at), min(stop, self._ends[at]) - self._start(at)
            shown = self.rows[at]
            yield self.batches[at], slice(begin, end) if shown is None else shown[begin:end].astype(np.intp)
            start, at = max(start, self._ends[at]), at + 1

    def _table(self, kept: Kept) -> Table:
        table = self._decoded.get(kept)
        if table is None:
            table = self._decoded[kept] = kept.table()
            if len(self._decoded) > DECODED:
                del self._decoded[next(iter(self._decoded))]
        return table
