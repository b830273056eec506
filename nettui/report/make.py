"""From sections read to a report, and from a report to a stream in one of the formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import TextIO

from collectors import Host
from collectors.registry import collector
from nettui.derive import SECTIONS
from nettui.panels.panel import Panel
from nettui.report.document import Report, Section, whereabouts
from nettui.report.schema import completed, declared
from nettui.report.select import Selection, select
from nettui.report.style import Style
from nettui.snapshot import Snapshot

# format -> (module, function that yields its text piece by piece); imported when it is asked for
FORMATS = {
    "text": ("nettui.report.text", "write"),
    "json": ("nettui.report.json", "write"),
    "ndjson": ("nettui.report.json", "write_lines"),
    "csv": ("nettui.report.csv", "write"),
    "markdown": ("nettui.report.markdown", "write"),
}


def cheap(panel: Panel) -> bool:
    """Whether a report that names no section includes it."""
    return not panel.again and all(collector(name).cheap for name in SECTIONS[panel.name].needs)


def make(panels: Sequence[Panel], snapshot: Snapshot, host: Host, selection: Selection) -> Report:
    """The report of these sections; a section that was not read holds its gap."""
    sections = tuple(section(panel, snapshot, selection) for panel in panels)
    return Report(snapshot.at, whereabouts(host), sections)


def section(panel: Panel, snapshot: Snapshot, selection: Selection) -> Section:
    name, elapsed = panel.name, snapshot.elapsed.get(panel.name, 0.0)
    if name in snapshot.gaps:
        return Section(panel, snapshot.gaps[name], elapsed=elapsed)
    sort = selection.sort or ((panel.sort,) if panel.sort else ())
    asked = Selection(selection.where, sort, selection.columns, selection.limit)
    table, rows, total = select(completed(snapshot.tables[name], declared(name)), asked)
    return Section(panel, table, rows, total, elapsed, bool(selection.columns), bool(selection.where))


def pieces(report: Report, form: str, style: Style) -> Iterator[str]:
    module, function = FORMATS[form]
    write: Callable[[Report, Style], Iterator[str]] = getattr(import_module(module), function)
    return write(report, style)


def style_of(out: TextIO, environment: dict[str, str]) -> Style:
    """What the stream can show: a terminal's width and colours, and nothing left out of a pipe or file."""
    import os

    if not out.isatty():
        return Style()
    try:
        width = os.get_terminal_size(out.fileno()).columns or 80
    except (OSError, ValueError):
        width = 80
    return Style(width, not environment.get("NO_COLOR") and environment.get("TERM", "dumb") != "dumb")


def write(report: Report, form: str, out: TextIO, style: Style | None = None) -> None:
    """The whole report into a text stream, as it is made."""
    for piece in pieces(report, form, style or Style()):
        out.write(piece)
