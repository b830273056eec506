"""A stage for the app: hand-made tables, and a feed that delivers what a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from collectors import Host
from collectors.draft import Draft
from collectors.table import Column, Gap, Table
from nettui.panels.panel import Panel
from nettui.snapshot import Snapshot
from nettui.tui.app import Nettui
from nettui.tui.pane import Pane

HOSTILE = "\x1b]0;owned\x07\x9b31m[/x][red]\u202eevil\nline\x00"

LINK_COLUMNS = (
    Column("ifindex", "u4", "key", help="number of the device"),
    Column("ifname", "text", "label", help="its name"),
    Column("kind", "text", help="what it is"),
    Column("mtu", "u4", "gauge", "B", "largest packet"),
    Column("rx_dropped", "u8", "counter", "packets", "dropped on receive"),
    Column("rx_dropped_rate", "f8", "gauge", "packets/s", "dropped on receive, per second"),
    Column("ifalias", "text", help="what an administrator wrote"),
    Column("address", "address", help="link-layer address"),
)
LINKS = Panel(
    name="links",
    title="Links",
    key="2",
    show=("ifname", "kind", "mtu", "rx_dropped", "rx_dropped_rate", "ifalias", "address"),
    command="ip -s link",
    empty="no network devices",
    pivots=(("routes", "routes", "oif {ifindex}"), ("by alias", "links", "ifalias {ifalias}")),
)
ROUTES = Panel(
    name="routes", title="Routes", key="5", show=("dst", "oif", "metric"), command="ip route", empty="no routes at all"
)
ROUTE_COLUMNS = (Column("dst", "address", "key"), Column("oif", "u4"), Column("metric", "u4", "key"))


def table(columns: Sequence[Column], rows: Sequence[dict[str, Any]], gaps: Sequence[Gap] = ()) -> Table:
    """Rows as dictionaries; what a row lacks is absent. Addresses are IPv4 as text."""
    import ipaddress

    import numpy as np

    draft = Draft(columns, len(rows))
    for column in columns:
        at = np.array([index for index, row in enumerate(rows) if row.get(column.name) is not None], np.intp)
        cells = [rows[index][column.name] for index in at.tolist()]
        if column.dtype == "address":
            packed = [ipaddress.ip_network(cell) for cell in cells]
            octets = np.array([list(net.network_address.packed) for net in packed], np.uint8).reshape(-1, 4)
            draft.addresses(column.name, octets, 4, at, np.array([net.prefixlen for net in packed], np.uint8))
        elif column.dtype == "text":
            draft.cells(column.name, cells, at)
        else:
            draft.numbers(column.name, np.array(cells), at)
    return draft.table(gaps)


def links(*names: str, first: int = 1, **more: Any) -> Table:
    """Devices named so, with ascending indexes."""
    rows = [
        {"ifindex": first + n, "ifname": name, "mtu": 1500, "rx_dropped": 0, **more} for n, name in enumerate(names)
    ]
    return table(LINK_COLUMNS, rows)


def routes(*rows: tuple[str, int, int]) -> Table:
    return table(ROUTE_COLUMNS, [{"dst": dst, "oif": oif, "metric": metric} for dst, oif, metric in rows])


class Feed:
    """In the place of nettui.live.Live."""

    def __init__(self, host: Host, deliver: Callable[[Snapshot], None]) -> None:
        self.deliver = deliver
        self.calls: list[Any] = []
        self.reasons: str | Gap = ""
        self.followed: float | None = None

    def start(self) -> None:
        self.calls.append("start")

    def show(self, sections: Sequence[str]) -> None:
        self.calls.append(("show", *sections))

    def freeze(self, frozen: bool) -> None:
        self.calls.append(("freeze", frozen))

    def refresh(self) -> None:
        self.calls.append("refresh")

    def mark(self) -> None:
        self.calls.append("mark")

    def watch_reasons(self, wanted: bool) -> None:
        self.calls.append(("reasons", wanted))

    def stop(self) -> None:
        self.calls.append("stop")


class Stage:
    """The running app with its feed."""

    def __init__(self, app: Nettui, feed: Feed, pilot: Pilot[int]) -> None:
        self.app, self.feed, self.pilot, self.clock = app, feed, pilot, 1_700_000_000.0

    async def deliver(self, gaps: dict[str, Gap] | None = None, **tables: Table) -> None:
        self.clock += 1
        self.feed.deliver(Snapshot(self.clock, tables, gaps or {}, dict.fromkeys(tables, 0.012)))
        await self.pilot.pause()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        names = {" ": "space", "/": "slash", ".": "full_stop", '"': "quotation_mark", "~": "tilde"}
        await self.press(*(names.get(letter, letter) for letter in text))

    @property
    def pane(self) -> Pane:
        found = self.app.pane()
        assert found is not None
        return found

    def under_cursor(self) -> dict[str, Any]:
        pane = self.pane
        row, shown = pane.cursor_row(), pane.table
        assert row is not None
        assert shown is not None
        return shown.row(row)

    def screen(self) -> list[str]:
        """What is painted, line by line, the top screen over the others."""
        return ["".join(segment.text for segment in line) for line in self.strips()]

    def strips(self) -> Any:
        return self.app.screen._compositor.render_strips()

    def text(self) -> str:
        return "\n".join(self.screen())


@asynccontextmanager
async def stage(
    *panels: Panel, size: tuple[int, int] = (80, 24), host: Host | None = None, first: str | None = None
) -> AsyncIterator[Stage]:
    made: list[Feed] = []

    def feed(host: Host, deliver: Callable[[Snapshot], None]) -> Feed:
        made.append(Feed(host, deliver))
        return made[0]

    app = Nettui(host or Host(), feed, panels or (LINKS, ROUTES), first=first)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Stage(app, made[0], pilot)
