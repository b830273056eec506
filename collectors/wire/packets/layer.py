"""Layer: what decodes one header, and names the protocol of the next; Sheet: where it puts what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collectors.draft import Draft
from collectors.values import Cell, constant
from collectors.wire.packets.columns import COLUMNS, QUOTED
from collectors.wire.packets.cursor import Cursor, Mask

# ("link", LINKTYPE_*), ("ether", ethertype), ("ip", IP protocol), ("ip6", the same or an extension header of IPv6),
# ("udp", port), ("tcp", port), ("version", of IP), and what has one successor: ("tag", 0), ("llc", 0)
Protocol = tuple[str, int]
# packets that go on, and for each the number of what follows, or one number for all
Following = Iterator[tuple[str, NDArray[Any] | int, Cursor]]
Layer = Callable[["Sheet", Cursor], Following]
NAMES = frozenset(column.name for column in COLUMNS)


class Sheet:
    """The rows under construction. A column that is not told at a cursor's depth (``Cursor.of``) is left out."""

    def __init__(self, rows: int) -> None:
        self.draft = Draft(COLUMNS, rows)
        self._protocol = np.zeros(rows, np.int16)
        self._protocols: list[str] = [""]
        self._cut = np.zeros(rows, np.int16)

    def numbers(self, cursor: Cursor, name: str, numbers: ArrayLike, known: Mask | None = None) -> None:
        """Where ``known`` is false, what was put before is taken back: for those, use ``Cursor.where``."""
        if (name := cursor.of + name) in NAMES:
            self.draft.numbers(name, numbers, cursor.rows, known)

    def named(self, cursor: Cursor, name: str, numbers: NDArray[Any], namer: Callable[[int], Cell]) -> None:
        if (name := cursor.of + name) in NAMES:
            self.draft.named(name, numbers, namer, cursor.rows)

    def text(self, cursor: Cursor, name: str, cell: str) -> None:
        """The same for all of them."""
        self.named(cursor, name, constant(0, len(cursor), np.uint8), lambda _: cell)

    def cells(self, cursor: Cursor, name: str, cells: Sequence[Cell]) -> None:
        if (name := cursor.of + name) in NAMES:
            self.draft.cells(name, cells, cursor.rows)

    def spelled(self, cursor: Cursor, name: str, octets: NDArray[np.uint8], speller: Callable[[bytes], Cell]) -> None:
        if (name := cursor.of + name) in NAMES:
            self.draft.spelled(name, octets, speller, cursor.rows)

    def addresses(self, cursor: Cursor, name: str, octets: NDArray[np.uint8], form: ArrayLike) -> None:
        if (name := cursor.of + name) in NAMES:
            self.draft.addresses(name, octets, form, cursor.rows)

    def whole(self, cursor: Cursor, protocol: str, size: NDArray[np.intp] | int) -> Cursor:
        """Those that have all ``size`` bytes of this header; all are marked as this protocol, the others as cut too."""
        if QUOTED in cursor.of:  # an error quotes only the beginning
            return cursor.having(size)
        self._protocol[cursor.rows] = self._code(protocol)
        enough = cursor.left() >= size
        if not enough.all():
            self.cut(cursor.where(~enough), protocol)
        return cursor.where(enough)

    def cut(self, cursor: Cursor, protocol: str) -> None:
        """The header or message of this protocol is not there whole."""
        self._cut[cursor.rows] = self._code(protocol)

    def finish(self) -> Draft:
        for name, codes in (("protocol", self._protocol), ("cut", self._cut)):
            self.draft.named(name, codes, lambda code: self._protocols[code] or None)
        return self.draft

    def _code(self, protocol: str) -> int:
        if protocol not in self._protocols:
            self._protocols.append(protocol)
        return self._protocols.index(protocol)


def marked(protocol: str) -> Layer:
    """A layer of which only the name is told."""

    def layer(sheet: Sheet, cursor: Cursor) -> Following:
        sheet.whole(cursor, protocol, 0)
        yield from ()

    return layer
