"""A TCP stream followed: what each end sent, in the order of its sequence numbers, as it became whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple

import numpy as np

from collectors.values import Cell
from collectors.wire.packets.columns import COLUMNS
from nettui.packets.flow import flow, sides
from nettui.packets.payload import TCP, payloads
from nettui.packets.store import Kept
from nettui.query import compile

SPACE = 1 << 32  # of sequence numbers
MOST = 8 << 20  # bytes of a stream that are kept
PARTS = 100_000  # in which they came
WAITING = 4096  # segments that came too early, of one direction: so many as bytes are waited for
LINES = 50_000  # that are shown of a stream
LETTERS = bytes(octet if 32 <= octet < 127 or octet in b"\t\n\r" else ord(".") for octet in range(256))


class Segment(NamedTuple):
    """Of one packet: ``octets`` of its payload as far as they were captured; ``size``: as many as it was."""

    number: int
    back: bool
    flags: str
    seq: int
    ack: int
    octets: bytes
    size: int


class Part(NamedTuple):
    """``lost``: bytes before it that were never captured. ``number``: of the packet that made it whole."""

    back: bool
    octets: bytes
    number: int
    lost: int = 0


@dataclass(slots=True)
class Direction:
    """``next``: place of the byte that is expected, None: nothing was seen of it. Places are sequence numbers that go
    on counting. ``syn``: the sequence number that began it. ``waiting``: by their place, segments that came too early;
    ``places``: a heap of these; ``size``: bytes that wait."""

    next: int | None = None
    syn: int | None = None
    lost: int = 0
    size: int = 0
    waiting: dict[int, Segment] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)

    def wait(self, place: int, segment: Segment) -> None:
        """Of those at one place, for the longest."""
        before = self.waiting.get(place)
        if before is None:
            heappush(self.places, place)
        elif before.size >= segment.size:
            return
        self.waiting[place] = segment
        self.size += len(segment.octets) - (len(before.octets) if before else 0)

    def first(self) -> tuple[int, Segment]:
        """What waits at the smallest place, which waits no more."""
        place = heappop(self.places)
        found = self.waiting.pop(place)
        self.size -= len(found.octets)
        return place, found


class Stream:
    """One connection, fed with its segments in the order of capture.

    ``cut``: it was longer than what is kept. ``turned``: what is ``back`` came from the end that began, by its SYN, or
    as it was seen to send first.

    A gap is given up when the other end has acknowledged what was in it, when too much waits behind it, or at the end.
    """

    def __init__(self, most: int = MOST) -> None:
        self.parts: list[Part] = []
        self.cut = self.turned = False
        self.first = self.last = 0  # numbers of its packets
        self._left = self._most = most
        self._directions = (Direction(), Direction())

    def add(self, segment: Segment) -> None:
        if not self.first:
            self.first, self.turned = segment.number, segment.back != ("S" in segment.flags and "." in segment.flags)
        self.last = segment.number
        own, other = self._directions[segment.back], self._directions[not segment.back]
        if "." in segment.flags:
            self._acknowledged(other, segment)
        begins = segment.seq + ("S" in segment.flags)
        if "S" in segment.flags and own.syn != segment.seq:
            self._give_all_up(own)
            own.next, own.syn = begins % SPACE, segment.seq
        elif own.next is None:
            own.next = begins
        if segment.size:
            self._take(own, own.next + distance(own.next, begins), segment)

    def is_another(self, segment: Segment) -> bool:
        """Whether it begins a further connection between the same ends."""
        own = self._directions[segment.back]
        return segment.flags == "S" and own.next is not None and segment.seq != own.syn

    def finish(self) -> None:
        """No more comes: what waits for something is told behind a gap."""
        for own in self._directions:
            self._give_all_up(own)

    def _take(self, own: Direction, place: int, segment: Segment) -> None:
        assert own.next is not None
        if place > own.next:
            own.wait(place, segment)
            while len(own.waiting) > WAITING or own.size > self._most:
                self._give_up(own, segment.number)
        else:
            self._tell(own, place, segment)
            self._go_on(own)

    def _tell(self, own: Direction, place: int, segment: Segment) -> None:
        """Of a segment that begins no later than what is expected, what is new."""
        assert own.next is not None
        known = own.next - place
        if segment.size <= known:
            return
        own.next += segment.size - known
        octets = segment.octets[known:]
        missing = segment.size - known - len(octets)
        left = self._left if len(self.parts) < PARTS else 0
        self.cut |= len(octets) > left
        octets = octets[:left]
        self._left -= len(octets)
        if octets:
            self.parts.append(Part(segment.back, octets, segment.number, own.lost))
            own.lost = 0
        own.lost += missing

    def _go_on(self, own: Direction) -> None:
        """What came too early and is now next."""
        assert own.next is not None
        while own.places and own.places[0] <= own.next:
            self._tell(own, *own.first())

    def _acknowledged(self, own: Direction, by: Segment) -> None:
        """What the other end has, was sent, though it was not captured."""
        while own.places and distance(own.places[0], by.ack) > 0:
            self._give_up(own, by.number)

    def _give_up(self, own: Direction, number: int) -> None:
        """``number``: of the packet that made it so; 0: its own."""
        assert own.next is not None
        place, segment = own.first()
        own.lost += place - own.next
        own.next = place
        self._tell(own, place, segment._replace(number=number or segment.number))
        self._go_on(own)

    def _give_all_up(self, own: Direction) -> None:
        while own.places:
            self._give_up(own, 0)


def distance(one: int, other: int) -> int:
    """How far the other sequence number is ahead; negative: behind."""
    return (other - one + SPACE // 2) % SPACE - SPACE // 2


def followed(batches: Iterable[Kept], row: Mapping[str, Cell], number: int) -> Stream:
    """The connection of a packet, by its row and number, from all that was captured of it."""
    found = Stream()
    for segment in segments(batches, row):
        if found.is_another(segment):
            if number < segment.number:
                break
            found = Stream()
        found.add(segment)
    found.finish()
    return found


def segments(batches: Iterable[Kept], row: Mapping[str, Cell]) -> Iterator[Segment]:
    """Of both directions, in the order of capture."""
    both, back = compile(flow(row), COLUMNS), compile(sides(row)[1], COLUMNS)
    for kept in batches:
        table = kept.table()
        rows = np.flatnonzero(both.mask(table))
        if not len(rows):
            continue
        some = table.select(("src", "sport", "dst", "dport", "flags", "seq", "ack")).take(rows)
        turned = back.mask(some).tolist()
        cells = zip(*(some[name].cells() for name in ("flags", "seq", "ack")), strict=True)
        places = payloads(kept.records.take(rows), TCP)
        for at, (flags, seq, ack) in enumerate(cells):
            if flags is None or at not in places:
                continue
            octets, size = places[at]
            number = kept.number(int(rows[at]))
            yield Segment(number, turned[at], str(flags), number_of(seq), number_of(ack), octets, size)


def number_of(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def lines(stream: Stream, width: int) -> Iterator[tuple[bool, str]]:
    """For the screen: whether it was sent back, and a line of it; bytes that are no letters are dots."""
    told = spelled(stream, width)
    yield from islice(told, LINES)
    if stream.cut or next(told, None) is not None:
        yield False, "[what follows is not shown: the stream is longer]"


def spelled(stream: Stream, width: int) -> Iterator[tuple[bool, str]]:
    for part in stream.parts:
        if part.lost:
            yield part.back, f"[{part.lost:,} bytes are not in the capture]"
        for line in part.octets.translate(LETTERS).decode("ascii").splitlines() or [""]:
            text = line.expandtabs(4)
            for start in range(0, max(len(text), 1), width):
                yield part.back, text[start : start + width]
