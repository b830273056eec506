"""Cells as text on the screen: the one door through which everything that is shown must go."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.content import Content

from collectors.table import Column
from collectors.values import Cell
from nettui.rates import SUFFIX
from nettui.scrub import scrub

PLAIN = Style()
BOLD = Style(bold=True)
DIM = Style(dim=True)
REVERSE = Style(reverse=True)
MARKED = Style(bold=True, reverse=True)
GOOD = Style(color="green", bold=True)
LOSS = Style(color="red", bold=True)
REFUSED = Style(color="magenta", bold=True)
WARNING = Style(color="yellow", bold=True)
HEADING = Style(color="cyan", bold=True)
MISSING = "-"
MOMENTS = ("first_moved", "last_moved", "first", "last")  # columns of seconds since the epoch
PREFIXES = ("", "k", "M", "G", "T", "P", "E")


class Glyphs(NamedTuple):
    """The few signs beyond ASCII, and what stands for them where they may not exist."""

    up: str = "↑"
    down: str = "↓"
    cut: str = "…"
    full: str = "█"
    rest: str = "░"
    left: str = "‹"
    right: str = "›"
    none: str = "·"
    steps: str = "▁▂▃▄▅▆▇█"


ASCII = Glyphs("^", "v", "~", "#", ".", "<", ">", ".", "-=+*xX%#")


def glyphs() -> Glyphs:
    """ASCII on the Linux console and where the locale is not UTF-8."""
    encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    plain = os.environ.get("TERM", "") in ("linux", "vt100", "vt220") or encoding.lower().replace("-", "") != "utf8"
    return ASCII if plain else Glyphs()


GLYPHS = glyphs()


def painted(text: str, style: Style = PLAIN) -> Segment:
    """Text as the terminal may get it. No other code in nettui.tui makes a Segment of text from outside."""
    return Segment(scrub(text), style)


def content(text: str) -> Content:
    """The same for Textual's own widgets; never markup."""
    return Content(scrub(text))


def fitted(text: str, width: int, right: bool = False) -> str:
    """Scrubbed and in exactly ``width`` terminal cells; what is cut off is marked."""
    text = scrub(text)
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + GLYPHS.cut if width > 1 else GLYPHS.cut[:width]
    padding = " " * (width - length)
    return padding + text if right else text + padding


def clipped(text: str, width: int) -> str:
    """The first ``width`` cells of what is longer."""
    return text[:width] if text.isascii() else set_cell_size(text, width)


def width_of(text: str) -> int:
    text = scrub(text)
    return len(text) if text.isascii() else cell_len(text)


def heading(column: Column) -> str:
    """Column name with its unit where the name does not tell it; a rate is ``NAME/s``."""
    if column.name.endswith(SUFFIX):
        return column.name.removesuffix(SUFFIX) + "/s"
    if column.unit == "/s":
        return f"{column.name}/s"
    if column.unit in ("", "packets") or (column.unit == "B" and "bytes" in column.name):
        return column.name
    return f"{column.name} {column.unit}"


def cell_text(cell: Cell, column: Column) -> str:
    """One cell in its short form; absence is ``-``, which zero never is."""
    if cell is None:
        return MISSING
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if column.name in MOMENTS and isinstance(cell, float):
        return time.strftime("%H:%M:%S", time.localtime(cell))
    if column.unit == "%" and isinstance(cell, int | float):
        return f"{cell:.1f}"
    if isinstance(cell, float) or (column.unit == "bit/s" and isinstance(cell, int)):
        return short(cell)
    return structure_text(cell)


def structure_text(cell: Any) -> str:
    """Lists and objects without brackets where that stays clear."""
    if isinstance(cell, list):
        objects = any(isinstance(item, dict | list) for item in cell)
        return (" | " if objects else ",").join(structure_text(item) for item in cell)
    if isinstance(cell, dict):
        return " ".join(f"{name} {inner_text(value)}" for name, value in cell.items())
    return str(cell)


def inner_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else structure_text(value)


def full_text(cell: Cell, column: Column) -> str:
    """One cell in full, with its unit, for the detail."""
    if column.name in MOMENTS:
        return cell_text(cell, column)
    if isinstance(cell, float):
        text = f"{cell:,.2f}".rstrip("0").rstrip(".")
    elif isinstance(cell, int) and not isinstance(cell, bool) and column.kind == "counter":
        text = f"{cell:,}"
    else:
        text = cell_text(cell, Column(column.name, column.dtype))
    return f"{text} {column.unit}" if column.unit else text


def short(number: float) -> str:
    """Three significant digits with a decimal prefix: 0, 0.25, 7, 1.2k, 34.5M."""
    size, power = abs(number), 0
    while size >= 999.5 and power < len(PREFIXES) - 1:
        size, power = size / 1000, power + 1
    if power == 0 and size == int(size):
        text = str(int(size))
    else:
        text = f"{size:.0f}" if size >= 99.95 else f"{size:.1f}" if size >= 0.95 else f"{size:.2f}"
    return ("-" if number < 0 else "") + text + PREFIXES[power]


def spark(readings: Iterable[float | None]) -> str:
    """Numbers as columns of up to one cell's height, the largest full; zero is a dot, and what is not known a blank."""
    known = list(readings)
    most = max((number for number in known if number is not None), default=0.0) or 1.0
    steps = GLYPHS.steps
    return "".join(
        " " if number is None else GLYPHS.none if number <= 0 else steps[math.ceil(number / most * len(steps)) - 1]
        for number in known
    )


def bar(percent: float, width: int) -> str:
    """A share as a bar of ``width`` cells; anything above zero shows."""
    filled = 0 if percent <= 0 else max(1, round(min(percent, 100) / 100 * width))
    return GLYPHS.full * filled + GLYPHS.rest * (width - filled)
