"""Transport layers: UDP, TCP with its options, ICMP, SCTP."""

from __future__ import annotations

import numpy as np

from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Following, Sheet


def udp(sheet: Sheet, cursor: Cursor) -> Following:
    cursor = sheet.whole(cursor, "UDP", 8)
    sheet.numbers(cursor, "sport", cursor.u16(0))
    sheet.numbers(cursor, "dport", cursor.u16(2))
    lengths = cursor.u16(4)
    sheet.numbers(cursor, "payload", np.maximum(lengths, 8) - 8)
    yield from ()


FLAGS = "FSRP.UEW"


def flags_text(number: int) -> str:
    return "".join(letter for bit, letter in enumerate(FLAGS) if number >> bit & 1)


def tcp(sheet: Sheet, cursor: Cursor) -> Following:
    cursor = sheet.whole(cursor, "TCP", 20)
    sheet.numbers(cursor, "sport", cursor.u16(0))
    sheet.numbers(cursor, "dport", cursor.u16(2))
    sheet.numbers(cursor, "seq", cursor.u32(4))
    sheet.numbers(cursor, "ack", cursor.u32(8))
    sheet.numbers(cursor, "window", cursor.u16(14))
    sheet.named(cursor, "flags", cursor.u8(13), flags_text)
    sheet.numbers(cursor, "payload", np.maximum(cursor.left() - (cursor.u8(12) >> 4).astype(np.intp) * 4, 0))
    yield from ()
