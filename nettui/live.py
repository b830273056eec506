"""Sections kept fresh for the screen by one worker thread, and the ledger followed behind them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from collectors import Host
from collectors.netlink.changes import Changes
from collectors.table import Gap
from nettui.snapshot import Snapshot, gap
from nettui.sources import (
    BUDGET,
    LEDGER,
    Reading,
    derived,
    entered,
    follower,
    needed,
    readings_snapshot,
    readings_times,
    with_ledger,
)

if TYPE_CHECKING:
    from nettui.ledger.follower import Follower

IDLE = 3600.0
LISTEN = 0.5  # seconds between looks at what the kernel told
TOGETHER = 0.5  # seconds within which tables that will be due are read with those that are
ASIDE = 0.01  # share of one core that following the ledger may take while it is not on screen
ROUND = 10.0  # seconds between two readings of the ledger then
FIRST = 1.0  # seconds for which a new screen has the worker for itself
PATIENCE = 0.5  # seconds to wait at the end for drop reasons to be let go of


class Live:
    """Keeps the sections on screen fresh from one worker thread, and delivers each new snapshot to a callback.

    A table is due when its period has passed, or, where the kernel tells of changes, when it has told of one; and
    never before the processor time of its last reading, and of all that was read and joined last, has become 5 % of
    the time since, unless it is asked for.

    The ledger is followed from the start, whatever is on screen, so that it can tell what moved since then and when:
    in slow rounds of its own, a table at a time, as part of the same 5 %.
    """

    def __init__(self, host: Host, deliver: Callable[[Snapshot], None]) -> None:
        self._host, self._deliver = host, deliver
        self._sections: tuple[str, ...] = ()
        self._wake = threading.Condition()
        self._stopped = self._frozen = self._asked = False
        self._readings: dict[str, Reading] = {}
        self._earliest = 0.0  # time.monotonic before which nothing is read unasked
        self._changes: Changes | None = None
        self._inode: int | None = -1  # of the namespace that changes are heard from
        self._follower: Follower | None = None  # of the ledger, from its first reading on
        self._wishes: list[Callable[[Follower], object]] = []  # what the reader asked of it meanwhile
        self._round: list[str] = []  # tables of the ledger that are still to be read in this round
        self._next = time.monotonic() + FIRST  # when the next of them may be
        self._reasons: str | Gap = ""
        self.followed: float | None = None  # since when the ledger is, seconds since the epoch
        self._thread = threading.Thread(target=self._run, daemon=True, name="live")

    def start(self) -> None:
        self._thread.start()

    def show(self, sections: Sequence[str]) -> None:
        """What is on screen from now on; delivered at once, then as it changes."""
        with self._wake:
            self._sections, self._asked = tuple(sections), True
            self._wake.notify()

    def refresh(self) -> None:
        """Read what is on screen now, whatever its pace."""
        with self._wake:
            self._asked = True
            for reading in list(self._readings.values()):  # the worker may add one meanwhile
                reading.due = 0.0
            self._wake.notify()

    def freeze(self, frozen: bool) -> None:
        """While frozen nothing is read or delivered; then what is on screen is delivered at once."""
        with self._wake:
            self._frozen = frozen
            self._asked |= not frozen
            self._wake.notify()

    @property
    def reasons(self) -> str | Gap:
        """How drop reasons are counted now ("bpf", "tracefs"), "" when they are not, or what stands in the way."""
        return self._reasons

    def mark(self) -> None:
        """From now on the ledger counts what moved anew; it is read now, whatever is on screen."""
        self._wish(lambda follower: follower.mark())

    def watch_reasons(self, wanted: bool) -> None:
        """Begin or end counting drop reasons."""

        def watch(follower: Follower) -> None:
            refused = follower.watch_reasons(wanted)
            self._reasons = refused if wanted and refused else follower.reasons_by

        self._wish(watch)

    def _wish(self, wish: Callable[[Follower], object]) -> None:
        with self._wake:
            self._wishes.append(wish)
        self.refresh()

    def stop(self) -> None:
        """Nothing is read any more; drop reasons are let go of before this returns, unless a reading hangs."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._reasons and self._thread.is_alive():
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            self._work()
        finally:
            if self._follower:
                self._follower.close()
            if self._changes:
                self._changes.close()

    def _work(self) -> None:
        while not self._stopped:
            with self._wake:
                sections, asked = self._sections, self._asked and not self._frozen
                if asked:
                    self._asked = False
            try:
                self._serve(sections, asked)
            except Exception as error:  # whatever fails here is shown, and the next round tries again
                self._deliver(Snapshot(time.time(), {}, dict.fromkeys(sections, gap(error))))
                time.sleep(LISTEN)
            with self._wake:
                if not (self._stopped or (self._asked and not self._frozen)):
                    self._wake.wait(self._pause(sections))

    def _serve(self, sections: Sequence[str], asked: bool) -> None:
        if not sections or self._frozen:
            return
        self._follow()
        wishes = self._taken_wishes()
        due = self._update((*sections, LEDGER) if wishes else sections, asked)
        if wishes:
            self._grant(wishes)
        if due or asked:
            started = time.thread_time()
            snapshot = self._snapshot(sections)
            spent = time.thread_time() - started + sum(self._readings[name].spent for name in due)
            self._earliest = time.monotonic() + spent / BUDGET
            if not self._frozen and not self._stopped:  # it may have come while this was read
                self._deliver(snapshot)
        elif LEDGER not in sections:
            self._read_aside(sections)

    def _taken_wishes(self) -> list[Callable[[Follower], object]]:
        with self._wake:
            wishes, self._wishes = self._wishes, []
        return wishes

    def _grant(self, wishes: Sequence[Callable[[Follower], object]]) -> None:
        """What was asked of the ledger, as of its reading of now."""
        self._snapshot([LEDGER])
        for wish in wishes:
            if self._follower:
                wish(self._follower)

    def _read_aside(self, sections: Sequence[str]) -> None:
        """The next table of the ledger, when it is time for it; after the last one what moved is worked out."""
        if time.monotonic() < self._next:
            return
        started = time.thread_time()
        self._round = self._round or needed([LEDGER])
        name = self._round.pop(0)
        if name not in needed(sections):  # those are read anyway, and a reading more would swallow what moved
            reading = self._readings.setdefault(name, Reading())
            with entered(self._host) as inside:
                reading.read(name, inside, self._changes is not None)
        if not self._round:
            self._snapshot([LEDGER])
        spent, now = time.thread_time() - started, time.monotonic()
        self._earliest = max(self._earliest, now) + spent / BUDGET
        self._next = now + (spent / ASIDE if self._round else max(ROUND, spent / ASIDE))

    def _follow(self) -> None:
        """Listen in the namespace that the host stands for now: its name may have come to mean another one."""
        try:
            inode = self._host.namespace_path().stat().st_ino
        except OSError:
            inode = None
        if inode == self._inode:
            return
        if self._changes:
            self._changes.close()
        try:
            self._changes = Changes(self._host)
        except OSError:
            self._changes = None  # then every table is polled
        self._inode = inode
        for reading in self._readings.values():
            reading.due = 0.0

    def _update(self, sections: Sequence[str], asked: bool) -> list[str]:
        """Read what is due; the names of these tables."""
        changed = self._changes.heard() if self._changes else set()
        due = []
        for name in needed(sections):
            reading = self._readings.setdefault(name, Reading())
            reading.dirty |= name in changed
            now = time.monotonic()
            if (asked or now >= self._earliest) and reading.is_due(now):
                due.append(name)
        if due:  # with those that would be due in a moment: a round for each of them would cost more
            now = time.monotonic()
            readings = [(name, self._readings[name]) for name in needed(sections) if name not in due]
            due += [name for name, reading in readings if now >= max(reading.earliest, reading.due - TOGETHER)]
        with entered(self._host) as inside:
            for name in due:
                self._readings[name].read(name, inside, self._changes is not None)
        return due

    def _pause(self, sections: Sequence[str]) -> float:
        if not sections or self._frozen:
            return IDLE
        dues = [reading.due for name in needed(sections) if (reading := self._readings.get(name))]
        due = max(min(dues, default=0.0), self._earliest)
        pause = (due if LEDGER in sections else min(due, self._next)) - time.monotonic()
        return max(0.05, min(pause, LISTEN) if self._changes else pause)

    def _snapshot(self, sections: Sequence[str]) -> Snapshot:
        names = [name for name in needed(sections) if name in self._readings]
        snapshot = derived(sections, readings_snapshot({name: self._readings[name] for name in names}))
        if LEDGER not in snapshot.tables:
            return snapshot
        self._follower = self._follower or follower(self._host)
        self.followed = self.followed or snapshot.at
        return with_ledger(snapshot, self._follower, readings_times(self._readings))
