"""Layer: what decodes one header, and names the protocol of the next; Sheet: where it puts what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collectors.draft import Draft
from collectors.values import Cell
from collectors.wire.packets.columns import COLUMNS
from collectors.wire.packets.cursor import Cursor, Mask

# ("link", LINKTYPE_*), ("ether", ethertype), ("ip", IP protocol), ("udp", port), ("tcp", port)
Protocol = tuple[str, int]
Following = Iterator[tuple[Protocol, Cursor]]
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
        if (name := cursor.of + name) in NAMES:
            self.draft.numbers(name, numbers, cursor.rows, known)

    def named(self, cursor: Cursor, name: str, numbers: NDArray[Any], namer: Callable[[int], Cell]) -> None:
        if (name := cursor.of + name) in NAMES:
            self.draft.named(name, numbers, namer, cursor.rows)

    def addresses(self, cursor: Cursor, name: str, octets: NDArray[np.uint8], form: int) -> None:
        if (name := cursor.of + name) in NAMES:
            self.draft.addresses(name, octets, form, cursor.rows)

    def whole(self, cursor: Cursor, protocol: str, size: int) -> Cursor:
        """Those that have all ``size`` bytes of this header; all are marked as this protocol, the others as cut too."""
        enough = cursor.left() >= size
        if not cursor.of or cursor.of == "inner_":
            self._protocol[cursor.rows] = self._code(protocol)
        if not enough.all() and cursor.of != "quoted_":
            self._cut[cursor.rows[~enough]] = self._code(protocol)
        return cursor.where(enough)

    def finish(self) -> Draft:
        for name, codes in (("protocol", self._protocol), ("cut", self._cut)):
            self.draft.named(name, codes, lambda code: self._protocols[code] or None)
        return self.draft

    def _code(self, protocol: str) -> int:
        if protocol not in self._protocols:
            self._protocols.append(protocol)
        return self._protocols.index(protocol)


def divided(kind: str, numbers: NDArray[Any], cursor: Cursor) -> Following:
    """The packets by the number of the protocol that follows: few numbers, each with its packets."""
    if not len(numbers):
        return
    if (numbers == numbers[0]).all():
        yield (kind, int(numbers[0])), cursor
        return
    for number in np.flatnonzero(np.bincount(numbers)).tolist():
        yield (kind, number), cursor.where(numbers == number)
