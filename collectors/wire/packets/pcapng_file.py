"""pcapng files (draft-ietf-opsawg-pcapng): sections of either byte order, each with interfaces of its own."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.wire.netlink import DecodeError, text
from collectors.wire.packets.capture_file import Part
from collectors.wire.packets.records import Records

SECTION = b"\x0a\x0d\x0d\x0a"
SECTION_BLOCK, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14  # options of an interface
LARGEST = 1 << 24  # bytes of one block
NANO = 1_000_000_000
PACKETS = (ENHANCED, SIMPLE, OLD_PACKET)
ALIKE, MOST = 8, 65536  # blocks of one length after which a run of them is looked for, and how many of it
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
    """Blocks with a packet, of one byte order: offset, length and first interface of the section of each."""

    order: str
    kinds: list[int] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)

    def add(self, kind: int, at: int, length: int, first: int, count: int) -> None:
        """``count`` of them, one behind the other."""
        self.kinds.extend([kind] * count)
        self.at.extend(range(at, at + count * length, length))
        self.lengths.extend([length] * count)
        self.first.extend([first] * count)


class Pcapng:
    """The byte order of the section that is being read, and the interfaces of all sections so far."""

    begin = 0

    def __init__(self) -> None:
        self._order = ""
        self._faces: list[Interface] = []
        self._first = 0  # interface of this section

    def part(self, data: NDArray[np.uint8], at: int) -> Part:
        """Packets up to the end, or up to a section of the other byte order, which is a part of its own."""
        blocks, error = Blocks(self._order), None
        try:
            at = self._walk(data, at, blocks)
        except Stopped as stopped:
            at, error = stopped.at, stopped.error
        records, bad = self._records(data, blocks)
        if bad is not None:
            at = blocks.at[bad]
            error = DecodeError(at, "a packet of no interface, or larger than its block")
        return Part(records, at, error)

    def _walk(self, data: NDArray[np.uint8], at: int, blocks: Blocks) -> int:
        """The offset behind the last whole block."""
        size, alike, last = len(data), 0, (-1, -1)
        words = in_order(data, self._order)
        while at + 12 <= size:
            kind, length = words[at >> 2], words[at + 4 >> 2]
            if kind == SECTION_BLOCK:
                order = ORDERS.get(data[at + 8 : at + 12].tobytes(), "")
                if not order:
                    raise Stopped(at, "a section whose byte order is not told")
                if order != self._order and blocks.at:
                    return at
                words = in_order(data, order)
                length = words[at + 4 >> 2]
            if length < 12 or length % 4 or length > LARGEST:
                raise Stopped(at, f"a block of {length:,} bytes")
            if at + length > size:
                return at
            if words[at + length - 4 >> 2] != length:
                raise Stopped(at, "a block whose two lengths differ")
            if kind in PACKETS:
                alike, last = (alike + 1 if (kind, length) == last else 0), (kind, length)
                count = run(words, at, kind, length) if alike >= ALIKE else 1
                blocks.add(kind, at, length, self._first, count)
                at += length * count
                continue
            if kind == SECTION_BLOCK:
                self._order = blocks.order = order
                self._first = len(self._faces)
            elif kind == INTERFACE:
                self._faces.append(interface(data[at + 8 : at + length - 4].tobytes(), self._order, at))
            at += length
        return at

    def _records(self, data: NDArray[np.uint8], blocks: Blocks) -> tuple[Records, int | None]:
        """The packets up to the first that cannot be one, and its number."""
        at, kinds = np.array(blocks.at, np.intp), np.array(blocks.kinds, np.intp)
        sizes = np.array(blocks.lengths, np.intp)
        simple = kinds == SIMPLE
        numbers = Words(data, blocks.order, at)
        face = np.where(kinds == OLD_PACKET, numbers.at(8, "u2"), numbers.at(8)).astype(np.intp)
        face = np.where(simple, 0, face) + np.array(blocks.first, np.intp)
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
            times, self._of("link", known).astype(np.uint16), known.astype(np.int16),
            tuple(face.name for face in self._faces),
        )  # fmt: skip
        return records.take(whole), int(wrong[0]) if len(wrong) else None

    def _of(self, name: str, face: NDArray[np.intp]) -> NDArray[np.int64]:
        values = np.array([getattr(one, name) for one in self._faces] or [0], np.int64)
        return values[face]

    def _times(self, ticks: NDArray[np.uint64], face: NDArray[np.intp]) -> NDArray[np.int64]:
        """Nanoseconds since 1970, of ticks of each packet's interface."""
        units = self._of("units", face).astype(np.uint64)
        if not len(ticks):
            return np.zeros(0, np.int64)
        seconds, rest = ticks // units, ticks % units
        fine = np.where(units < 1 << 34, rest * NANO // units, rest // np.maximum(units // NANO, 1))  # within 64 bits
        return (seconds.astype(np.int64) + self._of("offset", face)) * NANO + fine.astype(np.int64)


def in_order(data: NDArray[np.uint8], order: str) -> memoryview:
    """The file as words of this byte order: blocks begin at multiples of four bytes."""
    words = data[: len(data) & ~3].view(np.uint32)
    return (words if np.dtype(f"{order or '<'}u4").isnative else words.byteswap()).data


def run(words: memoryview, at: int, kind: int, length: int) -> int:
    """How many blocks of this type and length follow each other from ``at``, where one is."""
    stride = length >> 2
    whole = np.frombuffer(words, np.uint32)[at >> 2 :]
    most = min(len(whole) // stride, MOST)
    rows = whole[: most * stride].reshape(most, stride)
    differing = np.flatnonzero((rows[:, 0] != kind) | (rows[:, 1] != length) | (rows[:, -1] != length))
    return int(differing[0]) if len(differing) else most


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
