"""Classic BPF programs (linux/filter.h) run over many packets at once: an instruction's work is done by columns.

A lane is the packets that stand at the same instruction. A jump divides it; where lanes meet again they are joined.
Nothing beyond what was captured is read: a load from there ends the program, and the packet does not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.wire.packets.records import Records

# bits of struct sock_filter's code: class, size and mode of a load, operation, source
LD, LDX, ST, STX, ALU, JMP, RET, MISC = range(8)
SIZES = {0x00: ">u4", 0x08: ">u2", 0x10: "u1"}
IMM, ABS, IND, MEM, LEN, MSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0
FROM_X, FROM_A, NEG, TXA = 0x08, 0x10, 0x80, 0x80
DIVIDING = (0x30, 0x90)
AT_ONCE = 32_768  # packets: their columns stay in the processor's cache
Instruction = tuple[int, int, int, int]  # code, jt, jf, k
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
Numbers = NDArray[np.uint32]  # one for each packet of a lane, or one for all of them (no dimension)
ZERO: Numbers = np.array(0, np.uint32)

OPERATIONS: dict[int, Callable[[Numbers, Numbers], NDArray[Any]]] = {
    0x00: np.add, 0x10: np.subtract, 0x20: np.multiply, 0x30: np.floor_divide, 0x40: np.bitwise_or,
    0x50: np.bitwise_and, 0x60: lambda a, by: np.where(by < 32, a << (by & np.uint32(31)), ZERO),
    0x70: lambda a, by: np.where(by < 32, a >> (by & np.uint32(31)), ZERO), 0x90: np.remainder, 0xA0: np.bitwise_xor,
}  # fmt: skip
TESTS: dict[int, Callable[[Numbers, Numbers], NDArray[Any]]] = {
    0x10: np.equal, 0x20: np.greater, 0x30: np.greater_equal, 0x40: lambda a, bits: (a & bits) != 0,
}  # fmt: skip


class Lane(NamedTuple):
    """``rows``: which packets; ``a``, ``x``: their registers; ``memory``: their scratch words that were stored."""

    rows: Rows
    a: Numbers = ZERO
    x: Numbers = ZERO
    memory: tuple[tuple[int, Numbers], ...] = ()

    def where(self, mask: NDArray[Any]) -> Lane:
        """Those packets only."""

        def of(values: Numbers) -> Numbers:
            return values[mask] if values.ndim else values

        return Lane(self.rows[mask], of(self.a), of(self.x), tuple((at, of(words)) for at, words in self.memory))

    def word(self, at: int) -> Numbers:
        return dict(self.memory).get(at, ZERO)

    def storing(self, at: int, words: Numbers) -> Lane:
        return self._replace(memory=tuple({**dict(self.memory), at: words}.items()))


class Packets(NamedTuple):
    """Where some packets stand in ``data``: ``at`` is the first byte, ``size`` what was captured, ``length`` of it on
    the wire; ``least``: the smallest size."""

    data: NDArray[np.uint8]
    at: Rows
    size: Rows
    length: Numbers
    least: int

    def load(self, lane: Lane, offset: Rows | int, code: str) -> tuple[Lane, Numbers]:
        """Numbers at an offset of each packet, and the lane without those that end before."""
        dtype = np.dtype(code)
        ends = np.asarray(offset).astype(np.intp) + dtype.itemsize
        if ends.ndim or ends > self.least:
            there = ends <= self.size[lane.rows]
            if not there.all():
                lane = lane.where(there)
                ends = ends[there] if ends.ndim else ends
        count = max(0, len(self.data) - dtype.itemsize + 1)
        overlapping = np.ndarray((count,), dtype, self.data, 0, (1,))
        return lane, overlapping[self.at[lane.rows] + (ends - dtype.itemsize)].astype(np.uint32)


def passing(program: Sequence[Instruction], records: Records) -> Mask:
    """Which packets a program takes, (n,): those for which it returns another number than 0."""
    found = np.zeros(len(records), bool)
    for start in range(0, len(records), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        size = np.minimum(records.captured[some], len(records.data) - records.at[some]).astype(np.intp)
        length = records.lengths[some].astype(np.uint32)
        packets = Packets(records.data, records.at[some], size, length, int(size.min()))
        for rows in taken(program, packets):
            found[start + rows] = True
    return found


def taken(program: Sequence[Instruction], packets: Packets) -> Iterator[Rows]:
    """Rows that pass, lane by lane: the earliest instruction first, so that lanes are joined where they meet."""
    waiting = {0: [Lane(np.arange(len(packets.at)))]}
    while waiting:
        at = min(waiting)
        lane = joined(waiting.pop(at))
        while len(lane.rows):
            code, jt, jf, k = program[at]
            if code & 7 == RET:
                returned = lane.a if code & 0x18 == FROM_A else np.array(k, np.uint32)
                yield lane.rows[np.broadcast_to(returned != 0, len(lane.rows))]
                break
            if code & 7 == JMP:
                for by, part in jumps(lane, code, jt, jf, k):
                    waiting.setdefault(at + 1 + by, []).append(part)
                break
            lane = stepped(packets, lane, code, k)
            at += 1
            if at in waiting:
                waiting[at].append(lane)
                break


def jumps(lane: Lane, code: int, jt: int, jf: int, k: int) -> Iterator[tuple[int, Lane]]:
    """By how many instructions further each part goes; back, where libpcap follows a chain of headers."""
    operation = code & 0xF0
    if operation == 0:
        yield k - (1 << 32) if k >> 31 else k, lane
        return
    true = TESTS[operation](lane.a, lane.x if code & FROM_X else np.array(k, np.uint32))
    if not true.ndim or true.all() or not true.any():
        yield jt if true.any() else jf, lane
        return
    yield jt, lane.where(np.flatnonzero(true))
    yield jf, lane.where(np.flatnonzero(~true))


def stepped(packets: Packets, lane: Lane, code: int, k: int) -> Lane:
    kind = code & 7
    if kind in (ST, STX):
        return lane.storing(k, lane.a if kind == ST else lane.x)
    if kind == MISC:
        return lane._replace(a=lane.x) if code & TXA else lane._replace(x=lane.a)
    if kind == ALU:
        return computed(lane, code, k)
    lane, value = loaded(packets, lane, code, k)
    return lane._replace(a=value) if kind == LD else lane._replace(x=value)


def loaded(packets: Packets, lane: Lane, code: int, k: int) -> tuple[Lane, Numbers]:
    mode = code & 0xE0
    if mode == IMM:
        return lane, np.array(k, np.uint32)
    if mode == MEM:
        return lane, lane.word(k)
    if mode == LEN:
        return lane, packets.length[lane.rows]
    if mode == MSH:  # the length of an IPv4 header
        lane, octets = packets.load(lane, k, "u1")
        return lane, (octets & np.uint32(0xF)) << np.uint32(2)
    offset: Rows | int = k if mode == ABS else lane.x.astype(np.intp) + k
    return packets.load(lane, offset, SIZES[code & 0x18])


def computed(lane: Lane, code: int, k: int) -> Lane:
    operation = code & 0xF0
    if operation == NEG:
        return lane._replace(a=np.asarray(np.negative(lane.a), np.uint32))
    if code & FROM_X and operation in DIVIDING and not lane.x.all():
        lane = lane.where(np.broadcast_to(lane.x != 0, len(lane.rows)))  # by zero: it does not pass
        if not len(lane.rows):
            return lane
    by = lane.x if code & FROM_X else np.array(k, np.uint32)
    with np.errstate(over="ignore"):
        return lane._replace(a=np.asarray(OPERATIONS[operation](lane.a, by), np.uint32))


def joined(lanes: Sequence[Lane]) -> Lane:
    if len(lanes) == 1:
        return lanes[0]

    def of(values: Sequence[Numbers]) -> Numbers:
        if not any(one.ndim for one in values) and len({int(one) for one in values}) == 1:
            return values[0]
        return np.concatenate([np.broadcast_to(one, len(lane.rows)) for one, lane in zip(values, lanes, strict=True)])

    words = sorted({at for lane in lanes for at, _ in lane.memory})
    return Lane(
        np.concatenate([lane.rows for lane in lanes]),
        of([lane.a for lane in lanes]),
        of([lane.x for lane in lanes]),
        tuple((at, of([lane.word(at) for lane in lanes])) for at in words),
    )
