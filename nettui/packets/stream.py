"""A TCP stream followed: what each end sent, in the order of its sequence numbers, as it became whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
WAITING = 4096  # segments that came too early, of one direction


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
    """``next``: the sequence number that is expected; None: nothing was seen of it."""

    next: int | None = None
    lost: int = 0
    waiting: dict[int, Segment] = field(default_factory=dict)


class Stream:
    """One connection, fed with its segments in the order of capture. ``cut``: it was longer than what is kept.

    A gap is given up when the other end has acknowledged what was in it, or at the end.
    """

    def __init__(self, most: int = MOST) -> None:
        self.parts: list[Part] = []
        self.cut = False
        self.first = self.last = 0  # numbers of its packets
        self._left = most
        self._directions = (Direction(), Direction())

    def add(self, segment: Segment) -> None:
        self.first, self.last = self.first or segment.number, segment.number
        own, other = self._directions[segment.back], self._directions[not segment.back]
        if "." in segment.flags:
            self._acknowledged(other, not segment.back, segment.ack, segment.number)
        begins = (segment.seq + ("S" in segment.flags)) % SPACE
        if own.next is None or "S" in segment.flags:
            own.next = begins
        if segment.size:
            self._take(own, segment._replace(seq=begins))

    def is_another(self, segment: Segment) -> bool:
        """Whether it begins a further connection between the same ends."""
        own = self._directions[segment.back]
        return segment.flags == "S" and own.next is not None and (segment.seq + 1) % SPACE != own.next

    def finish(self) -> None:
        """No more comes: what waits for something is told behind a gap."""
        for back in (False, True):
            own = self._directions[back]
            while own.waiting:
                self._give_up(own, 0)

    def _take(self, own: Direction, segment: Segment) -> None:
        assert own.next is not None
        ahead = distance(own.next, segment.seq)
        if ahead > 0:
            before = own.waiting.get(segment.seq)
            if (before is None or before.size < segment.size) and len(own.waiting) < WAITING:
                own.waiting[segment.seq] = segment
            return
        if segment.size > -ahead:
            self._tell(own, segment._replace(octets=segment.octets[-ahead:], size=segment.size + ahead))
            self._go_on(own)

    def _tell(self, own: Direction, segment: Segment) -> None:
        assert own.next is not None
        own.next = (own.next + segment.size) % SPACE
        self.cut |= len(segment.octets) > self._left
        octets = segment.octets[: self._left]
        self._left -= len(octets)
        if octets:
            self.parts.append(Part(segment.back, octets, segment.number, own.lost))
            own.lost = 0
        own.lost += segment.size - len(segment.octets)

    def _go_on(self, own: Direction) -> None:
        """What came too early and is now next."""
        while own.waiting:
            assert own.next is not None
            start = min(own.waiting, key=lambda seq: distance(own.next or 0, seq))
            if distance(own.next, start) > 0:
                return
            self._take(own, own.waiting.pop(start))

    def _acknowledged(self, own: Direction, back: bool, ack: int, number: int) -> None:
        """What the other end has, was sent, though it was not captured."""
        while own.waiting and own.next is not None:
            start = min(own.waiting, key=lambda seq: distance(own.next or 0, seq))
            if distance(start, ack) <= 0:
                return
            self._give_up(own, number)

    def _give_up(self, own: Direction, number: int) -> None:
        assert own.next is not None
        start = min(own.waiting, key=lambda seq: distance(own.next or 0, seq))
        own.lost += max(0, distance(own.next, start))
        own.next = start
        waiting = own.waiting.pop(start)
        self._tell(own, waiting._replace(number=number or waiting.number))
        self._go_on(own)


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
    for part in stream.parts:
        if part.lost:
            yield part.back, f"[{part.lost:,} bytes are not in the capture]"
        for line in part.octets.decode("latin-1").splitlines() or [""]:
            text = "".join(letter if " " <= letter <= "~" else "." for letter in line.expandtabs(4))
            for start in range(0, max(len(text), 1), width):
                yield part.back, text[start : start + width]
    if stream.cut:
        yield False, "[what follows is not shown: the stream is longer]"
