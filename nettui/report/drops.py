"""The ledger as lines, one for each counter that moved: in words for a reader, as JSON objects, or as CSV."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Gap, Table
from collectors.values import Cell, Codes, constant
from nettui.report import csv
from nettui.report.cells import clean
from nettui.report.json import encode, objects
from nettui.report.style import Style
from nettui.scrub import scrub
from nettui.snapshot import Snapshot
from nettui.sources import LEDGER

WIDE = 132  # columns of a terminal from which the cause stands in the same line
CAUSE_AT = 9  # column below which it stands otherwise
NOISE = "noise"
TIME = Column("time", "text", "label", help="when the counter was read, RFC 3339")
FIELDS = ("layer", "direction", "counter", "scope", "delta", "rate", "since", "total", "severity", "state", "cause",
          "reasons", "part_of", "note", "dev", "netns", "process", "pid", "cookie", "which", "source")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """Which rows are told: ``layers`` empty: of all; ``every``: noise and what is inside another row's number too;
    ``rows``: those that a filter lets pass, all where there is none."""

    layers: frozenset[str] = frozenset()
    every: bool = False
    rows: Callable[[Table], NDArray[np.bool_]] | None = None


def told(table: Table, wish: Wish, at: float) -> Table:
    """The rows of a followed ledger that moved in the reading of ``at``."""
    moved = table.numbers("last_moved")
    return chosen(table, wish, moved.present() & (moved.numbers >= at))


def ever(table: Table, wish: Wish) -> Table:
    """The rows that counted anything since their counter began."""
    totals = table.numbers("total")
    return chosen(table, wish, totals.present() & (totals.numbers > 0))


def chosen(table: Table, wish: Wish, wanted: NDArray[np.bool_]) -> Table:
    if wish.layers:
        wanted = wanted & table.codes("layer").matching(lambda layer: layer in wish.layers)
    if not wish.every:
        wanted = wanted & ~table.codes("severity").matching(lambda severity: severity == NOISE)
    if wish.rows is not None:
        wanted = wanted & wish.rows(table)
    return table.take(np.flatnonzero(wanted))


class Told(NamedTuple):
    """What one reading tells: the text, its rows, and what could not be read for the first time."""

    text: str
    rows: Table
    gaps: tuple[Gap, ...]


@dataclass(slots=True)
class Words:
    """Lines for a reader. A cause that has no room beside its counter is told below it, the first time."""

    style: Style
    _known: set[tuple[Cell, Cell]] = field(default_factory=set)

    def heading(self) -> str:
        return self.style.painted("1", line("TIME", "LAYER", "+", "RATE", "COUNTER", "SCOPE")) + "\n"

    def lines(self, table: Table, at: float) -> Iterator[str]:
        clock = time.strftime("%H:%M:%S", time.localtime(at))
        moved = {(row.get("counter"), row.get("dev")): row.get("delta") for row in table.rows()}
        for row in table.rows():
            first = line(clock, row.get("layer"), amount(row), rate(row), row.get("counter"), scope(row))
            first = scrub(first)
            why = scrub(reason(row, moved))
            if self.style.width is None or self.style.width >= WIDE:
                yield f"{first:<{WIDE - 46}}  {why}".rstrip() + "\n"
                continue
            yield first[: self.style.width] + "\n"
            if (key := (row.get("counter"), row.get("which"))) not in self._known:
                self._known.add(key)
                yield self.style.painted("2", " " * CAUSE_AT + why[: self.style.width - CAUSE_AT]) + "\n"


def line(clock: str, layer: Cell, moved: str, rate: str, counter: Cell, scope: str) -> str:
    return f"{clock:<8} {layer!s:<9} {moved:>8} {rate:>8}  {counter!s:<28} {scope}".rstrip()


def amount(row: Mapping[str, Cell]) -> str:
    """By how much it moved; of the first sample, what it has counted in all."""
    return str(row.get("total")) if row.get("delta") is None else f"+{row['delta']}"


def rate(row: Mapping[str, Cell]) -> str:
    """Per second, with as many digits as tell something; the first sample has none."""
    value = row.get("rate")
    if not isinstance(value, (int, float)):
        return "-"
    return f"{value:,.0f}/s" if value >= 10 else f"{value:.1f}/s"


def scope(row: Mapping[str, Cell]) -> str:
    """What it counts for, with the process behind a socket."""
    holder = f" {row['process']}[{row.get('pid')}]" if row.get("process") else ""
    gone = " (gone)" if row.get("state") == "gone" else ""
    return f"{row.get('scope')}{holder}{gone}"


def reason(row: Mapping[str, Cell], moved: Mapping[tuple[Cell, Cell], Cell]) -> str:
    """The usual cause; drop reasons where they are known; and which other line counts the same packets."""
    words = [str(row.get("cause") or "")]
    reasons = row.get("reasons")
    if isinstance(reasons, dict):
        words.append(f"[{', '.join(reasons)}]")
    part_of = row.get("part_of")
    inside = [str(name) for name in part_of if (name, row.get("dev")) in moved] if isinstance(part_of, list) else []
    if inside:
        words.append(f"(inside {', '.join(inside)})")
    return " ".join(word for word in words if word)


def stamped(table: Table, at: float) -> Table:
    """The columns of a log, with when they were read."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    stamp = f"{whole}.{int(at % 1 * 1000):03d}Z"
    chosen = table.select([name for name in FIELDS if name in table])
    return Table((TIME, *chosen.columns), {"time": Codes(constant(0, len(table), np.int8), (stamp,)), **chosen.arrays})


def json_lines(table: Table, at: float) -> Iterator[str]:
    head = encode({"section": "drops"})[:-1]
    for row in objects(stamped(table, at)):
        yield f"{head},{row[1:]}\n"


def csv_heading() -> str:
    return csv.lines([["section", TIME.name, *FIELDS]])


def csv_lines(table: Table, at: float) -> Iterator[str]:
    log = stamped(table, at)
    rows = ([["drops", *(csv.spelled(clean(row.get(column.name))) for column in log.columns)]] for row in log.rows())
    for row in rows:
        yield csv.lines(row)


def lines(snapshots: Iterable[Snapshot], wish: Wish, form: str, style: Style, since_boot: bool) -> Iterator[Told]:
    """What each reading tells, in one of the forms; the first, from which the others are counted, only if asked."""
    words = Words(style)
    spell = {"text": words.lines, "ndjson": json_lines, "csv": csv_lines}[form]
    heading = {"text": words.heading(), "csv": csv_heading()}.get(form, "")
    known: tuple[Gap, ...] = ()
    for number, snapshot in enumerate(snapshots):
        table = snapshot.tables[LEDGER]
        new = tuple(gap for gap in table.gaps if gap not in known)
        known = table.gaps
        first = number == 0
        rows = (ever(table, wish) if since_boot else table.take(slice(0))) if first else told(table, wish, snapshot.at)
        yield Told((heading if first else "") + "".join(spell(rows, snapshot.at)), rows, new)
