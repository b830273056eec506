"""DNS: the header by columns, and the name that is asked for, packet by packet."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from collectors.wire.packets.columns import TOLD
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.layer import Following, Sheet

HEADER = 12
LONGEST = 255  # bytes of a name on the wire
ANSWER = 0x8000  # of the flags
FLAGS = {0x0400: "aa", 0x0200: "tc", 0x0100: "rd", 0x0080: "ra", 0x0020: "ad", 0x0010: "cd"}
MARKS = sum(FLAGS)
CODES = (
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
    "NOTZONE",
)  # fmt: skip
TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP",
    18: "AFSDB", 24: "SIG", 25: "KEY", 28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 37: "CERT", 39: "DNAME",
    41: "OPT", 43: "DS", 44: "SSHFP", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM",
    52: "TLSA", 59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY", 64: "SVCB", 65: "HTTPS", 99: "SPF", 249: "TKEY",
    250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA",
}  # fmt: skip


def dns(sheet: Sheet, cursor: Cursor) -> Following:
    """RFC 1035: u16 id, flags, and counts of questions, answers, authorities, additional records; the questions."""
    cursor = sheet.whole(cursor, "DNS", HEADER)
    if cursor.of not in TOLD:
        return
    cursor = replace(cursor, of="")
    flags = cursor.u16(2).astype(np.int32)
    sheet.numbers(cursor, "dns_id", cursor.u16(0))
    sheet.numbers(cursor, "dns_answers", cursor.u16(6))
    sheet.named(cursor, "dns_flags", flags & MARKS, marks)
    sheet.named(cursor, "dns_rcode", np.where(flags & ANSWER, flags & 15, -1), code_name)
    asked = cursor.where(cursor.u16(4) > 0)
    found = [question(octets) for octets in asked.ahead(HEADER).raw(LONGEST + 4)]
    sheet.cells(asked, "dns_name", [name for name, _ in found])
    sheet.cells(asked, "dns_type", [kind for _, kind in found])
    short = np.array([kind is None for _, kind in found], np.bool_)
    sheet.cut(asked.where(short & (asked.left() < asked.carried())), "DNS")
    yield from ()


def dns_in_stream(sheet: Sheet, cursor: Cursor) -> Following:
    """Over TCP two bytes of length stand before a message: only one that is whole in its segment is looked at."""
    cursor = cursor.having(2)
    sizes = cursor.u16(0).astype(np.intp)
    good = (sizes >= HEADER) & (sizes + 2 <= cursor.carried())
    cursor, sizes = cursor.where(good), sizes[good]
    yield "udp", 53, cursor.ahead(2).ending(sizes)


def marks(flags: int) -> str:
    return " ".join(name for bit, name in FLAGS.items() if flags & bit)


def code_name(code: int) -> str | None:
    if code < 0:
        return None
    return CODES[code] if code < len(CODES) else str(code)


@lru_cache(4096)
def question(octets: bytes) -> tuple[str | None, str | None]:
    """Name and type of the first question, as far as they are there; ``octets``: behind the header.

    Names may point to where an earlier name stands: only ever further back, so that there is an end.
    """
    labels: list[str] = []
    at, bound, behind, length = 0, 0, None, 0
    while True:
        size = octets[at] if at < len(octets) else 64
        if size < 64:
            at, length = at + 1 + size, length + 1 + size
            if at > len(octets) or length > LONGEST:
                return None, None
            if not size:
                break
            labels.append(spelled(octets[at - size : at]))
        else:
            to = (size & 63) << 8 | octets[at + 1] if at + 1 < len(octets) else 0
            if size < 192 or not HEADER <= to < HEADER + bound:
                return None, None
            behind = at + 2 if behind is None else behind
            at = bound = to - HEADER
    at = at if behind is None else behind
    kind = int.from_bytes(octets[at : at + 2], "big") if at + 2 <= len(octets) else None
    return ".".join(labels), None if kind is None else TYPES.get(kind) or f"TYPE{kind}"


def spelled(label: bytes) -> str:
    """A label in presentation format (RFC 4343): what is not printable as a backslash and three digits."""
    if label.isalnum():
        return label.decode()
    return "".join(
        f"\\{chr(octet)}" if octet in b".\\" else chr(octet) if 0x21 <= octet < 0x7F else f"\\{octet:03d}"
        for octet in label
    )
