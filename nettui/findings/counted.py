"""What diagnoses ask of the protocols table: how fast counters move, and their totals as evidence."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.values import Cell
from nettui.findings.finding import Tables, counters, number, rate
from nettui.findings.rows import figure

Counters = Mapping[str, Mapping[str, Cell]]


def counters_of(tables: Tables) -> Counters:
    """The protocols table's rows by counter; none where it could not be read."""
    return counters(tables) if "protocols" in tables else {}


def pace(known: Counters, *names: str) -> float:
    """How fast these move together, per second."""
    return sum(rate(known[name], "value") for name in names if name in known)


def moved(known: Counters, *names: str) -> list[str]:
    """Those of these that move, the fastest first."""
    return sorted((name for name in names if pace(known, name) > 0), key=lambda name: -pace(known, name))


def total(known: Counters, name: str) -> int:
    return number(known.get(name, {}), "value")


def evidence(known: Counters, *names: str) -> tuple[str, ...]:
    """A line for each that ever counted, and how fast where it moves."""
    return tuple(
        f"protocols: {name} {total(known, name):,}" + (f", {figure(pace(known, name))}/s" if pace(known, name) else "")
        for name in names
        if total(known, name)
    )
