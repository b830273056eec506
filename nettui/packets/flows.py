"""Flows: packets of the same two ends and protocol, both directions together, counted batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.table import Column, Table, concatenate
from collectors.values import Addresses, Numbers, Pool
from nettui.packets.judged import NONE, Marks
from nettui.packets.sequence import Segments, Sequences
from nettui.packets.vantage import Vantages
from nettui.rates import address_words, as_words, mixed

NANO = 1e9
MOST = 50_000  # flows that are told apart; then those that are neither large nor recent make room
NEW = 4096  # flows that one batch may add: a flood of single packets must not hold up what is shown
PARTS = 64  # tables of ends that are joined to one: a quiet device gives one for each new flow
COLUMNS = (
    Column("proto", "text", "key", help="protocol that IP carries"),
    Column("src", "address", "key", help="the end that was seen to send first"),
    Column("sport", "u2", "key", help="its port"),
    Column("dst", "address", "key", help="the other end"),
    Column("dport", "u2", "key", help="its port"),
    Column("packets", "u8", "counter", "packets", "from src to dst"),
    Column("bytes", "u8", "counter", "B", "from src to dst, on the wire"),
    Column("packets_back", "u8", "counter", "packets", "from dst to src"),
    Column("bytes_back", "u8", "counter", "B", "from dst to src, on the wire"),
    Column("retrans", "u8", "counter", "packets", "from src to dst, of TCP: with bytes sent before, or that came late"),
    Column("retrans_back", "u8", "counter", "packets", "from dst to src, of TCP: with bytes sent before, or late"),
    Column("missing", "u8", "counter", "B", "from src to dst, of TCP: had not come here when later ones did"),
    Column("missing_back", "u8", "counter", "B", "from dst to src, of TCP: had not come here when later ones did"),
    Column("first", "f8", "label", "", "when the first packet came, seconds since the epoch"),
    Column("last", "f8", "label", "", "when the last packet came, seconds since the epoch"),
)
ENDS = ("proto", "src", "sport", "dst", "dport")
LOOKED_AT = (*ENDS, "length", "time", "flags", "seq", "payload", "mf", "dev", "direction")
COUNTS = ("packets", "bytes", "packets_back", "bytes_back", "retrans", "missing", "retrans_back", "missing_back")
LOST = 4  # place of the first that sequence numbers tell
TIMES = ("first", "last")


class Flows:
    """``others``: packets of IP that belong to no flow that is told, since there are too many of them.

    One that made room and goes on later is told as if it began then.
    """

    def __init__(self) -> None:
        self.others = 0
        self._numbers: dict[int, int] = {}  # of flows, by the mark of their ends
        self._ends = [Draft(COLUMNS, 0).table().select(ENDS)]  # of the flows, in the order of their numbers
        self._turned = np.zeros(MOST, np.bool_)  # flows whose src is the larger end
        self._counts = np.zeros((len(COUNTS), MOST), np.uint64)
        self._times = np.zeros((2, MOST), np.int64)
        self._protocols = Pool()
        self._sequences, self._vantages = Sequences(2 * MOST), Vantages(2 * MOST)

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, packets: Table) -> Marks:
        """Count them; what sequence numbers tell of each."""
        rows = np.flatnonzero(packets["src"].present())
        if not len(rows):
            return NONE
        packets = packets.select(LOOKED_AT)
        if len(rows) < len(packets):
            packets = packets.take(rows)
        marks, larger = self._marks(packets)
        found, first, which = np.unique(marks, return_index=True, return_inverse=True)
        flow = self._known(found, first, packets, larger)[which]
        told = flow >= 0
        if not told.all():
            self.others += int(len(flow) - told.sum())
            flow, larger, rows, packets = flow[told], larger[told], rows[told], packets.take(np.flatnonzero(told))
        sizes, times = packets.numbers("length").numbers, packets.numbers("time").numbers
        back = larger != self._turned[flow]
        self._count(0, flow, back, np.ones(len(flow)), sizes)
        np.minimum.at(self._times[0], flow, times)
        np.maximum.at(self._times[1], flow, times)
        again, gaps, missing = self._judge(flow, back, packets)
        return Marks(rows[again], rows[gaps], missing)

    def table(self, most: int | None = None) -> Table:
        """The flows, those with the most bytes first."""
        count = len(self)
        total = self._counts[1, :count] + self._counts[3, :count]
        order = np.argsort(total, kind="stable")[::-1][:most]
        self._ends = [concatenate(self._ends)]
        ends = self._ends[0].take(order)
        proto = ends.codes("proto")
        numbered = np.array([name == "tcp" for name in proto.pool] + [False])[proto.codes]
        counted = {
            name: Numbers(self._counts[at, order], None if at < LOST else numbered) for at, name in enumerate(COUNTS)
        }
        times = {name: Numbers(self._times[at, order] / NANO) for at, name in enumerate(TIMES)}
        return ends.extended(COLUMNS, {**counted, **times})

    def _marks(self, packets: Table) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """A mark for each packet, the same for both directions of a flow; and where the source is the larger end."""
        protocols = packets.codes("proto")
        sides = [mixed(np.hstack([end_words(packets, end), port_words(packets, port)]))
                 for end, port in (("src", "sport"), ("dst", "dport"))]  # fmt: skip
        larger = sides[0] > sides[1]
        low, high = np.where(larger, sides[1], sides[0]), np.where(larger, sides[0], sides[1])
        carried = self._protocols.translation(protocols.pool)[protocols.codes]
        return mixed(np.column_stack([low, high, as_words(carried)[:, 0]])), larger

    def _known(
        self, marks: NDArray[np.uint64], first: NDArray[np.intp], packets: Table, larger: NDArray[np.bool_]
    ) -> NDArray[np.intp]:
        """The number of each mark's flow, -1 where there are too many flows already."""
        numbers = self._numbers_of(marks)
        if np.count_nonzero(numbers < 0) > MOST - len(self):
            self._make_room()
            numbers = self._numbers_of(marks)
        fresh = np.flatnonzero(numbers < 0)
        fresh = fresh[np.argsort(first[fresh])][: min(NEW, MOST - len(self))]
        if len(fresh):
            new = np.arange(len(self), len(self) + len(fresh))
            numbers[fresh] = new
            self._numbers.update(zip(marks[fresh].tolist(), new.tolist(), strict=True))
            self._ends.append(packets.select(ENDS).take(first[fresh]))
            self._turned[new] = larger[first[fresh]]
            self._times[0, new] = np.iinfo(np.int64).max
            if len(self._ends) > PARTS:
                self._ends = [concatenate(self._ends)]
        return numbers

    def _numbers_of(self, marks: NDArray[np.uint64]) -> NDArray[np.intp]:
        return np.array([self._numbers.get(mark, -1) for mark in marks.tolist()], np.intp)

    def _make_room(self) -> None:
        """Keep the quarter with the most bytes, and the quarter that was seen last."""
        count = len(self)
        ranks = self._counts[1, :count] + self._counts[3, :count], self._times[1, :count]
        quarters = [np.argpartition(rank, count - MOST // 4)[count - MOST // 4 :] for rank in ranks]
        kept = np.union1d(*quarters)
        gone = np.ones(count, np.bool_)
        gone[kept] = False
        self.others += int(self._counts[0, :count][gone].sum() + self._counts[2, :count][gone].sum())
        marks = np.fromiter(self._numbers, np.uint64, count)[kept].tolist()
        self._numbers = {mark: number for number, mark in enumerate(marks)}
        self._ends = [concatenate(self._ends).take(kept)]
        self._turned = moved(self._turned, kept)
        self._counts = moved(self._counts, kept)
        self._times = moved(self._times, kept)
        ways = np.column_stack([kept * 2, kept * 2 + 1]).ravel()
        self._sequences.keep(ways)
        self._vantages.keep(ways)

    def _judge(self, flow: NDArray[np.intp], back: NDArray[np.bool_], packets: Table) -> Marks:
        """What TCP's sequence numbers tell."""
        rows = np.flatnonzero(packets["seq"].present() & packets["flags"].present())
        if not len(rows):
            return NONE
        here = self._vantages.first_sightings(flow[rows] * 2 + back[rows], packets.take(rows))
        rows = rows[here]
        flow, back, packets = flow[rows], back[rows], packets.take(rows)
        flags = packets.codes("flags")
        syn, fin, rst = (np.array([flag in str(text) for text in flags.pool])[flags.codes] for flag in "SFR")
        seq, size = (packets.numbers(name).numbers for name in ("seq", "payload"))
        part = packets.numbers("mf").numbers.astype(np.bool_)
        again, missing = self._sequences.judge(
            Segments(flow * 2 + back, seq, size.astype(np.int64), syn, fin, rst, part)
        )
        some = np.flatnonzero(again | (missing > 0))
        if len(some):
            self._count(LOST, flow[some], back[some], again[some], missing[some])
        gaps = np.flatnonzero(missing)
        return Marks(rows[again], rows[gaps], missing[gaps])

    def _count(self, place: int, flow: NDArray[np.intp], back: NDArray[np.bool_], *amounts: NDArray[Any]) -> None:
        """Add up amounts by flow, in COUNTS from ``place`` on, and behind these those of the packets back."""
        most = int(flow.max(initial=-1)) + 1
        for mask in (~back, back):
            for amount in amounts:
                self._counts[place, :most] += np.bincount(flow[mask], amount[mask], most).astype(np.uint64)
                place += 1


def moved(values: NDArray[Any], kept: NDArray[np.intp]) -> NDArray[Any]:
    """The values (..., flows) of those that are kept, in front of zeros."""
    found = np.zeros_like(values)
    found[..., : len(kept)] = values[..., kept]
    return found


def end_words(packets: Table, name: str) -> NDArray[np.uint64]:
    values = packets[name]
    assert isinstance(values, Addresses)
    return address_words(values, 16)


def port_words(packets: Table, name: str) -> NDArray[np.uint64]:
    values = packets.numbers(name)
    return as_words(np.where(values.present(), values.numbers.astype(np.int64), -1))
