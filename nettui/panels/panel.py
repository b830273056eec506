"""Panel: pure data about how one section is shown, on the screen and in a report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Panel:
    """``name``: section, table and panel in one word. ``key``: the key that jumps to it on the full screen.

    ``show``: columns from the most to the least important for a narrow terminal, in display order.
    ``sort``: column, with ``-`` before it for descending; "" keeps the kernel's order.
    ``pivots``: (label, panel, filter with {column} places) for a jump from one row.
    ``command``: the iproute2 command that shows the same. ``empty``: what no rows means.
    """

    name: str
    title: str
    key: str
    show: tuple[str, ...]
    command: str
    empty: str
    sort: str = ""
    pivots: tuple[tuple[str, str, str], ...] = ()
