"""The ledger as a packet meets it: a row for each layer on the way in and on the way out, its counters below it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from collectors.draft import of_rows
from collectors.table import Column, Table, concatenate
from nettui.knowledge.entry import LAYERS
from nettui.ledger.row import HOST

RECEIVE, SEND = "receive", "send"
WAYS = {RECEIVE: "RECEIVE, from the wire up", SEND: "SEND, down to the wire"}
SUMMED = ("loss", "refused", "unknown")  # severities whose numbers are packets or connections lost
WORST = ("loss", "unknown", "refused", "warning", "noise")
MARKS = {"loss": "!", "unknown": "!", "refused": "x", "warning": "~", "noise": "."}  # of what moves
WAY, LAYER, COUNTER = "way", "layer", "counter"  # kinds of rows
NAMED = 2  # counters that move and are told below a layer that is not opened
RECENT = 30.0  # seconds for which they are told
EVERYWHERE = ("namespace", "host")  # scopes that tell nothing here

COLUMNS = (
    Column("kind", "text", "key", help="way, layer on it, or counter of a layer"),
    Column("way", "text", "key", help="receive (and forward), or send"),
    Column("step", "text", help="layer with what was lost in its last readings, the newest at the right; counter"),
    Column("why", "text", help="what it counts for, and the usual cause; how long nothing was lost"),
)
KEYS = ("layer", "counter", "which")  # tell a row from the others, beside its kind and way
USED = ("layer", "direction", "counter", "which", "severity", "part_of", "dev", "total", "since", "delta", "rate",
        "first_moved", "last_moved", "state", "cause", "scope", "process", "pid", "along", "reach")  # fmt: skip
Place = tuple[str, str]  # way and layer; the layer is "" for a way itself


class Layers:
    """One reading of a followed ledger, by way and layer. ``watched``: since when it is, or the mark; ``at``: now;
    both in seconds since the epoch."""

    def __init__(self, table: Table, watched: float = 0.0, at: float = 0.0) -> None:
        columns = (*COLUMNS, *(replace(c, kind="key") if c.name in KEYS else c for c in table.columns))
        self.columns = columns
        self._table, self._watched, self._at = table, watched, at
        self._cells: dict[str, list[Any]] = {name: table[name].cells() for name in USED}
        self.places = {place: self._ranked(rows) for place, rows in self._grouped().items()}
        self.sums = {place: self._summed(place) for place in self.places}

    def rates(self) -> dict[Place, float]:
        """What each layer loses per second, where that is known."""
        return {place: float(head["rate"]) for place, head in self.sums.items() if head["rate"] is not None}

    def tree(self, opened: Collection[Place], trends: Mapping[Place, str]) -> Table:
        """Ways, their layers, and below these all counters of those opened, and of the others the ones that move."""
        heads: list[dict[str, Any]] = []
        rows: list[int] = []
        order: list[tuple[bool, int]] = []  # whether it is a head, and which
        for way in dict.fromkeys(way for way, _ in self.places):
            order.append((True, len(heads)))
            heads.append({"kind": WAY, "way": way, "step": WAYS[way], "why": self._quiet(way)})
            for place in self.places:
                if place[0] == way:
                    below = self.places[place] if place in opened else self._told(place)
                    order.append((True, len(heads)))
                    heads.append(self._head(place, len(below), place in opened, trends.get(place, "")))
                    order += [(False, number) for number in range(len(rows), len(rows) + len(below))]
                    rows += below
        index = [number if is_head else len(heads) + number for is_head, number in order]
        top = of_rows(self.columns, heads).table()
        return concatenate([top, self._counters(rows)]).take(np.array(index, np.intp)).with_gaps(self._table.gaps)

    def flat(self) -> Table:
        """The counters alone, in the same order."""
        return self._counters([row for rows in self.places.values() for row in rows]).with_gaps(self._table.gaps)

    def _counters(self, rows: Sequence[int]) -> Table:
        ways = {row: place[0] for place, group in self.places.items() for row in group}
        told = [{"kind": COUNTER, "way": ways[at], "step": f"{self._mark([at])}   {self._cells['counter'][at]}",
                 "why": self._why(at)} for at in rows]  # fmt: skip
        part = self._table.take(np.array(rows, np.intp))
        return Table(self.columns, {**of_rows(COLUMNS, told).table().arrays, **part.arrays})

    def _grouped(self) -> dict[Place, list[int]]:
        """Rows by way and layer: inward from the device up, then outward; layers without any are left out."""
        found: dict[Place, list[int]] = {}
        for at, (layer, direction) in enumerate(zip(self._cells["layer"], self._cells["direction"], strict=True)):
            found.setdefault((SEND if direction == "tx" else RECEIVE, layer), []).append(at)
        order = [*((RECEIVE, layer) for layer in LAYERS), *((SEND, layer) for layer in LAYERS[::-1])]
        return {place: found[place] for place in order if place in found}

    def _ranked(self, rows: list[int]) -> list[int]:
        """What moves fastest first, of several that move alike what tells most; then what moved last."""
        rate, part_of, last, total = (self._cells[name] for name in ("rate", "part_of", "last_moved", "total"))
        return sorted(rows, key=lambda at: (-(rate[at] or 0), not part_of[at], -(last[at] or 0), -(total[at] or 0)))

    def _summed(self, place: Place) -> dict[str, Any]:
        """One layer: sums of what is lost in it, each packet once."""
        cells, rows = self._cells, self.places[place]
        counted = list(self._once([at for at in rows if cells["severity"][at] in SUMMED]))
        severities = [cells["severity"][at] for at in (self._moving(rows) or rows)]
        return {
            **{name: total([cells[name][at] for at in counted]) for name in ("total", "since", "delta", "rate")},
            "severity": min(severities, key=WORST.index),
            "first_moved": min((cells["first_moved"][at] for at in rows if cells["first_moved"][at]), default=None),
            "last_moved": max((cells["last_moved"][at] for at in rows if cells["last_moved"][at]), default=None),
        }

    def _once(self, rows: Sequence[int]) -> Iterator[int]:
        """Rows whose packets are in no other row's number; the host's only where no row tells of this namespace."""
        counter, dev, part_of = self._cells["counter"], self._cells["dev"], self._cells["part_of"]
        along, reach = self._cells["along"], self._cells["reach"]
        present = {(counter[at], dev[at]) for at in rows}
        names = {counter[at] for at in rows if reach[at] != HOST}
        for at in rows:
            told = any((name, own) in present for name in part_of[at] or () for own in (None, dev[at]))
            if not told and not (reach[at] == HOST and names & {*(along[at] or ())}):
                yield at

    def _moving(self, rows: Sequence[int]) -> list[int]:
        return [at for at in rows if (self._cells["rate"][at] or 0) > 0]

    def _told(self, place: Place) -> list[int]:
        """Of a layer that is not opened: what moves or has just moved, unless it is noise."""
        last, severity = self._cells["last_moved"], self._cells["severity"]
        counter, dev, part_of = self._cells["counter"], self._cells["dev"], self._cells["part_of"]
        rows = [
            at for at in self.places[place] if last[at] and last[at] > self._at - RECENT and severity[at] != "noise"
        ]
        told: list[int] = []
        for at in rows:  # one that holds the packets of another that is told, and no more than these, tells nothing new
            inside = [own for own in told if counter[at] in (part_of[own] or ()) and dev[at] in (None, dev[own])]
            if not inside or self._cells["delta"][at] != total([self._cells["delta"][own] for own in inside]):
                told.append(at)
        return told[:NAMED]

    def _mark(self, rows: Sequence[int]) -> str:
        """The sign of the worst that moves, a blank when nothing does."""
        severities = [self._cells["severity"][at] for at in self._moving(rows)]
        return MARKS[min(severities, key=WORST.index)] if severities else " "

    def _head(self, place: Place, told: int, is_open: bool, trend: str) -> dict[str, Any]:
        rows, head = self.places[place], self.sums[place]
        sign = "-" if is_open else "+"
        moving = [at for at in self._moving(rows) if self._cells["severity"][at] != "noise"]
        if not is_open and (more := len(moving) - told) > 0:
            why = f"and {more} more that move{'s' * (more == 1)}"
        elif head["last_moved"] and not self._moving(rows):
            why = f"moved {span(self._at - head['last_moved'])} ago"
        else:
            why = ""
        step = f"{self._mark(rows)} {sign} {place[1]:<9} {trend}".rstrip()
        return {"kind": LAYER, "way": place[0], "layer": place[1], "step": step, "why": why or None, **head}

    def _why(self, at: int) -> str:
        """One counter's scope, where that tells something, and its usual cause."""
        scope, process, state = (self._cells[name][at] for name in ("scope", "process", "state"))
        words = [] if scope in EVERYWHERE else [str(scope)]
        words += [f"{process}[{self._cells['pid'][at]}]"] if process else []
        words += [f"({state})"] if state else []
        cause = self._cells["cause"][at] or ""
        return f"{' '.join(words)}: {cause}" if words else str(cause)

    def _quiet(self, way: str) -> str:
        """What moves on one way, or for how long nothing has been lost there."""
        rows = [at for place, rows in self.places.items() if place[0] == way for at in rows]
        moving, severity = self._moving(rows), self._cells["severity"]
        losing = [at for at in moving if severity[at] in SUMMED]
        if losing:
            return f"{counters(len(losing))} of loss move{'s' * (len(losing) == 1)}"
        last = max((self._cells["last_moved"][at] or 0 for at in rows if severity[at] in SUMMED), default=0)
        other = f"; {counters(len(moving))} of less weight" if moving else ""
        return f"nothing lost for {span(self._at - (last or self._watched))}{other}"


def total(cells: Sequence[Any]) -> Any:
    """The sum of a column, absent where no row has it."""
    known = [cell for cell in cells if cell is not None]
    return sum(known) if known else None


def counters(number: int) -> str:
    return f"{number} counter{'s' * (number != 1)}"


def span(seconds: float) -> str:
    """A time as a clock tells it: 00:31, 1:02:03."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
