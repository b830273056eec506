"""What moved: the ledger's rows followed from reading to reading, through resets and rows that come and go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from collectors.draft import of_rows
from collectors.table import Column, Table, concatenate

COLUMNS = (
    Column("delta", "u8", "gauge", help="by how much it moved between the last two readings of its source"),
    Column("rate", "f8", "gauge", "/s", "the same per second"),
    Column("since", "u8", "gauge", help="by how much it moved since the mark, or since it is watched"),
    Column("first_moved", "f8", "label", "s", "when it first moved since then, seconds since the epoch"),
    Column("last_moved", "f8", "label", "s", "when it last moved, seconds since the epoch"),
    Column("state", "text", "label", help="gone: what it counted for is no more; reset: it began again at zero"),
)
GONE, RESET = "gone", "reset"
KEPT = 500  # rows that are gone and shown one by one
Key = tuple[str, str]


@dataclass(slots=True)
class Past:
    """What is known of one row: its number, when its source was read last, and how it moved. Times: see ``follow``."""

    total: int
    read: float
    delta: int | None = None
    rate: float | None = None
    since: int = 0
    first: float | None = None
    last: float | None = None
    state: str | None = None

    def moved(self, total: int, read: float, at: float) -> None:
        """A further reading: a number that went down began again, and has no rate."""
        went = total - self.total
        self.state = RESET if went < 0 else None
        self.delta = went if went >= 0 else None
        self.rate = went / (read - self.read) if went >= 0 else None
        if went > 0:
            self.since += went
            self.first, self.last = self.first or at, at
        self.total, self.read = total, read

    def cells(self) -> dict[str, Any]:
        first, last = self.first, self.last
        return {"delta": self.delta, "rate": self.rate, "since": self.since, "state": self.state,
                "first_moved": first, "last_moved": last}  # fmt: skip


@dataclass(slots=True)
class Folded:
    """Rows of one counter that are gone and no longer shown one by one: how many, and by how much they had moved."""

    row: Table
    rows: int = 0
    moved: int = 0

    def cells(self) -> dict[str, Any]:
        return {"total": self.moved, "since": self.moved, "state": GONE, "scope": f"{self.rows:,} that are gone"}


class History:
    """Rows by counter and what they count for; a row that was not there, of a source that was, came from zero."""

    def __init__(self) -> None:
        self._rows: dict[Key, Past] = {}
        self._sources: dict[str, float] = {}  # when each was read last
        self._gone: dict[Key, Table] = {}
        self._folded: dict[str, Folded] = {}  # by counter
        self._known: dict[Key, tuple[str, Table, int]] = {}  # source, and where the row stood last

    def begin(self, source: str, read: float) -> None:
        """A source whose counters begin at zero now."""
        self._sources[source] = read

    def mark(self) -> None:
        """From now on ``since`` and ``first_moved`` count anew; what is gone is forgotten."""
        self._gone.clear()
        self._folded.clear()
        for past in self._rows.values():
            past.since, past.first = 0, None

    def since(self, counter: str, which: str) -> int:
        """By how much a row moved since the mark."""
        past = self._rows.get((counter, which))
        return past.since if past else 0

    def follow(self, table: Table, read: Mapping[str, float], at: float) -> Table:
        """The ledger with how each row moved, and the rows that are gone and had moved.

        ``read``: when each source was read, in seconds of a steady clock; a source that could not be read is left out,
        and its rows are kept as they were. ``at``: now, in seconds since the epoch.
        """
        keys: list[Key] = list(zip(table["counter"].cells(), table["which"].cells(), strict=True))  # type: ignore[arg-type]
        sources = table["source"].cells()
        totals = table["total"].cells()
        present: dict[Key, tuple[str, Table, int]] = {}
        for row, (key, source, total) in enumerate(zip(keys, sources, totals, strict=True)):
            present[key] = (str(source), table, row)
            if isinstance(total, int):
                self._reading(key, str(source), total, read, at)
        left = [key for key, (source, _, _) in self._known.items() if key not in present and source in read]
        self._depart(left, at)
        unread = {key: place for key, place in self._known.items() if key not in present and place[0] not in read}
        self._known = {**unread, **present}
        for key in present:
            self._gone.pop(key, None)
        self._sources.update(read)
        return self._told(table, keys)

    def _reading(self, key: Key, source: str, total: int, read: Mapping[str, float], at: float) -> None:
        when = read.get(source, 0.0)
        past = self._rows.get(key)
        if past is None:
            before = self._sources.get(source)
            past = self._rows[key] = Past(total, when) if before is None else Past(0, before)
        if when > past.read:
            past.moved(total, when, at)

    def _depart(self, keys: Iterable[Key], at: float) -> None:
        """Rows whose source was read and has them no more: kept when they had moved, else forgotten."""
        for key in keys:
            past = self._rows.get(key)
            _, table, row = self._known[key]
            if past is None or not past.since:
                self._rows.pop(key, None)
                continue
            past.delta, past.rate, past.state = None, None, GONE
            self._gone[key] = table.take(slice(row, row + 1))
        for key in list(islice(self._gone, max(0, len(self._gone) - KEPT))):
            folded = self._folded.setdefault(key[0], Folded(self._gone[key]))
            folded.rows += 1
            folded.moved += self._rows.pop(key).since
            del self._gone[key]

    def _told(self, table: Table, keys: list[Key]) -> Table:
        folded = [replaced(entry.row, entry.cells()) for entry in self._folded.values()]
        whole = concatenate([table, *self._gone.values(), *folded])
        told = [past.cells() if (past := self._rows.get(key)) else {} for key in (*keys, *self._gone)]
        told += [entry.cells() for entry in self._folded.values()]
        return whole.extended(COLUMNS, of_rows(COLUMNS, told).table().arrays)


def replaced(row: Table, cells: Mapping[str, Any]) -> Table:
    """A table of one row, with other cells in some of its columns."""
    return of_rows(row.columns, [{**row.row(0), **{name: cells[name] for name in cells if name in row}}]).table()


def ordered(table: Table, ranks: Mapping[str, int]) -> Table:
    """Rows in the order of the layers, as the ledger has them, those that are gone among them."""
    places = np.array([ranks[str(layer)] for layer in table["layer"].cells()], np.intp)
    return table.take(np.argsort(places, kind="stable"))
