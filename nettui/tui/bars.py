"""The single lines around the table: header, panels, gaps, status and command."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from nettui.panels.panel import Panel
from nettui.tui.cells import BOLD, DIM, GLYPHS, PLAIN, REVERSE, fitted, painted, width_of

Part = tuple[str, Style]


class Bar(Widget):
    """One line: parts from the left, and from the right as many as fit beside them."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def __init__(self, style: Style = PLAIN, id: str | None = None) -> None:
        super().__init__(id=id)
        self._style = style
        self._left: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()

    def put(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        right = list(self._right)
        used = sum(width_of(text) for text, _ in self._left)
        while right and used + sum(width_of(text) for text, _ in right) > width:
            right.pop(0)
        room = width - sum(width_of(text) for text, _ in right)
        return Strip([*self._packed(self._left, room), *(painted(text, self._style + style) for text, style in right)])

    def _packed(self, parts: Sequence[Part], room: int) -> list[Segment]:
        """The parts cut to exactly ``room`` cells."""
        segments: list[Segment] = []
        for text, style in parts:
            if room <= 0:
                break
            text = fitted(text, min(room, width_of(text)))
            segments.append(painted(text, self._style + style))
            room -= width_of(text)
        return [*segments, painted(" " * room, self._style)]


class Tabs(Widget):
    """The panels with their keys, shortened until they fit; the active one in full."""

    DEFAULT_CSS = "Tabs { height: 1; width: 1fr; }"

    def __init__(self, panels: Sequence[Panel]) -> None:
        super().__init__(id="tabs")
        self._panels = tuple(panels)
        self._active = ""

    def activate(self, name: str) -> None:
        self._active = name
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        segments = []
        for name, label in labels(self._panels, self._active, width):
            segments.append(painted(label, REVERSE + BOLD if name == self._active else PLAIN))
        return Strip(segments).crop_extend(0, width, PLAIN)


def labels(panels: Sequence[Panel], active: str, width: int) -> list[tuple[str, str]]:
    """(panel, label) of the tabs that fit; around the active one when not all do."""
    longest = max((len(panel.name) for panel in panels), default=0)
    for length in range(longest, 2, -1):
        found = [(panel.name, label(panel, active, length)) for panel in panels]
        if sum(len(text) for _, text in found) <= width:
            return found
    found = [(panel.name, label(panel, active, 4)) for panel in panels]
    first = last = next((index for index, (name, _) in enumerate(found) if name == active), 0)
    while True:
        wider = [pair for pair in ((first, last + 1), (first - 1, last)) if pair[0] >= 0 and pair[1] < len(found)]
        fitting = [pair for pair in wider if sum(len(text) for _, text in found[pair[0] : pair[1] + 1]) + 2 <= width]
        if not fitting:
            break
        first, last = fitting[0]
    shown = found[first : last + 1]
    before = [("", GLYPHS.left)] if first else []
    after = [("", GLYPHS.right)] if last < len(found) - 1 else []
    return [*before, *shown, *after]


def label(panel: Panel, active: str, length: int) -> str:
    """Where a name of two words must be cut, its second one: the first is another panel's."""
    if panel.name == active:
        return f" {panel.key} {panel.name} "
    word = panel.name if len(panel.name) <= length else panel.name.rpartition("_")[2]
    return f" {panel.key} {word[:length]}"


def header(host: str, netns: str, kernel: str) -> list[Part]:
    return [(" nettui ", BOLD), (f" {host} ", PLAIN), (f" netns {netns} ", PLAIN), (f" Linux {kernel}", DIM)]
