"""A report for a reader: a heading and an aligned table per section, with the command that shows the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from collectors.table import Column, Gap, Table
from collectors.values import Codes, Numbers, Values
from nettui.report.cells import Texts, clean, number, plain, texts
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
            yield from (f"  {style.painted(YELLOW, 'incomplete')}: {sentence(gap)}\n" for gap in section.table.gaps)
            yield from body(section, style)


def sentence(gap: Gap) -> str:
    """A gap's reason and remedy, in one line."""
    return clean(f"{gap.reason}; {gap.remedy}" if gap.remedy else gap.reason)  # type: ignore[no-any-return]


def empty(section: Section) -> str:
    """What no rows means: nothing there, or nothing that the filter lets pass."""
    if isinstance(section.table, Table) and len(section.table) and not section.total:
        return f"none of the {len(section.table)} rows matches"
    return section.panel.empty if not section.total else "no rows asked for"


def body(section: Section, style: Style) -> Iterator[str]:
    if not len(section):
        yield f"  {empty(section)}\n"
        return
    assert isinstance(section.table, Table)
    table = section.table.select(shown(section))
    chunks = (chunk.select([column.name for column in table.columns]) for chunk in section.chunks())
    first = rendered(next(chunks))
    sampled = len(section) > len(first[0])
    widths = [
        width(column, texts, table[column.name] if sampled else None)
        for column, texts in zip(table.columns, first, strict=True)
    ]
    kept = fitting(widths, len(SPACE), None if section.chosen else style.width)
    columns = [table.columns[place] for place in kept]
    room = [widths[place] for place in kept]
    yield style.painted(DIM, joined([[column.name] for column in columns], columns, room)[0]) + "\n"
    yield "\n".join(joined([first[place] for place in kept], columns, room)) + "\n"
    for chunk in chunks:
        yield "\n".join(joined(rendered(chunk.select([c.name for c in columns])), columns, room)) + "\n"
    left_out = [column.name for column in table.columns if column not in columns]
    if left_out:
        yield style.painted(DIM, f"  no room for {', '.join(left_out)}: name them with --columns") + "\n"


def rendered(table: Table) -> list[list[str]]:
    return [filled(texts(table[column.name], plain)) for column in table.columns]


def filled(found: Texts) -> list[str]:
    return [ABSENT if text is None else text for text in found]


def joined(columns: Sequence[Sequence[str]], kinds: Sequence[Column], widths: Sequence[int]) -> list[str]:
    """The rows of aligned lines: numbers to the right, everything else to the left."""
    padded = [pad(*column) for column in zip(columns, kinds, widths, strict=True)]
    return [SPACE.join(row).rstrip(" ") for row in zip(*padded, strict=True)]


def pad(cells: Sequence[str], column: Column, width: int) -> list[str]:
    if "".join(cells).isascii():
        return [cell.rjust(width) if column.numeric else cell.ljust(width) for cell in cells]
    spaces = [width - display_width(cell) for cell in cells]
    if column.numeric:
        return [" " * space + cell for space, cell in zip(spaces, cells, strict=True)]
    return [cell + " " * space for space, cell in zip(spaces, cells, strict=True)]


def width(column: Column, sample: Sequence[str], values: Values | None) -> int:
    """The width of the heading and of every cell; of a column measured in part, that of its likely cells."""
    widest = max(len(column.name), *map(len if "".join(sample).isascii() else display_width, sample))
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
