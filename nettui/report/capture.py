"""Captured packets as lines: in tcpdump's words, as JSON objects, or as CSV; and the summary at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from collectors.table import Gap, Table
from collectors.values import Cell
from nettui.packets.flows import Flows
from nettui.packets.judged import NONE, marked
from nettui.packets.line import lines
from nettui.packets.live import Losses
from nettui.report import csv
from nettui.report.cells import clean
from nettui.report.json import encode, objects
from nettui.scrub import scrub

TOP = 5  # flows in a summary
NANO = 1e9


@dataclass(slots=True)
class Seen:
    """What a summary tells: ``packets`` that came, their ``bytes`` on the wire, ``told``: how many were printed.

    ``first``, ``last``: nanoseconds since 1970 of the packets' own times.
    """

    packets: int = 0
    bytes: int = 0
    told: int = 0
    first: int | None = None
    last: int | None = None
    flows: Flows = field(default_factory=Flows)

    def add(self, table: Table) -> Table:
        """Count them; the packets, with what TCP's sequence numbers tell of each."""
        if not len(table):
            return marked(table, NONE)
        times = table.numbers("time").numbers
        self.packets += len(table)
        self.bytes += int(table.numbers("length").numbers.sum())
        self.first = int(times.min()) if self.first is None else min(self.first, int(times.min()))
        self.last = max(self.last or 0, int(times.max()))
        return marked(table, self.flows.add(table))


def text(table: Table) -> Iterator[str]:
    found = lines(table)
    if scrub("".join(found)) != "".join(found):
        found = [scrub(line) for line in found]
    yield "\n".join([*found, ""])


def ndjson(table: Table) -> Iterator[str]:
    head = encode({"section": "packets"})[:-1]
    for row in objects(table):
        yield f"{head},{row[1:]}\n"


def comma_separated(table: Table) -> Iterator[str]:
    columns = [column.name for column in table.columns]
    for row in table.rows():
        yield csv.lines([[csv.spelled(clean(row.get(name))) for name in columns]])


FORMS: dict[str, Callable[[Table], Iterator[str]]] = {"text": text, "ndjson": ndjson, "csv": comma_separated}


def heading(form: str, table: Table) -> str:
    return csv.lines([[column.name for column in table.columns]]) if form == "csv" else ""


def summary(seen: Seen, gaps: list[Gap]) -> Iterator[str]:
    """Sentences for standard error."""
    chosen = f"; {seen.told:,} of them chosen" if seen.told < seen.packets else ""
    yield f"{seen.packets:,} packets, {seen.bytes:,} bytes{pace(seen)}{chosen}"
    flows = seen.flows.table(TOP)
    if len(flows):
        rest = len(seen.flows) - len(flows)
        yield f"the largest of {len(seen.flows):,} flows:" if rest else "flows:"
    for row in flows.rows():
        ports = ("", "") if row.get("sport") is None else (f".{row['sport']}", f".{row['dport']}")
        ends = f"{row.get('proto') or 'ip'} {row['src']}{ports[0]} > {row['dst']}{ports[1]}"
        there = f"{row['packets']:,} packets, {row['bytes']:,} bytes"
        back = f"{row['packets_back']:,}, {row['bytes_back']:,}"
        again, missing = both_ways(row, "retrans"), both_ways(row, "missing")
        lost = f"; {again:,} sent again or late" if again else ""
        lost += f"; {missing:,} bytes missing before later ones" if missing else ""
        yield scrub(f"  {ends}: {there}; back {back}{lost}")
    if seen.flows.others:
        yield f"  {seen.flows.others:,} packets of further flows"
    for gap in gaps:
        yield f"{gap.reason}{f'; {gap.remedy}' if gap.remedy else ''}"


def both_ways(row: Mapping[str, Cell], name: str) -> int:
    return sum(value for value in (row.get(name), row.get(f"{name}_back")) if isinstance(value, int))


def losses(lost: Losses, captured: int) -> str:
    """The three numbers that are never one: whose doing it was that a packet is not here."""
    interface = "not told" if lost.interface is None else f"{lost.interface:,}"
    return (
        f"{captured:,} captured; lost: {lost.kernel:,} by the kernel (its buffer was full: -B), {interface} by the "
        f"interface; {lost.skipped:,} recorded and not looked at, as printing fell behind (--ring, -q)"
    )


def pace(seen: Seen) -> str:
    if seen.first is None or seen.last is None or seen.last == seen.first:
        return ""
    seconds = (seen.last - seen.first) / NANO
    return f" in {seconds:,.1f} s, {seen.packets / seconds:,.0f} packets/s"


def limited(table: Table, most: int | None) -> Table:
    return table if most is None or len(table) <= most else table.take(np.arange(most))
