"""What diagnoses ask of tables: rows by conditions on whole columns, devices by their index, settings by their name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collectors.table import Table
from collectors.values import Cell
from nettui.findings.finding import SEVERITIES, Finding, Tables
from nettui.joins import index_names
from nettui.rates import SUFFIX

Mask = NDArray[np.bool_]
Row = dict[str, Cell]


def picked(table: Table, mask: Mask, *names: str) -> Iterator[Row]:
    """The rows where ``mask`` is true, with the named columns that the table has."""
    rows = np.flatnonzero(mask)
    if len(rows):
        yield from table.select([name for name in names if name in table]).take(rows).rows()


def is_one_of(table: Table, name: str, *cells: Cell) -> Mask:
    return table.codes(name).matching(lambda cell: cell in cells)


def has(table: Table, word: str, name: str = "flags") -> Mask:
    """Rows whose list in the column holds the word."""
    return table.codes(name).matching(lambda cell: isinstance(cell, list) and word in cell)


def above(table: Table, name: str, least: float = 0) -> Mask:
    """Rows whose number is known and greater than ``least``; none where the table lacks the column."""
    if name not in table:
        return np.zeros(len(table), np.bool_)
    values = table.numbers(name)
    found: Mask = values.present() & (values.numbers > least)
    return found


def moving(table: Table, counter: str) -> Mask:
    """Rows whose counter moved between two readings."""
    return above(table, counter + SUFFIX)


def equals(table: Table, name: str, numbers: Iterable[int]) -> Mask:
    """Rows whose number is known and one of these."""
    values = table.numbers(name)
    found: Mask = values.present() & np.isin(values.numbers, np.array(list(numbers), np.int64))
    return found


def device(names: Mapping[int, str], index: Cell) -> str:
    """A device's name, ``if7`` where it has none."""
    return names.get(index, f"if{index}") if isinstance(index, int) else "?"


def device_names(tables: Tables) -> dict[int, str]:
    return index_names(tables.get("links"))


def addressed(tables: Tables, family: str = "inet") -> set[int]:
    """Indexes of the devices that have an address which is valid beyond them and this host."""
    if "addresses" not in tables:
        return set()
    table = tables["addresses"]
    usable = is_one_of(table, "family", family) & is_one_of(table, "scope", "global", "site")
    return set(table.numbers("ifindex").numbers[usable].tolist())


def listed(words: Iterable[object], most: int = 5) -> str:
    """The first few words, and how many there are beside."""
    every = list(words)
    rest = [f"{len(every) - most} more"] if len(every) > most else []
    return ", ".join([*map(str, every[:most]), *rest])


def counted(count: int, noun: str) -> str:
    """A number with its noun: 1 rule, 2,300 rules, 2 addresses."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}{'es' if noun.endswith('s') else 's'}"


def figure(number: float) -> str:
    """A rate to three digits, and never in powers of ten: 0.0123, 3.95, 3,950."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def capped(findings: Iterable[Finding], most: int = 10) -> Iterator[Finding]:
    """The worst few, and one that tells how many there are beside."""
    every = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    yield from every[:most]
    if rest := every[most:]:
        subjects = listed([finding.subject for finding in rest], 3)
        yield replace(
            rest[0], subject=f"{len(rest):,} more", says=f"the same is true of {len(rest):,} more: {subjects}"
        )


def settings(tables: Tables) -> dict[str, int]:
    """The kernel's settings that are numbers, by sysctl's name: net.ipv4.conf.eth0.rp_filter."""
    if "settings" not in tables:
        return {}
    table = tables["settings"]
    pairs = zip(table["name"].cells(), table["number"].cells(), strict=True)
    return {str(name): int(number) for name, number in pairs if isinstance(number, (int, float))}


def of_device(known: Mapping[str, int], name: str, setting: str) -> int | None:
    """An IPv4 setting of one device, whose dots may be written as sysctl does, as slashes."""
    found = known.get(conf(name, setting))
    return known.get(f"net.ipv4.conf.{name}.{setting}") if found is None else found


def conf(name: str, setting: str) -> str:
    """sysctl's name of a device's setting."""
    return f"net.ipv4.conf.{name.replace('.', '/')}.{setting}"
