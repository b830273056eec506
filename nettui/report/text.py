"""A report for a reader: a heading and an aligned table per section, with the command that shows the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from collectors.table import Column, Gap, Note, Table
from collectors.values import Codes, Numbers, Values
from nettui.report.cells import clean, column_texts, number, plain
from nettui.report.document import Report, Section
from nettui.report.style import Style, counted, fitting, shown

SPACE = "  "
ABSENT = "-"
BOLD, DIM, RED, YELLOW = "1", "2", "31", "33"
WIDEST_GUESS = 40  # for columns of which only the first rows were measured


def write(report: Report, style: Style) -> Iterator[str]:
    for place, section in enumerate(report.sections):
        yield "\n" if place else ""
        if isinstance(section.table, Gap):
            yield f"{style.painted(BOLD, section.panel.title)}: {style.painted(RED, 'not available')}\n"
            yield f"  {sentence(section.table)}\n"
        else:
            yield f"{style.painted(BOLD, section.panel.title)} ({counted(section)}): {section.panel.command}\n"
            yield from (f"  {style.painted(YELLOW, lead(gap))}: {sentence(gap)}\n" for gap in section.table.gaps)
            yield from body(section, style)


def lead(gap: Gap) -> str:
    return "note" if isinstance(gap, Note) else "incomplete"


def sentence(gap: Gap) -> str:
    """A gap's reason and remedy, in one line."""
    return clean(f"{gap.reason}; {gap.remedy}" if gap.remedy else gap.reason)  # type: ignore[no-any-return]


def empty(section: Section) -> str:
    """What no rows means: nothing there, or nothing that the filter lets pass."""
    if isinstance(section.table, Table) and len(section.table) and not section.total:
        return f"none of the {len(section.table)} rows matches"
    if section.filtered and not section.total:
        return "no row matches"
    return section.panel.empty if not section.total else "no rows asked for"


def body(section: Section, style: Style) -> Iterator[str]:
    if not len(section):
        yield f"  {empty(section)}\n"
        return
    assert isinstance(section.table, Table)
    table = section.table.select(shown(section))
    chunks = section.chunks()
    first = next(chunks)
    sampled = len(section) > len(first)
    widths = [width(column, first[column.name], table[column.name] if sampled else None) for column in table.columns]
    kept = fitting(widths, len(SPACE), None if section.chosen else style.width)
    columns = [table.columns[place] for place in kept]
    room = [widths[place] for place in kept]
    yield style.painted(DIM, heading(columns, room)) + "\n"
    yield from lines(first, columns, room)
    for chunk in chunks:
        yield from lines(chunk, columns, room)
    left_out = [column.name for column in table.columns if column not in columns]
    if left_out:
        yield style.painted(DIM, f"  no room for {', '.join(left_out)}: name them with --columns") + "\n"


def heading(columns: Sequence[Column], widths: Sequence[int]) -> str:
    names = [padded(column, width).format(column.name) for column, width in zip(columns, widths, strict=True)]
    return SPACE.join(names).rstrip()


def padded(column: Column, width: int) -> str:
    """The place of a cell of one-cell letters: numbers to the right, everything else to the left."""
    return f"{{:{'>' if column.numeric else '<'}{width}}}"


def lines(table: Table, columns: Sequence[Column], widths: Sequence[int]) -> Iterator[str]:
    """The rows as aligned lines, by one template; what all rows have in common stands in it."""
    template, own = [], []
    for column, width in zip(columns, widths, strict=True):
        cells = column_texts(table[column.name], plain)
        room = 0 if column is columns[-1] and not column.numeric else width
        if not isinstance(cells, list):
            template.append(fill(cells or ABSENT, column, room).replace("{", "{{").replace("}", "}}"))
            continue
        filled = [ABSENT if cell is None else cell for cell in cells]
        narrow = "".join(filled).isascii()
        own.append(filled if narrow else [fill(cell, column, room) for cell in filled])
        template.append(padded(column, room) if narrow else "{}")
    line = SPACE.join(template) + "\n"
    yield "".join(map(line.format, *own) if own else [line.format()] * len(table))


def fill(cell: str, column: Column, width: int) -> str:
    space = " " * (width - display_width(cell))
    return space + cell if column.numeric else cell + space


def width(column: Column, sample: Values, values: Values | None) -> int:
    """The width of the heading and of every cell; of a column measured in part, that of its likely cells."""
    cells = column_texts(sample, plain)
    listed = cells if isinstance(cells, list) else [cells]
    widest = max(len(column.name), *(display_width(cell or ABSENT) for cell in listed))
    if isinstance(values, Numbers) and len(values):
        extremes = (values.numbers.min().item(), values.numbers.max().item())
        return max(widest, *(min(len(number(extreme) or ""), WIDEST_GUESS) for extreme in extremes))
    if isinstance(values, Codes) and len(values.pool) <= 10_000:
        return max(widest, min(max((len(plain(clean(cell))) for cell in values.pool), default=0), WIDEST_GUESS))
    return widest


def display_width(text: str) -> int:
    """Terminal cells that a scrubbed text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) != 0 for letter in text)
