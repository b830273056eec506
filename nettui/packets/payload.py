"""What transports carry: the bytes behind the headers of TCP and UDP."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.decode import LAYERS, walk
from collectors.wire.packets.layer import Following, Layer, Protocol, Sheet
from collectors.wire.packets.records import Records

# IP's numbers, and of their headers the least size and the size of each
TCP, UDP = 6, 17
HEADERS: dict[int, tuple[int, Callable[[Cursor], NDArray[np.intp] | int]]] = {
    TCP: (20, lambda cursor: (cursor.u8(12) >> 4).astype(np.intp) * 4),
    UDP: (8, lambda cursor: 8),
}
MOST = 1 << 20


def payloads(records: Records, *protocols: int, most: int = MOST) -> dict[int, tuple[bytes, int]]:
    """By row: the bytes that are there, at most ``most``, and how many there were on the wire.

    ``protocols``: TCP, UDP or both. Packets in a tunnel and those that ICMP quotes are left out.
    """
    found: dict[int, tuple[bytes, int]] = {}
    layers: dict[Protocol, Layer] = dict(LAYERS)
    for number in protocols:
        layers["ip", number] = layers["ip6", number] = taker(number, most, found)
    walk(Sheet(len(records)), records, layers)
    return found


def taker(number: int, most: int, found: dict[int, tuple[bytes, int]]) -> Layer:
    """A layer that notes what stands behind that header."""
    least, header_of = HEADERS[number]

    def take(sheet: Sheet, cursor: Cursor) -> Following:
        cursor = cursor.having(least)
        header = header_of(cursor)
        sizes = np.maximum(cursor.carried() - header, 0).tolist()
        if not cursor.of:
            inside = cursor.ahead(header)
            for row, octets, size in zip(cursor.rows.tolist(), inside.raw(most), sizes, strict=True):
                found[row] = octets, size
        yield from ()

    return take
