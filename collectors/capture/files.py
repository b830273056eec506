"""What a capture writes to disk: a pcap file or several by turns, copied from the ring by a thread of their own.

So a slow disk never holds up the capture: what it cannot follow is counted, where the ring is not large enough.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collectors.capture.compression import Compressor
from collectors.capture.created import created
from collectors.capture.ring import HEADER, Piece, Reader, Ring
from collectors.table import Gap
from collectors.wire.packets.capture_file import opened

STDOUT = "-"
WAIT = 0.25  # seconds in which an end is noticed
Octets = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Target:
    """Where packets are written: ``path``, "-" for standard output.

    With ``size`` (bytes) or ``seconds`` it is several files with a number before the suffix, of which the newest
    ``files`` are kept (0: all). ``compress``: a file that is finished is replaced by its .gz.
    """

    path: str
    size: int = 0
    seconds: float = 0
    files: int = 0
    compress: bool = False

    @property
    def rotates(self) -> bool:
        return bool(self.size or self.seconds)

    def name(self, number: int) -> Path:
        path = Path(self.path)
        return path.with_name(f"{path.stem}_{number:05}{path.suffix}") if self.rotates else path


class Writer:
    """Copies a ring's packets to its target until the ring has ended, or the target takes no more.

    ``packets``: those that were written whole; ``skipped``: those that had left the ring before; ``error``: why it
    ended before the ring; ``gaps``: files that stay uncompressed. Raises OSError where the first file cannot be made.
    """

    def __init__(self, ring: Ring, target: Target) -> None:
        self.target = target
        self.error: Gap | None = None
        self.gaps: tuple[Gap, ...] = ()
        self.packets = 0
        self._reader = Reader(ring)
        self._kept: deque[Path] = deque()
        self._number, self._size, self._began = 0, 0, 0.0
        self._compressor = Compressor() if target.compress and target.path != STDOUT else None
        self._file = self._opened()
        self._thread = threading.Thread(target=self._run, daemon=True, name="capture files")

    @property
    def skipped(self) -> int:
        return self._reader.skipped

    def start(self) -> None:
        self._thread.start()
        if self._compressor:
            self._compressor.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until all is written, and compressed; False when the time is over before."""
        self._thread.join(timeout)
        if self._compressor:
            self._compressor.join(timeout)
            self.gaps = tuple(self._compressor.gaps)
        return not (self._thread.is_alive() or (self._compressor and self._compressor.is_alive()))

    def _run(self) -> None:
        try:
            while True:
                ended = self._reader.ring.ended
                while piece := self._reader.next():
                    self._write(piece)
                if ended:
                    break
                self._reader.wait(WAIT)
            self._header()
        except OSError as error:
            kept = f"the {self.packets:,} packets before that are in it" if self.packets else "nothing is in it"
            self.error = Gap(f"{self.target.path}: {error.strerror or error}", f"{kept}; the capture goes on in memory")
        finally:
            self._finish()
            if self._compressor:
                self._compressor.end()

    def _header(self) -> None:
        """A capture of no packets is a file all the same."""
        segments = self._reader.ring.segments()
        if not self._size and segments:
            self._put(segments[-1].data(), 0, HEADER, 0)

    def _write(self, piece: Piece) -> None:
        data, at, packets = piece.data(), piece.start, piece.packets
        while at < piece.end:
            if self._aged():
                self._rotate()
            if not self._size:
                self._put(data, 0, HEADER, 0)
            end, some = self._fitting(data, at, packets)
            if end == at:
                self._rotate()
                continue
            self._put(data, at, end, some)
            at, packets = end, packets - some

    def _aged(self) -> bool:
        full = self.target.size and self._size >= self.target.size
        old = self.target.seconds and time.monotonic() - self._began >= self.target.seconds
        return self._size > HEADER and bool(full or old)

    def _fitting(self, data: Octets, at: int, packets: int) -> tuple[int, int]:
        """Behind which of the packets from ``at`` on the file is full, and how many they are; one at least in each."""
        room = self.target.size - self._size
        if not self.target.size or len(data) - at <= room:
            return len(data), packets
        found = whole(data, at, at + max(room, 0))
        return found if found[1] or self._size > HEADER else whole(data, at, len(data), 1)

    def _put(self, data: Octets, start: int, end: int, packets: int) -> None:
        """All of it; where that fails, the packets that are whole stay, and nothing of another."""
        at, view = start, data.data
        try:
            while at < end:
                at += os.write(self._file, view[at:end])
        except OSError:
            stands, packets = whole(data, start, at) if packets else (start, 0)
            if stat.S_ISREG(os.fstat(self._file).st_mode):
                os.ftruncate(self._file, self._size + stands - start)
            self.packets += packets
            raise
        self._size += end - start
        self.packets += packets

    def _opened(self) -> int:
        self._number, self._size, self._began = self._number + 1, 0, time.monotonic()
        if self.target.path == STDOUT:
            return os.dup(1)
        path = self.target.name(self._number)
        descriptor = created(path)
        self._kept.append(path)
        if self.target.files and self.target.rotates and len(self._kept) > self.target.files:
            oldest = self._kept.popleft()
            if self._compressor:
                self._compressor.forget(oldest)
            else:
                oldest.unlink(missing_ok=True)
        return descriptor

    def _rotate(self) -> None:
        self._finish()
        self._file = self._opened()

    def _finish(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            if self._compressor:
                self._compressor.take(self._kept[-1])


def whole(data: Octets, start: int, end: int, most: int | None = None) -> tuple[int, int]:
    """Behind the last whole packet before ``end`` of those that begin at ``start``, and how many there are."""
    form = opened(data)
    if form is None:
        return start, 0
    part = form.part(data[:end], start)
    if most is None or len(part.records) <= most:
        return part.end, len(part.records)
    last = most - 1
    return int(part.records.at[last]) + int(part.records.captured[last]), most
