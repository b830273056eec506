"""Conntrack events as they happen, a line each: in words for a reader, or as JSON objects."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import numpy as np

from collectors.netfilter.conntrack.events import COLUMNS
from collectors.table import Table
from nettui.report.cells import plain, texts
from nettui.report.json import encode, objects
from nettui.report.select import Selection

SHOWN = (
    "event", "proto", "state", "src", "sport", "dst", "dport", "icmp_type", "icmp_id", "nat", "nat_src", "nat_sport",
    "nat_dst", "nat_dport", "bytes", "reply_bytes", "delta_time", "mark", "zone", "helper", "id",
)  # fmt: skip
BARE = ("event", "proto", "state")  # columns whose words need no name before them


def lines(heard: Iterable[Table], selection: Selection, form: str) -> Iterator[str]:
    """The events that the filter lets pass, as text for each table heard; ends at the limit."""
    query = selection.checked(COLUMNS)
    spell = json_lines if form == "ndjson" else text_lines
    left = selection.limit
    for table in heard:
        rows = np.arange(len(table)) if query is None else np.flatnonzero(query.mask(table))
        if left is not None:
            rows, left = rows[:left], left - min(left, len(rows))
        if len(rows):
            yield "".join(spell(table.take(rows), selection.columns))
        if left == 0:
            return


def json_lines(table: Table, columns: tuple[str, ...]) -> Iterator[str]:
    head = encode({"section": "conntrack"})[:-1]
    for row in objects(table.select(columns) if columns else table):
        yield f"{head}{',' if len(row) > 2 else ''}{row[1:]}\n"


def text_lines(table: Table, columns: tuple[str, ...]) -> Iterator[str]:
    """When it was heard, then words, then NAME=VALUE; what is absent is left out."""
    names = columns or SHOWN
    cells = [texts(table[name], plain) for name in names]
    for at, *row in zip(table["heard"].cells(), *cells, strict=True):
        told = (text if name in BARE else f"{name}={text}" for name, text in zip(names, row, strict=True) if text)
        yield f"{clock(at)} {' '.join(told)}\n"


def clock(nanoseconds: object) -> str:
    """Local time to the millisecond."""
    seconds, rest = divmod(int(str(nanoseconds)), 10**9)
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{rest // 10**6:03d}"
