"""Way: one real way of losing packets, and what the ledger must tell of it; Lab: where it happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from collectors.table import Table
from nettui.knowledge import find
from nettui.ledger.follower import Follower
from nettui.ledger.layers import Layers
from nettui.ledger.row import NAMESPACE
from nettui.sources import LEDGER, Reading, derived, follower, needed, readings_snapshot, readings_times, with_ledger
from tests.lab import Namespace, join, namespace

SETTLED = 0.3  # seconds that the kernel may take at most to count what was lost
AFTER = 0.03  # and that are waited once it has, for what should not move
# of a namespace before its devices are made: nothing asks for routers, or for addresses and groups at its own pace
QUIET = {
    "ipv6/conf/default/router_solicitations": 0,
    "ipv6/conf/default/addr_gen_mode": 1,  # no link-local address, so no MLD reports once the devices are up
    "ipv6/conf/default/mldv2_unsolicited_report_interval": 1,
}


@dataclass
class Lab:
    """Two namespaces joined by a veth pair (tests.lab.joined_pair); ``stack`` closes what a way opened, at its end."""

    left: Namespace
    right: Namespace
    stack: ExitStack = field(default_factory=ExitStack)


@dataclass(frozen=True)
class Way:
    """``make``: builds the condition, and gives the function that loses packets and returns how many were lost.

    ``counter``: the row that must move by that number, None where no counter does; ``scope``: what must stand in its
    scope, "" for any. ``at_least``: the kernel sends more of its own (retries), so that it may move by more.
    ``also``: counters that may move beside those that knowledge joins to it. ``reason``: the drop reason, None where
    kfree_skb does not tell. ``side``: the namespace whose ledger is looked at.
    """

    name: str
    layer: str
    counter: str | None
    make: Callable[[Lab], Callable[[], int]]
    scope: str = ""
    at_least: bool = False
    also: frozenset[str] = frozenset()
    reason: str | None = None
    side: str = "right"


WAYS: list[Way] = []


def way(
    layer: str,
    counter: str | None,
    *,
    scope: str = "",
    at_least: bool = False,
    also: tuple[str, ...] = (),
    reason: str | None = None,
    side: str = "right",
) -> Callable[[Callable[[Lab], Callable[[], int]]], Callable[[Lab], Callable[[], int]]]:
    """Puts a function among the ways, under its own name."""

    def put(make: Callable[[Lab], Callable[[], int]]) -> Callable[[Lab], Callable[[], int]]:
        WAYS.append(Way(make.__name__, layer, counter, make, scope, at_least, frozenset(also), reason, side))
        return make

    return put


@contextmanager
def lab() -> Iterator[Lab]:
    with namespace() as left, namespace() as right, ExitStack() as stack:
        for place in (left, right):
            adjust(place, QUIET)
        join(left, right, "index 11")  # so that both ends are ready at once
        yield Lab(left, right, stack)


def adjust(place: Namespace, settings: Mapping[str, int | str]) -> None:
    """Writes sysctls of the namespace, by their paths below net/."""

    def write() -> None:
        for path, value in settings.items():
            Path("/proc/sys/net", path).write_text(f"{value}\n")

    place.host.inside(write)


class Ledger:
    """The ledger of one namespace, read when it is asked for."""

    def __init__(self, place: Namespace, reasons: bool) -> None:
        self._host = place.host
        self._follower: Follower = follower(self._host)
        self._reasons = reasons

    def __enter__(self) -> Ledger:
        if self._reasons:
            gap = self._follower.watch_reasons(True)
            assert gap is None, gap
        self.read()
        self._follower.mark()
        return self

    def __exit__(self, *_: object) -> None:
        self._follower.close()

    def read(self) -> Table:
        readings = {name: Reading(0.0) for name in needed([LEDGER])}
        for name, reading in readings.items():
            reading.read(name, self._host, followed=False)
        snapshot = derived([LEDGER], readings_snapshot(readings))
        assert not snapshot.gaps, snapshot.gaps
        return with_ledger(snapshot, self._follower, readings_times(readings)).tables[LEDGER]

    def moved(self, entry: Way, lost: int) -> list[dict[str, object]]:
        """The rows that moved since this ledger was opened, a little after the expected number is reached."""
        until = time.monotonic() + SETTLED
        while time.monotonic() < until and not told_of(entry, lost, self._rows()):
            time.sleep(AFTER)
        time.sleep(AFTER)
        return self._rows()

    def _rows(self) -> list[dict[str, object]]:
        self.told = self.read()
        return [dict(row) for row in self.told.rows() if row.get("since")]

    def sums(self, layer: str) -> list[int]:
        """How many packets the drops panel says that a layer lost, inward and outward, by this namespace's own rows."""
        reach = self.told["reach"].cells()
        own = np.array([row for row, cell in enumerate(reach) if cell == NAMESPACE], np.intp)
        heads = Layers(self.told.take(own)).sums
        return [int(head["since"] or 0) for place, head in heads.items() if place[1] == layer]


def told_of(entry: Way, lost: int, rows: list[dict[str, object]]) -> bool:
    """Whether the counter has moved by that number, and the reason too."""
    counter, reason = [lost] * (entry.counter is None), [lost] * (entry.reason is None)
    for row in rows:
        if row["counter"] == entry.counter and entry.scope in str(row["scope"]):
            counter.append(int(str(row["since"])))
        if row["counter"] == f"kfree_skb.{entry.reason}":
            reason.append(int(str(row["since"])))
        reasons = row.get("reasons")
        if isinstance(reasons, dict) and entry.reason in reasons:
            reason.append(reasons[entry.reason])
    return max(counter, default=0) >= lost and max(reason, default=0) >= lost


def explained(entry: Way) -> set[str]:
    """Counters that may move beside the expected one: what knowledge joins to it, and what the way itself names."""
    names = {entry.counter} if entry.counter else set()
    for _ in range(2):
        for name in list(names):
            known = find.counter(name)
            names |= {*known.part_of, *known.along} if known else set()
    return names | entry.also
