"""Modal screens: choosing one of a list, ticking several, reading a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from nettui.scrub import scrub
from nettui.tui.cells import PLAIN, content, fitted, painted, width_of

Paragraph = Sequence[tuple[str, Style]]


class Choice(NamedTuple):
    """``value``: what choosing it gives; None cannot be chosen."""

    label: str
    value: str | None
    hint: str = ""


class Dialog(ModalScreen[object]):
    """A framed box in the middle, as large as what it holds, at most the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "leave", show=False),
        Binding("q", "leave", show=False),
    ]

    def __init__(self, title: str, foot: str = "Esc leaves") -> None:
        super().__init__()
        self._heading, self._foot = title, foot

    def on_mount(self) -> None:
        box = self.query_one(Vertical)
        box.border_title, box.border_subtitle = titled(self._heading), titled(self._foot)

    def action_leave(self) -> None:
        self.dismiss(None)


class Chooser(Dialog):
    """One of a list, by arrow keys, or by typing a part of it when ``offer`` makes the list from what is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+p", "step(-1)", show=False),
        Binding("down,ctrl+n", "step(1)", show=False),
        Binding("k", "step(-1)", show=False),
        Binding("j", "step(1)", show=False),
    ]

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        chosen: str | None = None,
        offer: Callable[[str], Sequence[Choice]] | None = None,
    ) -> None:
        super().__init__(title, "Enter takes  Esc leaves")
        self._choices, self._chosen, self._offer = tuple(choices), chosen, offer

    def compose(self) -> ComposeResult:
        with Vertical():
            if self._offer is not None:
                yield CleanInput()
            yield OptionList()

    def on_mount(self) -> None:
        super().on_mount()
        self._fill(self._choices)
        self.set_focus(self.query_one(Input if self._offer is not None else OptionList))

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._offer is not None:
            self._fill(self._offer(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one(OptionList).action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index].value)

    def action_step(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def _fill(self, choices: Sequence[Choice]) -> None:
        self._choices = tuple(choices)
        options = self.query_one(OptionList)
        options.clear_options()
        wide = min(40, max((width_of(choice.label) for choice in choices), default=0))
        options.add_options(
            Option(content(f"{fitted(choice.label, wide)}  {choice.hint}"), disabled=choice.value is None)
            for choice in choices
        )
        values = [choice.value for choice in choices]
        if self._chosen in values and self._chosen is not None:
            options.highlighted = values.index(self._chosen)
        else:
            options.highlighted = next((index for index, value in enumerate(values) if value is not None), None)


# keys of an input line, which Textual takes only after letters that were typed behind them
EDITING = {
    key: binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
    if key not in ("enter", "ctrl+c")
}


class CleanInput(Input):
    """An input line into which nothing can be pasted that a terminal would obey, and that takes keys in their order."""

    async def on_key(self, event: Key) -> None:
        if action := EDITING.get(event.key):
            event.stop()
            event.prevent_default()
            await self.run_action(action)

    def insert(self, text: str, index: int) -> None:
        super().insert(scrub(text), index)

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace(scrub(text), start, end)


class Checklist(Dialog):
    """Several of a list; Space ticks, Enter takes them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", show=False),
        Binding("enter", "take", show=False, priority=True),
        Binding("a", "tick_all", show=False),
        Binding("j", "step(1)", show=False),
        Binding("k", "step(-1)", show=False),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], ticked: Sequence[str]) -> None:
        super().__init__(title, "Space ticks  a all  Enter takes  Esc leaves")
        self._choices, self._ticked = tuple(choices), list(ticked)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield OptionList(*(Option(self._prompt(choice)) for choice in self._choices))

    def action_step(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def action_tick(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None and (value := self._choices[index].value) is not None:
            self._ticked.remove(value) if value in self._ticked else self._ticked.append(value)
            self.query_one(OptionList).replace_option_prompt_at_index(index, self._prompt(self._choices[index]))

    def action_tick_all(self) -> None:
        values = [choice.value for choice in self._choices if choice.value is not None]
        self._ticked = [] if len(self._ticked) == len(values) else values
        options = self.query_one(OptionList)
        for index, choice in enumerate(self._choices):
            options.replace_option_prompt_at_index(index, self._prompt(choice))

    def action_take(self) -> None:
        values = [choice.value for choice in self._choices]
        self.dismiss(sorted(self._ticked, key=values.index))

    def _prompt(self, choice: Choice) -> Content:
        return content(f"[{'x' if choice.value in self._ticked else ' '}] {fitted(choice.label, 24)}  {choice.hint}")


class Page(ScrollView, can_focus=True):
    """Lines of styled text, scrolled with the keys of a pager."""

    DEFAULT_CSS = (
        "Page { height: auto; max-height: 100%; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("space", "page_down", show=False),
    ]

    def __init__(self, lay_out: Callable[[int], Sequence[Paragraph]]) -> None:
        super().__init__()
        self._lay_out = lay_out
        self._lines: list[Paragraph] = []

    def lay_out(self, lay_out: Callable[[int], Sequence[Paragraph]]) -> None:
        """Other lines in place of these; what is read stays where it is."""
        self._lay_out = lay_out
        self.refresh(layout=True)
        self.on_resize()

    def on_resize(self) -> None:
        self._lines = list(self._lay_out(self.scrollable_content_region.width))
        self.virtual_size = Size(0, len(self._lines))
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lay_out(width - 1))  # the scrollbar has its place always

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y
        parts = self._lines[index] if index < len(self._lines) else ()
        return Strip([painted(text, style) for text, style in parts]).crop_extend(0, width, PLAIN)


class Reader(Dialog):
    """A page to read: the detail of a row, or help."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,question_mark", "leave", show=False)]

    def __init__(self, title: str, lay_out: Callable[[int], Sequence[Paragraph]], foot: str = "") -> None:
        super().__init__(title, foot or "arrows scroll  Esc leaves")
        self._lay_out = lay_out

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Page(self._lay_out)

    def on_mount(self) -> None:
        super().on_mount()
        self.set_focus(self.query_one(Page))

    def lay_out(self, lay_out: Callable[[int], Sequence[Paragraph]], foot: str) -> None:
        """Other lines and another foot, while the page is still open."""
        for page in self.query(Page):
            page.lay_out(lay_out)
            self.query_one(Vertical).border_subtitle = titled(foot)


class Explanation(Reader):
    """What a counter means; the key that opened it closes it too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("e", "leave", show=False)]


def titled(text: str) -> Text:
    return Text(f" {scrub(text)} ", end="")
