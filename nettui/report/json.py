"""A report as one JSON document, or as one object a line (ndjson); nested as iproute2 nests, ASCII only.

Rows are put together from columns of encoded text, a chunk at a time; no row ever becomes a dictionary.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from collectors.table import Column, Gap, Table
from collectors.values import Addresses, Values
from nettui import __version__
from nettui.report.cells import Texts, clean, texts
from nettui.report.document import SCHEMA, Report, Section
from nettui.report.style import Style

encode = json.JSONEncoder(separators=(",", ":")).encode


def write(report: Report, style: Style) -> Iterator[str]:
    """The document, piece by piece."""
    head = {"nettui": __version__, "schema": SCHEMA, "taken_at": report.taken_at, "host": report.host}
    yield encode(head)[:-1] + ',"sections":{'
    for place, section in enumerate(report.sections):
        yield f"{',' if place else ''}\n{encode(section.panel.name)}:"
        yield from missing(section.table) if isinstance(section.table, Gap) else present(section)
    yield "\n}}\n"


def present(section: Section) -> Iterator[str]:
    assert isinstance(section.table, Table)
    yield '{"rows":['
    first = True
    for chunk in section.chunks():
        yield ("\n" if first else ",\n") + ",\n".join(objects(chunk))
        first = False
    tail: dict[str, Any] = {"total": section.total, "elapsed_ms": round(section.elapsed * 1000, 1)}
    if section.table.gaps:
        tail["gaps"] = [said(gap, "reason") for gap in section.table.gaps]
    yield f"],{encode(tail)[1:]}"


def missing(gap: Gap) -> Iterator[str]:
    yield encode(said(gap, "unavailable"))


def said(gap: Gap, word: str) -> dict[str, str]:
    return {word: clean(gap.reason), **({"remedy": clean(gap.remedy)} if gap.remedy else {})}


def write_lines(report: Report, style: Style) -> Iterator[str]:
    """One row a line with its section; a section that could not be read is one line too."""
    for section in report.sections:
        name = encode({"section": section.panel.name})[:-1]
        if isinstance(section.table, Gap):
            yield f"{name},{encode(said(section.table, 'unavailable'))[1:]}\n"
            continue
        for chunk in section.chunks():
            yield "".join(f"{name}{',' if len(row) > 2 else ''}{row[1:]}\n" for row in objects(chunk))
        for gap in section.table.gaps:
            yield f"{name},{encode({'gap': said(gap, 'reason')})[1:]}\n"


def objects(table: Table) -> list[str]:
    """Each row as a JSON object; what is absent is left out."""
    members = [(column_path(column), quoted(table[column.name])) for column in table.columns]
    return [body or "{}" for body in nested(members, len(table))]


def quoted(values: Values) -> Texts:
    found = texts(values, encode)
    return [text and f'"{text}"' for text in found] if isinstance(values, Addresses) else found


def column_path(column: Column) -> tuple[str, ...]:
    return tuple((column.path or column.name).split("."))


def nested(members: Sequence[tuple[tuple[str, ...], Texts]], rows: int) -> Texts:
    """Objects of the members of one level, those below it first; None where a row has no member."""
    levels: dict[str, list[tuple[tuple[str, ...], Texts]]] = {}
    for path, values in members:
        levels.setdefault(path[0], []).append((path[1:], values))
    columns: list[Texts] = []
    for key, inner in levels.items():
        values = inner[0][1] if len(inner) == 1 and not inner[0][0] else nested(inner, rows)
        if values.count(None) < rows:
            columns.append(named(f"{encode(key)}:", values))
    if not columns:
        return [None] * rows
    bodies = map(",".join, map(present_only, zip(*columns, strict=True)))
    return [f"{{{body}}}" if body else None for body in bodies]


def named(name: str, values: Texts) -> Texts:
    """The values as members of an object, None where absent."""
    return [value and name + value for value in values]


def present_only(row: tuple[str | None, ...]) -> Iterator[str]:
    return filter(None, row)
