"""Transport layers: UDP, TCP, SCTP, DCCP; what UDP and TCP carry is told apart by ports and by its first bytes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from collectors.wire.packets import tcp_options, tls
from collectors.wire.packets.columns import TOLD
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Following, Sheet

DNS_PORTS = (53, 5353)
TUNNEL_PORTS = (4789, 8472, 6081)  # of the destination: the source's are chosen by what is inside
FLAGS = "FSRP.UEW"  # from bit 0 on, as tcpdump writes them
ACCURATE = 256  # AccECN's, which was NS: bit 0 of the byte before
# RFC 9260, 4820, 5061, 6525, 8260
CHUNKS: Mapping[int, str] = {
    0: "DATA", 1: "INIT", 2: "INIT_ACK", 3: "SACK", 4: "HEARTBEAT", 5: "HEARTBEAT_ACK", 6: "ABORT", 7: "SHUTDOWN",
    8: "SHUTDOWN_ACK", 9: "ERROR", 10: "COOKIE_ECHO", 11: "COOKIE_ACK", 12: "ECNE", 13: "CWR", 14: "SHUTDOWN_COMPLETE",
    15: "AUTH", 64: "I_DATA", 128: "ASCONF_ACK", 130: "RE_CONFIG", 132: "PAD", 192: "FORWARD_TSN", 193: "ASCONF",
    194: "I_FORWARD_TSN",
}  # fmt: skip
MOST = 100  # chunks that are looked at; a packet of 1500 bytes has room for some 75 with data
DATA_HEADERS = {0: 16, 64: 20}  # bytes of a chunk with data before them


def services() -> NDArray[np.uint16]:
    """(2, 65536): by source port and by destination port, the port that tells what UDP carries, or 0."""
    found = np.zeros((2, 65536), np.uint16)
    found[:, DNS_PORTS] = DNS_PORTS
    found[1, TUNNEL_PORTS] = TUNNEL_PORTS
    return found


SERVICES = services()


def ports(sheet: Sheet, cursor: Cursor, whole: Cursor) -> Cursor:
    """The first eight bytes of a header are told even where no more of it were captured, or quoted."""
    begun = cursor if len(cursor) == len(whole) else cursor.having(8)
    sheet.numbers(begun, "sport", begun.u16(0))
    sheet.numbers(begun, "dport", begun.u16(2))
    return begun


def udp(sheet: Sheet, cursor: Cursor) -> Following:
    cursor = sheet.whole(cursor, "UDP", 8)
    ports(sheet, cursor, cursor)
    lengths = cursor.u16(4)
    here = np.maximum(cursor.carried() - 8, 0)
    sheet.numbers(cursor, "payload", np.where(lengths == 0, here, np.maximum(lengths, 8) - 8))
    found = SERVICES[1, cursor.u16(2)]
    found = np.where(found == 0, SERVICES[0, cursor.u16(0)], found)
    if found.any():
        claimed = np.where(lengths == 0, here + 8, lengths)
        yield "udp", found, cursor.ending(claimed).ahead(8)


def udplite(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 3828: where UDP has its length, what the checksum covers."""
    cursor = sheet.whole(cursor, "UDPLITE", 8)
    ports(sheet, cursor, cursor)
    sheet.numbers(cursor, "payload", np.maximum(cursor.carried() - 8, 0))
    yield from ()


def dccp(sheet: Sheet, cursor: Cursor) -> Following:
    ports(sheet, cursor, sheet.whole(cursor, "DCCP", 12))
    yield from ()


def flags_text(number: int) -> str:
    return "".join(letter for bit, letter in enumerate(FLAGS) if number >> bit & 1) + "A" * (number >> 8 & 1)


def tcp(sheet: Sheet, cursor: Cursor) -> Following:
    whole = sheet.whole(cursor, "TCP", 20)
    begun = ports(sheet, cursor, whole)
    sheet.numbers(begun, "seq", begun.u32(4))
    cursor = whole
    sheet.numbers(cursor, "ack", cursor.u32(8))
    sheet.numbers(cursor, "window", cursor.u16(14))
    start, flags = cursor.u8(12), cursor.u8(13)
    accurate = (start & 1).any()
    sheet.named(cursor, "flags", flags + (start & 1) * np.uint16(ACCURATE) if accurate else flags, flags_text)
    size = (start >> 4).astype(np.intp) * 4
    if not (size >= 20).all():
        cursor, size = cursor.where(size >= 20), size[size >= 20]
    sheet.numbers(cursor, "payload", np.maximum(cursor.carried() - size, 0))
    if not cursor.of:
        tcp_options.decode(sheet, cursor.where(size > 20), size[size > 20])
    if cursor.of in TOLD:
        there = cursor.left() > size
        if there.any():
            yield from data(sheet, cursor.where(there).ahead(size[there]), cursor.where(there))


def data(sheet: Sheet, cursor: Cursor, header: Cursor) -> Following:
    """What TCP carries."""
    tls.decode(sheet, cursor, (header.u16(0) == tls.PORT) | (header.u16(2) == tls.PORT))
    dns = (header.u16(0) == DNS_PORTS[0]) | (header.u16(2) == DNS_PORTS[0])
    if dns.any():
        yield "tcp", DNS_PORTS[0], cursor.where(dns)


def sctp(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 9260: u16 ports, u32 tag, checksum; then chunks: u8 kind, flags, u16 length."""
    whole = sheet.whole(cursor, "SCTP", 12)
    ports(sheet, cursor, whole)
    sheet.numbers(whole, "vtag", whole.u32(4))
    if whole.of:
        return
    codes: dict[bytes, int] = {}
    found = [chunks(octets) for octets in whole.ahead(12).raw(65536)]
    numbers = np.array([codes.setdefault(kinds, len(codes)) for kinds, _ in found], np.int32)
    lists = [[CHUNKS.get(kind) or str(kind) for kind in kinds] for kinds in codes]
    sheet.named(whole, "chunks", numbers, lambda code: lists[code])
    sheet.numbers(whole, "payload", [size for _, size in found], np.array([len(k) < MOST for k, _ in found], np.bool_))
    yield from ()


def chunks(octets: bytes) -> tuple[bytes, int]:
    """Kinds of the first chunks whose headers are there, and the bytes of data that they claim to carry."""
    kinds = bytearray()
    at = size = 0
    while at + 4 <= len(octets) and len(kinds) < MOST:
        kind, length = octets[at], octets[at + 2] << 8 | octets[at + 3]
        if length < 4:
            break
        kinds.append(kind)
        if kind in DATA_HEADERS:
            size += max(length - DATA_HEADERS[kind], 0)
        at += length + 3 & ~3
    return bytes(kinds), size
