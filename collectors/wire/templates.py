"""Templates: many records of one layout told as text, the layout once and the values for each.

A teller writes down what the first record of a layout says. Where it only passes a value on, it leaves a hole; what
it looked at, to decide what to say, is part of the layout, and so is every byte that it did not name. Records that
equal the first one but for its holes are told by the same template.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from collectors.values import distinct
from collectors.wire.netlink import NLA_TYPE_MASK, NLATTR, DecodeError

T = TypeVar("T")
K = TypeVar("K")
MOST = 1 << 16  # values that a hole keeps what was told of


class Hole:
    """Bytes ``start`` to ``start + length`` of each record, told by ``tell``, which is asked once per value.

    What it told is kept: a number that goes on counting is a Place.
    """

    __slots__ = ("length", "start", "tell", "told")

    def __init__(self, start: int, length: int, tell: Callable[[bytes], str]) -> None:
        self.start, self.length, self.tell = start, length, tell
        self.told: dict[bytes, str] = {}  # by the value without the zeros at its end


class Place(NamedTuple):
    """Where in each record a number stands; in a text it is told in decimal."""

    start: int
    dtype: str


Piece = str | Hole | Place
Pieces = Sequence[Piece]


class View:
    """Part of one record. What is read through it is part of the layout; ``hole`` and ``place`` leave it open."""

    __slots__ = ("_marks", "_raw", "length", "start")

    def __init__(self, raw: bytes, marks: Marks | None = None, start: int = 0, length: int | None = None) -> None:
        self._raw, self._marks = raw, marks or Marks()
        self.start, self.length = start, len(raw) - start if length is None else length

    def __len__(self) -> int:
        return self.length

    def octets(self) -> bytes:
        self._marks.looked.append((self.start, self.length))
        return self._raw[self.start : self.start + self.length]

    def number(self, form: str = ">I", at: int = 0) -> int:
        """One number of struct's ``form`` (netfilter's attributes are big-endian) at an offset of this part."""
        return int(self.part(at, struct.calcsize(form))._unpacked(form))

    def text(self) -> str:
        """A NUL-terminated string; bytes that are not UTF-8 survive as surrogates."""
        return told_string(self.octets())

    def part(self, at: int, length: int | None = None) -> View:
        """A part of this part; DecodeError when it does not hold that much."""
        size = self.length - at if length is None else length
        if at < 0 or size < 0 or at + size > self.length:
            raise DecodeError(self.start + at, f"{size} bytes expected, {self.length - at} left")
        return View(self._raw, self._marks, self.start + at, size)

    def hole(self, tell: Callable[[bytes], str]) -> Hole:
        """This part's bytes as a hole in the text."""
        self._marks.left_open.append((self.start, self.length))
        return Hole(self.start, self.length, tell)

    def place(self, dtype: str) -> Place:
        """This part as a number of each record, left open; DecodeError when it is shorter."""
        part = self.part(0, np.dtype(dtype).itemsize)
        self._marks.left_open.append((part.start, part.length))
        return Place(self.start, dtype)

    def classified(self, classify: Callable[[bytes], K]) -> K:
        """What ``classify`` makes of these bytes, which is part of the layout where the bytes themselves are not."""
        octets = self._raw[self.start : self.start + self.length]
        self._marks.left_open.append((self.start, self.length))
        found = classify(octets)
        self._marks.classes.append(Class(self.start, self.length, classify, found))
        return found

    def ignore(self) -> None:
        """Nothing told depends on these bytes (a kernel's pointer, a count that no one shows)."""
        self._marks.left_open.append((self.start, self.length))

    def attributes(self) -> Iterator[tuple[int, View]]:
        """Netlink attributes in order: numbers and payloads."""
        at, end = self.start, self.start + self.length
        while end - at >= 4:
            size, number = NLATTR.unpack_from(self._raw, at)
            if size < 4 or size > end - at:
                raise DecodeError(at, f"attribute length {size} with {end - at} bytes left")
            yield number & NLA_TYPE_MASK, View(self._raw, self._marks, at + 4, size - 4)
            at += (size + 3) & ~3

    def attribute_map(self) -> dict[int, View]:
        """Attributes by number; of a repeated one the last."""
        return dict(self.attributes())

    def _unpacked(self, form: str) -> Any:
        self._marks.looked.append((self.start, self.length))
        return struct.unpack_from(form, self._raw, self.start)[0]


