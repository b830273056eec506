"""Where each direction of a flow is looked at: a packet that passes several devices is captured at each of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.table import Table
from collectors.values import Pool

MOVED = 1_000_000_000  # nanoseconds without a packet after which a direction may have another way
NOWHERE = -1
WAYS = 8  # in which a packet passes a device: more than `direction` has


class Vantages:
    """The place at which packets of each direction were seen first; ``ways``: how many directions there may be.

    A place is a device and whether the packet came in or went out there. Where a capture tells neither (pcap files of
    Ethernet) all is one place.
    """

    def __init__(self, ways: int) -> None:
        self._place = np.full(ways, NOWHERE, np.int32)
        self._seen = np.zeros(ways, np.int64)  # nanoseconds since 1970
        self._devices, self._directions = Pool(), Pool()

    def keep(self, ways: NDArray[np.intp]) -> None:
        """Only these, which have the numbers from 0 on then."""
        for values, unknown in ((self._place, NOWHERE), (self._seen, 0)):
            values[: len(ways)] = values[ways]
            values[len(ways) :] = unknown

    def first_sightings(self, way: NDArray[np.intp], packets: Table) -> NDArray[np.bool_]:
        """Which packets are seen where their direction is looked at; the others were seen there before."""
        device, direction = (
            pool.translation(codes.pool)[codes.codes]
            for pool, codes in (
                (self._devices, packets.codes("dev")),
                (self._directions, packets.codes("direction")),
            )
        )
        place = (device + 1) * WAYS + direction + 1
        times = packets.numbers("time").numbers
        here: NDArray[np.bool_] = self._place[way] == place
        if not here.all():
            moved = np.flatnonzero(~here & (times - self._seen[way] > MOVED))[::-1]
            self._place[way[moved]] = place[moved]  # of several the last one written stays: the first that came
            here = self._place[way] == place
        self._seen[way[here]] = times[here]
        return here
