"""Finding: one thing that is wrong, with the evidence for it and what to do; Diagnosis: the function that finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from collectors.table import Table
from collectors.values import Cell
from nettui.rates import SUFFIX

# error: packets or connections are lost now, or cannot pass. warning: they soon will be, or were. note: worth knowing.
Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
Tables = Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Finding:
    """``subject``: what it is about, such as a device, a socket with its process, a table.
    ``says``: one sentence with the figures that matter. ``evidence``: the values that it was told from, each with its
    source. ``remedies``: commands, ``#`` and a few words behind them; reading ones first, what changes the host last.
    ``section``, ``where``: where it can be looked at, and the filter that shows it.
    """

    severity: Severity
    subject: str
    says: str
    evidence: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    section: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``name``: one or a few words joined by _, the same in every output. ``needs``: the collectors' tables without
    which it cannot be told; ``wants``: those that it also looks at where they could be read.

    ``find``: pure; gets tables by collector, with a NAME_rate column behind each counter where they were read twice.
    """

    name: str
    help: str
    needs: tuple[str, ...]
    find: Callable[[Tables], Iterator[Finding]]
    wants: tuple[str, ...] = ()


def rate(row: Mapping[str, Cell], counter: str) -> float:
    """How fast a counter of a row moves, per second; 0 where that is not known."""
    value = row.get(counter + SUFFIX)
    return float(value) if isinstance(value, (int, float)) else 0.0


def number(row: Mapping[str, Cell], name: str) -> int:
    """A cell's number, 0 where it is absent."""
    value = row.get(name)
    return int(value) if isinstance(value, (int, float)) else 0


def counters(tables: Tables) -> Mapping[str, Mapping[str, Cell]]:
    """The rows of the protocols table by the counter's name."""
    return {str(row["counter"]): row for row in tables["protocols"].rows()}
