"""The only list of diagnoses."""

from __future__ import annotations

from nettui.findings.conntrack_full import CONNTRACK_FULL
from nettui.findings.finding import SEVERITIES, Diagnosis, Finding, Tables

DIAGNOSES: tuple[Diagnosis, ...] = (CONNTRACK_FULL,)


def found(tables: Tables, diagnoses: tuple[Diagnosis, ...] = DIAGNOSES) -> list[tuple[Diagnosis, Finding]]:
    """What the tables show, worst first; a diagnosis whose tables are missing is left out."""
    told = [
        (diagnosis, finding)
        for diagnosis in diagnoses
        if all(name in tables for name in diagnosis.needs)
        for finding in diagnosis.find(tables)
    ]
    return sorted(told, key=lambda entry: SEVERITIES.index(entry[1].severity))
