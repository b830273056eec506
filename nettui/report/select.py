"""Which rows and columns of a table a report holds, in which order: --where, --sort, --columns, --limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Table
from collectors.values import Values
from nettui.suggest import unknown

if TYPE_CHECKING:
    from nettui.query import Query


class NoSuchColumn(ValueError):
    """A column was asked for that the section lacks; the message names the ones there are."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked for; ``sort``: column names, descending with ``-`` before; ``columns`` empty: all."""

    where: str = ""
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    limit: int | None = None

    def checked(self, columns: Sequence[Column]) -> Query | None:
        """The compiled filter, if any; raises QueryError or NoSuchColumn for what these columns cannot answer."""
        names = [column.name for column in columns]
        for name in (*self.columns, *(key.removeprefix("-") for key in self.sort)):
            if name not in names:
                raise NoSuchColumn(unknown("column", name, names))
        if not self.where:
            return None
        from nettui.query import compile

        return compile(self.where, columns)


def select(table: Table, selection: Selection) -> tuple[Table, NDArray[np.intp] | None, int]:
    """The table of the chosen columns, the chosen rows in order (None: all as they are), and the rows before limit."""
    query = selection.checked(table.columns)
    rows = None if query is None else np.flatnonzero(query.mask(table))
    for key in reversed(selection.sort):
        values = table[key.removeprefix("-")]
        order = ordered(values if rows is None else values.take(rows), descending=key.startswith("-"))
        rows = order if rows is None else rows[order]
    total = len(table) if rows is None else len(rows)
    if selection.limit is not None and selection.limit < total:
        rows = np.arange(selection.limit) if rows is None else rows[: selection.limit]
    return table.select(selection.columns) if selection.columns else table, rows, total


def ordered(values: Values, descending: bool = False) -> NDArray[np.intp]:
    """Positions in order, equal ones as they stood, absent ones last in both directions."""
    known = values.present()
    present, absent = np.flatnonzero(known), np.flatnonzero(~known)
    if descending:
        present = present[::-1]
    ranked = present[np.lexsort(values.take(present).sort_keys())]
    return np.concatenate([ranked[::-1] if descending else ranked, absent])
