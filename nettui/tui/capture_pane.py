"""The capture panel: choose a device, watch its packets, flows and talkers; or those of a file."""

from __future__ import annotations

import shlex
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from collectors.draft import Draft
from collectors.table import Gap, Table
from nettui.packets.brief import BRIEF, FORMS
from nettui.packets.line import lines
from nettui.packets.session import VIEWS, Session
from nettui.panels.panel import Panel
from nettui.query import Query
from nettui.snapshot import Snapshot
from nettui.tui import capture_words, capturing
from nettui.tui.arrange import Rows, Wish
from nettui.tui.bars import Bar
from nettui.tui.capture_views import (
    DEVICES,
    HINTS,
    KEYS,
    OPENS,
    ORDER,
    PACKETS,
    WITH_SOCKETS,
    columns_of,
    where_of,
    with_any,
)
from nettui.tui.cells import BOLD
from nettui.tui.loss_bar import Pace
from nettui.tui.packet_rows import PacketRows
from nettui.tui.packet_view import PacketView
from nettui.tui.pane import Line, Pane

if TYPE_CHECKING:
    from nettui.tui.app import Nettui

LOOK, SECOND = 0.1, 1.0  # seconds between two looks at the session, and between two paces of it
HIGH = 32  # cells from which on a packet is told below the list
PACES = 40  # that are remembered
EMPTY = Draft(BRIEF, 0).table()


