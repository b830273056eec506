"""Examination: what diagnoses need is read, twice where rates matter, and each of them is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from collectors import Host
from collectors.registry import collector
from collectors.table import Gap, Table
from nettui.findings.finding import SEVERITIES, Diagnosis, Finding, Tables
from nettui.findings.registry import DIAGNOSES
from nettui.rates import with_rates
from nettui.snapshot import gap, take

Found = tuple[Diagnosis, Finding]


@dataclass(frozen=True, slots=True)
class Examination:
    """``found``: worst first; ``silent``: diagnoses that found nothing; ``missed``: those that could not be made, and
    why; ``partial``: those that were made without a table that they would have looked at. ``seconds`` between readings.
    """

    found: tuple[Found, ...]
    silent: tuple[Diagnosis, ...]
    missed: Mapping[str, Gap]
    partial: Mapping[str, Gap]
    seconds: float

    def count(self, severity: str) -> int:
        return sum(finding.severity == severity for _, finding in self.found)


def needed(diagnoses: Sequence[Diagnosis] = DIAGNOSES) -> list[str]:
    """The tables that these diagnoses look at, each once."""
    return list(dict.fromkeys(name for diagnosis in diagnoses for name in (*diagnosis.needs, *diagnosis.wants)))


def examined(host: Host, diagnoses: Sequence[Diagnosis] = DIAGNOSES, interval: float = 1.0) -> Examination:
    """Reads, waits ``interval`` seconds, reads what has counters again; 0: reads once, and nothing has a rate."""
    names = needed(diagnoses)
    before: dict[str, tuple[Table, float]] = {}
    if interval:
        for name in filter(counts, names):
            at = time.monotonic()
            for table in take([name], host).tables.values():
                before[name] = (table, at)
        time.sleep(interval)
    tables: dict[str, Table] = {}
    gaps: dict[str, Gap] = {}
    for name in names:
        at = time.monotonic()
        snapshot = take([name], host)
        gaps |= snapshot.gaps
        for table in snapshot.tables.values():
            tables[name] = with_rates(table, before[name][0], at - before[name][1]) if name in before else table
    return asked(tables, gaps, diagnoses, interval)


def counts(name: str) -> bool:
    """Whether the table has counters, so that two readings tell more than one."""
    return any(column.kind == "counter" for column in collector(name).columns)


def asked(tables: Tables, gaps: Mapping[str, Gap], diagnoses: Sequence[Diagnosis], seconds: float) -> Examination:
    """What the diagnoses make of these tables; one that fails costs itself and no other."""
    found: list[Found] = []
    silent, missed, partial = [], {}, {}
    for diagnosis in diagnoses:
        if lacking := [name for name in diagnosis.needs if name not in tables]:
            missed[diagnosis.name] = lack(lacking, gaps)
            continue
        if lacking := [name for name in diagnosis.wants if name not in tables]:
            partial[diagnosis.name] = lack(lacking, gaps)
        try:
            told = list(diagnosis.find(tables))
        except Exception as error:  # one diagnosis is no reason to tell nothing of the others
            missed[diagnosis.name] = gap(error)
            continue
        found += [(diagnosis, finding) for finding in told]
        silent += [] if told else [diagnosis]
    found.sort(key=lambda entry: SEVERITIES.index(entry[1].severity))
    return Examination(tuple(found), tuple(silent), missed, partial, seconds)


def lack(names: Sequence[str], gaps: Mapping[str, Gap]) -> Gap:
    """Why a table is missing, the first of those that are."""
    known = gaps.get(names[0], Gap("was not read"))
    return Gap(f"{names[0]}: {known.reason}", known.remedy)


def chosen(names: Sequence[str]) -> Iterator[Diagnosis]:
    """Diagnoses by name, all of them without one; raises KeyError for a name that is none."""
    known = {diagnosis.name: diagnosis for diagnosis in DIAGNOSES}
    yield from (known[name] for name in dict.fromkeys(names)) if names else DIAGNOSES
