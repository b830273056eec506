"""Packets of a device as they come: recorded by threads of their own, and read from the ring in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.capture.device import Device
from collectors.capture.files import Target, Writer
from collectors.capture.recorder import Recorder
from collectors.capture.ring import Piece, Reader, Ring
from collectors.table import Gap
from collectors.wire.packets.capture_file import opened
from collectors.wire.packets.decode import AT_ONCE, decoded
from collectors.wire.packets.records import Records
from nettui.packets.devices import Devices
from nettui.packets.reading import Batch

RING = 128 << 20  # bytes
WAIT = 0.25  # seconds in which a reader is told that there is nothing new


class Losses(NamedTuple):
    """Packets that are not shown, by whose doing: the kernel's buffer was full; the interface had no room (None where
    it does not tell); the display fell behind, though they were recorded."""

    kernel: int
    interface: int | None
    skipped: int


class LiveCapture:
    """A device that is recorded from ``start`` on, into a ring of ``limit`` bytes, and into ``target`` too.

    ``count``: packets after which it ends. ``behind``: bytes by which the reader may fall behind; None: the whole ring.
    """

    def __init__(
        self,
        device: Device,
        limit: int = RING,
        target: Target | None = None,
        count: int | None = None,
        behind: int | None = None,
    ) -> None:
        self.device, self.ring = device, Ring(limit)
        self.recorder = Recorder(device, self.ring, count)
        self.writer = Writer(self.ring, target) if target else None
        self._reader = Reader(self.ring, behind)
        self._devices = Devices(device.name_of)

    def start(self) -> None:
        self.recorder.start()
        if self.writer:
            self.writer.start()

    def stop(self) -> None:
        """End the capture; what came before can still be read, and is written."""
        self.recorder.stop()
        if self.writer:
            self.writer.join()

    def losses(self) -> Losses:
        counts = self.recorder.counts
        return Losses(counts.kernel_drops, counts.interface_drops, self._reader.skipped)

    def faults(self) -> list[Gap]:
        """What is wrong by now, and why it ended by itself."""
        found = [*self.recorder.gaps, *([self.recorder.ended] if self.recorder.ended else [])]
        if self.recorder.counts.state == "down":
            name = self.device.name
            found.append(Gap(f"{name} is down: nothing arrives", f"`ip link set dev {name} up`"))
        if self.writer:
            found += [*([self.writer.error] if self.writer.error else []), *self.writer.gaps]
        return found

    def gaps(self) -> list[Gap]:
        """At the end: also how much was not written."""
        found, skipped = self.faults(), self.writer.skipped if self.writer else 0
        if skipped:
            found.append(Gap(f"{skipped:,} packets were not written: the disk is too slow"))
        return found

    def batches(self) -> Iterator[Batch | None]:
        """The packets as they come, until the capture has ended; None where nothing has come for a while."""
        while True:
            ended = self.ring.ended
            found = False
            while piece := self._reader.next():
                found = True
                yield from self._batches(piece)
            if ended:
                return
            if not found and not self._reader.wait(WAIT):
                yield None

    def records(self, data: NDArray[np.uint8], start: int) -> Records:
        """The packets of a segment's bytes from an offset on."""
        file = opened(data, self.device.name)
        assert file is not None, "a piece begins behind the header"
        return self._devices.named(file.part(data, start).records)

    def _batches(self, piece: Piece) -> Iterator[Batch]:
        records = self.records(piece.data(), piece.start)
        for start in range(0, len(records), AT_ONCE):
            some = records.take(slice(start, start + AT_ONCE))
            yield Batch(some, decoded(some, piece.first + start))
