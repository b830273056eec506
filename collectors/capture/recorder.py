"""The thread that records: packets of a device into a ring, and how many there were and were lost."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import weakref
from dataclasses import dataclass, replace

from collectors.capture.device import BLOCK, CaptureError, Device, State
from collectors.capture.dumper import Dumper
from collectors.capture.libpcap import Program
from collectors.capture.ring import Ring, Segment
from collectors.table import Gap

PUBLISHED = 1 << 20  # bytes after which readers may have them, though there are more at once
FEWEST, MOST = 512, 65536  # packets of one dispatch: with few, a busy interpreter would be asked for its lock too often
WAIT = 0.25  # seconds between looks at the statistics, when nothing arrives
STATISTICS = 0.5
DRAIN = 0.5  # seconds for which a stop may read what had come before it


@dataclass(frozen=True, slots=True)
class Counts:
    """Since the start. ``captured`` packets and ``bytes`` of them are or were in the ring; three other numbers were
    not: ``kernel_drops`` (its buffer was full), ``interface_drops`` (the device lost them: None on "any"), and
    ``unwritten`` (a full disk, before the capture went on in memory). ``state`` of the device: up, down or gone.
    """

    captured: int = 0
    bytes: int = 0
    kernel_drops: int = 0
    interface_drops: int | None = None
    unwritten: int = 0
    state: State = "up"


class Recorder:
    """Records from ``start`` until ``stop``, ``count`` packets, or the end of the device, which it closes.

    ``ended`` tells why it ended by itself, None where it was stopped or had its count. ``gaps``: what went wrong
    without an end. The ring may be read at any time, and after the end.
    """

    def __init__(self, device: Device, ring: Ring, count: int | None = None) -> None:
        self.device, self.ring = device, ring
        self.ended: Gap | None = None
        self.gaps: tuple[Gap, ...] = ()
        self.counts = Counts()
        self._left = count
        self._most = FEWEST
        self._segment: Segment | None = None
        self._dumper: Dumper | None = None
        self._pending = 0  # packets written and not published
        self._measured = 0.0
        self._filter: Program | None = None  # one that is to be set
        self._stopping = threading.Event()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        weakref.finalize(self, os.close, self._wake)
        self._thread = threading.Thread(target=self._run, daemon=True, name="capture")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it: what the kernel had by now is still read. Returns when all of it can be read."""
        self._stopping.set()
        os.eventfd_write(self._wake, 1)
        if self._thread.ident is None and not self.ring.ended:
            self._close()
        elif self._thread.is_alive():
            self._thread.join()

    def filter(self, filter: str) -> None:
        """Capture on with another filter into the same ring.

        Raises FilterError for one that is wrong, ValueError after the end. May wait for name servers, unlike the thread
        that records.
        """
        self._filter = self.device.compiled(filter)
        os.eventfd_write(self._wake, 1)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until it has ended by itself; False when the time is over before."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._begin()
            while not self._stopping.is_set() and self._left != 0:
                self._turn(WAIT)
            self._drain()
        except CaptureError as error:
            self.ended = error.gap
        except OSError as error:
            self.ended = Gap(f"the capture has ended: {error.strerror or error}", "what was captured can be read")
        finally:
            self._close()

    def _drain(self) -> None:
        """The kernel hands over a block that is not full when its time has come."""
        until = time.monotonic() + 2 * BLOCK / 1000
        latest = until + DRAIN
        while self._left != 0 and (now := time.monotonic()) < until:
            if self._turn(until - now):
                until = min(time.monotonic() + BLOCK / 1000, latest)

    def _turn(self, timeout: float) -> int:
        """Wait for packets, and record those that are there; returns how many."""
        self._set_filter()
        waiting = select.poll()
        waiting.register(self.device.descriptor(), select.POLLIN)
        if not self._stopping.is_set():
            waiting.register(self._wake, select.POLLIN)
        waiting.poll(timeout * 1000)
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        found = 0
        while self._left != 0:
            most = self._most if self._left is None else min(self._left, self._most)
            written = self.device.dispatch(most, self._out)
            self._note(written.packets)
            found += written.packets
            if not written.more or self._stopping.is_set():
                break
        self._publish()
        self._measure_at_times()
        return found

    def _set_filter(self) -> None:
        if self._filter is not None:
            program, self._filter = self._filter, None
            self.device.filter(program)

    @property
    def _out(self) -> Dumper:
        assert self._dumper is not None
        return self._dumper

    def _note(self, packets: int) -> None:
        """So many are in the segment now; they are published by and by, and the next segment begins in time."""
        assert self._segment is not None
        self._pending += packets
        if self._left is not None:
            self._left -= packets
        written = self._out.position() - self._segment.extent.size
        if self._pending:
            self._most = min(max(self.ring.segment_size * self._pending // max(written, 1), FEWEST), MOST)
        if written + self._segment.extent.size >= self.ring.segment_size:
            self._publish()
            self._begin()
            self._measure_at_times()
        elif written >= PUBLISHED:
            self._publish()
            self._measure_at_times()

    def _measure_at_times(self) -> None:
        if time.monotonic() - self._measured > STATISTICS:
            self._measure()

    def _publish(self) -> None:
        """What was written may be read; a disk that is full is left for memory."""
        if not self._pending:
            return
        assert self._segment is not None
        try:
            size = self._out.flush()
        except OSError as error:
            self._leave(error)
            return
        before = self._segment.extent.size
        self.ring.publish(self._pending, size)
        self.counts = replace(
            self.counts,
            captured=self.counts.captured + self._pending,
            bytes=self.counts.bytes + size - before - 16 * self._pending,
        )
        self._pending = 0

    def _leave(self, error: OSError) -> None:
        """The folder takes no more: what is whole there stays, and the ring goes on in memory."""
        if self.ring.folder is None:
            raise error
        assert self._segment is not None
        gap = Gap(f"{self.ring.folder}: {error.strerror}", "the capture goes on in memory")
        self.gaps = (*self.gaps, gap)
        self.counts = replace(self.counts, unwritten=self.counts.unwritten + self._pending)
        self._pending = 0
        self._out.close()
        os.ftruncate(self._segment.descriptor, self._segment.extent.size)
        self.ring.folder = None
        self._begin()

    def _begin(self) -> None:
        """A new segment, whose header can be read at once."""
        if self._dumper is not None:
            self._dumper.close()
        try:
            self._segment = self.ring.begin()
        except OSError as error:
            if self.ring.folder is None:
                raise
            self.gaps = (*self.gaps, Gap(f"{self.ring.folder}: {error.strerror}", "the capture goes on in memory"))
            self.ring.folder = None
            self._segment = self.ring.begin()
        self._dumper = self.device.dumper(self._segment.descriptor)
        self.ring.publish(0, self._dumper.flush())

    def _measure(self) -> None:
        found = self.device.statistics()
        self._measured = time.monotonic()
        self.counts = replace(
            self.counts, kernel_drops=found.dropped, interface_drops=found.interface, state=found.state
        )

    def _close(self) -> None:
        try:
            if self._dumper is not None:
                self._publish()
            self._measure()
        except OSError as error:
            self.ended = self.ended or Gap(f"the capture has ended: {error.strerror or error}")
        finally:
            if self._dumper is not None:
                self._dumper.close()
            self.device.close()
            self.ring.end()
