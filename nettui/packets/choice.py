"""Packets of a file that libpcap's filter takes: compiled for each link type that the file has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collectors.capture.filters import FilterError, compiled_for_file
from collectors.table import Gap
from collectors.wire.packets.bpf import Instruction, passing
from collectors.wire.packets.records import Records

REJECTS = "expression rejects all packets"  # ip6 where an interface has IPv4 only


class Choice:
    """A filter that is asked batch by batch."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._programs: dict[int, list[Instruction]] = {}
        self._refused: dict[int, str] = {}

    def rows(self, records: Records) -> NDArray[np.intp]:
        """Those that pass, in ascending order. Raises FilterError where libpcap takes it for no link type so far."""
        found = [np.zeros(0, np.intp)]
        for link, rows in records.by_link():
            program = self._program(link)
            if program is not None:
                found.append(rows[passing(program, records.take(rows))])
        if self._refused and not self._programs:
            raise FilterError(next(iter(self._refused.values())))
        return np.sort(np.concatenate(found))

    def gaps(self) -> Iterator[Gap]:
        """Link types of which no packet was shown, because the filter cannot be asked there."""
        if not self._programs and not self._refused:
            compiled_for_file(self._expression)  # an empty file: the filter may be wrong all the same
        for link, why in self._refused.items():
            if why != REJECTS:
                yield Gap(f"FILTER: {why}: of link type {link} no packet is shown")

    def _program(self, link: int) -> list[Instruction] | None:
        if link not in self._programs and link not in self._refused:
            try:
                self._programs[link] = compiled_for_file(self._expression, link)
            except FilterError as error:
                self._refused[link] = str(error)
        return self._programs.get(link)