class Class(NamedTuple):
    """What ``classify`` must make of a part of each record of a layout."""

    start: int
    length: int
    classify: Callable[[bytes], Any]
    value: Any

    def holds(self, octets: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """For each record (n, width), whether it is so; each distinct value is asked about once."""
        values = column(octets, self.start, self.length)
        same = {value: self.classify(value.ljust(self.length, b"\0")) == self.value for value in dict.fromkeys(values)}
        return np.array([same[value] for value in values], np.bool_)


class Marks:
    """What a teller looked at and what it left open, as (start, length), and the classes that it asked for."""

    def __init__(self) -> None:
        self.looked: list[tuple[int, int]] = []
        self.left_open: list[tuple[int, int]] = []
        self.classes: list[Class] = []

    def layout(self, length: int) -> NDArray[np.uint8]:
        """(length,) 255 where a record of the layout has the first one's byte, 0 where its own."""
        mask = np.full(length, 255, np.uint8)
        for ranges, value in ((self.left_open, 0), (self.looked, 255)):
            for start, size in ranges:
                mask[start : start + size] = value
        return mask


class Templates(Generic[T]):
    """A teller, and the templates that it has made."""

    def __init__(self, tell: Callable[[View], T]) -> None:
        self._tell = tell
        self._known: dict[int, list[Template[T]]] = {}

    def layouts(
        self, data: NDArray[np.uint8], offsets: NDArray[np.intp], lengths: NDArray[Any]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.uint8], T]]:
        """Records divided by layout: their rows, their bytes (n, width), and what the teller made of the first."""
        for length in distinct(lengths)[0].tolist():
            rows = np.flatnonzero(lengths == length)
            octets = records(data, offsets[rows], length)
            varying = varying_words(octets)
            pending = np.ones(len(rows), np.bool_)
            known = self._known.setdefault(length, [])
            place = 0
            while len(left := np.flatnonzero(pending)):
                if place == len(known):
                    known.append(self._template(octets[left[0]], length))
                if len(alike := known[place].matching(octets, left, varying)):
                    pending[alike] = False
                    yield rows[alike], octets if len(alike) == len(rows) else octets[alike], known[place].told
                place += 1

    def _template(self, first: NDArray[np.uint8], length: int) -> Template[T]:
        marks = Marks()
        told = self._tell(View(first[:length].tobytes(), marks))
        layout = np.zeros(len(first), np.uint8)
        layout[:length] = marks.layout(length)
        return Template(told, first.copy().view(np.uint64), layout.view(np.uint64), tuple(marks.classes))


def layouts(
    data: NDArray[np.uint8], offsets: NDArray[np.intp], lengths: NDArray[Any], tell: Callable[[View], T]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.uint8], T]]:
    """The same by templates that are made for these records alone."""
    return Templates(tell).layouts(data, offsets, lengths)


@dataclass(frozen=True, slots=True)
class Template(Generic[T]):
    """``told`` of the records of these ``classes`` that equal ``first`` wherever ``layout`` has bits.

    ``first``, ``layout``: in words of eight bytes.
    """

    told: T
    first: NDArray[np.uint64]
    layout: NDArray[np.uint64]
    classes: tuple[Class, ...] = ()

    def matching(
        self, octets: NDArray[np.uint8], left: NDArray[np.intp], varying: Mapping[int, NDArray[np.uint64]]
    ) -> NDArray[np.intp]:
        """Those of the records ``left`` that are of this layout."""
        differing = np.flatnonzero((octets[left[0]].view(np.uint64) ^ self.first) & self.layout).tolist()
        if any(at not in varying for at in differing):
            return left[:0]
        alike = left
        for at, column in varying.items():
            if self.layout[at]:
                same = (column[alike] ^ self.first[at]) & self.layout[at] == 0
                if not same.all():
                    alike = alike[same]
        for kind in self.classes:
            alike = alike[kind.holds(octets[alike])]
        return alike


def records(data: NDArray[np.uint8], offsets: NDArray[np.intp], length: int) -> NDArray[np.uint8]:
    """The records at ``offsets``, (n, length rounded up to 8), zero behind their end."""
    width = (length + 7) & ~7
    found = np.zeros((len(offsets), width), np.uint8)
    if length:
        found[:, :length] = np.lib.stride_tricks.sliding_window_view(data, length)[offsets]
    return found


def varying_words(octets: NDArray[np.uint8]) -> dict[int, NDArray[np.uint64]]:
    """The columns of eight bytes, (n,), that are not the same in all records, by their place."""
    words = octets.view(np.uint64)
    return {at: np.ascontiguousarray(words[:, at]) for at in np.flatnonzero((words != words[0]).any(axis=0)).tolist()}


def filled(pieces: Sequence[Piece | list[str]], octets: NDArray[np.uint8]) -> list[str]:
    """The text of every record (n, width) of a layout; a list is what each has in this place."""
    columns = [told_column(piece, octets) for piece in pieces if not isinstance(piece, str)]
    if not columns:
        return ["".join(piece for piece in pieces if isinstance(piece, str))] * len(octets)
    form = "".join(piece.replace("%", "%%") if isinstance(piece, str) else "%s" for piece in pieces)
    return [form % values for values in zip(*columns, strict=True)]


def told_column(piece: Hole | Place | list[str], octets: NDArray[np.uint8]) -> list[Any]:
    if isinstance(piece, list):
        return piece
    if isinstance(piece, Place):
        return list(numbers(piece, octets).tolist())
    told = piece.told
    if len(told) > MOST:
        told.clear()
    values = column(octets, piece.start, piece.length)
    if new := [value for value in dict.fromkeys(values) if value not in told]:
        told.update(zip(new, map(piece.tell, [value.ljust(piece.length, b"\0") for value in new]), strict=True))
    return list(map(told.__getitem__, values))


def column(octets: NDArray[np.uint8], start: int, length: int) -> list[bytes]:
    """The same part of every record (n, width), without the zeros at its end: numpy's S cuts them off."""
    if not length:
        return [b""] * len(octets)
    part = np.ascontiguousarray(octets[:, start : start + length])
    return list(part.view(f"S{length}")[:, 0].tolist())


def numbers(place: Place, octets: NDArray[np.uint8]) -> NDArray[Any]:
    """The number of every record (n, width), (n,)."""
    size = np.dtype(place.dtype).itemsize
    column = np.ascontiguousarray(octets[:, place.start : place.start + size])
    return column.view(place.dtype)[:, 0]


def told_string(octets: bytes) -> str:
    """A NUL-terminated string in a field of fixed size."""
    return octets.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
