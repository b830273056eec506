"""Top talkers: flows summed by address, by port and by process; and packets by protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Table
from collectors.values import Addresses, Codes, Numbers, Pool, Values, joined
from nettui.packets.flows import end_words
from nettui.packets.owners import OWNER
from nettui.rates import as_words, mixed

BOTH = (
    Column("packets", "u8", "counter", "packets", "in both directions"),
    Column("bytes", "u8", "counter", "B", "in both directions, on the wire"),
    Column("flows", "u4", "gauge", help="in which they were"),
)
BY_ADDRESS = (
    Column("address", "address", "key", help="of a sender or receiver"),
    Column("packets_sent", "u8", "counter", "packets", "from this address"),
    Column("bytes_sent", "u8", "counter", "B", "from this address, on the wire"),
    Column("packets_received", "u8", "counter", "packets", "to this address"),
    Column("bytes_received", "u8", "counter", "B", "to this address, on the wire"),
    Column("flows", "u4", "gauge", help="in which they were"),
)
BY_PORT = (
    Column("proto", "text", "key", help="protocol that IP carries"),
    Column("port", "u2", "key", help="the smaller of a flow's two ports: as a rule the service's"),
    *BOTH,
)
BY_PROCESS = (*(replace(column, kind="key") for column in OWNER), *BOTH)
BY_PROTOCOL = (Column("protocol", "text", "key", help="the innermost that is known"), *BOTH[:2])
SENT = ("packets", "bytes", "packets_back", "bytes_back")


def addresses(flows: Table) -> Table:
    """Most bytes first, as all of these."""
    ends = Addresses.concatenate([ends_of(flows, "src"), ends_of(flows, "dst")])
    marks = np.concatenate([mixed(end_words(flows, "src")), mixed(end_words(flows, "dst"))])
    sent = [joined([flows.numbers(name).numbers, flows.numbers(other).numbers])
            for name, other in zip(SENT, (*SENT[2:], *SENT[:2]), strict=True)]  # fmt: skip
    first, which = groups(marks)
    once = np.concatenate([np.ones(len(flows)), marks[: len(flows)] != marks[len(flows) :]])  # where it has two ends
    sums = [summed(which, each, len(first)) for each in (*sent, once)]
    names = [column.name for column in BY_ADDRESS]
    arrays: dict[str, Values] = dict(zip(names, (ends.take(first), *map(Numbers, sums)), strict=True))
    return ordered(Table(BY_ADDRESS, arrays), sums[1] + sums[3])


def ports(flows: Table) -> Table:
    known = np.flatnonzero(flows["sport"].present() & flows["dport"].present())
    flows = flows.take(known)
    port = np.minimum(flows.numbers("sport").numbers, flows.numbers("dport").numbers)
    proto = flows.codes("proto")
    marks = mixed(np.column_stack([as_words(proto.codes)[:, 0], as_words(port)[:, 0]]))
    first, which = groups(marks)
    return both(BY_PORT, {"proto": proto.take(first), "port": Numbers(port[first])}, flows, which)


def processes(flows: Table) -> Table:
    """``flows`` with the columns process and pid (``owners.owned``)."""
    pids = flows.numbers("pid")
    marks = as_words(np.where(pids.present(), pids.numbers.astype(np.int64), -1))[:, 0]
    first, which = groups(marks)
    return both(BY_PROCESS, {column.name: flows[column.name].take(first) for column in OWNER}, flows, which)


class Protocols:
    """Packets and bytes by the innermost protocol, counted batch by batch."""

    def __init__(self) -> None:
        self._pool = Pool()
        self._counts = np.zeros((2, 0), np.uint64)

    def add(self, packets: Table) -> None:
        codes = packets.codes("protocol")
        found = self._pool.translation(codes.pool)[codes.codes]
        size = len(self._pool) + 1  # the last is what no name is known of
        counts = np.zeros((2, size), np.uint64)
        counts[0] = np.bincount(found % size, minlength=size)
        counts[1] = np.bincount(found % size, packets.numbers("length").numbers, size).astype(np.uint64)
        before = self._counts
        if before.shape[1]:
            counts[:, : before.shape[1] - 1] += before[:, :-1]
            counts[:, -1] += before[:, -1]
        self._counts = counts

    def table(self) -> Table:
        codes = np.arange(self._counts.shape[1], dtype=np.int32)
        codes[-1:] = -1
        arrays: dict[str, Values] = {"protocol": Codes(codes, self._pool.cells()), "packets": Numbers(self._counts[0]),
                  "bytes": Numbers(self._counts[1])}  # fmt: skip
        return ordered(
            Table(BY_PROTOCOL, arrays).take(np.flatnonzero(self._counts[0])), self._counts[1][self._counts[0] > 0]
        )


def ends_of(flows: Table, name: str) -> Addresses:
    values = flows[name]
    assert isinstance(values, Addresses)
    return values


def groups(marks: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first row of each distinct mark, and for each row its group."""
    _, first, which = np.unique(marks, return_index=True, return_inverse=True)
    return first, which


def summed(which: NDArray[np.intp], numbers: NDArray[np.number], count: int) -> NDArray[np.uint64]:
    return np.bincount(which, numbers, count).astype(np.uint64)


def both(columns: Sequence[Column], keys: Mapping[str, Values], flows: Table, which: NDArray[np.intp]) -> Table:
    """Both directions of the flows, summed by group."""
    count = int(which.max(initial=-1)) + 1
    there, size, back, size_back = (flows.numbers(name).numbers for name in SENT)
    packets, octets = summed(which, there + back, count), summed(which, size + size_back, count)
    number = np.bincount(which, minlength=count).astype(np.uint32)
    arrays = {**keys, "packets": Numbers(packets), "bytes": Numbers(octets), "flows": Numbers(number)}
    return ordered(Table(tuple(columns), arrays), octets)


def ordered(table: Table, octets: NDArray[np.uint64]) -> Table:
    return table.take(np.argsort(octets, kind="stable")[::-1])