class CapturePane(Pane):
    """``session``: what is captured or read, None until something is asked for. ``view``: devices, packets, or one of
    VIEWS. ``expression``: libpcap's filter of the capture, or of the next one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "devices", show=False),
        Binding("v", "view", show=False),
        Binding("a", "time_form", show=False),
        Binding("b", "ask('capture_filter')", show=False),
        Binding("f", "ask('follow')", show=False),
        Binding("w", "ask('save')", show=False),
        Binding("x", "ask('end')", show=False),
        Binding("o", "ask('open_file')", show=False),
    ]

    def __init__(self, panel: Panel, ask: Callable[[str, Wish], None]) -> None:
        self.session: Session | None = None
        self.view, self.expression = DEVICES, ""
        self._form = 0  # of FORMS
        self._reads = False  # one packet, in place of the list or below it
        self._tail = True  # the cursor stays at the last packet
        self._shown: object = None  # what of the session is on screen
        self._links: Table | None = None
        self.refused: Gap | None = None
        self.beginning = ""  # device or file that is being opened
        self.paces: deque[Pace] = deque(maxlen=PACES)
        self._wheres: dict[str, tuple[str, Query | None]] = {}  # filters of the other views
        super().__init__(panel, ask)
        self._lines = (Bar(id="capture"), Bar(id="losses"))
        self.packet_view = PacketView(self)
        self._whole = Vertical(*self._lines, self, self.packet_view, id="capture-panel")
        self.enter(DEVICES)

    @property
    def frame(self) -> Widget:
        return self._whole

    @property
    def sections(self) -> tuple[str, ...]:
        return ("links", "sockets") if self.view in WITH_SOCKETS else ("links",)

    @property
    def command(self) -> str:
        if self.session is None:
            return self.panel.command
        name, packed = self.session.name, not self.session.live and self.session.name.endswith(".gz")
        words = ["-i" if self.session.live else "-r", "-" if packed else name]
        command = shlex.join(["tcpdump", "-n", *words, *([self.expression] if self.expression else [])])
        return f"zcat {shlex.quote(name)} | {command}" if packed else command

    @property
    def keys(self) -> Sequence[tuple[str, str]]:
        return KEYS

    @property
    def opens(self) -> str:
        return OPENS.get(self.view, "packets")

    @property
    def hints(self) -> Sequence[str]:
        return HINTS

    def places(self, text: str) -> list[tuple[str, Callable[[], None]]]:
        number = int(text.replace(",", "")) if text.replace(",", "").isdecimal() else 0
        return [(f"packet {number:,}", lambda: self.to_packet(number))] if number and self.session else []

    def to_packet(self, number: int) -> None:
        """The packet of that number, or the next one that is shown."""
        if self.view != PACKETS:
            self.enter(PACKETS)
        if isinstance(self.shown, PacketRows):
            self._tail, self._follows = False, True
            self.move_to(self.shown.listing.position_of(number))
            found = self.shown.listing.number_at(self.cursor) if len(self.shown) else number
            if found != number:
                self.nettui.say(
                    f"packet {number:,} is not here; {found:,} is the {'next' if found > number else 'last'}"
                )

    def about(self) -> str:
        """The packet under the cursor as tcpdump writes it."""
        if self._reads and self.packet_view.gone:
            return "this packet is here alone: the ring let it go (--ring), a freeze keeps what is there"
        if not isinstance(self.shown, PacketRows) or self.cursor >= len(self):
            return ""
        return lines(self.shown.listing.table(self.cursor, self.cursor + 1))[0].partition(" ")[2]

    @property
    def nettui(self) -> Nettui:
        return cast("Nettui", self.app)

    def on_mount(self) -> None:
        self.set_interval(LOOK, self._look)
        self.lay_out()
        self._draw_lines()

    def on_unmount(self) -> None:
        if self.session:
            self.session.close()

    # data

    def receive(self, snapshot: Snapshot) -> None:
        """Devices to choose from, and sockets to tell whose packets they are."""
        self.read_at = snapshot.at
        if "links" in snapshot.tables:
            self._links = with_any(snapshot.tables["links"])
        if "links" in snapshot.gaps:
            self.refused = snapshot.gaps["links"]
        if self.session and "sockets" in snapshot.tables:
            self.session.sockets = snapshot.tables["sockets"]
        if self.view == DEVICES and self._links is not None and self._links is not self._shown:
            self._shown = self._links
            self._put(self._links)
        self._say()

    def _put(self, table: Table) -> None:
        """A table of another moment, in the place of rows."""
        self.latest = table
        self._wish_for()

    def _look(self) -> None:
        """What the session has by now, if it is another than what is on screen."""
        session = self.session
        if session is None:
            return
        self._note_pace(session)
        if not self.frame.display:
            return
        if self.view == PACKETS and session.listing is not self._shown:
            self._shown = session.listing
            self.present(PacketRows(session.listing, FORMS[self._form], session.read.first))
            self._say()
        elif session.summary and session.summary[0] == self.view and session.summary is not self._shown:
            self._shown = session.summary
            self._put(session.summary[1])
        self._draw_lines()

    def _note_pace(self, session: Session) -> None:
        if session.live and not session.ended and (not self.paces or time.monotonic() - self.paces[-1].at >= SECOND):
            captured = session.live.recorder.counts.captured
            self.paces.append(Pace(time.monotonic(), captured, session.read.bytes))

    def present(self, shown: Rows, keep_place: bool = True) -> None:
        super().present(shown, keep_place)
        if isinstance(shown, PacketRows) and self._tail:
            self.move_to(len(shown) - 1)
        self.lay_out()
        self._tell_packet()

    def filter(self, text: str, where: Query | None) -> None:
        if self.view == PACKETS and self.session:
            self.where_text, self.where = text, where
            self.session.filter(where)
        else:
            super().filter(text, where)

    def tick(self, frozen: bool) -> None:
        if self.session and frozen != self.session.frozen:
            self.session.freeze(frozen)
        super().tick(frozen)

    def sort_by(self, sort: tuple[str, bool] | None) -> None:
        if self.view == PACKETS and self.session:
            self.nettui.say("packets stay in the order in which they came: / filters them, v sums them up")
        else:
            super().sort_by(sort)

    def total(self) -> int:
        return self.session.listing.total if self.view == PACKETS and self.session else super().total()

    def busy(self) -> bool:
        if self.view == PACKETS and self.session:
            return self.session.listing.where is not self.where
        return super().busy()

    # views

    def enter(self, view: str, tail: bool = True) -> None:
        """Show another view, with the filter that it had; ``tail``: at its end."""
        self._wheres[self.view] = self.where_text, self.where
        self.view = view
        self.where_text, self.where = self._wheres.get(view, ("", None))
        self.show, self.sort, self.shifted = self._usual(), None, 0
        self.shown = self._settled = self._shown = None
        self.latest, self.fault = (EMPTY if view == PACKETS else None), ""
        self._widths.clear()
        self._seen = set()
        self.cursor, self._follows, self._tail, self._reads = 0, False, tail, False
        self._forget()
        if self.session:
            self.session.show(view if view in VIEWS else "")
        if view == DEVICES and self._links is not None:
            self._put(self._links)
        self._say()
        if self.is_mounted:
            self.nettui.attend(self)
            self._look()
            self.refresh()

    def _usual(self) -> tuple[str, ...]:
        device = self.session.name if self.session and self.session.live else ""
        return columns_of(self.view, self.panel.columns, self._whole.size.width or self.size.width, device)

    def action_view(self) -> None:
        if self.session is None:
            self.nettui.say("nothing is captured yet: Enter on a device begins, o opens a file")
            return
        self.enter(ORDER[(ORDER.index(self.view) + 1) % len(ORDER)] if self.view in ORDER else PACKETS)

    def action_devices(self) -> None:
        self.refused = None
        self.enter(DEVICES)

    def action_time_form(self) -> None:
        self._form = (self._form + 1) % len(FORMS)
        self._widths.pop("when", None)
        self._shown = None
        self._look()
        self.nettui.say(f"time: {('of day', 'since the packet above', 'since the first packet')[self._form]}")

    def open_row(self) -> bool:
        """On a device: ask for a filter, then capture. On a flow or talker: its packets."""
        row = self.under_cursor()
        if self.view == DEVICES:
            if row is not None:
                capturing.begin(self, str(row["ifname"]))
            return True
        if row is None:
            return True
        if self.view == PACKETS:
            self._tail, self._follows, self._reads = False, True, True
            self.lay_out()
            self._tell_packet()
            self.screen.set_focus(self.packet_view.tree_lines)
            return True
        if self.view == "processes":  # packets bear no process, flows do
            self.rows_where("flows", f"pid {row['pid']}" if row.get("pid") else "pid is absent")
            return True
        where = where_of(self.view, row)
        if where:
            self.rows_where(PACKETS, where)
        return bool(where)

    def leave_packet(self) -> None:
        """Back from one packet to the list."""
        self._reads = False
        self.lay_out()
        self._tell_packet()
        self.screen.set_focus(self)

    def on_resize(self) -> None:
        super().on_resize()
        if set(self.show) == set(self._usual()):
            self.show_columns(self._usual())
        self.call_after_refresh(self.lay_out)

    def lay_out(self) -> None:
        """List and packet, one below the other where there is room for both."""
        both = self._whole.size.height >= HIGH
        told = self.view == PACKETS and len(self) > 0
        self.packet_view.display = told and (both or self._reads)
        self.display = both or not self.packet_view.display

    def _tell_packet(self) -> None:
        """The packet under the cursor, where one is told."""
        if self.packet_view.display and isinstance(self.shown, PacketRows) and self.cursor < len(self.shown):
            if self._reads and self.cursor == 0 and self.packet_view.hold(self.shown.listing.batches[0].number(0)):
                return
            notes = self.session.live.device.notes if self.session and self.session.live else ()
            self.packet_view.show(self.shown.listing.packet(self.cursor), notes)

    def cursor_row(self) -> int | None:
        """None where a packet is read that the list has let go."""
        return None if self._reads and self.packet_view.gone else super().cursor_row()

    def on_table_view_moved(self) -> None:
        self._tell_packet()

    def rows_where(self, view: str, text: str) -> None:
        """The packets or flows that satisfy a filter."""
        self.enter(view, tail=False)
        self.nettui.filter_pane(self, text)

    # what is asked for

    def action_ask(self, name: str) -> None:
        getattr(capturing, name)(self)

    def capture(self, device: str, expression: str) -> None:
        capturing.begin(self, device, expression)

    def begin_with(self, name: str, begin: Callable[[], Session | Gap], expression: str | None = None) -> None:
        """Begin a session, in the background: opening a device may take its time. ``expression``: its filter."""

        app = self.app

        def run() -> None:
            app.call_later(self._begun, begin(), expression)

        self.beginning, self.refused = name, None
        threading.Thread(target=run, daemon=True, name="begin").start()
        self._draw_lines()

    def _begun(self, found: Session | Gap, expression: str | None = None) -> None:
        self.beginning = ""
        if expression is not None and (self.session is None or not isinstance(found, Gap)):
            self.expression = expression
        if isinstance(found, Gap):
            self.refused = found
            if self.session and self.view != DEVICES:  # the lines above go on telling of the session
                self.nettui.say(found.reason)
        else:
            if self.session:
                threading.Thread(target=self.session.close, daemon=True, name="close").start()
            self.nettui.thaw()
            self.session, self.refused = found, None
            self.paces.clear()
            self._wheres.clear()
            self.where_text, self.where = "", None
            self.enter(PACKETS, tail=found.live is not None)
        self._draw_lines()

    # moving

    def action_move(self, step: int) -> None:
        super().action_move(step)
        self._keep_tail()

    def action_page(self, pages: int) -> None:
        super().action_page(pages)
        self._keep_tail()

    def action_first(self) -> None:
        super().action_first()
        self._tail, self._follows = False, self.view == PACKETS

    def action_last(self) -> None:
        super().action_last()
        self._tail = True

    def _keep_tail(self) -> None:
        """Who goes up stays there; at the last packet the list follows what comes."""
        self._tail = self.cursor >= len(self) - 1

    # words

    def _draw_lines(self) -> None:
        for bar, (left, right) in zip(self._lines, capture_words.above(self), strict=True):
            bar.put(left, right)

    def _words(self) -> tuple[Line, ...]:
        if self.view == PACKETS and self.session is not None:
            return capture_words.instead(self.session, self.where_text, self.expression)
        if self.session is not None and self.latest is not None and not len(self.latest) and self.view != DEVICES:
            return ((f"no {self.view}: no packet has come" if self.session.live else f"no {self.view}", BOLD),)
        return super()._words()
