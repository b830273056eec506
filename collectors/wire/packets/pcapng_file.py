"""pcapng files (draft-ietf-opsawg-pcapng): sections of either byte order, each with interfaces of its own."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.wire.netlink import DecodeError, text
from collectors.wire.packets.capture_file import Part, alike
from collectors.wire.packets.records import Records

SECTION = b"\x0a\x0d\x0d\x0a"
SECTION_BLOCK, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14  # options of an interface
LARGEST = 1 << 24  # bytes of one block
FACES = 1 << 16  # interfaces of a section
LEAST = 12  # bytes of one: u32 type, length; body; u32 length again
NANO = 1_000_000_000
# of each byte order, what reads two numbers, and one; before the first section is read it is any
NUMBERS = {
    order: (struct.Struct(f"{order or '<'}II").unpack_from, struct.Struct(f"{order or '<'}I").unpack_from)
    for order in ("", "<", ">")
}
PACKETS = (ENHANCED, SIMPLE, OLD_PACKET)
ALIKE = 32  # blocks of one length after which a run of them is looked for
HEAD, SIMPLE_HEAD = 28, 12  # bytes before a packet's own, in its block


@dataclass(frozen=True, slots=True)
class Interface:
    """``units``: of its times in a second; ``offset``: seconds that are added to them."""

    link: int
    snaplen: int
    name: str
    units: int = 1_000_000
    offset: int = 0


@dataclass(slots=True)
class Blocks:
    """Blocks with a packet, of one byte order: where they begin.

    ``sections``: how many stand before each section, and its first interface. ``wanted``: bytes of the next block.
    """

    order: str
    sections: list[tuple[int, int]]
    at: list[int] = field(default_factory=list)
    wanted: int = LEAST

    def first(self) -> NDArray[np.intp]:
        """The first interface of each one's section."""
        before, first = zip(*self.sections, strict=True)
        return np.repeat(np.array(first, np.intp), np.diff([*before, len(self.at)]))


