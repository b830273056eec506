"""A tree of lines that are opened and shut; what is open stays so from one tree to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from nettui.packets.tree import Node
from nettui.tui.cells import BOLD, PLAIN, REVERSE, fitted, painted


class Shown(NamedTuple):
    """A line of the tree: ``path``: the texts above it and its own, without their values."""

    node: Node
    depth: int
    path: tuple[str, ...]


class TreeLines(ScrollView, can_focus=True):
    """``cursor``: the line that is looked at."""

    DEFAULT_CSS = (
        "TreeLines { height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup,ctrl+b", "page(-1)", show=False),
        Binding("pagedown,ctrl+f", "page(1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("enter", "fold", show=False),
        Binding("right,l", "open", show=False),
        Binding("left,h", "shut", show=False),
        Binding("plus", "open_all", show=False),
    ]

    class Moved(Message):
        """Another line is under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._roots: tuple[Node, ...] = ()
        self._opened: set[tuple[str, ...]] = set()
        self._shown: list[Shown] = []
        self.cursor = 0

    def tell(self, nodes: tuple[Node, ...]) -> None:
        """Another packet, or more of the same; the cursor stays on the line of that name."""
        before = self._shown[self.cursor].path if self.cursor < len(self._shown) else ()
        self._roots = nodes
        self._unfold(before)

    def under_cursor(self) -> Node | None:
        return self._shown[self.cursor].node if self.cursor < len(self._shown) else None

    def _unfold(self, keep: tuple[str, ...]) -> None:
        self._shown = list(unfolded(self._roots, self._opened))
        paths = [line.path for line in self._shown]
        self.cursor = paths.index(keep) if keep in paths else min(self.cursor, max(0, len(paths) - 1))
        self.virtual_size = Size(0, len(self._shown))
        self._bring_into_view()

    def _bring_into_view(self, below: int = 0) -> None:
        """``below``: lines behind the cursor's that are to be seen too, as far as there is room."""
        top, page = self.scroll_offset.y, max(1, self.size.height)
        self.scroll_to(y=min(max(top, self.cursor + below - page + 1), self.cursor), animate=False)
        self.refresh()
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        self._bring_into_view()

    def action_move(self, step: int) -> None:
        self.cursor = max(0, min(self.cursor + step, len(self._shown) - 1))
        self._bring_into_view()

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        self.action_move(-len(self._shown))

    def action_last(self) -> None:
        self.action_move(len(self._shown))

    def action_fold(self) -> None:
        line = self._shown[self.cursor] if self._shown else None
        if line is not None and line.node.children:
            before = len(self._shown)
            self._opened ^= {line.path}
            self._unfold(line.path)
            self._bring_into_view(max(0, len(self._shown) - before))

    def action_open(self) -> None:
        line = self._shown[self.cursor] if self._shown else None
        if line is not None and line.node.children and line.path not in self._opened:
            self.action_fold()
        else:
            self.action_move(1)

    def action_shut(self) -> None:
        """Shut this line, or go to the one above that holds it."""
        line = self._shown[self.cursor] if self._shown else None
        if line is None:
            return
        if line.path in self._opened and line.node.children:
            self.action_fold()
        elif line.depth:
            self._unfold(line.path[:-1])

    def action_open_all(self) -> None:
        """Open or shut all below the line under the cursor."""
        line = self._shown[self.cursor] if self._shown else None
        if line is not None:
            below = {inner.path for inner in unfolded((line.node,), None, line.path[:-1]) if inner.node.children}
            self._opened = self._opened - below if below <= self._opened else self._opened | below
            self._unfold(line.path)

    def render_line(self, y: int) -> Strip:
        width, at = self.scrollable_content_region.width, self.scroll_offset.y + y
        if at >= len(self._shown):
            return Strip.blank(width)
        line = self._shown[at]
        sign = ("- " if line.path in self._opened else "+ ") if line.node.children else "  "
        style = (BOLD if line.depth == 0 else PLAIN) + (REVERSE if at == self.cursor else PLAIN)
        return Strip([painted(fitted("  " * line.depth + sign + line.node.text, width), style)], width)


def unfolded(
    nodes: Sequence[Node], opened: set[tuple[str, ...]] | None, above: tuple[str, ...] = ()
) -> Sequence[Shown]:
    """The lines that are to be seen; ``opened`` None: all."""
    found: list[Shown] = []
    seen = Counter[str]()
    for node in nodes:
        name = node.text.partition(": ")[0].partition(", ")[0]
        twins = seen[name]
        seen[name] += 1
        path = (*above, f"{name} {twins}" if twins else name)
        found.append(Shown(node, len(above), path))
        if node.children and (opened is None or path in opened):
            found += unfolded(node.children, opened, path)
    return found
