"""Tunnels: GRE, VXLAN, Geneve, IP in IP; what is inside fills the inner_ columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.wire.packets.columns import INNER
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Following, Sheet

CHECKSUM, ROUTING, KEY, SEQUENCE, VERSION = 0x8000, 0x4000, 0x2000, 0x1000, 7  # of GRE
BRIDGED = 0x6558  # ethertype of Ethernet itself
ETHERNET = 1  # LINKTYPE_ETHERNET


def ipip(sheet: Sheet, cursor: Cursor) -> Following:
    yield "version", 4, cursor.inside(INNER)


def sit(sheet: Sheet, cursor: Cursor) -> Following:
    """IPv6 in IPv4 or IPv6."""
    yield "version", 6, cursor.inside(INNER)


def gre(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 2784, 2890: u16 flags and version, ethertype; u32 each: checksum (or routing), key, sequence, if flagged.

    Of version 1 (PPTP) only the name is told: its key is no key.
    """
    cursor = sheet.whole(cursor, "GRE", 4)
    cursor = cursor.where(cursor.u16(0) & (VERSION | ROUTING) == 0)
    flags = cursor.u16(0)
    size = 4 + 4 * sum((flags & flag != 0).astype(np.intp) for flag in (CHECKSUM, KEY, SEQUENCE))
    there = cursor.left() >= size
    cursor, flags, size = sheet.whole(cursor, "GRE", size), flags[there], size[there]
    for before, mask in ((4, flags & CHECKSUM == 0), (8, flags & CHECKSUM != 0)):
        keyed = cursor.where(mask & (flags & KEY != 0))
        sheet.numbers(keyed, "gre_key", keyed.u32(before))
    yield from inside(cursor, 2, size)


def vxlan(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 7348: u8 flags, u8 reserved[3], u24 network, u8 reserved."""
    cursor = sheet.whole(cursor, "VXLAN", 8)
    cursor = cursor.where(cursor.u8(0) & 8 != 0)
    sheet.numbers(cursor, "vni", cursor.u32(4) >> 8)
    yield "link", ETHERNET, cursor.ahead(8).inside(INNER)


def geneve(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 8926: u8 version (2 bits) and length of options in 4 bytes, u8 flags, u16 ethertype, u24 network, u8 0."""
    cursor = sheet.whole(cursor, "GENEVE", 8)
    cursor = cursor.where(cursor.u8(0) >> 6 == 0)
    sheet.numbers(cursor, "vni", cursor.u32(4) >> 8)
    size = (cursor.u8(0) & 63).astype(np.intp) * 4 + 8
    there = cursor.left() >= size
    yield from inside(sheet.whole(cursor, "GENEVE", size), 2, size[there])


def inside(cursor: Cursor, at: int, size: NDArray[np.intp]) -> Following:
    """``at``: where the header has the ethertype of what it carries."""
    kinds = cursor.u16(at)
    carried = cursor.ahead(size).inside(INNER)
    bridged = kinds == BRIDGED
    yield "link", ETHERNET, carried.where(bridged)
    yield "ether", kinds[~bridged], carried.where(~bridged)
