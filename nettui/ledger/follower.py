"""Follower: the ledger kept up from reading to reading, with drop reasons and the processes behind sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from collectors import Host
from collectors.host import NAMED
from collectors.registry import collector
from collectors.table import Gap, Table, concatenate
from collectors.values import Codes, Numbers
from nettui.ledger import reasons
from nettui.ledger.history import History, ordered
from nettui.ledger.ledger import RANKS, table_of
from nettui.snapshot import gap

if TYPE_CHECKING:
    from collectors.tracing.reasons import DropReasons

REASONS = "drop_reasons"
Holder = tuple[str | None, int | None]


class Follower:
    """One namespace's ledger. Drop reasons are counted only between ``watch_reasons(True)`` and ``close``."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._history = History()
        self._holders: dict[int, Holder] = {}  # by socket inode; (None, None): nobody that may be looked into
        self._devices: dict[int, str] = {}
        self._reasons: DropReasons | None = None
        self._began = 0.0  # when reasons began to be counted, seconds since the epoch
        self._gap: Gap | None = None
        self._inode: int | None = None  # of the namespace that was followed last

    @property
    def watching_reasons(self) -> bool:
        return self._reasons is not None

    @property
    def reasons_by(self) -> str:
        """How drop reasons are counted, "bpf" or "tracefs"; "" while they are not."""
        return self._reasons.way if self._reasons else ""

    def watch_reasons(self, wanted: bool) -> Gap | None:
        """Begin or end counting drop reasons; why they cannot be counted, if so."""
        if not wanted or self._reasons:
            self.close()
        if wanted:
            from collectors.tracing.reasons import DropReasons, NoDropReasons

            try:
                self._reasons = DropReasons(self._host)
            except NoDropReasons as error:
                self._gap = error.gap
            except OSError as error:
                self._gap = gap(error)
            else:
                self._history.begin(REASONS, time.monotonic())
                self._began = time.time()
        return self._gap

    def close(self) -> None:
        if self._reasons:
            self._reasons.close()
        self._reasons, self._gap = None, None

    def mark(self) -> None:
        self._history.mark()

    def follow(self, table: Table, read: Mapping[str, float], at: float) -> Table:
        """The ledger with what moved; arguments as for ``History.follow``."""
        gaps = [self._gap] if self._gap else []
        self._renew()
        if self._reasons:
            found = self._read_reasons()
            gaps += found.gaps
            table, read = concatenate([table, found]), {**read, REASONS: time.monotonic()}
        told = self._history.follow(table, read, at)
        if self._reasons:
            told = reasons.joined(told, self._began)
        return ordered(self._with_holders(told), RANKS).with_gaps(gaps)

    def _renew(self) -> None:
        """Begin anew when the name of the namespace has come to mean another one, whose counters are others."""
        with suppress(OSError):
            inode = self._host.namespace_path().stat().st_ino
            if self._inode not in (None, inode):
                self._history = History()
                self._devices.clear()
                if self._reasons:
                    self._history.begin(REASONS, time.monotonic())
            self._inode = inode

    def _read_reasons(self) -> Table:
        assert self._reasons is not None
        try:
            table = self._reasons.read()
        except OSError as error:
            return table_of({}).with_gaps([gap(error)])
        found = reasons.rows(table, self._inode, self._device, namespace_name, everywhere=self._host.netns is None)
        return table_of({REASONS: found}).with_gaps(table.gaps)

    def _device(self, index: int) -> str | None:
        """The name of a device, asked for when one is met that is not known yet."""
        if index not in self._devices:
            with suppress(OSError):
                self._devices = dict(self._host.inside(socket.if_nameindex))
            self._devices.setdefault(index, f"if{index}")
        return self._devices[index]

    def _with_holders(self, table: Table) -> Table:
        """With the process that holds each socket; /proc is searched only when a socket is met that is not known."""
        inodes = table["inode"].cells()
        if any(isinstance(inode, int) and inode not in self._holders for inode in inodes):
            self._search({inode for inode in inodes if isinstance(inode, int)})
        holders = [
            self._holders.get(inode, (None, None)) if isinstance(inode, int) else (None, None) for inode in inodes
        ]
        pids = np.array([pid or 0 for _, pid in holders], np.uint32)
        columns = [table.column("process"), table.column("pid")]
        return table.extended(
            columns,
            {"process": Codes.of([name for name, _ in holders]), "pid": Numbers(pids, pids > 0)},
        )

    def _search(self, inodes: set[int]) -> None:
        found: dict[int, Holder] = dict.fromkeys(inodes, (None, None))
        with suppress(OSError):
            for owner in collector("socket_owners").collect(self._host).rows():
                inode = owner["inode"]
                if isinstance(inode, int) and inode in inodes:
                    found[inode] = (str(owner["comm"]), int(str(owner["pid"])))
        self._holders = found


def namespace_name(inode: int) -> str | None:
    """The name below /run/netns of a namespace, by the inode of its file."""
    for folder in NAMED:
        with suppress(OSError):
            for path in folder.iterdir():
                with suppress(OSError):
                    if path.stat().st_ino == inode:
                        return path.name
    return None
