"""What the detail of a row and the help say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.style import Style

from collectors.table import Column, Gap, Table
from collectors.values import Cell
from nettui.details import Facts
from nettui.panels.panel import Panel
from nettui.rates import SUFFIX
from nettui.tui.cells import BOLD, DIM, HEADING, PLAIN, fitted, full_text, structure_text, width_of
from nettui.tui.table_view import wrapped

Paragraph = Sequence[tuple[str, Style]]

KEYS = (
    ("1-9 0 letters", "the panel with that key in the bar above; Tab goes to the next"),
    (":", "jump to anything by name: a panel, a device, an address"),
    ("/", "filter; Esc clears it again"),
    ("s  S", "sort by a column; reverse the order"),
    ("Enter", "detail: every column of the row; of a layer of drops, its counters"),
    ("p", "pivot: from this row to what belongs to it in another panel"),
    ("e", "explain: what the row's counter means, its causes, and what to do"),
    ("m", "mark: from now on the drops panel counts anew, and every panel tells for how long"),
    ("t", "drop reasons: the kernel's own, by a BPF program that only counts; t again ends it"),
    ("Backspace", "back to where the last jump or pivot came from"),
    ("Space", "freeze: nothing is read until Space again"),
    ("r", "read again now"),
    ("c", "choose columns"),
    ("y", "copy the row to the clipboard (OSC 52)"),
    ("arrows, j k g G, PgUp PgDn", "move; left and right show further columns"),
    ("q  Ctrl-C", "quit"),
)
LANGUAGE = (
    ("state established and dport 443", "a column and its value; and, or, not, ( )"),
    ("rtt > 50ms", "= != < <= > >= with units: us ms s  kB MB  pps"),
    ("dst in 10.0.0.0/8", "an address in a network"),
    ('ifname ~ "^veth"', "a regular expression"),
    ("not (scope link)", "what it is not"),
)
SIGNS = (
    ("-", "absent: not known or not there, which zero never means"),
    ("bold", "a counter that has moved since the last reading"),
    ("!", "a counter of losses that is growing now"),
    ("x  ~  .", "drops: what moves is refused on purpose; is a warning; is usual on a healthy host"),
)


def detail(table: Table, row: int, width: int) -> list[Paragraph]:
    """Name, value with unit, and meaning of every column; what is absent stands at the end as such."""
    values = {
        column: full_text(cell, column)
        for column in table.columns
        if (cell := table.cell(row, column.name)) is not None
    }
    absent = [column for column in table.columns if column not in values]
    names = min(24, max((len(column.name) for column in table.columns), default=0)) + 2
    short = [width_of(value) for value in values.values() if width_of(value) <= width // 4]
    lines: list[Paragraph] = []
    for column, value in values.items():
        lines += entry(column, value, names, max(short, default=8) + 2, width)
    if absent:
        lines += [(), (("not present in this row", BOLD),)]
        lines += pairs([(column.name, column.help) for column in absent], names - 2, width, DIM)
    return lines


def facts_page(groups: Mapping[str, Facts | Gap], width: int) -> list[Paragraph]:
    """What was read for one row alone: names and values below a heading each, a gap with its reason."""
    lines: list[Paragraph] = []
    for heading, facts in groups.items():
        lines.append(((heading, BOLD),))
        if isinstance(facts, Gap):
            told = f"{facts.reason} -> {facts.remedy}" if facts.remedy else facts.reason
            lines += [((f"  {part}", DIM),) for part in broken(told, max(20, width - 2))]
        elif not facts:
            lines.append((("  not known", DIM),))
        else:
            names = min(30, max(map(width_of, facts)))
            lines += pairs([(name, fact_text(fact)) for name, fact in facts.items()], names, width)
        lines.append(())
    return lines


def fact_text(fact: Cell) -> str:
    """A fact in words; of a group of features the ones that are on."""
    if (
        isinstance(fact, dict)
        and fact
        and all(isinstance(inner, dict) and "active" in inner for inner in fact.values())
    ):
        return ", ".join(name for name, inner in fact.items() if inner["active"]) or "none"
    return structure_text("yes" if fact is True else "no" if fact is False else fact)


def entry(column: Column, value: str, names: int, values: int, width: int) -> list[Paragraph]:
    """One column: its meaning beside a short value, below a long one."""
    name = (fitted(column.name, names), HEADING)
    room = max(10, width - names - values)
    if width_of(value) < values:
        left: list[Paragraph] = [(name, (fitted(value, values), BOLD))]
    else:
        pad = (" " * names, PLAIN)
        pieces = broken(value, max(10, width - names))
        left = [(name if index == 0 else pad, (piece, BOLD)) for index, piece in enumerate(pieces)]
    meaning = [part for part in wrapped(column.help, room) if part]
    if len(left) > 1 or width_of(value) >= values:
        return left + [((" " * (names + values), PLAIN), (part, DIM)) for part in meaning]
    first: list[Paragraph] = [(*left[0], (meaning[0], DIM))] if meaning else left
    return first + [((" " * (names + values), PLAIN), (part, DIM)) for part in meaning[1:]]


def broken(text: str, width: int) -> list[str]:
    """Text in pieces of at most ``width`` cells, at spaces where there are any."""
    pieces = []
    for line in wrapped(text, width):
        while width_of(line) > width:
            pieces.append(line[:width])
            line = line[width:]
        pieces.append(line)
    return pieces


def help_page(panel: Panel, table: Table | None, width: int, own: Sequence[tuple[str, str]] = ()) -> list[Paragraph]:
    """``own``: keys that this panel alone has."""
    lines: list[Paragraph] = []
    if own:
        lines += [((f"Keys of {panel.name}", BOLD),), *pairs(own, 26, width), ()]
    lines += [(("Keys", BOLD),), *pairs(KEYS, 26, width)]
    lines += [(), (("Filter language (also --where on the command line)", BOLD),)]
    lines += pairs(LANGUAGE, 34, width)
    lines += [
        (),
        (("Signs", BOLD),),
        *pairs(SIGNS, 26, width),
        (),
        ((f"Columns of {panel.name}", BOLD), (f"   the same by hand: {panel.command}", DIM)),
    ]
    if table is None:
        return [*lines, (("  not read yet", DIM),)]
    shown = [table.column(name) for name in panel.columns if name in table]
    rest = [column for column in table.columns if column.name not in panel.columns and not column.name.endswith(SUFFIX)]
    return lines + pairs([(column.name, meaning(column)) for column in (*shown, *rest)], 26, width)


def meaning(column: Column) -> str:
    return f"{column.help} ({column.unit})" if column.unit else column.help


def pairs(entries: Sequence[tuple[str, str]], left: int, width: int, style: Style = PLAIN) -> list[Paragraph]:
    """Two columns, the right one wrapped."""
    lines: list[Paragraph] = []
    for name, text in entries:
        for index, part in enumerate(broken(text, max(20, width - left - 3))):
            lines.append(((f"{fitted(name if index == 0 else '', left)}  ", HEADING + style), (part, style)))
    return lines
