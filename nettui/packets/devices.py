"""Which device each packet of a cooked capture is of: its number stands in the packet, its name is asked for once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from collectors.wire.packets.records import Records

SLL2 = 276  # LINKTYPE_LINUX_SLL2, whose bytes 4 to 7 are the number
MOST = 32_767  # devices: Records has room for no more


class Devices:
    """``name_of``: the name of a device by its number, None where there is none any more."""

    def __init__(self, name_of: Callable[[int], str | None]) -> None:
        self._name_of = name_of
        self._places: dict[int, int] = {}  # of numbers, in the names
        self._names: tuple[str, ...] = ()
        self._lock = threading.Lock()  # packets are found again while others come

    def named(self, records: Records) -> Records:
        """The same packets, with their devices."""
        if not len(records) or not (records.links == SLL2).all():
            return records
        there = records.captured >= 8
        at = records.at[there]
        numbers = np.zeros(len(at), np.uint32)
        for octet in range(4, 8):
            numbers = numbers << np.uint32(8) | records.data[at + octet]
        found, which = np.unique(numbers, return_inverse=True)
        with self._lock:
            places = np.array([self._place(number) for number in found.tolist()], np.int16)
            names = self._names
        devices = np.full(len(records), -1, np.int16)
        devices[there] = places[which] if len(places) else -1
        return replace(records, devices=devices, names=names)

    def _place(self, number: int) -> int:
        if number not in self._places and len(self._names) < MOST:
            name = self._name_of(number) if number else None
            self._places[number] = len(self._names) if name else -1
            self._names += (name,) if name else ()
        return self._places.get(number, -1)
