"""Options of TCP: maximum segment size, window scale, selective acknowledgements, timestamps."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.values import Cell
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Sheet

# uapi linux/tcp.h has none of these; include/net/tcp.h: TCPOPT_
END, NOTHING, MSS, WINDOW, SACK_PERMITTED, SACK, TIMESTAMP = 0, 1, 2, 3, 4, 5, 8
USUAL = 0x0101080A  # two of NOTHING and a TIMESTAMP: all that most packets have
MOST = 40  # bytes


def decode(sheet: Sheet, cursor: Cursor, sizes: NDArray[np.intp]) -> None:
    """``sizes``: of the whole header that the cursor stands at."""
    if not len(cursor):
        return
    there = cursor.left() >= sizes
    cursor = sheet.whole(cursor, "TCP", sizes)
    cursor = cursor.ending(sizes[there]).ahead(20)
    usual = cursor.left() == 12
    usual[usual] = cursor.where(usual).u32(0) == USUAL
    timestamps(sheet, cursor.where(usual).ahead(2))
    cursor = cursor.where(~usual)
    for _ in range(MOST):
        if not len(cursor):
            return
        cursor = one(sheet, cursor)


def one(sheet: Sheet, cursor: Cursor) -> Cursor:
    """Behind the option that comes next, those that have one."""
    cursor = cursor.having(1)
    kinds = cursor.u8(0)
    single = kinds == NOTHING
    alive = (kinds != END) & (single | (cursor.left() >= 2))
    cursor, kinds, single = cursor.where(alive), kinds[alive], single[alive]
    sizes = np.ones(len(cursor), np.intp)
    sizes[~single] = cursor.where(~single).u8(1)
    good = (single | (sizes >= 2)) & (sizes <= cursor.left())
    cursor, kinds, sizes = cursor.where(good), kinds[good], sizes[good]
    told(sheet, cursor, kinds, sizes)
    return cursor.ahead(sizes)


def told(sheet: Sheet, cursor: Cursor, kinds: NDArray[Any], sizes: NDArray[np.intp]) -> None:
    part = cursor.where((kinds == MSS) & (sizes == 4))
    sheet.numbers(part, "mss", part.u16(2))
    part = cursor.where((kinds == WINDOW) & (sizes == 3))
    sheet.numbers(part, "wscale", part.u8(2))
    part = cursor.where((kinds == SACK_PERMITTED) & (sizes == 2))
    sheet.numbers(part, "sack_ok", True)
    timestamps(sheet, cursor.where((kinds == TIMESTAMP) & (sizes == 10)))
    if (kinds == SACK).any():
        for size in (10, 18, 26, 34):
            part = cursor.where((kinds == SACK) & (sizes == size))
            sheet.spelled(part, "sack", part.octets(2, size - 2), blocks)


def timestamps(sheet: Sheet, cursor: Cursor) -> None:
    sheet.numbers(cursor, "tsval", cursor.u32(2))
    sheet.numbers(cursor, "tsecr", cursor.u32(6))


def blocks(octets: bytes) -> Cell:
    """[[left edge, right edge], ...]"""
    return [list(block) for block in struct.iter_unpack("!II", octets)]
