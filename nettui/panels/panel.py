"""Panel: pure data about how one section is shown, on the screen and in a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collectors.values import Cell

Where = str | Callable[[Mapping[str, Cell]], str]


@dataclass(frozen=True, slots=True)
class Panel:
    """``name``: section, table and panel in one word. ``key``: the key that jumps to it on the full screen.

    ``show``: the columns of a report and the first on a screen, the most important first; ``more``: those that a screen
    with room for them, or the reader who moves to the right, sees behind these.
    ``report``: the columns of a report, where they are not those of ``show``; ``again``: its rows are those of another
    section in another order, so that a report which names none leaves it out.
    ``sort``: column, with ``-`` before it for descending; "" keeps the kernel's order.
    ``pivots``: (label, panel, filter with {column} places) for a jump from one row; where more than places is needed, a
    function of the row gives the filter, "" when the row leads nowhere.
    ``command``: the iproute2 command that shows the same. ``empty``: what no rows means; ``unmatched``: what to know
    where there are rows and the filter takes none.
    """

    name: str
    title: str
    key: str
    show: tuple[str, ...]
    command: str
    empty: str
    unmatched: str = ""
    more: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    again: bool = False
    sort: str = ""
    pivots: tuple[tuple[str, str, Where], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.show + self.more
