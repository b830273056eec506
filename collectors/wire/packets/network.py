"""Network layers: IPv4 and IPv6 with their extension headers and fragments, ARP."""

from __future__ import annotations

import numpy as np

from collectors.values import IPV4
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Following, Sheet, divided


def ipv4(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 791. A fragment that is not the first has no transport header."""
    cursor = sheet.whole(cursor, "IPv4", 20)
    first, offset, protocols = cursor.u8(0), cursor.u16(6), cursor.u8(9)
    size = (first & 15).astype(np.intp) * 4
    sheet.named(cursor, "family", np.full(len(cursor), 4, np.uint8), lambda _: "inet")
    sheet.addresses(cursor, "src", cursor.octets(12, 4), IPV4)
    sheet.addresses(cursor, "dst", cursor.octets(16, 4), IPV4)
    sheet.named(cursor, "proto", protocols, str)
    sheet.numbers(cursor, "ttl", cursor.u8(8))
    sheet.numbers(cursor, "dscp", cursor.u8(1) >> 2)
    sheet.numbers(cursor, "ecn", cursor.u8(1) & 3)
    lengths = cursor.u16(2)
    sheet.numbers(cursor, "ip_length", lengths)
    sheet.numbers(cursor, "ip_id", cursor.u16(4))
    sheet.numbers(cursor, "df", offset & 0x4000 != 0)
    sheet.numbers(cursor, "mf", offset & 0x2000 != 0)
    sheet.numbers(cursor, "fragment", (offset & 0x1FFF) * 8, offset & 0x3FFF != 0)
    begins = (offset & 0x1FFF == 0) & (size >= 20)
    inside = cursor.ending(lengths.astype(np.intp)).ahead(size).where(begins)
    yield from divided("ip", protocols[begins].astype(np.intp), inside)
