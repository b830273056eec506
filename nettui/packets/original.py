"""A capture file on a disk, read again wherever it is looked at: nothing of it need be kept."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from collectors.wire.packets.records import Records

Octets = NDArray[np.uint8]
SEEN = 2  # batches that were looked at last, of which the bytes are kept: a screen may show the end of one and another


class Original:
    """The file, for as long as somebody holds this; ``size``: of when it was opened.

    It is never mapped: a page that is gone when somebody makes the file shorter would end the process (SIGBUS).
    """

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)
        self.size = os.fstat(self._descriptor).st_size
        self._seen: tuple[tuple[int, int, Octets], ...] = ()  # replaced as a whole: threads look at it without a lock

    def octets(self, start: int, stop: int) -> Octets:
        """Those of these bytes that are there: fewer only where the file ends. Raises OSError."""
        found = np.empty(stop - start, np.uint8)
        there = 0
        while there < len(found) and (more := os.preadv(self._descriptor, [found.data[there:]], start + there)):
            there += more
        return found[:there]

    def again(self, start: int, stop: int) -> Octets:
        """The same, for who looks at the same place often; none where the disk is gone."""
        for begin, end, octets in self._seen:
            if (begin, end) == (start, stop):
                return octets
        try:
            octets = self.octets(start, stop)
        except OSError:
            return np.zeros(0, np.uint8)
        self._seen = (*self._seen[1 - SEEN :], (start, stop, octets))
        return octets


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes of a file stood that packets were found in: from offset ``start`` on."""

    file: Original
    start: int

    def read(self, records: Records) -> Records:
        """The packets with their bytes, shorter or empty where the file has become so."""
        first, last = int(records.at[0]), int(records.at[-1]) + int(records.captured[-1])
        data = self.file.again(self.start + first, self.start + last)
        at = np.minimum(records.at - first, len(data))
        captured = np.minimum(records.captured, len(data) - at).astype(np.uint32)
        return replace(records, data=data, at=at, captured=captured)
