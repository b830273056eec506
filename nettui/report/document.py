"""Report: the sections of one moment, with the rows chosen from each, before any format."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors import Host
from collectors.table import Gap, Table
from nettui.panels.panel import Panel
from nettui.scrub import scrub

SCHEMA = 1
CHUNK = 4096  # rows that are turned into text at a time


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its table with the chosen columns and ``rows``, positions in it in order, or the Gap in its place.

    ``total``: rows before the limit. ``elapsed``: seconds of reading. ``chosen``: the user named the columns.
    ``filtered``: the user gave a filter, for which rows may have been left out of the table already.
    """

    panel: Panel
    table: Table | Gap
    rows: NDArray[np.intp] | None = None
    total: int = 0
    elapsed: float = 0.0
    chosen: bool = False
    filtered: bool = False

    def __len__(self) -> int:
        if self.rows is not None:
            return len(self.rows)
        return 0 if isinstance(self.table, Gap) else len(self.table)

    def chunks(self) -> Iterator[Table]:
        """The chosen rows as tables of at most CHUNK rows."""
        assert isinstance(self.table, Table)
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            yield self.table.take(part if self.rows is None else self.rows[part])


@dataclass(frozen=True, slots=True)
class Report:
    """Sections as of ``at`` (seconds since the epoch); ``host``: hostname, kernel, netns."""

    at: float
    host: dict[str, str | None]
    sections: tuple[Section, ...]

    @property
    def taken_at(self) -> str:
        """RFC 3339 in UTC, to the millisecond."""
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.at))
        return f"{whole}.{int(self.at % 1 * 1000):03d}Z"


def whereabouts(host: Host) -> dict[str, str | None]:
    """Which host a report is of; ``netns`` is None in the caller's own namespace."""
    system = os.uname()
    netns = None if host.netns is None else scrub(host.netns)
    return {"hostname": scrub(system.nodename), "kernel": scrub(system.release), "netns": netns}
