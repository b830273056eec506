"""One table on the screen: asked by row index line by line, so that a million rows cost as much as twenty."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from collectors.table import Column, Table
from collectors.values import Cell
from nettui.rates import SUFFIX
from nettui.tui.arrange import Rows
from nettui.tui.cells import (
    BOLD,
    DIM,
    GLYPHS,
    HEADING,
    LOSS,
    MARKED,
    PLAIN,
    REFUSED,
    REVERSE,
    WARNING,
    bar,
    cell_text,
    clipped,
    fitted,
    heading,
    painted,
    width_of,
)  # fmt: skip

WIDEST = 44  # cells; a longer text is cut, and whole in the detail
GAP = 2
BAR = 8
LOSSES = ("drop", "err", "missed", "fail", "squeeze", "discard", "retrans", "overrun", "reject", "missing")
# columns that are given the room that a wide screen has, and what the others take of it
LONG = {"step": 80, "text": 80, "rule": 80, "info": 70}
MARKS = (("drop", LOSS), ("reject", LOSS), ("queue", WARNING), ("nat", HEADING), ("inferred", DIM))

SIGNS = {"!": LOSS, "x": REFUSED, "~": WARNING}  # of nettui.packets.info
FINDINGS = {"error": LOSS, "warning": WARNING}


class TableView(ScrollView, can_focus=True):
    """Draws rows; keeps the cursor on its row, by key, when another one comes."""

    DEFAULT_CSS = """
    TableView { height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup,ctrl+b", "page(-1)", show=False),
        Binding("pagedown,ctrl+f", "page(1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("left,h", "shift(-1)", show=False),
        Binding("right,l", "shift(1)", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row."""

    def __init__(self, show: Sequence[str], id: str | None = None) -> None:
        super().__init__(id=id)
        self.show = tuple(show)
        self.notice: tuple[tuple[str, Style], ...] = ()
        self.shown: Rows | None = None
        self.cursor = 0
        self.shifted = 0  # columns hidden at the left, behind the first
        self._follows = False  # once the reader has moved, the cursor follows its row
        self._widths: dict[str, int] = {}
        self._seen: set[str] = set()
        self._columns: tuple[Column, ...] = ()
        self._strips: dict[int, Strip] = {}  # by position
        self._painted: dict[int, Strip] = {}  # by line, as last given to Textual
        self._window: tuple[int, int, list[list[Cell]], list[list[str]]] | None = None

    # what is shown

    @property
    def table(self) -> Table | None:
        """The table in which the row under the cursor is, None when there is none."""
        return self.shown.place(self.cursor)[0] if self.shown is not None and self.cursor < len(self) else None

    def __len__(self) -> int:
        return 0 if self.shown is None else len(self.shown)

    def __bool__(self) -> bool:
        return True

    def cursor_row(self) -> int | None:
        """The table's row under the cursor, None when there is none."""
        return self.shown.place(self.cursor)[1] if self.shown is not None and self.cursor < len(self) else None

    def tell(self, *lines: tuple[str, Style]) -> None:
        """Show words in place of rows; none shows the rows again."""
        if lines != self.notice:
            self.notice = lines
            self.refresh()

    def present(self, shown: Rows, keep_place: bool = True) -> None:
        """Show others: of a later reading, or sorted or filtered otherwise."""
        before, offset = self.cursor, self.cursor - self.scroll_offset.y
        cursor = self._carried(shown)
        self.shown = shown
        self._seen |= shown.filled
        self._choose_columns()
        self._resize_to(len(shown) + 1 if len(shown) else 0)
        found = cursor is not None
        self.cursor = max(0, min(before if cursor is None else cursor, len(shown) - 1))
        if found and self.cursor != before:
            self.scroll_to(y=self.cursor - (offset if keep_place else self._page() // 2), animate=False)
        self._forget()
        self._bring_into_view()
        self._refresh_changed()

    def _resize_to(self, lines: int) -> None:
        """Scroll over so many lines; unlike setting virtual_size this does not lay out the whole screen again."""
        size = Size(0, lines)
        if size != self.virtual_size:
            self.set_reactive(TableView.virtual_size, size)
            self._scroll_update(size)

    def _forget(self) -> None:
        self._strips.clear()
        self._window = None

    def _refresh_changed(self) -> None:
        """Repaint only the lines that differ: over ssh a table that stands still costs nothing."""
        whole = len(self._painted) >= self.size.height  # after a resize not every line may have been painted
        changed = [y for y, strip in self._painted.items() if self.render_line(y) != strip] if whole else []
        if changed or not whole:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def show_columns(self, names: Sequence[str]) -> None:
        self.show, self.shifted = tuple(names), 0
        self._choose_columns()
        self._forget()
        self.refresh()

    def columns(self) -> tuple[Column, ...]:
        """The columns in display order, those left of the screen too."""
        return self._columns

    def _carried(self, shown: Rows) -> int | None:
        """Where the row under the cursor is in others, None when it is not to be followed there."""
        if not self._follows or self.shown is None or self.cursor >= len(self) or type(shown) is not type(self.shown):
            return None
        return self.shown.carried(self.cursor, shown)

    def _choose_columns(self) -> None:
        if self.shown is not None:
            told = self._seen | set(self.show[:1])  # the first tells what a row is, if only that nobody knows
            known = {column.name: column for column in self.shown.columns if column.name in told}
            self._columns = tuple(known[name] for name in self.show if name in known)

    # moving

    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def move_to(self, position: int) -> None:
        position = max(0, min(position, len(self) - 1))
        if position == self.cursor or not len(self):
            return
        before, self.cursor = self.cursor, position
        scrolled = self._bring_into_view()
        if not scrolled:
            self._refresh_rows(before, position)
        self.post_message(self.Moved())

    def _refresh_rows(self, *positions: int) -> None:
        top, width = self.scroll_offset.y, self.size.width
        self.refresh(*(Region(0, position - top + 1, width, 1) for position in positions))

    def _bring_into_view(self) -> bool:
        top, page = self.scroll_offset.y, self._page()
        wanted = min(max(top, self.cursor - page + 1), self.cursor)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False)
        return self.scroll_offset.y != top

    def on_resize(self) -> None:
        self._forget()
        self._painted.clear()
        self._bring_into_view()

    def action_move(self, step: int) -> None:
        self._follows = True
        self.move_to(self.cursor + step)

    def action_page(self, pages: int) -> None:
        self._follows = True
        step = pages * max(1, self._page() - 1)
        self.scroll_to(y=self.scroll_offset.y + step, animate=False)
        self.move_to(self.cursor + step)

    def action_first(self) -> None:
        self._follows = False
        self.scroll_to(y=0, animate=False)
        self.move_to(0)

    def action_last(self) -> None:
        self._follows = True
        self.move_to(len(self) - 1)

    def action_shift(self, step: int) -> None:
        shifted = max(0, min(self.shifted + step, len(self._columns) - 1))
        if shifted < self.shifted or not self._all_fit():
            self.shifted = shifted
            self._forget()
            self.refresh()

    def _all_fit(self) -> bool:
        columns = self._visible()
        used = sum(self._widths.get(column.name, 0) + GAP for column in columns) - GAP
        return used <= self.scrollable_content_region.width

    # drawing

    def render_line(self, y: int) -> Strip:
        strip = self._painted[y] = self._line(y, self.scrollable_content_region.width)
        return strip

    def _line(self, y: int, width: int) -> Strip:
        if self.notice:
            return self._notice_line(y, width)
        if self.shown is None:
            return Strip.blank(width)
        if y == 0:
            self._measure()
            return self._header(width)
        position = self.scroll_offset.y + y - 1
        if position >= len(self):
            return Strip.blank(width)
        if position not in self._strips:
            self._draw(position, width)
        strip = self._strips[position]
        return strip.apply_style(REVERSE) if position == self.cursor else strip

    def _notice_line(self, y: int, width: int) -> Strip:
        lines = [(part, style) for text, style in self.notice for part in wrapped(text, width - 4)]
        if not 1 <= y <= len(lines):
            return Strip.blank(width)
        text, style = lines[y - 1]
        return Strip([painted("  " + fitted(text, width - 2), style)], width)

    def _visible(self) -> tuple[Column, ...]:
        """The first column, which tells what the row is, and those from the shift on."""
        return self._columns[:1] + self._columns[1 + self.shifted :]

    def _measure(self) -> None:
        """Widths of what is about to be drawn; they only grow, so that nothing jumps while scrolling."""
        top = self.scroll_offset.y
        _, texts = self._cells(top, top + self._page())
        for column, cells in zip(self._columns, texts):
            wide = BAR + 6 if column.name == "fill" else max(map(width_of, cells), default=0)
            mark = 1 if column.name == self._sorted()[0] else 0
            wanted = min(self._widest(column), max(wide, width_of(heading(column)) + mark))
            if wanted > self._widths.get(column.name, 0):
                self._widths[column.name] = wanted
                self._strips.clear()

    def _widest(self, column: Column) -> int:
        """What a column may take of the screen."""
        return max(WIDEST, self.size.width - LONG.get(column.name, self.size.width))

    def _subjects(self, cells: list[list[Cell]]) -> list[Cell]:
        """Of the drawn rows the column that tells what its numbers count."""
        named = (own for column, own in zip(self._columns, cells) if column.name in ("what", "counter", "mark"))
        return next(named, cells[0])

    def _cells(self, start: int, stop: int) -> tuple[list[list[Cell]], list[list[str]]]:
        """The cells of the positions from start to stop, and their texts, by column; the last screenful is kept."""
        if self._window is None or self._window[:2] != (start, stop):
            shown = self.shown
            assert shown is not None
            cells = shown.cells(self._columns, start, stop)
            texts = [[cell_text(cell, c) for cell in values] for c, values in zip(self._columns, cells)]
            self._window = start, stop, cells, texts
        return self._window[2:]

    def _sorted(self) -> tuple[str, bool]:
        return (self.shown.sort if self.shown is not None else None) or ("", False)

    def _header(self, width: int) -> Strip:
        name, descending = self._sorted()
        segments = []
        for column in self._visible():
            mark = (GLYPHS.down if descending else GLYPHS.up) if column.name == name else ""
            style = MARKED if mark else HEADING
            text = fitted(heading(column) + mark, self._widths.get(column.name, 1), right=is_right(column))
            segments += [painted(text, style), painted(" " * GAP, HEADING)]
        strip = Strip(segments).crop_extend(0, width, PLAIN)
        if not self._all_fit() and width > 1:
            strip = Strip.join([strip.crop(0, width - 1), Strip([painted(GLYPHS.right, MARKED)], 1)])
        if self.shifted and self._columns:
            place = min(self._widths.get(self._columns[0].name, 0), width - 1)
            left = Strip([painted(GLYPHS.left, MARKED)], 1)
            strip = Strip.join([strip.crop(0, place), left, strip.crop(place + 1, width)])
        return strip

    def _draw(self, position: int, width: int) -> None:
        """Strips of the screenful from ``position`` on."""
        if len(self._strips) > 4 * self._page():
            self._strips.clear()
        top = self.scroll_offset.y
        start, stop = (top, top + self._page()) if top <= position < top + self._page() else (position, position + 1)
        cells, texts = self._cells(start, stop)
        if not cells:
            return
        rates = {
            column.name.removesuffix(SUFFIX): values
            for column, values in zip(self._columns, cells)
            if column.name.endswith(SUFFIX) or column.name == "rate"
        }
        rates["value"] = rates.get("value") or rates.get("rate") or []
        subjects = self._subjects(cells)
        pieces, room = [], width
        for p in (0, *range(1 + self.shifted, len(cells))):
            column = self._columns[p]
            own = self._pieces(column, cells[p], texts[p], rates.get(column.name.removesuffix(SUFFIX)), subjects)
            wide = self._widths.get(column.name, 1) + GAP
            pieces.append(own if wide <= room else [(clipped(text, room), style) for text, style in own])
            room = max(0, room - wide)
            if not room:
                break
        rest = [(" " * room, PLAIN)] if room else []
        for row, parts in enumerate(zip(*pieces)):
            self._strips[start + row] = Strip(joined([*parts, *rest]), width)

    def _pieces(
        self, column: Column, cells: list[Cell], texts: list[str], rates: list[Cell] | None, subjects: list[Cell]
    ) -> list[tuple[str, Style]]:
        """One column's cells with the gap behind them; a loss that goes on has its sign in the gap."""
        width, right = self._widths.get(column.name, 1), is_right(column)
        if column.name == "fill":
            return [fill(cell, text, width) for cell, text in zip(cells, texts)]
        found = []
        for cell, text, rate, subject in zip(cells, texts, rates or [None] * len(cells), subjects):
            moves = isinstance(rate, float) and rate > 0
            loses = moves and tells_loss(f"{column.name} {subject}")
            style = DIM if cell is None else LOSS if loses else BOLD if moves else own_style(column.name, text)
            found.append((fitted(text, width, right) + ("! " if loses else "  "), style))
        return found


@lru_cache(4096)
def tells_loss(subject: str) -> bool:
    return any(word in subject.lower() for word in LOSSES)


def own_style(name: str, text: str) -> Style:
    """A mark's colour beside its word, and a finding's; what stands at the top of a tree is bold."""
    if name == "layer":
        return FINDINGS.get(text, PLAIN)
    if name == "mark":
        return next((style for word, style in MARKS if word in text), PLAIN)
    if name == "info":
        return SIGNS.get(text[:1], PLAIN)
    return BOLD if name == "step" and text[:1] != " " else PLAIN


def joined(parts: Sequence[tuple[str, Style]]) -> list[Segment]:
    """Neighbours of one style as one segment."""
    return [painted("".join(text for text, _ in run), style) for style, run in groupby(parts, lambda part: part[1])]


def fill(cell: Cell, text: str, width: int) -> tuple[str, Style]:
    if not isinstance(cell, float):
        return fitted(text, width) + " " * GAP, DIM
    style = LOSS if cell >= 90 else WARNING if cell >= 70 else PLAIN
    return fitted(f"{text:>5} {bar(cell, BAR)}", width) + " " * GAP, style


def is_right(column: Column) -> bool:
    return column.numeric and column.name != "fill"


def wrapped(text: str, width: int) -> list[str]:
    """Words broken into lines of at most ``width`` cells."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and width_of(f"{line} {word}") > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
