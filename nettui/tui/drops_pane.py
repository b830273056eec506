"""The drops panel: layers that open to their counters, with what each lost in the last readings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from rich.style import Style

from collectors.table import Column, Table
from collectors.values import Cell
from nettui.ledger.layers import COLUMNS, COUNTER, LAYER, WAY, WAYS, Layers, Place
from nettui.panels.panel import Panel
from nettui.snapshot import Snapshot
from nettui.tui.arrange import Wish
from nettui.tui.cells import BOLD, DIM, HEADING, LOSS, PLAIN, REFUSED, WARNING, fitted, spark, structure_text
from nettui.tui.pane import Pane
from nettui.tui.table_view import GAP, is_right

SHOWN = ("step", "rate", "since", "why")
BEHIND = ("total", "delta", "severity", "reasons", "direction", "state", "process", "pid", "note", "part_of", "along",
          "dev", "cpu", "netns", "first_moved", "last_moved", "reach", "source")  # fmt: skip
NUMBERS = 17  # cells of the columns between step and why, with the space around them
NARROW, STEP, LONGEST_STEP, LONGEST_WHY = 100, 32, 44, 72
READINGS = 18  # that a layer shows
EVERY, LATE = 0.8, 5.0  # seconds between two of them, and after which nothing is known of what was between
STYLES = {"!": LOSS, "x": REFUSED, "~": WARNING, ".": DIM}


class DropsPane(Pane):
    """The ledger by layer; with a filter or an order its counters alone."""

    def __init__(self, panel: Panel, ask: Callable[[str, Wish], None]) -> None:
        super().__init__(panel, ask)
        self.show = (*SHOWN, *BEHIND)
        self.watched: float | None = None  # since when, or the mark; seconds since the epoch
        self._opened: set[Place] = set()
        self._trends: dict[Place, deque[float | None]] = {}
        self._remembered = 0.0  # when the last of them was
        self._layers: Layers | None = None

    # data

    def receive(self, snapshot: Snapshot) -> None:
        ledger = snapshot.tables.get(self.panel.name)
        if ledger is not None:
            self.watched = self.watched or snapshot.at
            self._layers = Layers(ledger, self.watched, snapshot.at)
            self._remember(self._layers.rates(), snapshot.at)
        super().receive(snapshot)

    def _remember(self, rates: dict[Place, float], at: float) -> None:
        """A further reading of each layer; a blank where the panel was not read for a while."""
        if at - self._remembered < EVERY:
            return
        late, self._remembered = at - self._remembered > LATE, at
        for place in {*self._trends, *rates}:
            trend = self._trends.setdefault(place, deque(maxlen=READINGS))
            if late and trend:
                trend.append(None)
            trend.append(rates.get(place))

    def _wish_for(self) -> None:
        if self._layers is None:
            return
        if self.where or self.sort:
            self.latest = self._layers.flat()
        else:
            self.latest = self._layers.tree(self._opened, {place: spark(each) for place, each in self._trends.items()})
        super()._wish_for()

    def open_row(self) -> bool:
        """Open or close the layer under the cursor, or all layers of a way; False on a counter."""
        row = self.under_cursor()
        if row is None or self._layers is None or row["kind"] == COUNTER:
            return False
        if row["kind"] == LAYER:
            self._opened ^= {(str(row["way"]), str(row["layer"]))}
        else:
            own = {place for place in self._layers.places if place[0] == row["way"]}
            self._opened = self._opened - own if own <= self._opened else self._opened | own
        self._follows = True
        self._wish_for()
        return True

    def whole(self) -> Table | None:
        """Without the columns that are made for the tree."""
        made = [column.name for column in COLUMNS]
        table = self.table
        return table and table.select([column.name for column in table.columns if column.name not in made])

    # words

    def title(self, row: int) -> str:
        assert self.table is not None
        cells = self.table.row(row)
        return " ".join(str(cells[name]) for name in ("counter", "scope") if name in cells) or str(cells.get("layer"))

    def about(self) -> str:
        """The row under the cursor in one line: what has no room beside its numbers."""
        row = self.under_cursor()
        if row is None:
            return ""
        if row["kind"] == WAY:
            return f"{WAYS[str(row['way'])]}; Enter opens or closes all its layers"
        if row["kind"] == LAYER:
            return f"{row['layer']}: Enter opens or closes it"
        words = [str(row["why"])]
        if row.get("reasons"):
            words.append(f"reasons {structure_text(row['reasons'])}")
        if row.get("part_of"):
            words.append(f"also in {structure_text(row['part_of'])}")
        name = f"{row['counter']}: " if len(str(row["step"])) > self._widths.get("step", 0) else ""
        return name + "; ".join(words)

    # drawing

    def _widest(self, column: Column) -> int:
        step = STEP if self.size.width < NARROW else LONGEST_STEP
        if column.name == "step":
            return step
        if column.name == "why":
            return min(LONGEST_WHY, max(12, self.scrollable_content_region.width - step - GAP - NUMBERS))
        return super()._widest(column)

    def _subjects(self, cells: list[list[Cell]]) -> list[Cell]:
        return next((own for column, own in zip(self._columns, cells, strict=True) if column.name == "step"), cells[0])

    def _pieces(
        self, column: Column, cells: list[Cell], texts: list[str], rates: list[Cell] | None, subjects: list[Cell]
    ) -> list[tuple[str, Style]]:
        """One column's cells; a row that moves is marked by its sign and in its sign's colour."""
        width, right = self._widths.get(column.name, 1), is_right(column)
        return [
            (fitted(told(text, cell, column, str(step)), width, right) + " " * GAP, style_of(str(step), column, cell))
            for cell, text, step in zip(cells, texts, subjects, strict=True)
        ]


def told(text: str, cell: Cell, column: Column, step: str) -> str:
    """A cell's text; what a way's row lacks, and words that need not be there, have no sign of absence."""
    return "" if cell is None and (column.name == "why" or is_way(step)) else text


def is_way(step: str) -> bool:
    return step in WAYS.values()


def style_of(step: str, column: Column, cell: Cell) -> Style:
    """A row's style, by what stands first in it: the sign of what moves, or the name of a way."""
    if is_way(step):
        return HEADING if column.name == "step" else BOLD
    if step[:1] in STYLES and cell is not None:
        return PLAIN if column.name == "why" else STYLES[step[:1]]
    return BOLD if isinstance(cell, int) and cell > 0 else DIM if cell is None else PLAIN


def counters_below(table: Table, row: int) -> list[dict[str, Cell]]:
    """The counters that stand below a layer's or a way's row."""
    head, found = table.row(row), []
    for below in table.rows(slice(row + 1, None)):
        if below["kind"] == WAY or (below["kind"] == LAYER and head["kind"] == LAYER):
            break
        if below["kind"] == COUNTER:
            found.append(below)
    return found
