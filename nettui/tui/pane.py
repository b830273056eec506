"""One panel on the screen: its table, or why there is none, with its filter, order and columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.style import Style
from textual.message import Message
from textual.widget import Widget

from collectors.table import Gap, Table
from collectors.values import Cell
from nettui.panels.panel import Panel
from nettui.query import Query
from nettui.snapshot import Fill, Snapshot
from nettui.tui.arrange import AT_ONCE, Arrangement, Wish, arranged
from nettui.tui.cells import BOLD, DIM, LOSS, PLAIN, WARNING, cell_text
from nettui.tui.table_view import TableView

Line = tuple[str, Style]
HINTS = ("  m mark", "  t reasons", "  e explain ")


class Pane(TableView):
    """``ask`` hands a wish that would take long to the arranger's thread; its answer comes back by ``settle``."""

    class Changed(Message):
        """What the bars tell about this pane is no longer true."""

    def __init__(self, panel: Panel, ask: Callable[[str, Wish], None]) -> None:
        super().__init__(panel.columns, id=f"pane-{panel.name}")
        self.panel, self._ask = panel, ask
        self.where_text = ""
        self.where: Query | None = None
        self.sort = panel_sort(panel)
        self.latest: Table | None = None
        self.gap: Gap | None = None
        self.fault = ""
        self.elapsed = 0.0
        self.fill: Fill | None = None
        self.pace: float | None = None
        self.frozen = False
        self._waits: tuple[float, ...] = ()
        self.read_at: float | None = None
        self.asked_at = time.monotonic()
        self._wish: Wish | None = None
        self._settled: Arrangement | None = None  # what is shown, where that is a table
        self._say()

    @property
    def frame(self) -> Widget:
        """What holds all of the panel on the screen."""
        return self

    @property
    def sections(self) -> tuple[str, ...]:
        """What is read while it is on screen."""
        return (self.panel.name,)

    @property
    def command(self) -> str:
        """What shows the same by hand."""
        return self.panel.command

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        """Keys that this panel alone has, for the help."""
        return ()

    @property
    def opens(self) -> str:
        """What Enter leads to."""
        return "detail"

    @property
    def hints(self) -> Sequence[str]:
        """Beside the line about the row under the cursor."""
        return HINTS

    def places(self, text: str) -> list[tuple[str, Callable[[], None]]]:
        """Where a text that is typed leads inside this panel."""
        return []

    def capture(self, device: str, expression: str) -> None:
        """Ask whether to capture there, with libpcap's filter filled in; of the capture panel alone."""

    def total(self) -> int:
        """Rows there are without the filter."""
        return 0 if self.latest is None else len(self.latest)

    # data

    def receive(self, snapshot: Snapshot) -> None:
        """Take this panel's part of a snapshot, if it has one."""
        name = self.panel.name
        if name in snapshot.tables:
            self.gap = None
            if snapshot.tables[name] is not self.latest:
                self._keep_time(snapshot.at)
                self.latest = snapshot.tables[name]
                self._wish_for()
        elif name in snapshot.gaps:
            self.gap = snapshot.gaps[name]
        else:
            return
        self.read_at, self.elapsed = snapshot.at, snapshot.elapsed.get(name, 0.0)
        self.fill = snapshot.fills.get(name)
        self._say()

    def _keep_time(self, at: float) -> None:
        """The pace at which tables come: the longer of the last two waits, as opening a panel reads out of turn."""
        if self.read_at is not None:
            self._waits = (*self._waits[-1:], at - self.read_at)
            self.pace = max(self._waits) if len(self._waits) > 1 else None

    def filter(self, text: str, where: Query | None) -> None:
        self.where_text, self.where = text, where
        self._wish_for()

    def sort_by(self, sort: tuple[str, bool] | None) -> None:
        self.sort = sort
        self._wish_for()

    def under_cursor(self) -> dict[str, Cell] | None:
        """The row under the cursor, absent cells left out; None when no rows are shown."""
        row = self.cursor_row()
        return None if row is None or self.table is None or self.notice else self.table.row(row)

    def whole(self) -> Table | None:
        """The table with the columns that a detail tells."""
        return self.table

    def title(self, row: int) -> str:
        """A row of the table by its first cells that are words or addresses."""
        assert self.table is not None
        cells = self.table.row(row)
        present = [column for column in self.columns() if column.name in cells]
        words = [column for column in present if column.dtype in ("text", "address")][:4] or present[:1]
        return " ".join(cell_text(cells[column.name], column) for column in words)

    def open_row(self) -> bool:
        """Open or close what stands below the row under the cursor; False where it is no row of that kind."""
        return False

    def about(self) -> str:
        """One line about the row under the cursor, below the table; none by default."""
        return ""

    def settle(self, answer: Arrangement) -> None:
        """An arrangement has been worked out; an answer to an older wish is shown only while nothing else is."""
        if answer.wish is not self._wish and self._settled is not None and not self._is_newer_reading(answer):
            return
        self.fault, self._settled = answer.fault, answer
        self.present(answer)
        self._say()

    def _is_newer_reading(self, answer: Arrangement) -> bool:
        """So that a table that is read faster than it is sorted still moves on."""
        wish, settled = self._wish, self._settled
        same = wish is not None and (answer.wish.query, answer.wish.sort) == (wish.query, wish.sort)
        return same and settled is not None and answer.wish.table is not settled.wish.table

    def _wish_for(self) -> None:
        if self.latest is None:
            return
        self._wish = Wish(self.latest, self.where, self.sort)
        if len(self.latest) <= AT_ONCE:
            self.settle(arranged(self._wish))
        else:
            self._ask(self.panel.name, self._wish)

    def fail(self, error: Exception) -> None:
        """This panel could not be shown: say so here."""
        self.fault, self.latest = f"{type(error).__name__}: {error}", None
        self._say()

    # words

    def busy(self) -> bool:
        """Whether a filter or an order is being worked out."""
        return self._settled is not None and self._wish is not None and self._settled.wish is not self._wish

    def tick(self, frozen: bool) -> None:
        """Once a second: how long the reading has taken so far."""
        self.frozen = frozen
        if self.latest is None and self.gap is None:
            self._say()

    def _say(self) -> None:
        self.tell(*self._words())
        if self.is_mounted:
            self.post_message(self.Changed())

    def _words(self) -> tuple[Line, ...]:
        if self.gap is not None:
            return gap_words(self.panel, self.gap)
        if self.fault and (self.latest is None or self._settled is None or not len(self._settled)):
            return fault_words(self.fault)
        if self.latest is None and self.frozen:
            return ((f"{self.panel.name} has not been read, and all is frozen", BOLD), ("Space goes on", PLAIN))
        if self.latest is None or self._settled is None:
            return ((f"reading {self.panel.name} ... {since(self.asked_at)}", BOLD), *self._meanwhile())
        if len(self._settled):
            return ()
        if len(self._settled.wish.table):
            known = ((self.panel.unmatched, PLAIN),) if self.panel.unmatched else ()
            return (
                (f"none of {len(self._settled.wish.table):,} rows matches", BOLD),
                (f"filter: {self.where_text}", PLAIN),
                *known,
                ("/ changes the filter, Esc clears it", DIM),
            )
        return ((self.panel.empty, BOLD), (f"the kernel was asked and has no rows: {self.panel.command}", DIM))

    def _meanwhile(self) -> tuple[Line, ...]:
        return (("other panels can be opened meanwhile", DIM),) if time.monotonic() - self.asked_at > 2 else ()


def gap_words(panel: Panel, gap: Gap) -> tuple[Line, ...]:
    """A gap must never look like an empty table."""
    words: list[Line] = [(f"{panel.name} could not be read", WARNING), (gap.reason, BOLD)]
    if gap.remedy:
        words.append((f"what to do: {gap.remedy}", PLAIN))
    return (*words, (f"the same by hand: {panel.command}", DIM))


def fault_words(fault: str) -> tuple[Line, ...]:
    return ((f"this panel failed: {fault}", LOSS), ("the other panels go on; please report this", PLAIN))


def since(started: float) -> str:
    passed = time.monotonic() - started
    return f"{passed:.0f} s" if passed >= 1 else ""


def panel_sort(panel: Panel) -> tuple[str, bool] | None:
    return (panel.sort.removeprefix("-"), panel.sort.startswith("-")) if panel.sort else None
