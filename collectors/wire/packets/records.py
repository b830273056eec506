"""Records: where captured packets stand in the bytes of a file or segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Records:
    """Packets in the order of capture, (n,) each.

    ``data``: the bytes that they stand in; ``at``: offset of each one's first byte; ``captured``: bytes that are there;
    ``lengths``: bytes on the wire; ``times``: nanoseconds since 1970-01-01 UTC; ``links``: LINKTYPE_ numbers;
    ``devices``: index into ``names``, -1 where no interface is told.
    """

    data: NDArray[np.uint8]
    at: NDArray[np.intp]
    captured: NDArray[np.uint32]
    lengths: NDArray[np.uint32]
    times: NDArray[np.int64]
    links: NDArray[np.uint16]
    devices: NDArray[np.signedinteger]
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.at)

    def by_link(self) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Each link type and the rows that have it."""
        for link in np.flatnonzero(np.bincount(self.links)).tolist():
            yield link, np.flatnonzero(self.links == link)

    def take(self, rows: slice | NDArray[np.integer]) -> Records:
        """Some packets of these; no bytes are copied."""
        return Records(
            self.data, self.at[rows], self.captured[rows], self.lengths[rows], self.times[rows], self.links[rows],
            self.devices[rows], self.names,
        )  # fmt: skip
