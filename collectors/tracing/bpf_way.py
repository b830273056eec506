"""Counting by BPF: the program on the raw tracepoint kfree_skb, its map, and reading the map in one call."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from collectors.table import Gap
from collectors.tracing import bpf
from collectors.tracing.btf import Btf
from collectors.tracing.keys import KEY, NO_REASONS, UNCOUNTED, Counts
from collectors.tracing.program import TRACEPOINT, counting, layout, namespace_operations

ENTRIES = 16384
FEWEST = 4096
MEMORY = 8 << 20  # bytes of counters that the kernel may hold for us: with very many processors fewer entries
POSSIBLE = Path("/sys/devices/system/cpu/possible")


class BpfWay:
    """From here on every drop is counted, until ``close`` or the end of the process."""

    name = "bpf"
    remedy = "start counting anew: the kernel's table for it is full, or a drop interrupted the counting of another"
    gaps: tuple[Gap, ...]
    reasons: dict[int, str]

    def __init__(self, types: Btf | None = None, entries: int = ENTRIES) -> None:
        types = types or Btf.read()
        try:
            self.reasons = types.enumerators("skb_drop_reason")
        except KeyError:
            self.reasons = {}
        self.subsystems = subsystems(types)
        at = layout(types, self.reasons)
        self.gaps = () if at.reason is not None else (NO_REASONS,)
        cpus = possible_cpus()
        self.entries = min(entries, max(FEWEST, MEMORY // (8 * cpus)))
        self._closed = False
        self._keys = np.empty(self.entries, KEY)
        self._values = np.empty((self.entries, cpus), np.uint64)
        with ExitStack() as opened:
            self._counts = self._open(opened, bpf.create_percpu_hash(KEY.itemsize, 8, self.entries, b"nettui_drops"))
            bpf.update(self._counts, UNCOUNTED, bytes(8 * cpus))
            code = counting(at, self._counts, self._operations(namespace_operations(at)))
            number = types.tracepoint(TRACEPOINT).type
            self._program = self._open(opened, bpf.load_typed_tracepoint(code, b"nettui_drops", number))
            self._open(opened, bpf.attach(self._program))
            self._opened = opened.pop_all()

    def read(self) -> Counts:
        """Every key with its drops, of all processors together."""
        if self._closed:  # its descriptors' numbers may be somebody else's now
            raise OSError(errno.EBADF, "drop reasons are no longer counted")
        found = bpf.look_up_all(self._counts, self._keys, self._values)
        keys, drops = self._keys[:found], self._values[:found].sum(axis=1)
        uncounted = keys["location"] == 0
        lost = int(drops[uncounted].sum()) + bpf.statistics(self._program)[2]
        return Counts(keys[~uncounted], drops[~uncounted], lost)

    def statistics(self) -> tuple[int, int, int]:
        """Of the program, as bpf.statistics."""
        return bpf.statistics(self._program)

    def close(self) -> None:
        self._closed = True
        self._opened.close()

    @staticmethod
    def _open(opened: ExitStack, descriptor: int) -> int:
        opened.callback(os.close, descriptor)
        return descriptor

    @staticmethod
    def _operations(code: bytes) -> int:
        program = bpf.load_raw_tracepoint(code, b"nettui_netns")
        try:
            found = bpf.run_once(program)
        finally:
            os.close(program)
        if not found:
            raise OSError("the kernel did not show this task's network namespace to a BPF program")
        return found


def subsystems(types: Btf) -> dict[int, str]:
    """Who gives the reasons whose upper half is not 0; since 6.4."""
    try:
        found = types.enumerators("skb_drop_reason_subsys")
    except KeyError:
        return {}
    return {number: name.removeprefix("SKB_DROP_REASON_SUBSYS_") for number, name in found.items()}


def possible_cpus(path: Path = POSSIBLE) -> int:
    """For so many processors a per-CPU map has values, whether they are there or not."""
    last = path.read_text().strip().split(",")[-1]
    return int(last.split("-")[-1]) + 1
