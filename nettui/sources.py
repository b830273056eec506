"""Where sections come from: read once for a report, or followed line by line; nettui.live keeps a screen fresh."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from collectors import Host
from collectors.collector import Equalities
from collectors.netlink.changes import FOLLOWED
from collectors.registry import collector
from collectors.table import Gap, Table
from nettui.derive import SECTIONS, derive, fill
from nettui.rates import with_rates
from nettui.snapshot import Snapshot, gap, take

if TYPE_CHECKING:
    from nettui.ledger.follower import Follower

BUDGET = 0.05  # share of one core that reading may take
SHARE = 0.0025  # of one core that each table of a watch may take, if it is read every other round all the same
SAFETY = 60.0  # seconds after which a followed table is read again although no change was heard of
LEDGER = "drops"


def read(sections: Sequence[str], host: Host, equalities: Mapping[str, Equalities] | None = None) -> Snapshot:
    """Sections read once; tables and gaps by section.

    ``equalities``: by section, what its rows must have. Others may be left out of its own table, where no other section
    is made of that too.
    """
    names = [name for section in sections for name in SECTIONS[section].needs]
    alone = {SECTIONS[section].needs[0]: wanted for section, wanted in (equalities or {}).items()}
    raw = take(needed(sections), host, {name: alone[name] for name in alone if names.count(name) == 1})
    snapshot = derived(sections, raw)
    if LEDGER not in snapshot.tables:
        return snapshot
    return with_ledger(snapshot, follower(host), dict.fromkeys(raw.tables, time.monotonic()))


def follower(host: Host) -> Follower:
    """What follows the ledger of a namespace; imported when it is asked for."""
    from nettui.ledger.follower import Follower

    return Follower(host)


def with_ledger(snapshot: Snapshot, follower: Follower, read: Mapping[str, float]) -> Snapshot:
    """The snapshot with what moved in its ledger; ``read``: when each table was read, by a steady clock."""
    ledger = follower.follow(snapshot.tables[LEDGER], read, snapshot.at)
    return replace(snapshot, tables={**snapshot.tables, LEDGER: ledger})


def needed(sections: Iterable[str]) -> list[str]:
    """The collectors that sections are made of, each once."""
    return list(dict.fromkeys(name for section in sections for name in SECTIONS[section].needs))


def derived(sections: Iterable[str], raw: Snapshot) -> Snapshot:
    tables: dict[str, Table] = {}
    gaps: dict[str, Gap] = {}
    for section in sections:
        found = attempted(section, raw)
        if isinstance(found, Gap):
            gaps[section] = found
        else:
            tables[section] = found
    elapsed = {section: sum(raw.elapsed.get(name, 0) for name in SECTIONS[section].needs) for section in sections}
    fills = {section: full for section in tables if (full := fill(section, raw))}
    return Snapshot(raw.at, tables, gaps, elapsed, fills)


def attempted(section: str, raw: Snapshot) -> Table | Gap:
    """One section; a join that fails costs this section and no other."""
    try:
        return derive(section, raw)
    except Exception as error:
        return gap(error)


def watched(host: Host, interval: float, follower: Follower) -> Iterator[Snapshot]:
    """The ledger, followed, every ``interval`` seconds for as long as it is asked for.

    A table that is dear to read is read less often, so that reading takes at most its share of one core.
    """
    readings = {name: Reading(interval) for name in needed([LEDGER])}
    due = time.monotonic()
    while True:
        # half an interval of grace: else one that was late would miss every other round
        names = [name for name, reading in readings.items() if reading.is_due(time.monotonic() + interval / 2)]
        with entered(host) as inside:
            for name in names:
                readings[name].read(name, inside, followed=False)
        snapshot = derived([LEDGER], readings_snapshot(readings))
        yield with_ledger(snapshot, follower, readings_times(readings))
        due = max(due + interval, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


@contextmanager
def entered(host: Host) -> Iterator[Host]:
    """The host's namespace, entered once for several tables; one that cannot be is told by each of them."""
    with ExitStack() as stack:
        try:
            inside = stack.enter_context(host.pinned())
        except OSError:
            inside = host
        yield inside


def readings_snapshot(readings: Mapping[str, Reading]) -> Snapshot:
    """What the last readings gave."""
    tables = {name: reading.table for name, reading in readings.items() if reading.table is not None}
    gaps = {name: reading.gap for name, reading in readings.items() if reading.gap is not None}
    return Snapshot(time.time(), tables, gaps, {name: reading.elapsed for name, reading in readings.items()})


def readings_times(readings: Mapping[str, Reading]) -> dict[str, float]:
    """When each table that could be read was."""
    return {name: reading.at for name, reading in readings.items() if reading.table is not None}


class Reading:
    """The last reading of one table, and when the next is due (time.monotonic seconds).

    ``interval``: seconds between readings, of a reader who works out himself what moved; None: the table's own pace,
    and its counters have rates.
    """

    def __init__(self, interval: float | None = None) -> None:
        self._interval = interval
        self.table: Table | None = None
        self.gap: Gap | None = None
        self.due = 0.0
        self.earliest = 0.0
        self.elapsed = 0.0
        self.spent = 0.0  # seconds of processor time
        self.dirty = False
        self._plain: Table | None = None
        self.at = 0.0

    def is_due(self, now: float) -> bool:
        return now >= self.due or (self.dirty and now >= self.earliest)

    def read(self, name: str, host: Host, followed: bool) -> None:
        started, spent = time.monotonic(), time.process_time()
        self.dirty = False
        taken = take([name], host)
        plain = taken.tables.get(name)
        self.gap, self.elapsed = taken.gaps.get(name), taken.elapsed[name]
        if plain is None or self._plain is None or self._interval is not None:
            self.table = plain
        else:
            self.table = with_rates(plain, self._plain, started - self.at)
        self._plain, self.at = plain, started
        period = collector(name).every
        if self._interval is not None:
            period = self._interval if period <= 1 else max(period, self._interval)
        if followed and name in FOLLOWED and plain is not None:
            period = max(period, SAFETY)
        self.spent = time.process_time() - spent
        pause = max(0.2, self.spent / BUDGET)
        if self._interval is not None:
            pause = max(pause, min(self.spent / SHARE, 2 * self._interval))
        self.earliest = time.monotonic() + pause
        self.due = max(started + period, self.earliest)
