"""Cursor: the same header of many packets, read by columns; nothing beyond what was captured is ever read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cursor:
    """``rows`` of the table whose next header begins ``at`` in ``data`` and may reach to ``end``, (n,) each.

    ``of``: what stands before the names of columns that this header fills: "" for the outer packet, ``inner_`` inside a
    tunnel, ``quoted_`` in an ICMP error.
    """

    data: NDArray[np.uint8]
    rows: NDArray[np.intp]
    at: NDArray[np.intp]
    end: NDArray[np.intp]
    of: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, mask: Mask) -> Cursor:
        """Those packets only."""
        if mask.all():
            return self
        return Cursor(self.data, self.rows[mask], self.at[mask], self.end[mask], self.of)

    def having(self, size: int) -> Cursor:
        """Those packets of which ``size`` more bytes were captured."""
        return self.where(self.at + size <= self.end)

    def ahead(self, by: NDArray[np.intp] | int) -> Cursor:
        """Further on by so many bytes, never beyond the end."""
        return replace(self, at=np.minimum(self.at + by, self.end))

    def ending(self, sizes: NDArray[np.intp]) -> Cursor:
        """Ends after so many bytes from here, where that is before what was captured: padding is left out."""
        return replace(self, end=np.minimum(self.end, self.at + np.maximum(sizes, 0)))

    def inside(self, of: str) -> Cursor:
        return replace(self, of=of)

    def u8(self, offset: int) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = self.data[self.at + offset]
        return found

    def u16(self, offset: int) -> NDArray[np.uint16]:
        return self._number(offset, ">u2")

    def u32(self, offset: int) -> NDArray[np.uint32]:
        return self._number(offset, ">u4")

    def u64(self, offset: int) -> NDArray[np.uint64]:
        return self._number(offset, ">u8")

    def octets(self, offset: int, count: int) -> NDArray[np.uint8]:
        """(n, count) bytes."""
        found: NDArray[np.uint8] = np.lib.stride_tricks.sliding_window_view(self.data, count)[self.at + offset]
        return found

    def left(self) -> NDArray[np.intp]:
        """Bytes from here to the end."""
        return self.end - self.at

    def _number(self, offset: int, code: str) -> NDArray[Any]:
        """Numbers in network order, gathered from a view in which every byte begins one."""
        dtype = np.dtype(code)
        overlapping = np.ndarray((max(0, len(self.data) - dtype.itemsize + 1),), dtype, self.data, 0, (1,))
        found: NDArray[Any] = overlapping[self.at + offset].astype(dtype.newbyteorder("="))
        return found
