"""A report as one JSON document, or as one object a line (ndjson); nested as iproute2 nests, ASCII only.

Rows are put together from columns of encoded text, a chunk at a time; no row ever becomes a dictionary.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from collectors.table import Column, Gap, Note, Table
from collectors.values import Addresses, Values
from nettui import __version__
from nettui.report.cells import Texts, clean, column_texts
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
    for name, told in (("gaps", missing_parts(section.table)), ("notes", notes(section.table))):
        if told:
            tail[name] = [said(gap, "reason") for gap in told]
    yield f"],{encode(tail)[1:]}"


def missing(gap: Gap) -> Iterator[str]:
    yield encode(said(gap, "unavailable"))


def missing_parts(table: Table) -> list[Gap]:
    return [gap for gap in table.gaps if not isinstance(gap, Note)]


def notes(table: Table) -> list[Gap]:
    return [gap for gap in table.gaps if isinstance(gap, Note)]


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
            word = "note" if isinstance(gap, Note) else "gap"
            yield f"{name},{encode({word: said(gap, 'reason')})[1:]}\n"


def objects(table: Table) -> list[str]:
    """Each row as a JSON object; what is absent is left out."""
    members = [(column_path(column), quoted(table[column.name])) for column in table.columns]
    found = pieces(members, len(table))
    if found and isinstance(found[0], str):
        return lines(["{", found[0][1:], *found[1:], "}"], len(table))
    return [f"{{{body[1:]}}}" for body in lines(found, len(table))]


def quoted(values: Values) -> Texts | str | None:
    """Encoded cells; ``texts`` leaves addresses as they are."""
    found = column_texts(values, encode)
    if not isinstance(values, Addresses):
        return found
    return [text and f'"{text}"' for text in found] if isinstance(found, list) else found and f'"{found}"'


def column_path(column: Column) -> tuple[str, ...]:
    return tuple((column.path or column.name).split("."))


# Text that all rows share, or each row's own. In order they make up rows of ``,"name":value`` members.
Piece = str | list[str]


def pieces(members: Sequence[tuple[tuple[str, ...], Texts | str | None]], rows: int) -> list[Piece]:
    """The members of one level, those below it inside theirs."""
    levels: dict[str, list[tuple[tuple[str, ...], Texts | str | None]]] = {}
    for path, values in members:
        levels.setdefault(path[0], []).append((path[1:], values))
    found: list[Piece] = []
    for key, inner in levels.items():
        leaf = len(inner) == 1 and not inner[0][0]
        found += (
            member(f",{encode(key)}:", inner[0][1]) if leaf else group(f",{encode(key)}:", pieces(inner, rows), rows)
        )
    return found


def member(name: str, values: Texts | str | None) -> list[Piece]:
    """One column's member; nothing in the rows that lack it."""
    if values is None:
        return []
    if isinstance(values, str):
        return [name + values]
    present = [value for value in values if value is not None]
    if len(present) == len(values):
        return [name, present]
    return [["" if value is None else name + value for value in values]] if present else []


def group(name: str, inner: list[Piece], rows: int) -> list[Piece]:
    """An object of members; nothing in the rows that have none of them."""
    if not inner:
        return []
    if isinstance(inner[0], str):
        return [f"{name}{{{inner[0][1:]}", *inner[1:], "}"]
    return [[body and f"{name}{{{body[1:]}}}" for body in lines(inner, rows)]]


def lines(found: Sequence[Piece], rows: int) -> list[str]:
    """The rows that the pieces make up, by one template."""
    own = [piece for piece in found if not isinstance(piece, str)]
    template = "".join(piece.replace("%", "%%") if isinstance(piece, str) else "%s" for piece in found)
    return list(map(template.__mod__, zip(*own, strict=True))) if own else [template % ()] * rows
