"""The full-screen app: panels, keys, and the bars around them; data comes as snapshots from one worker thread."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Event, Key
from textual.message import Message

from collectors import Host
from collectors.table import Gap, Table
from nettui.panels.capture import CAPTURE
from nettui.panels.panel import Panel
from nettui.panels.registry import SCREEN
from nettui.query import QueryError, compile
from nettui.scrub import scrub
from nettui.snapshot import Snapshot
from nettui.tui.arrange import Arranger, Wish
from nettui.tui.bars import Bar, Tabs, header
from nettui.tui.cells import BOLD, DIM, PLAIN, REVERSE, WARNING, cell_text
from nettui.tui.drops_pane import DropsPane
from nettui.tui.feed import Arranged, Broken, Delivered, Feed
from nettui.tui.jumps import Jump
from nettui.tui.look import CSS
from nettui.tui.pane import Pane
from nettui.tui.status import fault_text, gap_text, hints, state_parts, status_parts, timing_parts, watch_parts

INTERRUPTED = 130
DROPS = "drops"
REASONS_BY = {"bpf": "a BPF program", "tracefs": "the event skb:kfree_skb"}
SAID_FOR = 4.0  # seconds that a message stays in the status line


class Nettui(App[int]):
    """``panels``: in tab order; ``feed`` makes the source of snapshots; ``then``: is done with the first pane."""

    ENABLE_COMMAND_PALETTE = False
    CSS = CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave(0)", show=False),
        Binding("ctrl+c", f"leave({INTERRUPTED})", show=False, priority=True),
        Binding("slash", "type_filter", show=False),
        Binding("escape", "clear_filter", show=False),
        Binding("s", "above('sort')", show=False),
        Binding("S", "reverse_sort", show=False),
        Binding("enter", "above('detail')", show=False),
        Binding("p", "above('pivot')", show=False),
        Binding("e", "above('explain')", show=False),
        Binding("m", "mark", show=False),
        Binding("t", "reasons", show=False),
        Binding("space", "freeze", show=False),
        Binding("c", "above('columns')", show=False),
        Binding("y", "copy_row", show=False),
        Binding("r", "read_again", show=False),
        Binding("question_mark", "above('help')", show=False),
        Binding("colon", "above('jump')", show=False),
        Binding("backspace", "back", show=False),
        Binding("tab,right_square_bracket", "next_panel(1)", show=False),
        Binding("shift+tab,left_square_bracket", "next_panel(-1)", show=False),
        *(Binding(entry.key, f"panel('{entry.name}')", show=False) for entry in SCREEN),
    ]

    def __init__(
        self,
        host: Host,
        feed: Feed,
        panels: Sequence[Panel] = SCREEN,
        first: str | None = None,
        opening: tuple[str, str] = ("", ""),
        then: Callable[[Pane], None] | None = None,
    ) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.host, self.panels = host, tuple(panels)
        self._active = first or self.panels[0].name
        self._back: list[tuple[str, str]] = []
        self._waiting: dict[str, str] = {}  # panel -> filter to set once its columns are known
        self._opening, self._then = opening, then
        self._frozen = False
        self._failed = ""
        self._marked: float | None = None  # time of the mark, seconds since the epoch
        self._reasons_wanted = False
        self._reasons: str | Gap = ""  # as last told
        self._said: tuple[str, float] = ("", 0.0)
        self._source = feed(host, self._deliver)
        self._arranger = Arranger(lambda name, answer: self._post(Arranged(name, answer)))

    def _deliver(self, snapshot: Snapshot) -> None:
        self._post(Delivered(snapshot))

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    def broken(self, error: BaseException | None) -> None:
        """A worker thread met this; told on the screen, from any thread."""
        self._post(Broken(fault_text(error)))

    def compose(self) -> ComposeResult:
        yield Bar(REVERSE, id="header")
        yield Tabs(self.panels)
        yield Bar(WARNING, id="banner")
        yield Container(id="body")
        yield Bar(id="about")
        yield Bar(REVERSE, id="status")
        yield Bar(id="command")

    async def on_mount(self) -> None:
        self.query_one("#banner").display = False
        self._source.start()
        sort, where = self._opening
        pane = await self._open(self._active)
        if sort:
            pane.sort_by((sort.removeprefix("-"), sort.startswith("-")))
        if where:
            self._waiting[self._active] = where
        if self._then:
            self._then(pane)
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        self._source.stop()
        self._arranger.stop()

    # panes

    def pane(self, name: str | None = None) -> Pane | None:
        """A panel's pane, the active one's by default; None before its first opening."""
        if not self.screen_stack:
            return None
        return next(iter(self.screen_stack[0].query(f"#pane-{name or self._active}").results(Pane)), None)

    def tables(self) -> dict[str, Table]:
        """The tables that have been read, by panel."""
        panes = {entry.name: self.pane(entry.name) for entry in self.panels}
        return {name: pane.latest for name, pane in panes.items() if pane is not None and pane.latest is not None}

    async def _open(self, name: str) -> Pane:
        before, pane = self.pane(), self.pane(name)
        self._active = name
        if pane is None:
            pane = pane_of(self._panel(name), self._arranger.ask)
            if isinstance(pane, DropsPane):
                pane.watched = self._marked or self._source.followed
            if before is not None:
                before.frame.display = False
            await self.screen_stack[0].query_one("#body").mount(pane.frame)
        elif before is not None and before is not pane:
            before.frame.display = False
            pane.frame.display = True
        self._source.show(pane.sections)
        pane.tick(self._frozen)
        self.screen_stack[0].set_focus(pane)
        self.query_one(Tabs).activate(name)
        self._draw_bars()
        return pane

    def attend(self, pane: Pane) -> None:
        """What a pane needs is another than before."""
        if pane.panel.name == self._active:
            self._source.show(pane.sections)
        self._draw_bars()

    def _panel(self, name: str) -> Panel:
        return next(entry for entry in self.panels if entry.name == name)

    async def go(self, jump: Jump) -> None:
        """Open a panel with a filter, and remember where that was asked."""
        pane = self.pane()
        if pane is not None:
            self._back.append((self._active, pane.where_text))
        if jump.device:
            (await self._open(jump.panel)).capture(jump.device, jump.where)
        else:
            await self._visit(jump.panel, jump.where)

    async def _visit(self, name: str, where: str) -> None:
        pane = await self._open(name)
        if pane.where_text == where:
            return
        if pane.latest is None and where:
            self._waiting[name] = where
        else:
            self.filter_pane(pane, where)

    def filter_pane(self, pane: Pane, text: str) -> None:
        """Filter by a text, or say what is wrong with it."""
        try:
            pane.filter(text, compile(text, pane.latest.columns) if text and pane.latest is not None else None)
        except QueryError as error:
            self.say(f"{pane.panel.name}: {error.message}")
        self._draw_bars()

    # messages

    async def on_event(self, event: Event) -> None:
        """A key over a table acts before the next is looked at, so that what is typed ahead goes where it should."""
        if isinstance(event, Key) and not event.is_forwarded and isinstance(self.focused, Pane):
            await self._check_bindings(event.key, priority=True) or await self._check_bindings(event.key)
        else:
            await super().on_event(event)

    def on_delivered(self, message: Delivered) -> None:
        if self._frozen:
            return
        for entry in self.panels:
            pane = self.pane(entry.name)
            if pane is None:
                continue
            try:
                if entry.name in self._waiting and entry.name in message.snapshot.tables:
                    self._receive_filtered(pane, message.snapshot)
                else:
                    pane.receive(message.snapshot)
            except Exception as error:  # the boundary: one panel's fault is shown, and the rest goes on
                pane.fail(error)
        self._hear_of_reasons()
        self._draw_bars()

    def _receive_filtered(self, pane: Pane, snapshot: Snapshot) -> None:
        """A panel opened by a jump: its filter stands before its first rows are seen."""
        text = self._waiting.pop(pane.panel.name)
        try:
            pane.where_text, pane.where = text, compile(text, snapshot.tables[pane.panel.name].columns)
        except QueryError as error:
            pane.where_text = ""
            self.say(f"{pane.panel.name}: {error.message}")
        pane.receive(snapshot)

    def on_arranged(self, message: Arranged) -> None:
        pane = self.pane(message.name)
        if pane is not None:
            pane.settle(message.answer)

    def on_broken(self, message: Broken) -> None:
        self._failed = message.text
        self._draw_bars()

    def on_pane_changed(self) -> None:
        self._draw_bars()

    def on_table_view_moved(self) -> None:
        self._draw_about()
        self._draw_status()

    def _hear_of_reasons(self) -> None:
        """How drop reasons are counted now, said once when that has changed."""
        if not self._reasons_wanted or self._source.reasons == self._reasons:
            return
        self._reasons = self._source.reasons
        if isinstance(self._reasons, Gap):
            self.say(f"drop reasons: {gap_text(self._reasons)}")
        elif self._reasons:
            self.say(f"drop reasons are counted now, by {REASONS_BY.get(self._reasons, self._reasons)}; t ends it")

    def say(self, text: str) -> None:
        """A message in the status line, for a few seconds."""
        self._said = (text, time.monotonic() + SAID_FOR)
        self._draw_status()

    def _tick(self) -> None:
        pane = self.pane()
        self._hear_of_reasons()
        if pane is not None:
            pane.tick(self._frozen)
        self._draw_bars()

    # bars

    def _bar(self, name: str) -> Bar | None:
        if not self.screen_stack:
            return None
        return next(iter(self.screen_stack[0].query(f"#{name}").results(Bar)), None)

    def _draw_bars(self) -> None:
        pane, head, banner, command = self.pane(), self._bar("header"), self._bar("banner"), self._bar("command")
        if pane is None or head is None or banner is None or command is None:
            return
        uname = os.uname()
        head.put(header(uname.nodename, self.host.netns or "default", uname.release), state_parts(pane, self._frozen))
        gaps = pane.latest.gaps if pane.latest is not None and pane.gap is None else ()
        told = [self._failed] if self._failed else []
        told += [gap_text(gap) for gap in gaps]
        banner.display = bool(told)
        banner.put([(" ! " + "; ".join(told), PLAIN)])
        self._draw_about()
        command.put([(" $ ", DIM), (pane.command, PLAIN)], [(hint, DIM) for hint in hints(pane)])
        self._draw_status()

    def _draw_about(self) -> None:
        pane, bar = self.pane(), self._bar("about")
        if pane is not None and bar is not None:
            text = pane.about()
            bar.display = bool(text)
            bar.put([(f" {text}", BOLD)], [(hint, DIM) for hint in pane.hints])

    def _draw_status(self) -> None:
        pane, status = self.pane(), self._bar("status")
        if pane is None or status is None:
            return
        said, until = self._said
        usual = [*status_parts(pane), *watch_parts(self._marked, self._reasons)]
        left = [(f" {said}", BOLD)] if time.monotonic() < until else usual
        status.put(left, timing_parts(pane))

    # actions

    async def action_panel(self, name: str) -> None:
        if name != self._active:
            await self._open(name)

    async def action_next_panel(self, step: int) -> None:
        names = [entry.name for entry in self.panels]
        await self._open(names[(names.index(self._active) + step) % len(names)])

    def action_leave(self, status: int) -> None:
        self.exit(status)

    def thaw(self) -> None:
        """Go on, for what was asked for anew."""
        if self._frozen:
            self.action_freeze()

    def action_freeze(self) -> None:
        self._frozen = not self._frozen
        self._source.freeze(self._frozen)
        self._tick()

    def action_read_again(self) -> None:
        if self._frozen:
            self.say("frozen: Space goes on")
        else:
            self._source.refresh()
            self.say("reading again")

    def action_mark(self) -> None:
        """From now on the ledger counts anew."""
        if self._frozen:
            self.say("frozen: Space goes on, then m marks")
            return
        self._marked = time.time()
        self._source.mark()
        drops = self.pane(DROPS)
        if isinstance(drops, DropsPane):
            drops.watched = self._marked
        self.say("marked: the drops panel (D) counts from now on")

    def action_reasons(self) -> None:
        """Begin or end counting drop reasons; the source tells how, or why not."""
        if self._frozen:
            self.say("frozen: Space goes on, then t counts drop reasons")
            return
        self._reasons_wanted = not self._reasons_wanted
        self._reasons = ""
        self._source.watch_reasons(self._reasons_wanted)
        self.say("asking the kernel for drop reasons ..." if self._reasons_wanted else "drop reasons are off")

    async def action_type_filter(self) -> None:
        from nettui.tui.filter_box import FilterBox

        pane = self.pane()
        if pane is not None and not self.query(FilterBox):
            text = self._waiting.get(self._active, pane.where_text)
            await self.screen.mount(FilterBox(text, None if pane.latest is None else pane.latest.columns))

    async def on_filter_box_done(self, message: Any) -> None:
        pane = self.pane()
        await self.query("FilterBox").remove()
        if pane is not None:
            self.screen.set_focus(pane)
            if message.applied and message.where is None and message.text:
                if pane.latest is None:
                    self._waiting[self._active] = message.text  # judged when the columns are known
                else:
                    self.filter_pane(pane, message.text)
            elif message.applied:
                pane.filter(message.text, message.where)
            self._draw_bars()

    async def on_line_box_left(self, message: Any) -> None:
        await self.query("LineBox").remove()
        pane = self.pane()
        if pane is not None:
            self.screen.set_focus(pane)
        if message.text is not None:
            message.take(message.text)
        self._draw_bars()

    def action_clear_filter(self) -> None:
        pane = self.pane()
        if pane is not None and pane.where_text:
            pane.filter("", None)
            self._draw_bars()

    async def action_back(self) -> None:
        if self._back:
            await self._visit(*self._back.pop())

    async def action_above(self, name: str) -> None:
        """Open a screen above the table."""
        from nettui.tui import above

        pane = self.pane()
        if pane is not None:
            await getattr(above, name)(self, pane)

    def action_reverse_sort(self) -> None:
        pane = self.pane()
        if pane is not None and pane.sort:
            pane.sort_by((pane.sort[0], not pane.sort[1]))
            self._draw_bars()

    def action_copy_row(self) -> None:
        pane = self.pane()
        row = None if pane is None else pane.cursor_row()
        if pane is None or row is None or pane.table is None or pane.notice:
            return
        table = pane.table
        cells = [f"{name}={scrub(cell_text(cell, table.column(name)))}" for name, cell in table.row(row).items()]
        self.copy_to_clipboard("\t".join(cells))
        self.say(f"copied {len(cells)} columns; the terminal must allow it (OSC 52)")

    # the terminal

    def _set_pointer_shape(self, shape: str) -> None:
        """Not set: there is no mouse here, and not every terminal swallows the sequence."""

    # faults

    def _fatal_error(self) -> None:
        """Instead of Textual's page of source: one sentence, with the place."""
        self.panic(fault_text(sys.exc_info()[1]))


def pane_of(panel: Panel, ask: Callable[[str, Wish], None]) -> Pane:
    """Panels that are more than a table have a pane of their own kind."""
    if panel is CAPTURE:
        from nettui.tui.capture_pane import CapturePane

        return CapturePane(panel, ask)
    return (DropsPane if panel.name == DROPS else Pane)(panel, ask)
