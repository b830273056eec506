"""Style: what the place a report goes to can show, and the columns that fit there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.table import Table
from collectors.values import Codes
from nettui.report.document import Section


@dataclass(frozen=True, slots=True)
class Style:
    """``width``: columns of the terminal, None where there is none and nothing may be left out."""

    width: int | None = None
    colour: bool = False

    def painted(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


PLAIN = Style()


def shown(section: Section) -> list[str]:
    """The columns for a reader: those the user named, else the panel's that any of the rows has."""
    assert isinstance(section.table, Table)
    table = section.table
    if section.chosen:
        return [column.name for column in table.columns]
    wanted = section.panel.report or section.panel.show
    names = [name for name in wanted if name in table] or [column.name for column in table.columns]
    return [name for name in names if has_any(section, name)] or names[:1]


def has_any(section: Section, name: str) -> bool:
    """Whether a column tells anything of the rows: not when all are absent or empty."""
    assert isinstance(section.table, Table)
    values = section.table[name]
    if section.rows is not None:
        values = values.take(section.rows)
    return bool((values.matching(bool) if isinstance(values, Codes) else values.present()).any())


def fitting(widths: Sequence[int], gap: int, room: int | None) -> list[int]:
    """Positions of the columns that have room side by side, the first ones before the others; at least one."""
    kept: list[int] = []
    used = -gap
    for place, width in enumerate(widths):
        if room is None or not kept or used + gap + width <= room:
            kept.append(place)
            used += gap + width
    return kept


def counted(section: Section) -> str:
    """How many rows, in words."""
    rows, total = len(section), section.total
    return f"{rows} of {total} rows" if rows != total else f"{rows} row{'s' * (rows != 1)}"
