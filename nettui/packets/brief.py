"""Packets in brief, for a list: when, from where to where, and what they say."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Table
from collectors.values import Codes
from nettui.packets.judged import COLUMNS
from nettui.packets.line import NANO, cells, clock

Form = Literal["absolute", "delta", "since"]
FORMS: tuple[Form, ...] = ("absolute", "delta", "since")
MADE = (
    Column("when", "text", help="local time of day; or seconds since the packet before, or since the first one"),
    Column("source", "text", help="address and port of the sender"),
    Column("destination", "text", help="address and port of the receiver"),
    Column("info", "text", help="what the packet says: flags, size, names, the first line of its text"),
)
BRIEF = (*MADE, *COLUMNS)


def brief(table: Table, when: Sequence[str], infos: Sequence[str]) -> Table:
    """With the columns MADE; ``when`` and ``infos`` have a text for each row."""
    told: tuple[Sequence[str | None], ...] = (
        list(when),
        ends(table, "src", "sport", "smac"),
        ends(table, "dst", "dport", "dmac"),
        infos,
    )
    return table.extended(MADE, {column.name: Codes.of(texts) for column, texts in zip(MADE, told, strict=True)})


def ends(table: Table, address: str, port: str, link_layer: str) -> list[str | None]:
    """10.0.0.1:53, [fd00::1]:53, or what there is of it."""
    return [
        mac if host is None else host if number is None else f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
        for host, number, mac in cells(table, address, port, link_layer)
    ]


def stamps(times: NDArray[np.int64], form: Form, first: int, before: int | None) -> list[str]:
    """``first``: time of the first packet of all; ``before``: of the one above these rows, None where there is none."""
    if form == "absolute":
        return clock(times)
    if form == "since":
        return [f"{passed / NANO:.6f}" for passed in (times - first).tolist()]
    earlier = times[:1] if before is None else np.array([before])
    return [f"{passed / NANO:.6f}" for passed in np.diff(times, prepend=earlier).tolist()]


def day(stamp: int) -> str:
    """The date and the time of day to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(stamp // NANO))
