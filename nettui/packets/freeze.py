"""What led to a loss: a capture's ring is kept when a row of the ledger satisfies a filter, and written to a file."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from collectors import Host
from collectors.capture.created import created
from collectors.capture.ring import HEADER, Frozen
from collectors.table import Gap
from collectors.values import Cell
from nettui.query import Query
from nettui.snapshot import gap
from nettui.sources import LEDGER, follower, watched

if TYPE_CHECKING:
    from nettui.ledger.follower import Follower

INTERVAL = 1.0  # seconds between readings of the ledger


class LossWatch:
    """Reads the ledger in a thread of its own until a counter that moved satisfies the filter, or ``stop``.

    ``seen``: that row, None until then. ``gap``: why it cannot be watched any more.
    """

    def __init__(self, host: Host, query: Query) -> None:
        self.seen: Mapping[str, Cell] | None = None
        self.gap: Gap | None = None
        self._host, self._query = host, query
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="losses")

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Until it has seen one, was stopped, or cannot go on."""
        self._thread.join()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        try:
            with closing(follower(self._host)) as followed:
                self._watch(followed)
        except Exception as error:  # the capture goes on, and says that nothing watches any more
            self.gap = gap(error)

    def _watch(self, followed: Follower) -> None:
        for snapshot in watched(self._host, INTERVAL, followed):
            if self._stopped.is_set():
                return
            table = snapshot.tables[LEDGER]
            moved = table.numbers("delta")
            rows = np.flatnonzero(self._query.mask(table) & moved.present() & (moved.numbers > 0))
            if len(rows):
                self.seen = table.row(int(rows[0]))
                return


def written(frozen: Frozen, path: Path) -> int:
    """A pcap file, 0600, of what was kept: bytes written. Raises OSError."""
    descriptor = created(path)
    try:
        size = 0
        for part in frozen.parts():
            view = part.data if not size else part.data[HEADER:]
            at = 0
            while at < len(view):
                at += os.write(descriptor, view[at:])
            size += at
        return size
    finally:
        os.close(descriptor)
