"""Counting by the event skb:kfree_skb in a tracefs instance of our own, without namespace and device.

In the kernel by a histogram trigger where it has them (CONFIG_HIST_TRIGGERS), else here, from the event's buffers:
those are emptied when they are half full and at each reading, and what overran is counted as lost.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import select
import threading
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from collectors.host import Host
from collectors.table import Gap
from collectors.tracing import histogram, tracefs
from collectors.tracing.event import Event, event
from collectors.tracing.keys import KEY, NO_REASONS, Counts
from collectors.tracing.ring import records

EVENT = "events/skb/kfree_skb"
PAGE_SIZE = 64 << 10  # a read gives one page, of 4 KiB usually
BUFFERS = 64 << 10  # KiB of all processors together
LARGEST, SMALLEST = 4096, 256  # KiB for one
PAUSE = 20  # milliseconds: before 5.0 a buffer with anything in it wakes its reader
OVERRUN = re.compile(rb"^(?:overrun|dropped events): (\d+)", re.MULTILINE)
NOT_MOUNTED = "tracefs is not mounted; `mount -t tracefs nodev /sys/kernel/tracing` mounts it"
NO_EVENT = "the kernel has no event skb:kfree_skb"


class TracefsWay:
    """From here on every drop is counted, until ``close`` or the end of the process."""

    name = "tracefs"
    remedy = "more were dropped at a time than the trace buffer or table holds; read more often"

    def __init__(self, place: Path | None = None) -> None:
        place = place or tracefs.mounted(Host())
        if place is None:
            raise OSError(NOT_MOUNTED)
        if not (place / EVENT).is_dir() and os.access(place / "events", os.R_OK):
            raise OSError(NO_EVENT)
        self.event = event((place / EVENT / "format").read_bytes())
        self.reasons = self.event.reasons
        self.subsystems: dict[int, str] = {}
        self.gaps: tuple[Gap, ...] = () if "reason" in self.event.keys else (NO_REASONS,)
        with ExitStack() as opened:
            instance = tracefs.make(place)
            opened.callback(tracefs.remove, instance)
            self._source = counting(opened, instance, self.event)
            self._opened = opened.pop_all()
        atexit.register(self.close)

    def read(self) -> Counts:
        return self._source.read()

    def close(self) -> None:
        atexit.unregister(self.close)
        self._opened.close()


def counting(opened: ExitStack, instance: Path, described: Event) -> Histogram | Ring:
    """By a trigger if the kernel takes it."""
    folder = instance / EVENT
    if (folder / "hist").exists():
        with contextlib.suppress(OSError):
            (folder / "trigger").write_text(histogram.trigger(described.keys))
            return Histogram(opened, instance)
    return Ring(opened, instance, described)


class Histogram:
    """The kernel counts; its file is read as it stands."""

    def __init__(self, opened: ExitStack, instance: Path) -> None:
        self._file = instance / EVENT / "hist"
        descriptor = os.open(instance / "per_cpu/cpu0/trace_pipe_raw", os.O_RDONLY | os.O_NONBLOCK)
        opened.callback(os.close, descriptor)  # open, so that nobody takes the instance for left behind

    def read(self) -> Counts:
        return histogram.counts(self._file.read_bytes())


class Ring:
    """Counts are kept here, and a thread sleeps until a buffer is half full."""

    def __init__(self, opened: ExitStack, instance: Path, described: Event) -> None:
        self._event, self._lock, self._ended = described, threading.Lock(), False
        self._counts: dict[bytes, int] = {}
        self._cpus = sorted((instance / "per_cpu").glob("cpu*"))
        size = min(LARGEST, max(SMALLEST, BUFFERS // max(1, len(self._cpus))))
        (instance / "buffer_size_kb").write_text(str(size))
        self._pipes = []
        for cpu in self._cpus:
            self._pipes.append(os.open(cpu / "trace_pipe_raw", os.O_RDONLY | os.O_NONBLOCK))
            opened.callback(os.close, self._pipes[-1])
        self._wake = os.eventfd(0)
        opened.callback(os.close, self._wake)
        self._thread = threading.Thread(target=self._empty_when_full, daemon=True, name="drop reasons")
        self._thread.start()
        opened.callback(self._end)
        switch = instance / EVENT / "enable"
        switch.write_text("1")
        opened.callback(switch.write_text, "0")

    def read(self) -> Counts:
        self._empty()
        with self._lock:
            keys = np.frombuffer(b"".join(self._counts), KEY)
            drops = np.fromiter(self._counts.values(), np.uint64, len(self._counts))
        lost = sum(int(n) for cpu in self._cpus for n in OVERRUN.findall((cpu / "stats").read_bytes()))
        return Counts(keys, drops, lost)

    def _empty(self) -> None:
        """Count what is in the buffers now, and forget it."""
        with self._lock:
            for pipe in self._pipes:
                with contextlib.suppress(BlockingIOError):
                    while page := os.read(pipe, PAGE_SIZE):
                        self._add(page)

    def _add(self, page: bytes) -> None:
        found = records(page, self._event)
        keys = np.zeros(len(found), KEY)
        for name in self._event.keys:
            keys[name] = found[name]
        distinct: dict[bytes, int] = {}
        raw, size = keys.tobytes(), KEY.itemsize
        for at in range(0, len(raw), size):
            key = raw[at : at + size]
            distinct[key] = distinct.get(key, 0) + 1
        for key, drops in distinct.items():
            self._counts[key] = self._counts.get(key, 0) + drops

    def _empty_when_full(self) -> None:
        poll, ended = select.poll(), select.poll()
        for descriptor in (*self._pipes, self._wake):
            poll.register(descriptor, select.POLLIN)
        ended.register(self._wake, select.POLLIN)
        while not self._ended:
            poll.poll()
            with contextlib.suppress(OSError):
                self._empty()
            ended.poll(PAUSE)

    def _end(self) -> None:
        self._ended = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()
