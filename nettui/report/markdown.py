"""A report as Markdown tables for tickets; text from outside is escaped, so that it shows and does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from collectors.table import Column, Gap
from nettui.report.cells import plain, texts
from nettui.report.document import Report, Section
from nettui.report.style import Style, counted, shown
from nettui.report.text import empty, lead, sentence

MARKUP = re.compile(r"[\\`*\[\]<>|&~!#]|(?<!\w)_|_(?!\w)|(?<=:)/(?=/)|(?<=www)\.")


def write(report: Report, style: Style) -> Iterator[str]:
    host = report.host
    place = f", namespace {host['netns']}" if host["netns"] else ""
    yield escaped(f"{host['hostname']}, kernel {host['kernel']}{place}, {report.taken_at}") + "\n"
    for section in report.sections:
        yield f"\n## {section.panel.title}\n\n"
        if isinstance(section.table, Gap):
            yield f"Not available: {escaped(sentence(section.table))}\n"
        else:
            yield f"{counted(section)}; the same: `{section.panel.command}`\n"
            yield from (f"\n{lead(gap).capitalize()}: {escaped(sentence(gap))}\n" for gap in section.table.gaps)
            yield from body(section)


def body(section: Section) -> Iterator[str]:
    if not len(section):
        yield f"\n{escaped(empty(section))}\n"
        return
    assert not isinstance(section.table, Gap)
    names = shown(section)
    columns: Sequence[Column] = section.table.select(names).columns
    yield f"\n| {' | '.join(names)} |\n"
    yield f"|{'|'.join('---:' if column.numeric else '---' for column in columns)}|\n"
    for chunk in section.chunks():
        cells = [texts(chunk[name], lambda cell: escaped(plain(cell))) for name in names]
        yield "".join(f"| {' | '.join(cell or '' for cell in row)} |\n" for row in zip(*cells, strict=True))


def escaped(text: str) -> str:
    """Text in which nothing is markup or a link."""
    return MARKUP.sub(r"\\\g<0>", text)
