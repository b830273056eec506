"""The ledger as lines, one for each counter that moved: in words for a reader, as JSON objects, or as CSV."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Gap, Table, concatenate
from collectors.values import Cell, Codes, constant
from nettui.ledger.history import GONE
from nettui.ledger.ledger import GATHERED
from nettui.ledger.reasons import PREFIX
from nettui.ledger.row import NAMESPACE
from nettui.report import csv
from nettui.report.cells import clean
from nettui.report.json import encode, objects
from nettui.report.style import Style
from nettui.scrub import scrub
from nettui.snapshot import Snapshot
from nettui.sources import LEDGER

WIDE = 132  # columns of a terminal from which the cause stands in the same line
NAMED = 3  # tables in one complaint
CAUSE_AT = 9  # column below which it stands otherwise
COUNTER, CAUSE_BESIDE = 32, 88  # columns of a counter's name, and before a cause in the same line
NOISE = "noise"
COUNTED = re.compile(r"\bcounter packets \d+ bytes \d+")  # in a rule's text: the line tells how many
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

    @property
    def narrow(self) -> bool:
        return self.style.width is not None and self.style.width < WIDE

    def heading(self) -> str:
        names = "COUNTER, SCOPE" if self.narrow else f"{'COUNTER':<{COUNTER}} SCOPE"
        return self.style.painted("1", line("TIME", "LAYER", "+", "RATE", names)) + "\n"

    def lines(self, table: Table, at: float) -> Iterator[str]:
        clock = time.strftime("%H:%M:%S", time.localtime(at))
        moved = {(row.get("counter"), row.get("dev")): row.get("delta") for row in table.rows()}
        for row in table.rows():
            names = (
                f"{row.get('counter')} {short(row)}"
                if self.narrow
                else f"{row.get('counter')!s:<{COUNTER}} {scope(row)}"
            )
            first = scrub(line(clock, row.get("layer"), amount(row), rate(row), names))
            why = scrub(reason(row, moved))
            if not self.narrow:
                yield f"{first:<{CAUSE_BESIDE}}  {why}".rstrip() + "\n"
                continue
            yield self._cut(first) + "\n"
            if (key := (row.get("counter"), row.get("which"))) not in self._known:
                self._known.add(key)
                yield self.style.painted("2", self._cut(" " * CAUSE_AT + why)) + "\n"

    def _cut(self, text: str) -> str:
        """In one line of the terminal, and seen to be cut."""
        width = self.style.width or len(text)
        return text if len(text) <= width else f"{text[: width - 1]}…"


def line(clock: str, layer: Cell, moved: str, rate: str, names: str) -> str:
    return f"{clock:<8} {layer!s:<9} {moved:>7} {rate:>6}  {names}".rstrip()


def amount(row: Mapping[str, Cell]) -> str:
    """By how much it moved; of the first sample, what it has counted in all."""
    return str(row.get("total")) if row.get("delta") is None else f"+{row['delta']}"


def rate(row: Mapping[str, Cell]) -> str:
    """Per second, with as many digits as tell something; the first sample has none."""
    value = row.get("rate")
    if not isinstance(value, (int, float)):
        return "-"
    for least, unit in ((1e10, "G"), (1e7, "M"), (1e4, "k")):
        if value >= least:
            return f"{value * 10 / least:,.0f}{unit}/s"
    return f"{value:.0f}/s" if value >= 10 else f"{value:.1f}/s"


def scope(row: Mapping[str, Cell]) -> str:
    """What it counts for, with the process behind a socket."""
    return " ".join(part for part in (f"{row.get('scope')}", holder(row), gone(row)) if part)


def short(row: Mapping[str, Cell]) -> str:
    """The same where there is little room: the namespace itself goes unsaid, and a process before two addresses."""
    place = "" if row.get("scope") == NAMESPACE else f"{row.get('scope')}"
    named = (place, holder(row)) if place.count(" ") < 2 else (holder(row), place)
    return " ".join(part for part in (gone(row), *named) if part)


def holder(row: Mapping[str, Cell]) -> str:
    return f"{row['process']}[{row.get('pid')}]" if row.get("process") else ""


def gone(row: Mapping[str, Cell]) -> str:
    return "(gone)" if row.get("state") == GONE else ""


def reason(row: Mapping[str, Cell], moved: Mapping[tuple[Cell, Cell], Cell]) -> str:
    """The usual cause and what is known of this row; drop reasons; which other line counts the same packets."""
    note = COUNTED.sub("counter", str(row.get("note") or ""))
    words = [": ".join(text for text in (str(row.get("cause") or ""), note) if text)]
    part_of = row.get("part_of")
    inside = [str(name) for name in part_of if (name, row.get("dev")) in moved] if isinstance(part_of, list) else []
    if inside:
        words.append(f"(inside {', '.join(inside)})")
    reasons = row.get("reasons")
    if isinstance(reasons, dict):
        words.append(f"[{', '.join(reasons)}]")
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


def cause(gap: Gap) -> tuple[str, str]:
    """Why something could not be read, and the remedy, whichever table it was."""
    name, _, why = gap.reason.partition(": ")
    return (why if name in GATHERED else gap.reason), gap.remedy


def complaints(gaps: Iterable[Gap]) -> Iterator[str]:
    """What could not be read, in one sentence for all tables that failed alike."""
    alike: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        alike.setdefault(cause(gap), []).append(gap.reason.partition(": ")[0])
    for (why, remedy), names in alike.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        about = f"{', '.join(names[:NAMED])}{more}: " if names[0] in GATHERED else ""
        yield f"{about}{why}{f'; {remedy}' if remedy else ''}"


def csv_heading() -> str:
    return csv.lines([["section", TIME.name, *FIELDS]])


def csv_lines(table: Table, at: float) -> Iterator[str]:
    log = stamped(table, at)
    rows = ([["drops", *(csv.spelled(clean(row.get(column.name))) for column in log.columns)]] for row in log.rows())
    for row in rows:
        yield csv.lines(row)


class Waiting:
    """Drop reasons that stand alone wait for the next reading: their packets' counter may be read less often."""

    def __init__(self) -> None:
        self.rows: Table | None = None

    def sifted(self, moved: Table, table: Table) -> Table:
        """What moved, without its lone reasons; first, those of the last reading that no counter has joined since."""
        lone = moved.codes("counter").matching(lambda name: str(name).startswith(PREFIX))
        before, self.rows = self.rows, moved.take(np.flatnonzero(lone))
        rest = moved.take(np.flatnonzero(~lone))
        if before is None or not len(before):
            return rest
        here = keys(table)
        still = [row for row, key in enumerate(keys(before)) if key in here]
        return concatenate([before.take(np.array(still, np.intp)), rest])


