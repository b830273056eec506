"""TLS: the server name that a ClientHello asks for, where it stands in one segment."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from collectors.wire.packets.columns import TOLD
from collectors.wire.packets.cursor import Cursor, Mask
from collectors.wire.packets.layer import Sheet

PORT = 443
CHANGE, HANDSHAKE, DATA = 20, 22, 23  # types of records, from the first to the last
CLIENT_HELLO, SERVER_NAME = 1, 0
SESSION = 43  # bytes of record, handshake, version and random before the session's


def decode(sheet: Sheet, cursor: Cursor, expected: Mask) -> None:
    """What TCP carries: a ClientHello at any port, and any record at a port where TLS is ``expected``.

    u8 type, u16 version, length of the record; u8 type, u24 length of the handshake message.
    """
    if cursor.of not in TOLD:
        return
    cursor = replace(cursor, of="")
    kinds = cursor.u8(0)
    likely = (kinds == HANDSHAKE) | expected & (kinds >= CHANGE) & (kinds <= DATA)
    if not likely.any():
        return
    likely &= cursor.left() >= 6
    cursor, expected = cursor.where(likely), expected[likely]
    hello = (cursor.u8(0) == HANDSHAKE) & (cursor.u8(5) == CLIENT_HELLO)
    right = (cursor.u8(1) == 3) & (cursor.u8(2) <= 4) & (hello | expected)
    cursor, hello = cursor.where(right), hello[right]
    sheet.whole(cursor, "TLS", 0)
    hellos = cursor.where(hello)
    sheet.cells(hellos, "sni", [server_name(octets) for octets in hellos.raw(65536)])


def server_name(octets: bytes) -> str | None:
    """The name in the extension of a ClientHello; None where it has none or its place is not there."""
    at = SESSION
    for width in (1, 2, 1):  # session, cipher suites, compression methods
        at += width + number(octets, at, width)
    end = min(len(octets), at + 2 + number(octets, at, 2))
    at += 2
    while at + 4 <= end:
        kind, size = number(octets, at, 2), number(octets, at + 2, 2)
        if kind == SERVER_NAME:
            # u16 length of the list; u8 type: 0, a host's name; u16 length
            first, length = number(octets, at + 6, 1), number(octets, at + 7, 2)
            name = octets[at + 9 : at + 9 + length]
            return spelled(name) if name and not first and len(name) == length and 5 + length <= size else None
        at += 4 + size
    return None


def number(octets: bytes, at: int, width: int) -> int:
    return int.from_bytes(octets[at : at + width], "big")


@lru_cache(4096)
def spelled(name: bytes) -> str:
    """What is not printable as a backslash and three digits, as in a name of DNS."""
    return "".join(chr(octet) if 0x21 <= octet < 0x7F and octet != 0x5C else f"\\{octet:03d}" for octet in name)
