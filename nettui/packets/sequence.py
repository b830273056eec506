"""What TCP's sequence numbers tell of loss: bytes that came again or late, and bytes that were passed over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WINDOW = 65535 << 14  # bytes that may be on their way at most (RFC 7323): what is further ahead is no gap
APART = 1 << 47  # further than the sequence numbers of a batch of 32,768 packets can be from each other


class Segments(NamedTuple):
    """TCP packets in the order of capture, (n,) each.

    ``way``: number of a flow's direction; ``seq``: as on the wire; ``size``: bytes carried, SYN and FIN not counted;
    ``part``: the first fragment of a packet, whose further bytes are not counted.
    """

    way: NDArray[np.intp]
    seq: NDArray[np.uint32]
    size: NDArray[np.int64]
    syn: NDArray[np.bool_]
    fin: NDArray[np.bool_]
    rst: NDArray[np.bool_]
    part: NDArray[np.bool_]

    def take(self, rows: NDArray[np.integer]) -> Segments:
        return Segments(*(column[rows] for column in self))


class Sequences:
    """How far each direction has come; ``ways``: how many there may be."""

    def __init__(self, ways: int) -> None:
        self._next = np.zeros(ways, np.uint32)  # the byte that is expected
        self._begun = np.zeros(ways, np.bool_)
        self._syn = np.full(ways, -1, np.int64)  # the sequence number that began it

    def keep(self, ways: NDArray[np.intp]) -> None:
        """Only these, which have the numbers from 0 on then."""
        for values, unknown in ((self._next, 0), (self._begun, False), (self._syn, -1)):
            values[: len(ways)] = values[ways]
            values[len(ways) :] = unknown

    def judge(self, segments: Segments) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which carry what had been sent before or came late, and how many bytes before each never came until then.

        A capture shows the one and the other alike: bytes that are sent again since they were lost behind this place,
        and bytes that were lost before it. Keep-alives are neither.
        """
        again, missing = np.zeros(len(segments.way), np.bool_), np.zeros(len(segments.way), np.int64)
        if not len(segments.way):
            return again, missing
        order = np.argsort(segments.way, kind="stable")
        again[order], missing[order] = self._judged(segments.take(order))
        return again, missing

    def _judged(self, segments: Segments) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Of packets ordered by direction."""
        way, seq, size = segments.way, segments.seq, segments.size + segments.syn + segments.fin
        turns = np.concatenate([[True], way[1:] != way[:-1]])
        repeated = self._repeated(segments)
        unknown = np.concatenate([[False], segments.part[:-1]])  # how far the packet before it went
        starts = np.flatnonzero(turns | unknown | (segments.syn & ~repeated))
        run = np.cumsum(np.bincount(starts, minlength=len(way))) - 1
        known = turns[starts] & self._begun[way[starts]] & ~(segments.syn & ~repeated)[starts]
        base = np.where(known, self._next[way[starts]], seq[starts])

        steps = np.diff(seq, prepend=seq[:1]).view(np.int32).astype(np.int64)
        steps[starts] = (seq[starts] - base).astype(np.uint32).view(np.int32)
        behind = np.cumsum(steps)
        behind -= (behind[starts] - steps[starts])[run]  # from the base on
        ends = behind + size + run * APART
        ends[segments.rst] = (run * APART)[segments.rst]  # the number of a reset says little
        reached = np.maximum.accumulate(np.maximum(ends, run * APART))
        before = np.concatenate([[0], reached[:-1]])
        before[starts] = starts_at = np.arange(len(starts)) * APART
        before -= run * APART

        alive = (segments.size <= 1) & (behind == before - 1) & ~segments.syn & ~segments.fin
        again = (size > 0) & (behind < before) & ~alive & ~segments.rst
        ahead = np.maximum(behind - before, 0)
        missing = np.where(segments.rst | (ahead > WINDOW), 0, ahead)
        last = np.flatnonzero(np.concatenate([turns[1:], [True]]))
        whole = reached[last] - (starts_at)[run[last]]
        self._next[way[last]] = (base[run[last]].astype(np.int64) + whole).astype(np.uint32)
        self._begun[way[last]] = ~segments.part[last]
        return again, missing

    def _repeated(self, segments: Segments) -> NDArray[np.bool_]:
        """SYNs with the number of the one before in the same direction."""
        found = np.zeros(len(segments.way), np.bool_)
        rows = np.flatnonzero(segments.syn)
        way, seq = segments.way[rows], segments.seq[rows].astype(np.int64)
        earlier = np.where(np.diff(way, prepend=-1) == 0, np.concatenate([[-1], seq[:-1]]), self._syn[way])
        found[rows] = earlier == seq
        self._syn[way] = seq
        return found
