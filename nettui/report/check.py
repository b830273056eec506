"""Findings for a reader, worst first, or as JSON; and what was looked at without finding anything."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from collectors.table import Gap
from nettui import __version__
from nettui.findings.examination import Examination, Found
from nettui.findings.finding import Diagnosis, Finding
from nettui.report.document import SCHEMA
from nettui.report.json import encode
from nettui.report.style import Style
from nettui.scrub import scrub

WIDTH, WIDEST = 80, 110
COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;36"}
NUMBERED = {"error": "errors", "warning": "warnings", "note": "notes"}


def text(told: Examination, style: Style) -> Iterator[str]:
    width = min(style.width or WIDTH, WIDEST)
    for diagnosis, finding in told.found:
        yield from one(diagnosis, finding, style, width)
        yield "\n"
    for line in outlook(told):
        yield from wrapped(line, width, "", "  ")


def one(diagnosis: Diagnosis, finding: Finding, style: Style, width: int) -> Iterator[str]:
    """What is wrong; what tells so; what to do about it."""
    head = f"{finding.severity:<8} {scrub(finding.subject)}"
    name = f"  {diagnosis.name}"
    room = max(0, width - len(head) - len(name))
    yield style.painted(COLOURS[finding.severity], head) + " " * room + style.painted("2", name) + "\n"
    yield from wrapped(finding.says, width, "  ", "  ")
    for evidence in finding.evidence:
        yield from wrapped(evidence, width, "    seen  " if evidence is finding.evidence[0] else " " * 10, " " * 12)
    for remedy in finding.remedies:
        command, _, why = scrub(remedy).partition("  # ")
        yield f"    {'do    ' if remedy is finding.remedies[0] else ' ' * 6}{style.painted('36', command)}\n"
        if why:
            yield from wrapped(f"# {why}", width, " " * 12, " " * 14)


def wrapped(line: str, width: int, first: str, rest: str) -> Iterator[str]:
    lines = textwrap.wrap(
        scrub(line), width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )
    yield from (part + "\n" for part in lines)


def outlook(told: Examination) -> Iterator[str]:
    """Counts; diagnoses that could not be made, so that their silence is no good news."""
    made = len(told.silent) + len({diagnosis.name for diagnosis, _ in told.found})
    counts = [
        f"{count} {severity if count == 1 else NUMBERED[severity]}"
        for severity in COLOURS
        if (count := told.count(severity))
    ]
    yield f"{made} diagnoses made: {', '.join(counts) or 'nothing found'}; {len(told.silent)} found nothing."
    for kind, gaps in (("not made", told.missed), ("made in part", told.partial)):
        for why, names in alike(gaps).items():
            yield f"{kind}: {', '.join(names)}: {why}"


def alike(gaps: Mapping[str, Gap]) -> dict[str, list[str]]:
    """Names by what is missing."""
    found: dict[str, list[str]] = {}
    for name, gap in gaps.items():
        found.setdefault(f"{gap.reason}{f'; {gap.remedy}' if gap.remedy else ''}", []).append(name)
    return found


def document(told: Examination) -> str:
    """One JSON document."""
    parts: dict[str, Any] = {
        "seconds": told.seconds,
        "silent": [diagnosis.name for diagnosis in told.silent],
        "not_made": reasons(told.missed),
        "made_in_part": reasons(told.partial),
    }
    findings = ",\n".join(encode(described(entry)) for entry in told.found)
    head = encode({"nettui": __version__, "schema": SCHEMA})[:-1]
    return f'{head},"findings":[\n{findings}\n],{encode(parts)[1:]}\n'


def described(entry: Found) -> dict[str, Any]:
    diagnosis, finding = entry
    return {"diagnosis": diagnosis.name, **{name: cleaned(value) for name, value in asdict(finding).items() if value}}


def cleaned(value: str | Iterable[str]) -> str | list[str]:
    return scrub(value) if isinstance(value, str) else [scrub(part) for part in value]


def reasons(gaps: Mapping[str, Gap]) -> dict[str, dict[str, str]]:
    return {name: {"reason": scrub(gap.reason), "remedy": scrub(gap.remedy)} for name, gap in gaps.items()}


def listed(diagnoses: Sequence[Diagnosis]) -> Iterator[str]:
    """Every diagnosis with what it finds."""
    room = max(len(diagnosis.name) for diagnosis in diagnoses)
    yield from (f"{diagnosis.name:<{room}}  {diagnosis.help}\n" for diagnosis in diagnoses)
