"""ICMP and ICMPv6: echoes, the MTU that a router asks for, and the packet that an error is about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.wire.packets.columns import QUOTED
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Following, Sheet

# uapi linux/icmp.h, linux/icmpv6.h
ECHOES, ERRORS, UNREACHABLE, FRAGMENTATION_NEEDED = (0, 8), (3, 4, 5, 11, 12), 3, 4
ECHOES6, ERRORS6, TOO_BIG = (128, 129), (1, 2, 3, 4), 2


def icmp(sheet: Sheet, cursor: Cursor) -> Following:
    cursor, kinds = begun(sheet, cursor, "ICMP", ECHOES)
    small = cursor.where((kinds == UNREACHABLE) & (cursor.u8(1) == FRAGMENTATION_NEEDED)).having(8)
    sheet.numbers(small, "icmp_mtu", small.u16(6))
    yield "version", 4, quoted(cursor.where(among(kinds, ERRORS)))


def icmp6(sheet: Sheet, cursor: Cursor) -> Following:
    cursor, kinds = begun(sheet, cursor, "ICMPv6", ECHOES6)
    big = cursor.where(kinds == TOO_BIG).having(8)
    sheet.numbers(big, "icmp_mtu", big.u32(4))
    yield "version", 6, quoted(cursor.where(among(kinds, ERRORS6)))


def begun(sheet: Sheet, cursor: Cursor, name: str, echoes: tuple[int, ...]) -> tuple[Cursor, NDArray[np.uint8]]:
    """u8 type, code; u16 checksum; four bytes by type."""
    cursor = sheet.whole(cursor, name, 4)
    kinds = cursor.u8(0)
    sheet.numbers(cursor, "icmp_type", kinds)
    sheet.numbers(cursor, "icmp_code", cursor.u8(1))
    sheet.numbers(cursor, "payload", np.maximum(cursor.carried() - 8, 0))
    echo = cursor.where(among(kinds, echoes)).having(8)
    sheet.numbers(echo, "icmp_id", echo.u16(4))
    sheet.numbers(echo, "icmp_seq", echo.u16(6))
    return cursor, kinds


def among(kinds: NDArray[np.uint8], wanted: tuple[int, ...]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.logical_or.reduce([kinds == kind for kind in wanted])
    return found


def quoted(cursor: Cursor) -> Cursor:
    return cursor.having(8).ahead(8).inside(QUOTED)
