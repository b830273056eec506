"""Flows: packets of the same two ends and protocol, both directions together, counted batch by batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.draft import of_rows
from collectors.table import Column, Table
from collectors.values import Addresses, Cell, Pool
from nettui.rates import address_words, as_words, mixed

NANO = 1e9
MOST = 50_000  # flows that are told apart; packets of further ones are counted together
NEW = 4096  # flows that one batch may add: a flood of single packets must not hold up what is shown
COLUMNS = (
    Column("proto", "text", "key", help="protocol that IP carries"),
    Column("src", "text", "key", help="the end that was seen to send first"),
    Column("sport", "u2", "key", help="its port"),
    Column("dst", "text", "key", help="the other end"),
    Column("dport", "u2", "key", help="its port"),
    Column("packets", "u8", "counter", "packets", "from src to dst"),
    Column("bytes", "u8", "counter", "B", "from src to dst, on the wire"),
    Column("packets_back", "u8", "counter", "packets", "from dst to src"),
    Column("bytes_back", "u8", "counter", "B", "from dst to src, on the wire"),
    Column("first", "f8", "label", "s", "when the first packet came, seconds since the epoch"),
    Column("last", "f8", "label", "s", "when the last packet came, seconds since the epoch"),
)
ENDS = ("proto", "src", "sport", "dst", "dport")
COUNTS = ("packets", "bytes", "packets_back", "bytes_back")


class Flows:
    """``others``: packets of IP that belong to no flow that is told, since there are too many of them."""

    def __init__(self) -> None:
        self.others = 0
        self._numbers: dict[int, int] = {}  # of flows, by the mark of their ends
        self._ends: list[Mapping[str, Cell]] = []
        self._turned = np.zeros(MOST, np.bool_)  # flows whose src is the larger end
        self._counts = np.zeros((len(COUNTS), MOST), np.uint64)
        self._times = np.zeros((2, MOST), np.int64)
        self._protocols = Pool()

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, packets: Table) -> None:
        rows = np.flatnonzero(packets["src"].present())
        if not len(rows):
            return
        packets = packets.take(rows)
        marks, larger = self._marks(packets)
        found, first, which = np.unique(marks, return_index=True, return_inverse=True)
        numbers = self._known(found, first, packets, larger)
        flow = numbers[which]
        told = flow >= 0
        self.others += int(len(flow) - told.sum())
        self._count(packets.take(np.flatnonzero(told)), flow[told], larger[told])

    def table(self, most: int | None = None) -> Table:
        """The flows, those with the most bytes first."""
        count = len(self)
        total = self._counts[1, :count] + self._counts[3, :count]
        order = np.argsort(total, kind="stable")[::-1][:most]
        rows = [dict(self._ends[at]) for at in order.tolist()]
        for at, row in zip(order.tolist(), rows, strict=True):
            row.update(zip(COUNTS, self._counts[:, at].tolist(), strict=True))
            row.update(first=float(self._times[0, at] / NANO), last=float(self._times[1, at] / NANO))
        return of_rows(COLUMNS, rows).table()

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
        numbers = np.array([self._numbers.get(mark, -1) for mark in marks.tolist()], np.intp)
        fresh = np.flatnonzero(numbers < 0)
        fresh = fresh[np.argsort(first[fresh])][: min(NEW, MOST - len(self))]
        ends = packets.select(ENDS).take(first[fresh])
        for at, end in zip(fresh.tolist(), ends.rows(), strict=True):
            number = self._numbers[int(marks[at])] = numbers[at] = len(self._ends)
            self._ends.append(end)
            self._turned[number] = larger[first[at]]
            self._times[0, number] = np.iinfo(np.int64).max
        return numbers

    def _count(self, packets: Table, flow: NDArray[np.intp], larger: NDArray[np.bool_]) -> None:
        sizes, times = packets.numbers("length").numbers, packets.numbers("time").numbers
        back = larger != self._turned[flow]
        for place, mask in ((0, ~back), (2, back)):
            self._counts[place] += np.bincount(flow[mask], minlength=MOST).astype(np.uint64)
            self._counts[place + 1] += np.bincount(flow[mask], sizes[mask], MOST).astype(np.uint64)
        np.minimum.at(self._times[0], flow, times)
        np.maximum.at(self._times[1], flow, times)


def end_words(packets: Table, name: str) -> NDArray[np.uint64]:
    values = packets[name]
    assert isinstance(values, Addresses)
    return address_words(values, 16)


def port_words(packets: Table, name: str) -> NDArray[np.uint64]:
    values = packets.numbers(name)
    return as_words(np.where(values.present(), values.numbers.astype(np.int64), -1))


def talkers(flows: Table) -> list[tuple[str, int, int]]:
    """Addresses by the bytes that they sent and received: address, packets, bytes; most first."""
    sums: dict[str, list[int]] = {}
    for row in flows.rows():
        for name in ("src", "dst"):
            entry = sums.setdefault(str(row[name]), [0, 0])
            entry[0] += number(row, "packets") + number(row, "packets_back")
            entry[1] += number(row, "bytes") + number(row, "bytes_back")
    return sorted(((name, packets, size) for name, (packets, size) in sums.items()), key=lambda entry: -entry[2])


def number(row: Mapping[str, Any], name: str) -> int:
    return int(row.get(name) or 0)
