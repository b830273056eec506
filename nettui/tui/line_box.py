"""A line at the foot of the screen into which something is typed, with what is wrong with it below."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from nettui.scrub import scrub
from nettui.tui.bars import Bar
from nettui.tui.cells import BOLD, DIM, LOSS, width_of
from nettui.tui.dialogs import CleanInput

PAUSE = 0.2  # seconds without a key after which a text is judged
SLOW = 0.3  # seconds of judging after which it is told


class LineBox(Vertical):
    """``judge``: what is wrong with a text, "" where nothing is; ``take``: gets the text, once it is right.

    A thread judges, one text at a time: a filter's names are looked up, and a folder may be of another host.
    """

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

    class Judged(Message):
        """``fault``: what is wrong with the text."""

        def __init__(self, text: str, fault: str) -> None:
            super().__init__()
            self.text, self.fault = text, fault

    def __init__(
        self, prompt: str, text: str, hint: str, judge: Callable[[str], str], take: Callable[[str], None]
    ) -> None:
        super().__init__(id="line")
        self._prompt, self._text, self._hint, self._judge, self._take = prompt, text, hint, judge, take
        self._judging = self._entered = False
        self._pause: Timer | None = None

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
        self._text, self._entered = event.value.strip(), False
        if self._pause:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE, self._begin)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._text, self._entered = event.value.strip(), True
        self.set_timer(SLOW, self._tell_judging)
        self._begin()

    def on_line_box_judged(self, event: Judged) -> None:
        event.stop()
        self._judging = False
        if event.text != self._text:
            self._begin()
        elif self._entered and not event.fault:
            self.post_message(self.Left(self._take, event.text))
        else:
            self._entered = False
            self._tell(event.fault)

    def action_leave(self) -> None:
        self.post_message(self.Left(self._take, None))

    def _begin(self) -> None:
        if not self._judging:
            self._judging = True
            threading.Thread(target=self._ask, args=(self._text,), daemon=True, name="judge").start()

    def _ask(self, text: str) -> None:
        self.post_message(self.Judged(text, self._judge(text)))

    def _tell_judging(self) -> None:
        if self._judging and self._entered:
            self.query_one("#fault", Bar).put([(" looking at it ...", DIM)])

    def _tell(self, fault: str) -> None:
        self.query_one("#fault", Bar).put([(f" {fault}", LOSS)] if fault else [])
