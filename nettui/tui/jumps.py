"""Where a pivot or a name leads: a panel and the filter to open it with. Pure functions."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from collectors.table import Table
from collectors.values import Cell, Codes
from nettui.packets.wanted import wanted
from nettui.panels.capture import CAPTURE
from nettui.panels.panel import Panel
from nettui.query import RESERVED
from nettui.scrub import scrub

PLACE = re.compile(r"\{(\w+)\}")
BARE = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.:/-]*")
LONGEST_PATTERN = 190
NAMES = {"links": "ifname", "sockets": "process", "protocols": "counter", "namespaces": "name"}
ADDRESSES = {
    "addresses": ("local",), "routes": ("dst", "gateway"), "neighbours": ("dst",), "sockets": ("src", "dst"),
    "conntrack": ("src", "dst", "nat_src", "nat_dst"),
}  # fmt: skip
MOST = 40
NOTHING_PLAIN = "anything plain to look for"


class Jump(NamedTuple):
    """``where``: the filter, "" for none; ``missing``: the column that the row lacks, so that it leads nowhere.

    ``device``: of a capture that is to begin; its ``where`` is libpcap's filter.
    """

    label: str
    panel: str
    where: str = ""
    missing: str = ""
    device: str = ""


def pivots(panel: Panel, row: Mapping[str, Cell]) -> list[Jump]:
    """The panel's pivots for one row, absent cells left out of ``row``."""
    found = []
    for label, target, template in panel.pivots:
        if not isinstance(template, str):
            where = template(row)
            found.append(Jump(label, target, where, "" if where else NOTHING_PLAIN))
            continue
        names = PLACE.findall(template)
        missing = next((name for name in names if row.get(name) is None), "")
        where = "" if missing else PLACE.sub(lambda place: quoted(row[place[1]]), template)
        found.append(Jump(label, target, where, missing))
    if to_capture := wanted(panel.name, row):
        found.append(Jump("capture its packets", CAPTURE.name, to_capture.expression, "", to_capture.device))
    return found


def quoted(cell: Cell) -> str:
    """A cell as a value of the filter language; whatever it holds, it stays one value."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    text = str(cell)
    if BARE.fullmatch(text) and text.lower() not in RESERVED:
        return text
    if scrub(text) == text and not set(text) & set('"\\'):
        return f'"{text}"'
    return exactly(text)


def exactly(text: str) -> str:
    """As a pattern in harmless letters, for what a quoted word cannot hold; of a very long text, its beginning."""
    escaped = [letter if letter.isalnum() and letter.isascii() else rf"\U{ord(letter):08x}" for letter in text]
    kept = list(accumulate(map(len, escaped)))
    fitting = sum(length <= LONGEST_PATTERN for length in kept)
    return f'~ "^{"".join(escaped[:fitting])}{"$" if fitting == len(escaped) else ""}"'


def candidates(text: str, panels: Sequence[Panel], tables: Mapping[str, Table]) -> list[Jump]:
    """What ``text`` may mean: panels first, then names and addresses of the tables that have been read."""
    wanted = text.strip().lower()
    named = [panel for panel in panels if wanted in panel.name or wanted in panel.title.lower() or wanted == panel.key]
    named.sort(key=lambda panel: not panel.name.startswith(wanted))
    found = [Jump(panel.name, panel.name) for panel in named]
    if wanted:
        found += addressed(text.strip(), {panel.name for panel in panels})
        found += spelled(wanted, tables)
    return found[:MOST]


def addressed(text: str, panels: Iterable[str]) -> list[Jump]:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return []
    found = []
    for panel, columns in ADDRESSES.items():
        if panel in panels:
            for column in columns:
                where = f"{column} {text}" if network.num_addresses == 1 else f"{column} in {network}"
                found.append(Jump(f"{panel} {where}", panel, where))
    return found


def spelled(wanted: str, tables: Mapping[str, Table]) -> list[Jump]:
    """Names that contain it, those that begin with it first."""
    found = []
    for panel, column in NAMES.items():
        if panel in tables and column in tables[panel]:
            values = tables[panel][column]
            assert isinstance(values, Codes)
            names = [name for name in map(str, values.pool[:10_000]) if wanted in name.lower()]
            names.sort(key=lambda name: (not name.lower().startswith(wanted), len(name), name))
            found += [Jump(f"{panel} {name}", panel, f"{column} {quoted(name)}") for name in names[:MOST]]
    return found
