"""Cursor: the same header of many packets, read by columns; nothing beyond what was captured is ever read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cursor:
    """``rows`` of the table whose next header begins ``at`` in ``data`` and may reach to ``end``, (n,) each.

    ``stop``: where it ended on the wire, which is behind ``end`` where the snaplen cut it: for arithmetic, not to be
    read. ``of``: what stands before the names of columns that this header fills: "" for the outer packet, ``inner_``
    inside a tunnel, ``quoted_`` in an ICMP error; these follow each other where tunnels are in tunnels.
    """

    data: NDArray[np.uint8]
    rows: NDArray[np.intp]
    at: NDArray[np.intp]
    end: NDArray[np.intp]
    stop: NDArray[np.intp]
    of: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, mask: Mask) -> Cursor:
        """Those packets only."""
        found = np.flatnonzero(mask)
        if len(found) == len(mask):
            return self
        return Cursor(self.data, self.rows[found], self.at[found], self.end[found], self.stop[found], self.of)

    def having(self, size: NDArray[np.intp] | int) -> Cursor:
        """Those packets of which ``size`` more bytes were captured."""
        return self.where(self.at + size <= self.end)

    def ahead(self, by: NDArray[np.intp] | int) -> Cursor:
        """Further on by so many bytes, never beyond the end."""
        return replace(self, at=np.minimum(self.at + by, self.end))

    def ending(self, sizes: NDArray[np.intp]) -> Cursor:
        """Ends after so many bytes from here, where that is before the end: padding is left out."""
        bound = self.at + np.maximum(sizes, 0)
        return replace(self, end=np.minimum(self.end, bound), stop=np.minimum(self.stop, bound))

    def inside(self, of: str) -> Cursor:
        """What this header carries is another packet."""
        return replace(self, of=self.of + of)

    def u8(self, offset: int) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = self.data[self.at + offset]
        return found

    def u16(self, offset: int) -> NDArray[np.uint16]:
        return self._number(offset, ">u2")

    def u32(self, offset: int) -> NDArray[np.uint32]:
        return self._number(offset, ">u4")

    def octets(self, offset: int, count: int) -> NDArray[np.uint8]:
        """(n, count) bytes."""
        found = self._gathered(offset, np.dtype(f"V{count}"))
        return found.view(np.uint8).reshape(len(self), count)

    def raw(self, most: int) -> Iterator[bytes]:
        """What was captured from here on, up to ``most`` bytes, packet by packet: for text only, since it is slow."""
        ends = np.minimum(self.end, self.at + most)
        return (self.data[at:end].tobytes() for at, end in zip(self.at.tolist(), ends.tolist(), strict=True))

    def left(self) -> NDArray[np.intp]:
        """Bytes from here to the end."""
        return self.end - self.at

    def carried(self) -> NDArray[np.intp]:
        """Bytes from here on that were on the wire, captured or not."""
        return self.stop - self.at

    def _number(self, offset: int, code: str) -> NDArray[Any]:
        """Numbers in network order."""
        dtype = np.dtype(code)
        return self._gathered(offset, dtype).astype(dtype.newbyteorder("="))

    def _gathered(self, offset: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """From a view in which every byte begins an element."""
        count = max(0, len(self.data) - dtype.itemsize + 1)
        overlapping: NDArray[Any] = np.ndarray((count,), dtype, self.data, 0, (1,))
        found: NDArray[Any] = overlapping[self.at + offset]
        return found
