"""The line in which a filter is typed, with what is wrong with it under the place where it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from collectors.table import Column
from nettui.query import Query, QueryError, compile
from nettui.scrub import scrub
from nettui.tui.bars import Bar
from nettui.tui.cells import BOLD, DIM, GOOD, LOSS
from nettui.tui.dialogs import CleanInput

PROMPT = "filter> "


class FilterBox(Vertical):
    """Shown at the foot of the screen while a filter is typed; ``columns`` is None while they are not known."""

    DEFAULT_CSS = """
    FilterBox { height: 3; dock: bottom; background: ansi_default; }
    FilterBox Horizontal { height: 1; }
    FilterBox #prompt { width: 8; }
    FilterBox Input { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "leave", show=False)]

    class Done(Message):
        """Typing is over: ``where`` is the filter to apply; None keeps the present one."""

        def __init__(self, text: str, where: Query | None, applied: bool) -> None:
            super().__init__()
            self.text, self.where, self.applied = text, where, applied

    def __init__(self, text: str, columns: Sequence[Column] | None) -> None:
        super().__init__(id="filter")
        self._before, self._columns = text, columns

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Bar(BOLD, id="prompt")
            yield CleanInput(scrub(self._before), select_on_focus=False)
        yield Bar(id="caret")
        yield Bar(id="fault")

    def on_mount(self) -> None:
        self.query_one("#prompt", Bar).put([(PROMPT, BOLD)])
        self.screen.set_focus(self.query_one(Input))
        self._judge(self._before)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._judge(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value == scrub(self._before):  # unchanged: what was scrubbed for the eye must not become the filter
            self.post_message(self.Done("", None, False))
            return
        found = self._compiled(event.value)
        if not isinstance(found, QueryError):
            self.post_message(self.Done(event.value.strip(), found if event.value.strip() else None, True))

    def action_leave(self) -> None:
        self.post_message(self.Done("", None, False))

    def _compiled(self, text: str) -> Query | QueryError | None:
        if self._columns is None:
            return None
        try:
            return compile(text, self._columns)
        except QueryError as error:
            return error

    def _judge(self, text: str) -> None:
        found = self._compiled(text)
        caret, fault = self.query_one("#caret", Bar), self.query_one("#fault", Bar)
        if isinstance(found, QueryError):
            caret.put([(" " * (len(PROMPT) + found.position) + "^", LOSS)])
            fault.put([(" " + found.message, LOSS)])
        elif found is None:
            caret.put([(" Enter applies it once the panel has been read, Esc leaves", DIM)])
        elif text.strip():
            caret.put([(" understood", GOOD), ("   Enter applies, Esc leaves, Ctrl-U empties the line", DIM)])
            fault.put([])
        else:
            caret.put([(" Enter shows all rows, Esc leaves the filter as it was", DIM)])
            fault.put([(" columns: " + " ".join(column.name for column in self._columns or ()), DIM)])
