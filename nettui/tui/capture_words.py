"""What the capture panel says: above what it shows, and where there is nothing to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nettui.packets.session import Session
from nettui.tui.bars import Part
from nettui.tui.capture_views import DEVICES
from nettui.tui.cells import BOLD, DIM, PLAIN, WARNING
from nettui.tui.loss_bar import first_line, second_line
from nettui.tui.pane import Line

if TYPE_CHECKING:
    from nettui.tui.capture_pane import CapturePane

Halves = tuple[Sequence[Part], Sequence[Part]]  # of a line: its left, and its right


def above(pane: CapturePane) -> tuple[Halves, Halves]:
    """Two lines: what stands in the way; what is to be done; or how the capture goes and what it lost."""
    if pane.refused is not None and (pane.session is None or pane.view == DEVICES):
        return ([(f" {pane.refused.reason}", WARNING)], []), ([(f" {pane.refused.remedy}", PLAIN)], [])
    if pane.beginning:
        return ([(f" opening {pane.beginning} ...", BOLD)], []), ([], [])
    if pane.session is None:
        return (
            ([(" on which device? Enter captures on the one under the cursor", BOLD)], []),
            ([(" o opens a file of packets; i comes back here", DIM)], []),
        )
    view: Sequence[Part] = [("v next view  ", DIM), (f"{pane.view} ", BOLD)]  # where there is no room the hint goes
    return (first_line(pane.session, pane.expression, pane.paces), []), (second_line(pane.session), view)


def instead(session: Session, where: str, expression: str) -> tuple[Line, ...]:
    """In the place of packets: why there are none. ``where``: this project's filter, ``expression``: libpcap's."""
    if len(session.listing):
        return ()
    if session.fault:
        return ((f"the filter fails: {session.fault}", WARNING), (f"filter: {where}", PLAIN))
    if session.listing.total:
        return (
            (f"none of {session.listing.total:,} packets matches", BOLD),
            (f"filter: {where}", PLAIN),
            ("/ changes the filter, Esc clears it", DIM),
        )
    passing: tuple[Line, ...] = ((f"that passes '{expression}': b changes it", PLAIN),) if expression else ()
    if session.ended:
        return (("no packets", BOLD), *passing, *((gap.reason, PLAIN) for gap in session.gaps))
    return ((f"no packet on {session.name} yet" if session.live else "reading ...", BOLD), *passing)
