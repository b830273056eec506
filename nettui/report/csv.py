"""A report as CSV: one header and one line a row, every column, lists and objects as JSON in their cell.

One section is a plain table; several are blocks parted by an empty line, with ``section`` as their first column. A
text that a spreadsheet would take for a formula (it begins with = + - or @) gets an apostrophe before it, as OWASP
advises: names come from strangers. Numbers are never changed. What is absent is an empty cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from collectors.table import Gap, Table
from nettui.report.cells import texts
from nettui.report.document import Report, Section
from nettui.report.json import encode
from nettui.report.style import Style

FORMULA = ("=", "+", "-", "@")


def write(report: Report, style: Style) -> Iterator[str]:
    several = len(report.sections) > 1
    readable = [section for section in report.sections if isinstance(section.table, Table)]
    for place, section in enumerate(readable):
        yield "\n" if place else ""
        yield from block(section, [section.panel.name] if several else [])


def block(section: Section, name: list[str]) -> Iterator[str]:
    assert not isinstance(section.table, Gap)
    columns = section.table.columns
    yield lines([[*(["section"] if name else []), *(column.name for column in columns)]])
    for chunk in section.chunks():
        cells = [texts(chunk[column.name], spelled) for column in columns]
        yield lines([*name, *row] for row in zip(*cells, strict=True))


def lines(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def spelled(cell: Any) -> str:
    text = cell if isinstance(cell, str) else encode(cell)
    return f"'{text}" if text.startswith(FORMULA) else text