def keys(table: Table) -> dict[tuple[Cell, Cell], None]:
    """What tells its rows apart, in their order."""
    return dict.fromkeys(zip(table["counter"].cells(), table["which"].cells(), strict=True))


def lines(snapshots: Iterable[Snapshot], wish: Wish, form: str, style: Style, since_boot: bool) -> Iterator[Told]:
    """What each reading tells, in one of the forms; the first, from which the others are counted, only if asked."""
    words, waiting = Words(style), Waiting()
    spell = {"text": words.lines, "ndjson": json_lines, "csv": csv_lines}[form]
    heading = {"text": words.heading(), "csv": csv_heading()}.get(form, "")
    known: tuple[Gap, ...] = ()
    for number, snapshot in enumerate(snapshots):
        table = snapshot.tables[LEDGER]
        told_of = {cause(gap) for gap in known}
        new = tuple(gap for gap in table.gaps if cause(gap) not in told_of)
        known = table.gaps
        first = number == 0
        if first:
            rows = ever(table, wish) if since_boot else table.take(slice(0))
        else:
            rows = waiting.sifted(told(table, wish, snapshot.at), table)
        yield Told((heading if first else "") + "".join(spell(rows, snapshot.at)), rows, new)
    if waiting.rows is not None and len(waiting.rows):
        yield Told("".join(spell(waiting.rows, snapshot.at)), waiting.rows, ())
