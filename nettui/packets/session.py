"""Session: a capture or a file as a screen wants it, read and filtered by threads of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from collectors.table import Gap, Table
from collectors.wire.netlink import DecodeError
from nettui.packets import talkers
from nettui.packets.flows import Flows
from nettui.packets.judged import marked
from nettui.packets.listing import Listing, Rows
from nettui.packets.live import LiveCapture, Losses
from nettui.packets.owners import owned
from nettui.packets.reading import Batch
from nettui.packets.store import Kept, Store
from nettui.query import Query, QueryError
from nettui.rates import with_rates
from nettui.snapshot import gap

LIVE_ROOM, FILE_ROOM = 4 << 20, 256 << 20  # bytes for the headers of a capture, of a file
PACE = 0.1  # seconds between two listings, and in which a quiet device's packets are taken together
FEW = 1000  # packets of a batch that is waited after
SUMMARY = 1.0  # seconds between two summaries
NO_ROWS = np.zeros(0, np.uint32)


class Amount:
    """Packets and bytes on the wire that were read so far; first and last time, nanoseconds since 1970, 0: none yet."""

    def __init__(self) -> None:
        self.packets = self.bytes = self.first = self.last = 0

    def add(self, table: Table) -> None:
        times = table.numbers("time").numbers
        self.first = self.first or int(times[0])
        self.packets += len(table)
        self.bytes += int(table.numbers("length").numbers.sum())
        self.last = int(times[-1])


class Session:
    """``name``: of the device or the file. ``listing`` and ``summary`` are replaced as a whole by a thread of its own.

    ``ended``: nothing more will be read. ``view``: the summary that is wanted, "" for none. ``sockets``: those of the
    host, to tell whose packets they are. ``fault``: why the filter could not be worked out.
    """

    def __init__(self, name: str, batches: Iterator[Batch | Gap | None], live: LiveCapture | None = None) -> None:
        self.name, self.live = name, live
        self.read = Amount()
        self.gaps: tuple[Gap, ...] = ()
        self.ended = self.frozen = False
        self.listing, self.fault, self.view = Listing(), "", ""
        self.summary: tuple[str, Table] | None = None  # by its view
        self.sockets: Table | None = None
        self._batches = batches
        self._store = Store(LIVE_ROOM, live.records) if live else Store(FILE_ROOM)
        self._flows, self._protocols = Flows(), talkers.Protocols()
        self._counting = threading.Lock()
        self._counted: tuple[str, Table, float] | None = None  # the last summary without its rates, and when it was
        self._where: Query | None = None
        self._known: dict[Kept, Rows] = {}  # rows that the filter takes
        self._stopped = self._hurried = False
        self._wake = threading.Condition()
        self._changed = True
        self._threads = [
            threading.Thread(target=run, daemon=True, name=name)
            for run, name in ((self._read, "packets"), (self._list, "listing"))
        ]

    def start(self) -> None:
        if self.live:
            self.live.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the capture; what came before is still shown."""
        if self.live:
            self.live.stop()

    def close(self) -> None:
        """End all of it."""
        self._stopped = True
        self.stop()
        with self._wake:
            self._wake.notify_all()

    def filter(self, where: Query | None) -> None:
        """Show the packets that satisfy it; the listing of before stays until that is worked out."""
        with self._wake:
            self._where, self._changed, self._hurried = where, True, True
            self._wake.notify_all()

    def freeze(self, frozen: bool) -> None:
        """While frozen, what can be seen now stays: the capture goes on behind it, and holds as much again."""
        with self._wake:
            self.frozen, self._changed = frozen, True
            self._wake.notify_all()

    def show(self, view: str) -> None:
        """The summary that is wanted, one of VIEWS; "" for none."""
        with self._wake:
            self.view, self._hurried = view, True
            self._wake.notify_all()

    def losses(self) -> Losses | None:
        """None of a file."""
        return self.live.losses() if self.live else None

    def _read(self) -> None:
        try:
            for found in self._batches:
                if self._stopped:
                    break
                began = time.monotonic()
                if isinstance(found, Gap):
                    self._tell(found)
                elif found is not None:
                    self._take(found)
                    if self.live and len(found.records) < FEW:
                        time.sleep(max(0.0, PACE - (time.monotonic() - began)))
        except DecodeError as error:
            self._tell(Gap(f"no capture file: {error.why}"))
        except Exception as error:  # whatever the file or the device makes of it is told
            self._tell(gap(error))
        finally:
            if self.live:
                self._tell(*self.live.gaps())
            with self._wake:
                self.ended = self._changed = True
                self._wake.notify_all()

    def _take(self, batch: Batch) -> None:
        self.read.add(batch.table)
        with self._counting:
            marks = self._flows.add(batch.table)
            self._protocols.add(batch.table)
        self._store.add(Batch(batch.records, marked(batch.table, marks), batch.place))
        if self.live:
            self._store.forget(self.live.ring.dropped.packets)
        with self._wake:
            self._changed = True
            self._wake.notify_all()

    def _tell(self, *gaps: Gap) -> None:
        with self._wake:
            self.gaps = tuple(dict.fromkeys((*self.gaps, *gaps)))

    def _list(self) -> None:
        while not self._stopped:
            with self._wake:
                self._wake.wait_for(lambda: self._changed or self._hurried or self._stopped, SUMMARY)
                changed, where = self._changed, self._where
                self._changed = self._hurried = False
            if changed and (not self.frozen or where is not self.listing.where):
                self._make_listing(where)
            view = self.view
            if view and (not self.frozen or self.summary is None or self.summary[0] != view):
                try:
                    self._make_summary(view)
                except Exception as error:  # the packets are shown all the same
                    self._tell(gap(error))
            with self._wake:  # a wish is answered at once, packets that come are taken together
                self._wake.wait_for(lambda: self._stopped or self._hurried, PACE)

    def _make_summary(self, view: str) -> None:
        now, last = time.monotonic(), self._counted
        if last is not None and last[0] == view and now - last[2] < SUMMARY:
            return
        with self._counting:
            flows = self._flows.table()
            protocols = self._protocols.table()
        known = self.sockets if self.sockets is not None and "process" in self.sockets else None
        table = VIEWS[view](flows, protocols, known)
        self._counted = view, table, now
        if self.live and last is not None and last[0] == view:
            table = with_rates(table, last[1], now - last[2])
        self.summary = view, table

    def _make_listing(self, where: Query | None) -> None:
        batches = self.listing.batches if self.frozen else self._store.batches()
        if where is not self.listing.where:
            self._known = {}
        known, self.fault = self._known, ""
        try:
            self._known = {kept: known[kept] if kept in known else taken(kept, where) for kept in batches}
            rows = list(self._known.values())
        except Exception as error:  # a pattern that is too costly, or whatever the packets make of it
            self.fault = error.message if isinstance(error, QueryError) else gap(error).reason
            self._known, rows = {}, [NO_ROWS] * len(batches)
        self.listing = Listing(batches, rows, where, self.listing)


def taken(kept: Kept, where: Query | None) -> Rows:
    """The rows that a filter takes."""
    if where is None:
        return None
    mask = where.mask(kept.table())
    return None if mask.all() else np.flatnonzero(mask).astype(np.uint32)


VIEWS: Mapping[str, Callable[[Table, Table, Table | None], Table]] = {  # of flows, protocols, and the host's sockets
    "flows": lambda flows, protocols, sockets: owned(flows, sockets),
    "addresses": lambda flows, protocols, sockets: talkers.addresses(flows),
    "ports": lambda flows, protocols, sockets: talkers.ports(flows),
    "protocols": lambda flows, protocols, sockets: protocols,
    "processes": lambda flows, protocols, sockets: talkers.processes(owned(flows, sockets)),
}