class Pcapng:
    """The byte order of the section that is being read, and the interfaces of those that packets are found in."""

    begin = 0

    def __init__(self) -> None:
        self._order = ""
        self._faces: list[Interface] = []
        self._first = 0  # interface of this section

    def part(self, data: NDArray[np.uint8], at: int) -> Part:
        """Packets up to the end, or up to a section that is a part of its own, as one of the other byte order."""
        blocks, error = Blocks(self._order, [(0, self._first)]), None
        try:
            at = self._walk(data, at, blocks)
        except Stopped as stopped:
            at, error = stopped.at, stopped.error
        records, bad = self._records(data, blocks)
        if bad is not None:
            at = blocks.at[bad]
            error = DecodeError(at, "a packet of no interface, or larger than its block")
        return Part(records, at, error, blocks.wanted)

    def _walk(self, data: NDArray[np.uint8], at: int, blocks: Blocks) -> int:
        """The offset behind the last whole block."""
        size, buffer, same, last = len(data), data.data, 0, (0, 0)
        pair, word = NUMBERS[self._order]
        while at + LEAST <= size:
            kind, length = block = pair(buffer, at)
            if kind == SECTION_BLOCK:
                order = ORDERS.get(data[at + 8 : at + 12].tobytes(), "")
                if not order:
                    raise Stopped(at, "a section whose byte order is not told")
                if blocks.at and (order != self._order or len(self._faces) > FACES):
                    return at
                pair, word = NUMBERS[order]
                kind, length = pair(buffer, at)
            if length < LEAST or length % 4 or length > LARGEST:
                raise Stopped(at, f"a block of {length:,} bytes")
            if at + length > size:
                blocks.wanted = length
                return at
            if word(buffer, at + length - 4) != (length,):
                raise Stopped(at, "a block whose two lengths differ")
            if kind in PACKETS:
                blocks.at.append(at)
                at += length
                same, last = (same + 1 if block == last else 0), block
                if same == ALIKE:
                    count, same = run(data, self._order, at, kind, length), 0
                    blocks.at.extend(range(at, at + count * length, length))
                    at += count * length
                continue
            if kind == SECTION_BLOCK:
                self._begin(order, blocks)
            elif kind == INTERFACE:
                self._add(interface(data[at + 8 : at + length - 4].tobytes(), self._order, at), at)
            at += length
        return at

    def _begin(self, order: str, blocks: Blocks) -> None:
        """A section; the interfaces of those before are kept for the packets that were found there only."""
        if not blocks.at:
            self._faces.clear()
        self._order = blocks.order = order
        self._first = len(self._faces)
        blocks.sections.append((len(blocks.at), self._first))

    def _add(self, face: Interface, at: int) -> None:
        if len(self._faces) - self._first == FACES:
            raise Stopped(at, f"a section of more than {FACES:,} interfaces")
        self._faces.append(face)

    def _records(self, data: NDArray[np.uint8], blocks: Blocks) -> tuple[Records, int | None]:
        """The packets up to the first that cannot be one, and its number."""
        at = np.array(blocks.at, np.intp)
        numbers = Words(data, blocks.order, at)
        kinds, sizes = numbers.at(0), numbers.at(4).astype(np.intp)
        simple = kinds == SIMPLE
        face = np.where(kinds == OLD_PACKET, numbers.at(8, "u2"), numbers.at(8)).astype(np.intp)
        face = np.where(simple, 0, face) + blocks.first()
        lengths = np.where(simple, numbers.at(8), numbers.at(24))
        room = sizes - np.where(simple, SIMPLE_HEAD + 4, HEAD + 4)
        known = np.minimum(face, max(0, len(self._faces) - 1))
        captured = np.where(simple, np.minimum(np.minimum(lengths, room), self._of("snaplen", known)), numbers.at(20))
        wrong = np.flatnonzero((face >= len(self._faces)) | (captured > room) | (room < 0))
        whole = slice(0, int(wrong[0]) if len(wrong) else len(at))
        ticks = numbers.at(12).astype(np.uint64) << np.uint64(32) | numbers.at(16)
        times = np.where(simple, 0, self._times(ticks, known))
        records = Records(
            data, at + np.where(simple, SIMPLE_HEAD, HEAD), captured.astype(np.uint32), lengths.astype(np.uint32),
            times, self._of("link", known).astype(np.uint16), known.astype(np.int32),
            tuple(face.name for face in self._faces),
        )  # fmt: skip
        return records.take(whole), int(wrong[0]) if len(wrong) else None

    def _of(self, name: str, face: NDArray[np.intp]) -> NDArray[np.int64]:
        values = np.array([getattr(one, name) for one in self._faces] or [1], np.int64)
        return values[face]

    def _times(self, ticks: NDArray[np.uint64], face: NDArray[np.intp]) -> NDArray[np.int64]:
        """Nanoseconds since 1970, of ticks of each packet's interface."""
        units = self._of("units", face).astype(np.uint64)
        if not len(ticks):
            return np.zeros(0, np.int64)
        seconds, rest = ticks // units, ticks % units
        fine = np.where(units < 1 << 34, rest * NANO // units, rest // np.maximum(units // NANO, 1))  # within 64 bits
        return (seconds.astype(np.int64) + self._of("offset", face)) * NANO + fine.astype(np.int64)


def run(data: NDArray[np.uint8], order: str, at: int, kind: int, length: int) -> int:
    """How many whole blocks of this type and length follow each other from ``at``."""
    most = (len(data) - at) // length
    if not most:
        return 0
    kinds, lengths, again = (
        np.ndarray((most,), f"{order}u4", data, at + offset, (length,)) for offset in (0, 4, length - 4)
    )
    return alike(lambda rows: (kinds[rows] == kind) & (lengths[rows] == length) & (again[rows] == length), most)


class Words:
    """Numbers of each block, by their offset in it; those beyond the file's end are zero."""

    def __init__(self, data: NDArray[np.uint8], order: str, at: NDArray[np.intp]) -> None:
        self._data, self._order, self._at = data, order or "<", at

    def at(self, offset: int, kind: str = "u4") -> NDArray[Any]:
        dtype = np.dtype(f"{self._order}{kind}")
        if not len(self._at):
            return np.zeros(0, np.uint32)
        overlapping = np.ndarray((len(self._data) - dtype.itemsize + 1,), dtype, self._data, 0, (1,))
        return overlapping[np.minimum(self._at + offset, len(overlapping) - 1)].astype(np.uint32)


class Stopped(Exception):
    """Nothing that follows ``at`` can be read."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at, self.error = at, DecodeError(at, why)


def interface(body: bytes, order: str, at: int) -> Interface:
    """u16 linktype, reserved; u32 snaplen; then options: u16 code, length, and the value padded to four bytes."""
    if len(body) < 8:
        raise Stopped(at, "an interface that is cut off")
    link, snaplen = struct.unpack_from(f"{order}HxxI", body)
    name, units, offset = "", 1_000_000, 0
    place = 8
    while place + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, place)
        value = body[place + 4 : place + 4 + length]
        if code == 0 or len(value) < length:
            break
        if code == IF_NAME:
            name = text(value)
        elif code == IF_TSRESOL and length:
            exponent = value[0] & 0x7F
            units = min(2**exponent if value[0] & 0x80 else 10**exponent, 1 << 62)
        elif code == IF_TSOFFSET and length == 8:
            (offset,) = struct.unpack(f"{order}q", value)
        place += 4 + (length + 3 & ~3)
    return Interface(link, snaplen or LARGEST, name, units, offset)
