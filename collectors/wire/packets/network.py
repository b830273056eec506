"""Network layers: IPv4 and IPv6 with their extension headers and fragments, ARP."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.values import IPV4, IPV6, LINK_LAYER
from collectors.wire.ip_protocols import protocol_name
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Following, Sheet

Numbers = NDArray[Any]
MORE = 0x2000  # fragments of IPv4
JUMBO = 0xC204  # option of hop-by-hop options and its length (RFC 2675)
ENDLESS = np.iinfo(np.intp).max // 2


def ipv4(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 791. A fragment that is not the first has no transport header."""
    cursor = sheet.whole(cursor, "IPv4", 20)
    cursor = cursor.where(cursor.u8(0) >> 4 == 4)
    lengths, offset, protocols, service = cursor.u16(2).astype(np.intp), cursor.u16(6), cursor.u8(9), cursor.u8(1)
    sheet.text(cursor, "family", "inet")
    sheet.addresses(cursor, "src", cursor.octets(12, 4), IPV4)
    sheet.addresses(cursor, "dst", cursor.octets(16, 4), IPV4)
    sheet.named(cursor, "proto", protocols, protocol_name)
    sheet.numbers(cursor, "ttl", cursor.u8(8))
    sheet.numbers(cursor, "dscp", service >> 2)
    sheet.numbers(cursor, "ecn", service & 3)
    sheet.numbers(cursor, "ip_length", lengths)
    sheet.numbers(cursor, "ip_id", cursor.u16(4))
    sheet.numbers(cursor, "df", offset & 0x4000 != 0)
    sheet.numbers(cursor, "mf", offset & MORE != 0)
    sheet.numbers(cursor, "fragment", (offset & 0x1FFF) * np.uint16(8), offset & 0x3FFF != 0)
    size = (cursor.u8(0) & 15).astype(np.intp) * 4
    claimed = np.where(lengths == 0, ENDLESS, lengths)  # 0: TSO or GRO made it larger than 64 KiB (BIG TCP)
    begins = (offset & 0x1FFF == 0) & (size >= 20) & (claimed >= size)
    inside = cursor.ending(claimed).where(begins)
    size, protocols = size[begins], protocols[begins]
    there = inside.left() >= size
    yield "ip", protocols[there], sheet.whole(inside, "IPv4", size).ahead(size[there])


def ipv6(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 8200. ``proto`` and the fragment's columns are those of the extension headers, where they have some."""
    cursor = sheet.whole(cursor, "IPv6", 40)
    cursor = cursor.where(cursor.u8(0) >> 4 == 6)
    start, lengths, following = cursor.u32(0), cursor.u16(4).astype(np.intp), cursor.u8(6)
    sheet.text(cursor, "family", "inet6")
    sheet.addresses(cursor, "src", cursor.octets(8, 16), IPV6)
    sheet.addresses(cursor, "dst", cursor.octets(24, 16), IPV6)
    sheet.named(cursor, "proto", following, protocol_name)
    sheet.numbers(cursor, "ttl", cursor.u8(7))
    sheet.numbers(cursor, "dscp", start >> 22 & 63)
    sheet.numbers(cursor, "ecn", start >> 20 & 3)
    sheet.numbers(cursor, "flow_label", start & 0xFFFFF)
    sheet.numbers(cursor, "ip_length", lengths + 40)
    claimed = np.where(lengths == 0, ENDLESS, lengths)  # 0: a jumbogram, and what TSO or GRO made of several
    yield "ip6", following, cursor.ahead(40).ending(claimed)


def extension(sheet: Sheet, cursor: Cursor) -> Following:
    """Hop-by-hop and destination options, routing, mobility: u8 next header, length in 8 bytes without the first 8."""
    cursor = sheet.whole(cursor, "IPv6", 8)
    jumbo = cursor.u16(2) == JUMBO
    sizes = cursor.u32(4)
    cursor = cursor.ending(np.where(jumbo, sizes.astype(np.intp), ENDLESS))
    sheet.numbers(cursor.where(jumbo), "ip_length", sizes[jumbo].astype(np.intp) + 40)
    cursor, following = behind(sheet, cursor, "IPv6", 8, 8, 1)
    sheet.named(cursor, "proto", following, protocol_name)
    yield "ip6", following, cursor


def fragment(sheet: Sheet, cursor: Cursor) -> Following:
    """u8 next header, 0; u16 offset (13 bits), 2 reserved, 1 more; u32 identification."""
    cursor = sheet.whole(cursor, "IPv6", 8)
    following, offset = cursor.u8(0), cursor.u16(2)
    sheet.named(cursor, "proto", following, protocol_name)
    sheet.numbers(cursor, "ip_id", cursor.u32(4))
    sheet.numbers(cursor, "mf", offset & 1 != 0)
    sheet.numbers(cursor, "fragment", offset & 0xFFF8, offset & 0xFFF9 != 0)
    first = offset & 0xFFF8 == 0
    yield "ip6", following[first], cursor.where(first).ahead(8)


def authentication(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 4302: u8 next header, length in 4 bytes without the first 8. IPv4 calls it the protocol, IPv6 does not."""
    cursor, following = behind(sheet, cursor, "AH", 12, 4, 2)
    yield "ip", following, cursor


def authentication6(sheet: Sheet, cursor: Cursor) -> Following:
    cursor, following = behind(sheet, cursor, "AH", 12, 4, 2)
    sheet.named(cursor, "proto", following, protocol_name)
    yield "ip6", following, cursor


def behind(sheet: Sheet, cursor: Cursor, name: str, least: int, unit: int, more: int) -> tuple[Cursor, Numbers]:
    """Behind a header that begins with the next one's number and its own length, in units without the first ones."""
    cursor = sheet.whole(cursor, name, least)
    size = (cursor.u8(1).astype(np.intp) + more) * unit
    there = cursor.left() >= size
    cursor = sheet.whole(cursor, name, size)
    return cursor.ahead(size[there]), cursor.u8(0)


def arp(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 826: u16 hardware, protocol; u8 lengths of their addresses; u16 operation; sender's two, target's two."""
    return resolution(sheet, cursor, "ARP")


def rarp(sheet: Sheet, cursor: Cursor) -> Following:
    return resolution(sheet, cursor, "RARP")


def resolution(sheet: Sheet, cursor: Cursor, name: str) -> Following:
    """The addresses are told of IPv4 on Ethernet and its like."""
    cursor = sheet.whole(cursor, name, 8)
    sheet.numbers(cursor, "arp_op", cursor.u16(6))
    cursor = cursor.where((cursor.u16(2) == 0x0800) & (cursor.u16(4) == 0x0604))
    cursor = sheet.whole(cursor, name, 28)
    sheet.addresses(cursor, "arp_sha", cursor.octets(8, 6), LINK_LAYER + 6)
    sheet.addresses(cursor, "src", cursor.octets(14, 4), IPV4)
    sheet.addresses(cursor, "arp_tha", cursor.octets(18, 6), LINK_LAYER + 6)
    sheet.addresses(cursor, "dst", cursor.octets(24, 4), IPV4)
    yield from ()
