"""Which rows of a table are shown and in which order: computed on a thread of its own when the table is large."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Table
from collectors.values import Addresses, Cell, Codes, Numbers, Values
from nettui.query import Query

AT_ONCE = 2_000  # rows that are filtered and sorted within a key's time


class Rows(Protocol):
    """What a table on the screen draws: rows by position, of one moment.

    ``filled``: names of the columns that have a value in any row. ``sort``: (column, descending), None for their own.
    """

    @property
    def filled(self) -> frozenset[str]: ...
    @property
    def sort(self) -> tuple[str, bool] | None: ...
    @property
    def columns(self) -> Sequence[Column]: ...
    def __len__(self) -> int: ...
    def cells(self, columns: Sequence[Column], start: int, stop: int) -> list[list[Cell]]:
        """The cells of the positions from start to stop, column by column."""
        ...

    def place(self, position: int) -> tuple[Table, int]:
        """A table, and the row in it, of one position."""
        ...

    def carried(self, position: int, later: Self) -> int | None:
        """Where the row at a position is in rows of a later moment, None when it is not."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What a pane wants to see. ``sort``: (column, descending) or None for the table's own order."""

    table: Table
    query: Query | None = None
    sort: tuple[str, bool] | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """``rows``: positions in the table, in display order; None is all of them in their own order.

    ``filled``: names of the columns that have a value in any row. ``fault``: why the wish could not be met.
    """

    wish: Wish
    rows: NDArray[np.intp] | None
    filled: frozenset[str]
    fault: str = ""

    def __len__(self) -> int:
        return len(self.wish.table) if self.rows is None else len(self.rows)

    @property
    def sort(self) -> tuple[str, bool] | None:
        return self.wish.sort

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.wish.table.columns

    def cells(self, columns: Sequence[Column], start: int, stop: int) -> list[list[Cell]]:
        index = slice(start, min(stop, len(self))) if self.rows is None else self.rows[start:stop]
        return [self.wish.table[column.name].take(index).cells() for column in columns]

    def place(self, position: int) -> tuple[Table, int]:
        return self.wish.table, self.row_at(position)

    def carried(self, position: int, later: Arrangement) -> int | None:
        table, row = self.place(position)
        if later.wish.table is table:
            return later.position_of(row)
        found = find(later.wish.table, key_cells(table, row), row)
        return None if found is None else later.position_of(found)

    def row_at(self, position: int) -> int:
        return position if self.rows is None else int(self.rows[position])

    def position_of(self, row: int) -> int | None:
        """Where a row of the table is shown, None when it is filtered out."""
        if self.rows is None:
            return row
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else None


def arranged(wish: Wish) -> Arrangement:
    """The wish met; a fault in the filter or in the data leaves the table whole and says so."""
    table = wish.table
    filled = frozenset(column.name for column in table.columns if has_values(table[column.name]))
    try:
        rows = np.flatnonzero(wish.query.mask(table)) if wish.query else None
        if wish.sort and wish.sort[0] in table:
            rows = in_order(table, rows, *wish.sort)
        return Arrangement(wish, rows, filled)
    except Exception as error:  # the boundary: one panel's fault is shown there, and the rest goes on
        return Arrangement(wish, None, filled, f"{type(error).__name__}: {error}")


def has_values(values: Values) -> bool:
    """Whether any row is present, looking at a few first."""
    if isinstance(values, Numbers) and values.known is None:
        return len(values) > 0
    return bool(values.take(slice(0, 64)).present().any() or values.present().any())


def in_order(table: Table, rows: NDArray[np.intp] | None, name: str, descending: bool) -> NDArray[np.intp]:
    """Rows by one column, equal ones in the order they had, absent ones last either way."""
    values = table[name] if rows is None else table[name].take(rows)
    keys = values.sort_keys()
    if descending:
        backward = np.lexsort(tuple(key[::-1] for key in keys))
        order = len(values) - 1 - backward[::-1]
        known = values.present()[order]
        order = np.concatenate([order[known], order[~known]])
    else:
        order = np.lexsort(keys)
    return order if rows is None else rows[order]


def key_cells(table: Table, row: int) -> dict[str, Cell]:
    """What identifies a row, by column name."""
    return {column.name: table.cell(row, column.name) for column in table.columns if column.kind == "key"}


def find(table: Table, key: dict[str, Cell], near: int) -> int | None:
    """The row with those key cells, the nearest to position ``near`` when there are several."""
    if not key or any(name not in table for name in key):
        return near if near < len(table) and not key else None
    if near < len(table) and key_cells(table, near) == key:
        return near
    candidates: NDArray[np.intp] | None = None
    for name, cell in key.items():
        values = table[name] if candidates is None else table[name].take(candidates)
        equal = np.flatnonzero(equals(values, cell))
        candidates = equal if candidates is None else candidates[equal]
        if not len(candidates):
            return None
    if candidates is None:
        return None
    return int(candidates[np.argmin(np.abs(candidates - near))])


def equals(values: Values, cell: Cell) -> NDArray[np.bool_]:
    """The rows whose cell is that one."""
    if cell is None:
        return ~values.present()
    if isinstance(values, Numbers):
        same: NDArray[np.bool_] = (values.numbers == cell) & values.present()
        return same
    if isinstance(values, Codes):
        code = next((code for code, known in enumerate(values.pool) if known == cell), -2)
        found: NDArray[np.bool_] = values.codes == code
        return found
    assert isinstance(values, Addresses)
    return equal_addresses(values, str(cell))


def equal_addresses(values: Addresses, text: str) -> NDArray[np.bool_]:
    """Rows whose octets are those of ``text``, narrowed by one octet after the other, then compared as text."""
    if text == "default":
        none = np.zeros(len(values), np.bool_)
        return none if values.prefix is None else values.present() & (values.prefix == np.uint8(0))
    rows: NDArray[np.intp] | None = None
    for place, octet in reversed(list(enumerate(address_octets(text)[: values.octets.shape[1]]))):
        column = values.octets[:, place] if rows is None else values.octets[rows, place]
        equal = np.flatnonzero(column == octet)
        rows = equal if rows is None else rows[equal]
    if rows is None:
        return np.zeros(len(values), np.bool_)
    found = np.zeros(len(values), np.bool_)
    found[[row for row, known in zip(rows.tolist(), values.take(rows).cells()) if known == text]] = True
    return found


def address_octets(text: str) -> bytes:
    """The octets of an address as Addresses.cells writes it; none when it is no address."""
    plain = text.partition("/")[0]
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, plain)
        except OSError:
            continue
    try:
        return bytes.fromhex(plain.replace(":", ""))
    except ValueError:
        return b""


class Arranger:
    """Meets wishes on one daemon thread, the latest of each name only, and delivers the arrangements from there."""

    def __init__(self, deliver: Callable[[str, Arrangement], None]) -> None:
        self._deliver = deliver
        self._wishes: dict[str, Wish] = {}
        self._wake = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def ask(self, name: str, wish: Wish) -> None:
        with self._wake:
            self._wishes[name] = wish
            self._wake.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="arrange")
                self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._wishes or self._stopped):
                    self._wake.wait()
                if self._stopped:
                    return
                name = next(iter(self._wishes))
                wish = self._wishes.pop(name)
            self._deliver(name, arranged(wish))
