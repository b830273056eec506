"""Packets with what TCP's sequence numbers tell of each, which is not in the packet itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Table
from collectors.values import Numbers
from collectors.wire.packets.columns import COLUMNS as HEADERS

RETRANS, MISSING = "retrans", "missing"
JUDGED = (
    Column(RETRANS, "bool", "label", help="TCP: carries bytes that were sent before, or that come late; else absent"),
    Column(MISSING, "u4", "label", "B", "TCP: bytes that had not come when this packet did, though sent before it"),
)
COLUMNS = (*HEADERS, *JUDGED)


class Marks(NamedTuple):
    """``retrans``: rows; ``gaps``: rows, before each of which ``missing`` bytes had not come."""

    retrans: NDArray[np.intp]
    gaps: NDArray[np.intp]
    missing: NDArray[np.int64]


NONE = Marks(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.int64))


def marked(packets: Table, marks: Marks) -> Table:
    """With the columns JUDGED."""
    again, missing = np.zeros(len(packets), np.bool_), np.zeros(len(packets), np.uint32)
    again[marks.retrans] = True
    missing[marks.gaps] = marks.missing
    return packets.extended(JUDGED, {RETRANS: Numbers(again, again), MISSING: Numbers(missing, missing > 0)})


def marks_of(packets: Table) -> Marks | None:
    """In the room of the few rows that they are about; None of a table without."""
    if RETRANS not in packets.arrays:
        return None
    missing = packets.numbers(MISSING)
    gaps = np.flatnonzero(missing.present())
    return Marks(np.flatnonzero(packets[RETRANS].present()), gaps, missing.numbers[gaps].astype(np.int64))
