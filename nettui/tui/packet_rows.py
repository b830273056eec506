"""The packets of a listing as rows of a table on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.table import Column, Table
from collectors.values import Cell
from nettui.packets.brief import BRIEF, MADE, Form, brief, stamps
from nettui.packets.info import infos
from nettui.packets.listing import Listing
from nettui.tui.arrange import has_values


class PacketRows:
    """``first``: time of the capture's first packet, nanoseconds since 1970."""

    sort = None
    columns = BRIEF

    def __init__(self, listing: Listing, form: Form = "absolute", first: int = 0) -> None:
        self.listing, self._form, self._first = listing, form, first
        newest = listing.table(len(listing) - 1, len(listing)) if len(listing) else None
        self.filled = frozenset(
            [column.name for column in MADE]
            + [column.name for column in newest.columns if has_values(newest[column.name])]
            if newest is not None
            else []
        )

    def __len__(self) -> int:
        return len(self.listing)

    def cells(self, columns: Sequence[Column], start: int, stop: int) -> list[list[Cell]]:
        table = self.table(start, stop)
        return [table[column.name].cells() for column in columns]

    def place(self, position: int) -> tuple[Table, int]:
        return self.table(position, position + 1), 0

    def carried(self, position: int, later: PacketRows) -> int | None:
        return later.listing.position_of(self.listing.number_at(position)) if len(later) else None

    def table(self, start: int, stop: int) -> Table:
        """The packets at these positions, with what is told of them in brief."""
        above = start > 0
        table = self.listing.table(start - above, stop)
        times = table.numbers("time").numbers
        before = int(times[0]) if above and len(times) else None
        if above:
            table, times = table.take(slice(1, None)), times[1:]
        texts = [text for part in self.listing.parts(start, stop) for text in infos(*part)]
        return brief(table, stamps(times, self._form, self._first, before), texts)
