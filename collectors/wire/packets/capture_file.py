"""Capture files: which format it is, and the packets that stand whole in what has been read of it so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.wire.netlink import DecodeError
from collectors.wire.packets.records import Records

FEW = 64  # packets of a run that are looked at first, then twice as many each time: most runs are short


@dataclass(frozen=True, slots=True)
class Part:
    """``records``: packets that are there whole; ``end``: offset behind them; ``error``: why none can follow.

    ``wanted``: bytes from there on without which what follows cannot be whole.
    """

    records: Records
    end: int
    error: DecodeError | None = None
    wanted: int = 1


class CaptureFile(Protocol):
    """A format with what its headers have told so far; ``begin``: offset of what stands behind the first header."""

    begin: int

    def part(self, data: NDArray[np.uint8], at: int) -> Part:
        """The packets from ``at`` on, where the part before ended."""


def opened(data: NDArray[np.uint8], name: str = "") -> CaptureFile | None:
    """By its first bytes; None while there are too few of them. ``name``: of the interface, where the file has none.

    Raises DecodeError for bytes of no format that is known.
    """
    from collectors.wire.packets.pcap_file import MAGICS, SIZE, Pcap
    from collectors.wire.packets.pcapng_file import SECTION, Pcapng

    start = data[:SIZE].tobytes()
    if start[:4] == SECTION:
        return Pcapng()
    if start[:4] in MAGICS:
        return Pcap(start, name) if len(start) == SIZE else None
    if len(start) >= 4:
        raise DecodeError(0, f"neither pcap nor pcapng: it begins with {start[:4].hex(' ')}")
    return None


def alike(same: Callable[[slice], NDArray[np.bool_]], most: int) -> int:
    """How many of ``most`` packets are the same from the first on, told of some rows at once."""
    at, few = 0, FEW
    while at < most:
        found = same(slice(at, at + few))
        if not found.all():
            return at + int(found.argmin())
        at, few = at + len(found), few * 2
    return most
