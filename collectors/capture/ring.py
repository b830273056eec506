"""The last packets of a capture: segments (pcap files in memory, or in a folder), the oldest of which make room."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SEGMENTS = 32  # of which a ring consists, so that so much of it goes when the oldest does
SMALLEST, LARGEST = 64 << 10, 64 << 20  # bytes of a segment
HEADER = 24  # bytes of a pcap file's header: with fewer there is nothing to read


class Amount(NamedTuple):
    packets: int = 0
    bytes: int = 0

    def plus(self, packets: int, size: int) -> Amount:
        return Amount(self.packets + packets, self.bytes + size)


class Extent(NamedTuple):
    """How far a segment may be read: whole packets only. ``finished``: no more will follow."""

    packets: int
    size: int
    finished: bool


class Segment:
    """One pcap file of the ring; it exists for as long as somebody holds it.

    ``number``: its place in the capture, from 0; ``before``: packets of the capture before its first one;
    ``began``: seconds since 1970.
    """

    def __init__(self, number: int, before: int, descriptor: int) -> None:
        self.number, self.before, self.descriptor, self.began = number, before, descriptor, time.time()
        self.extent = Extent(0, 0, False)  # replaced as a whole, so that a reader sees both numbers of one moment
        weakref.finalize(self, os.close, descriptor)

    @property
    def path(self) -> str:
        """To open it again, in this process or by root in another (not to be kept longer than the segment)."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    def data(self) -> NDArray[np.uint8]:
        """Its bytes so far, not copied; the array keeps the memory, whatever becomes of the segment."""
        size = self.extent.size
        if not size:
            return np.zeros(0, np.uint8)
        return np.frombuffer(mmap.mmap(self.descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ), np.uint8)

    def read(self, start: int, most: int) -> bytes:
        return os.pread(self.descriptor, max(0, min(most, self.extent.size - start)), start)


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a ring held at a moment, kept for as long as this is; the last one's extent is that of the moment."""

    segments: tuple[Segment, ...]
    extents: tuple[Extent, ...]
    dropped: Amount

    @property
    def amount(self) -> Amount:
        return Amount(sum(extent.packets for extent in self.extents), sum(extent.size for extent in self.extents))

    def parts(self) -> Iterator[NDArray[np.uint8]]:
        """The bytes of each segment, a pcap file with its header."""
        for segment, extent in zip(self.segments, self.extents, strict=True):
            if extent.size:
                yield segment.data()[: extent.size]


class Ring:
    """Segments of at most ``limit`` bytes together, written by one thread and read by any.

    ``folder``: where they lie instead of memory, as files without a name; raises OSError where that cannot be.
    """

    def __init__(self, limit: int, folder: Path | None = None) -> None:
        self.limit, self.folder = limit, folder
        self.segment_size = min(max(limit // SEGMENTS, SMALLEST), LARGEST)
        self.ended = False
        self.dropped = Amount()
        self._segments: deque[Segment] = deque()
        self._changed = threading.Condition()
        if folder is not None:
            os.close(unnamed(folder))

    # the writer's side

    def begin(self) -> Segment:
        """A new segment behind the others, which is finished with that; OSError where there is no room for one."""
        descriptor = self._descriptor()
        with self._changed:
            self._finish()
            last = self._segments[-1] if self._segments else None
            number, before = (last.number + 1, last.before + last.extent.packets) if last else (0, 0)
            segment = Segment(number, before, descriptor)
            self._segments.append(segment)
            self._drop(self.segment_size)
        return segment

    def _descriptor(self) -> int:
        if self.folder is None:
            return os.memfd_create("packets", os.MFD_CLOEXEC)
        return unnamed(self.folder)

    def publish(self, packets: int, size: int) -> None:
        """So many packets more, in the segment of now, stand in its first ``size`` bytes and may be read."""
        with self._changed:
            segment = self._segments[-1]
            segment.extent = Extent(segment.extent.packets + packets, size, False)
            self._drop(0)
            self._changed.notify_all()

    def end(self) -> None:
        """No packet follows; readers that wait are told."""
        with self._changed:
            self._finish()
            self.ended = True
            self._changed.notify_all()

    def _finish(self) -> None:
        if self._segments:
            last = self._segments[-1]
            last.extent = last.extent._replace(finished=True)

    def _drop(self, coming: int) -> None:
        """Forget the oldest while there is more than the limit, but never the one that is written."""
        total = sum(segment.extent.size for segment in self._segments) + coming
        while total > self.limit and len(self._segments) > 1:
            extent = self._segments.popleft().extent
            total -= extent.size
            self.dropped = self.dropped.plus(extent.packets, extent.size)

    # the readers' side

    def segments(self) -> tuple[Segment, ...]:
        """Those that are there, the oldest first."""
        with self._changed:
            return tuple(self._segments)

    def held(self) -> Amount:
        with self._changed:
            return Amount(
                sum(segment.extent.packets for segment in self._segments),
                sum(segment.extent.size for segment in self._segments),
            )

    def freeze(self) -> Frozen:
        """Keep what is there, and go on beside it with other segments: twice the limit may be held from then on."""
        with self._changed:
            return Frozen(tuple(self._segments), tuple(segment.extent for segment in self._segments), self.dropped)

    def wait(self, packets: int, timeout: float) -> bool:
        """Until there were more than so many packets, or the end; False when the time is over before."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended or self._total() > packets, timeout)

    def _total(self) -> int:
        if not self._segments:
            return 0
        last = self._segments[-1]
        return last.before + last.extent.packets


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes ``start`` to ``end`` of a segment: ``packets`` whole ones, the capture's number ``first`` and further."""

    segment: Segment
    start: int
    end: int
    first: int
    packets: int

    def data(self) -> NDArray[np.uint8]:
        """The segment from its beginning (a pcap file's header) to the end of this piece, not copied."""
        return self.segment.data()[: self.end]


class Reader:
    """A place in a ring from which one reader goes on; what is dropped before it is read counts as skipped.

    ``most``: bytes that may wait; of more, whole segments are skipped, for a display that is to show what is now.
    """

    def __init__(self, ring: Ring, most: int | None = None) -> None:
        self.ring, self._most = ring, most
        self._number, self._at = 0, HEADER
        self.position = 0  # packets of the capture that were read or skipped
        self.skipped = 0

    def next(self) -> Piece | None:
        """The bytes that follow in the oldest segment with any; None when there are none now."""
        for segment in self._ahead():
            extent = segment.extent
            start, first = (self._at, self.position) if segment.number == self._number else (HEADER, segment.before)
            if extent.size > start:
                self.skipped += first - self.position
                packets = segment.before + extent.packets - first
                self._number, self._at, self.position = segment.number, extent.size, first + packets
                return Piece(segment, start, extent.size, first, packets)
        return None

    def wait(self, timeout: float) -> bool:
        """Until there is more to read, or the capture has ended; False when the time is over before."""
        return self.ring.wait(self.position, timeout)

    def _ahead(self) -> list[Segment]:
        segments = [segment for segment in self.ring.segments() if segment.number >= self._number]
        if self._most is None:
            return segments
        waiting, near = 0, 0
        for segment in reversed(segments):
            waiting += segment.extent.size - (self._at if segment.number == self._number else 0)
            if waiting > self._most and near:
                break
            near += 1
        return segments[len(segments) - near :]


def unnamed(folder: Path) -> int:
    """A file of no name in a folder, which is gone with the last descriptor of it."""
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):  # a file system, or a kernel, that knows no such files
            raise
    descriptor, path = tempfile.mkstemp(prefix="packets-", dir=folder)
    Path(path).unlink()
    return descriptor
