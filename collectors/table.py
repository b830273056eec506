"""Column, Table and Gap: the named, typed columns that every collector gives and every reader takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from collectors.values import WHOLE, Cell, Codes, Index, Numbers, Values

Kind = Literal["key", "label", "gauge", "counter"]


@dataclass(frozen=True, slots=True)
class Column:
    """What one column is; heading, alignment, sort, filter, rate, report and schema all follow from it.

    ``dtype``: a numpy integer or float code ("u4", "i4", "f8"), "bool", "text", "address" or "json" (list or object).
    ``kind``: key (identifies the row), label, gauge (goes up and down) or counter (only grows, and so has a rate).
    ``unit``: of the plain number ("B", "ms", "us", "s", "packets", "bit/s"), "" where there is none.
    ``path``: where iproute2's JSON nests the value ("stats64.rx.bytes"); "" when it stands under ``name``.
    """

    name: str
    dtype: str
    kind: Kind = "label"
    unit: str = ""
    help: str = ""
    path: str = ""

    @property
    def numeric(self) -> bool:
        return self.dtype not in ("text", "address", "json", "bool")


@dataclass(frozen=True, slots=True)
class Gap:
    """Why something could not be read, in one sentence, and what would give it."""

    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Note(Gap):
    """What a reader of the whole table should know, and what follows from it; nothing is missing."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as columns. ``gaps`` tells what is missing from a table that could be read only in part."""

    columns: tuple[Column, ...]
    arrays: Mapping[str, Values]
    gaps: tuple[Gap, ...] = ()
    _names: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_names", {column.name: column for column in self.columns})

    def __len__(self) -> int:
        return len(self.arrays[self.columns[0].name]) if self.columns else 0

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __getitem__(self, name: str) -> Values:
        return self.arrays[name]

    def numbers(self, name: str) -> Numbers:
        """The column's storage, for arithmetic; TypeError when it does not hold numbers."""
        values = self.arrays[name]
        if not isinstance(values, Numbers):
            raise TypeError(f"{name} holds no numbers")
        return values

    def codes(self, name: str) -> Codes:
        """The column's storage; TypeError when it does not hold text or nested cells."""
        values = self.arrays[name]
        if not isinstance(values, Codes):
            raise TypeError(f"{name} holds no coded cells")
        return values

    def column(self, name: str) -> Column:
        return self._names[name]

    def cell(self, row: int, name: str) -> Cell:
        return self.arrays[name].cells(slice(row, row + 1))[0]

    def row(self, row: int) -> dict[str, Cell]:
        """One row by column name; absent cells are left out."""
        return next(self.rows(slice(row, row + 1)))

    def rows(self, index: Index = WHOLE) -> Iterator[dict[str, Cell]]:
        """Rows as dictionaries, absent cells left out; take slices of a large table, not all of it."""
        names = [column.name for column in self.columns]
        for cells in zip(*(self.arrays[name].cells(index) for name in names), strict=True):
            yield {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}

    def take(self, index: Index) -> Table:
        """The rows of ``index`` (integer positions, in that order, or a slice)."""
        return Table(self.columns, {name: values.take(index) for name, values in self.arrays.items()}, self.gaps)

    def select(self, names: Sequence[str]) -> Table:
        """Only the named columns, in that order."""
        return Table(tuple(self._names[name] for name in names), {name: self.arrays[name] for name in names}, self.gaps)

    def extended(self, columns: Sequence[Column], arrays: Mapping[str, Values]) -> Table:
        """With further columns behind the present ones; a column of the same name is replaced in its place."""
        new = {column.name: column for column in columns}
        kept = tuple(new.pop(column.name, column) for column in self.columns)
        return Table((*kept, *new.values()), {**self.arrays, **arrays}, self.gaps)

    def with_gaps(self, gaps: Sequence[Gap]) -> Table:
        return Table(self.columns, self.arrays, (*self.gaps, *gaps))


def concatenate(tables: Sequence[Table]) -> Table:
    """Tables of the same columns, one below the other; consumes one column of all parts at a time."""
    if len(tables) == 1:
        return tables[0]
    columns = tables[0].columns
    parts = [dict(table.arrays) for table in tables]
    arrays: dict[str, Values] = {}
    for column in columns:
        values = [part.pop(column.name) for part in parts]
        arrays[column.name] = type(values[0]).concatenate(values)
    return Table(columns, arrays, tuple(dict.fromkeys(gap for table in tables for gap in table.gaps)))
