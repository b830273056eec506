"""One packet on the screen: its tree of headers, and its bytes, those of the line under the cursor marked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from textual._context import NoActiveAppError
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from collectors.table import Gap
from nettui.packets.brief import day
from nettui.packets.dissect import Dissection
from nettui.packets.listing import Packet
from nettui.packets.tree import Node, headers
from nettui.tui.bars import Bar, Part
from nettui.tui.cells import BOLD, DIM, PLAIN, REVERSE, WARNING
from nettui.tui.dissecting import Dissecting
from nettui.tui.hex_lines import HexLines
from nettui.tui.tree_lines import TreeLines

if TYPE_CHECKING:
    from nettui.tui.capture_pane import CapturePane

BESIDE = 130  # cells from which on tree and bytes are side by side
HEX = 76  # cells of a line of bytes


class PacketView(Container):
    """``pane``: the list that it belongs to."""

    DEFAULT_CSS = """
    PacketView { height: 1fr; width: 1fr; layout: vertical; }
    PacketView #packet-parts { height: 1fr; width: 1fr; layout: vertical; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "leave", show=False),
        Binding("J,n", "packet(1)", show=False),
        Binding("K,N", "packet(-1)", show=False),
        Binding("f", "ask('follow')", show=False),
        Binding("x", "ask('end')", show=False),
        Binding("v", "of_list('view')", show=False),
        Binding("i", "of_list('devices')", show=False),
        *(
            Binding(key, f"of_list('ask', '{name}')", show=False)
            for key, name in (("b", "capture_filter"), ("w", "save"), ("o", "open_file"))
        ),
    ]

    def __init__(self, pane: CapturePane) -> None:
        super().__init__(id="packet-view")
        self._pane = pane
        self._title, self.tree_lines, self._hex = Bar(REVERSE), TreeLines(), HexLines()
        self._packet: Packet | None = None
        self._found: Dissection | None = None
        self.gone = False  # the packet is in memory no longer, but here
        self._notes: tuple[Gap, ...] = ()
        self._dissecting = Dissecting(self._deliver)

    def compose(self) -> ComposeResult:
        yield self._title
        with Container(id="packet-parts"):
            yield self.tree_lines
            yield self._hex

    def on_mount(self) -> None:
        self._lay_out()

    def on_unmount(self) -> None:
        self._dissecting.stop()

    def on_resize(self) -> None:
        self._lay_out()
        self.call_after_refresh(self._pane.lay_out)  # the list has no size of its own while it is hidden

    def _lay_out(self) -> None:
        beside = self.size.width >= BESIDE
        self.query_one("#packet-parts").styles.layout = "horizontal" if beside else "vertical"
        self._hex.styles.width = HEX if beside else "1fr"
        self._hex.styles.height = "1fr" if beside else "40%"

    def show(self, packet: Packet | None, notes: tuple[Gap, ...] = ()) -> None:
        """Its headers as nettui knows them at once; what tshark makes of it as soon as it is there."""
        if packet == self._packet:
            return
        self._packet, self._notes, self.gone = packet, notes, False
        if packet is None:
            self.tree_lines.tell(())
            self._hex.tell(b"")
            self._title.put([])
            return
        self._hex.tell(packet.octets)
        self._tell(packet, Dissection(headers(packet.octets, packet.link), "nettui"))
        self._dissecting.ask(packet)

    def hold(self, first: int) -> bool:
        """Whether its packet was let go: ``first`` is the oldest in memory. It stays here and says so."""
        before, self.gone = self.gone, self._packet is not None and self._packet.number < first
        if self.gone and not before and self._packet and self._found:
            self._tell(self._packet, self._found)
        return self.gone

    def _deliver(self, packet: Packet, found: Dissection) -> None:
        """From the dissecting thread; when the screen has gone meanwhile, to nobody."""
        with suppress(NoActiveAppError):
            self.app.call_later(self._dissected, packet, found)

    def _dissected(self, packet: Packet, found: Dissection) -> None:
        if packet == self._packet and self.is_mounted:
            self._tell(packet, found)

    def _tell(self, packet: Packet, found: Dissection) -> None:
        self._found = found
        short = f", {len(packet.octets):,} captured" if len(packet.octets) < packet.length else ""
        left: list[Part] = [(f" packet {packet.number:,}", BOLD), (f"  {day(packet.time)}", PLAIN)]
        if self.gone:
            left.insert(1, (", let go", WARNING))
        left.append((f"  {packet.length:,} bytes{short}  by {found.by}", PLAIN))
        if found.gap is not None:
            left.append((f"  {found.gap.reason}", WARNING))
        self._title.put(left, [("  f stream", DIM), ("  J K next, previous", DIM), ("  Esc list ", DIM)])
        self.tree_lines.tell((*found.tree, *noted(self._notes)))

    def on_tree_lines_moved(self) -> None:
        node = self.tree_lines.under_cursor()
        if node is not None:
            self._hex.mark(node.start, node.length)

    def action_leave(self) -> None:
        self._pane.leave_packet()

    def action_packet(self, step: int) -> None:
        self._pane.action_move(step)

    def action_ask(self, name: str) -> None:
        self._pane.action_ask(name)

    def action_of_list(self, name: str, *words: str) -> None:
        """What a key of the list does, back there."""
        self.action_leave()
        getattr(self._pane, f"action_{name}")(*words)


def noted(notes: Sequence[Gap]) -> tuple[Node, ...]:
    """What is to be known of where the packets were captured."""
    if not notes:
        return ()
    inside = tuple(Node(f"{note.reason}: {note.remedy}" if note.remedy else note.reason, 0, 0) for note in notes)
    return (Node("Notes on this capture", 0, 0, inside),)
