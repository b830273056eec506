"""A line at the foot of the screen into which something is typed, with what is wrong with it below."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from nettui.scrub import scrub
from nettui.tui.bars import Bar
from nettui.tui.cells import BOLD, DIM, LOSS, width_of
from nettui.tui.dialogs import CleanInput


class LineBox(Vertical):
    """``judge``: what is wrong with a text, "" where nothing is; ``take``: gets the text, once it is right."""

    DEFAULT_CSS = """
    LineBox { height: 3; dock: bottom; background: ansi_default; }
    LineBox Horizontal { height: 1; }
    LineBox Input { width: 1fr; min-width: 20; }
    LineBox #prompt { max-width: 70%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "leave", show=False)]

    class Left(Message):
        """Typing is over; ``text`` is None where it was given up."""

        def __init__(self, take: Callable[[str], None], text: str | None) -> None:
            super().__init__()
            self.take, self.text = take, text

    def __init__(
        self, prompt: str, text: str, hint: str, judge: Callable[[str], str], take: Callable[[str], None]
    ) -> None:
        super().__init__(id="line")
        self._prompt, self._text, self._hint, self._judge, self._take = prompt, text, hint, judge, take

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Bar(BOLD, id="prompt")
            yield CleanInput(scrub(self._text), select_on_focus=False)
        yield Bar(id="hint")
        yield Bar(id="fault")

    def on_mount(self) -> None:
        prompt = self.query_one("#prompt", Bar)
        prompt.styles.width = width_of(self._prompt)
        prompt.put([(self._prompt, BOLD)])
        self.query_one("#hint", Bar).put([(f" {self._hint}", DIM)])
        self.screen.set_focus(self.query_one(Input))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._tell(self._judge(event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if fault := self._judge(text):
            self._tell(fault)
        else:
            self.post_message(self.Left(self._take, text))

    def action_leave(self) -> None:
        self.post_message(self.Left(self._take, None))

    def _tell(self, fault: str) -> None:
        self.query_one("#fault", Bar).put([(f" {fault}", LOSS)] if fault else [])
