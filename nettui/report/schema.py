"""What a report's sections hold: every column with its type, unit and meaning; nothing is read from the kernel."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from collectors.draft import Draft
from collectors.registry import collector
from collectors.table import Column, Table
from nettui import __version__
from nettui.derive import SECTIONS
from nettui.panels.panel import Panel
from nettui.report.document import SCHEMA

TYPES = {"text": "string", "address": "string", "json": "array or object", "bool": "boolean"}
DOCUMENT = {
    "nettui": "version of nettui",
    "schema": "version of this form: columns are added, never renamed",
    "taken_at": "RFC 3339, UTC",
    "host": "hostname, kernel release, netns: network namespace asked for, null for the caller's own",
    "sections": {
        "rows": "one object a row, nested as path says; what is absent or unknown is left out, never 0 or empty",
        "total": "rows before --limit",
        "elapsed_ms": "time that reading took",
        "gaps": "what is missing from a section that could be read only in part: reason, remedy",
        "notes": "what a reader of the whole section should know: reason, remedy; nothing is missing",
        "unavailable": "instead of rows: why the section could not be read",
        "remedy": "what would make it readable",
    },
}


@lru_cache
def declared(section: str) -> tuple[Column, ...]:
    """The columns that a section can have, found by joining tables of one blank row."""
    needs = SECTIONS[section].needs
    blank = {name: Draft(collector(name).columns, 1).table() for name in needs}
    return SECTIONS[section].join(blank).columns


def completed(table: Table, columns: tuple[Column, ...]) -> Table:
    """The table with every declared column; one that it lacks is absent in every row."""
    lacking = [column for column in columns if column.name not in table]
    return table.extended(lacking, Draft(lacking, len(table)).table().arrays) if lacking else table


def schema(panels: list[Panel]) -> str:
    """The schema of these sections, as a JSON document."""
    sections = {
        panel.name: {
            "title": panel.title,
            "command": panel.command,
            "columns": [described(column) for column in declared(panel.name)],
        }
        for panel in panels
    }
    head = {"nettui": __version__, "schema": SCHEMA, "document": DOCUMENT}
    return json.dumps({**head, "sections": sections}, indent=1) + "\n"


def described(column: Column) -> dict[str, Any]:
    """One column; what it does not have is left out. ``path``: where a row of the JSON form holds it."""
    kind = TYPES.get(column.dtype) or ("number" if column.dtype.startswith("f") else "integer")
    found = {"name": column.name, "type": kind, "kind": column.kind, "unit": column.unit, "help": column.help}
    return {name: text for name, text in {**found, "path": column.path}.items() if text}
