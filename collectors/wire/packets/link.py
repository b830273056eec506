"""Link layers: Ethernet with VLANs and LLC, Linux cooked captures, raw IP, BSD loopback."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.values import ABSENT, LINK_LAYER
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Following, Sheet

TAGS = (0x8100, 0x88A8, 0x9100)  # ethertypes of VLANs
LENGTHS = 1500  # ethertypes up to here are lengths of an LLC packet
SNAP, STP = 0xAAAA, 0x4242  # destination and source service access point
COOKED_LLC = 4  # instead of an ethertype (uapi linux/if_ether.h: ETH_P_802_2)
DIRECTIONS = {0: "in", 1: "broadcast", 2: "multicast", 3: "otherhost", 4: "out"}  # uapi linux/if_packet.h
INET, INET6 = (2,), (10, 24, 28, 30)  # AF_ numbers of Linux and the BSDs


def ethernet(sheet: Sheet, cursor: Cursor) -> Following:
    cursor = sheet.whole(cursor, "ETHERNET", 14)
    sheet.addresses(cursor, "dmac", cursor.octets(0, 6), LINK_LAYER + 6)
    sheet.addresses(cursor, "smac", cursor.octets(6, 6), LINK_LAYER + 6)
    yield from carried(sheet, cursor.u16(12), cursor.ahead(14))


def carried(sheet: Sheet, kinds: NDArray[Any], cursor: Cursor) -> Following:
    """What an ethertype says: the protocol, or the length of an LLC packet."""
    lengths = kinds <= LENGTHS
    if lengths.any():
        yield "llc", 0, cursor.ending(kinds.astype(np.intp)).where(lengths)
        cursor, kinds = cursor.where(~lengths), kinds[~lengths]
    sheet.numbers(cursor, "ethertype", kinds)
    yield "ether", kinds, cursor


def llc(sheet: Sheet, cursor: Cursor) -> Following:
    """IEEE 802.2, and SNAP with an ethertype behind it."""
    cursor = sheet.whole(cursor, "LLC", 3)
    points = cursor.u16(0)
    sheet.whole(cursor.where(points == STP), "STP", 0)
    snap = cursor.where((points == SNAP) & (cursor.u8(2) == 3))
    snap = sheet.whole(snap, "LLC", 8)
    snap = snap.where(snap.u32(2) & 0xFFFFFF == 0)
    sheet.numbers(snap, "ethertype", snap.u16(6))
    yield "ether", snap.u16(6), snap.ahead(8)


def vlan(sheet: Sheet, cursor: Cursor) -> Following:
    return tagged(sheet, cursor, "vlan", "tag")


def second_vlan(sheet: Sheet, cursor: Cursor) -> Following:
    return tagged(sheet, cursor, "inner_vlan", "tags")


def further_vlan(sheet: Sheet, cursor: Cursor) -> Following:
    return tagged(sheet, cursor, "", "tags")


def tagged(sheet: Sheet, cursor: Cursor, name: str, more: str) -> Following:
    """IEEE 802.1Q. VLANs inside a tunnel have no columns; ``more``: what decodes a tag behind this one."""
    cursor = sheet.whole(cursor, "VLAN", 4)
    tags, kinds = cursor.u16(0), cursor.u16(2)
    if name and not cursor.of:
        sheet.numbers(cursor, name, tags & 0xFFF)
    if name == "vlan":
        sheet.numbers(cursor, "vlan_priority", tags >> 13)
    again = np.logical_or.reduce([kinds == tag for tag in TAGS])
    cursor = cursor.ahead(4)
    yield more, 0, cursor.where(again)
    yield from carried(sheet, kinds[~again], cursor.where(~again))


def cooked(sheet: Sheet, cursor: Cursor) -> Following:
    """LINKTYPE_LINUX_SLL: u16 packet type, ARPHRD_, length of address; u8 address[8]; u16 protocol."""
    cursor = sheet.whole(cursor, "SLL", 16)
    sheet.named(cursor, "direction", cursor.u16(0), DIRECTIONS.get)
    source(sheet, cursor, cursor.u16(4), 6)
    yield from cooked_protocol(sheet, cursor.u16(14), cursor.ahead(16))


def cooked2(sheet: Sheet, cursor: Cursor) -> Following:
    """LINKTYPE_LINUX_SLL2: u16 protocol, 0; u32 ifindex; u16 ARPHRD_; u8 packet type, length of address, address[8]."""
    cursor = sheet.whole(cursor, "SLL", 20)
    sheet.numbers(cursor, "ifindex", cursor.u32(4))
    sheet.named(cursor, "direction", cursor.u8(10), DIRECTIONS.get)
    source(sheet, cursor, cursor.u8(11), 12)
    yield from cooked_protocol(sheet, cursor.u16(0), cursor.ahead(20))


def source(sheet: Sheet, cursor: Cursor, sizes: NDArray[Any], at: int) -> None:
    """The sender's address in a cooked capture; of one longer than eight bytes only these are there: none is told."""
    form = np.where((sizes > 0) & (sizes <= 8), LINK_LAYER + sizes, ABSENT)
    sheet.addresses(cursor, "smac", cursor.octets(at, 8), form.astype(np.uint8))


def cooked_protocol(sheet: Sheet, kinds: NDArray[Any], cursor: Cursor) -> Following:
    yield "llc", 0, cursor.where(kinds == COOKED_LLC)
    cursor, kinds = cursor.where(kinds > LENGTHS), kinds[kinds > LENGTHS]
    sheet.numbers(cursor, "ethertype", kinds)
    yield "ether", kinds, cursor


def raw(sheet: Sheet, cursor: Cursor) -> Following:
    """IP without a link layer."""
    cursor = sheet.whole(cursor, "IP", 1)
    yield "version", cursor.u8(0) >> 4, cursor


def loopback(sheet: Sheet, cursor: Cursor) -> Following:
    """LINKTYPE_NULL, LINKTYPE_LOOP: a u32 AF_ number, in the byte order of the machine or of the network."""
    cursor = sheet.whole(cursor, "LOOPBACK", 4)
    families = cursor.u32(0)
    families = np.where(families > 0xFFFF, families.byteswap(), families)
    versions = np.select([np.isin(families, INET), np.isin(families, INET6)], [4, 6], 0)
    yield "version", versions, cursor.ahead(4)
