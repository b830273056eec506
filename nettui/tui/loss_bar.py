"""The two lines above the packets: what is captured and how much of it comes; and, always, what was lost where."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from nettui.packets.session import Session
from nettui.tui.bars import Part
from nettui.tui.cells import BOLD, DIM, GOOD, LOSS, MARKED, PLAIN, WARNING, short, spark, width_of

FILTER = 25  # cells of a filter for which there is room before the numbers


class Pace(NamedTuple):
    """At a moment (seconds, any clock): packets, and bytes on the wire, since the start."""

    at: float
    packets: int
    bytes: int


def first_line(session: Session, expression: str, paces: Sequence[Pace]) -> list[Part]:
    """What is captured, whether it goes on, how much there is, and how fast it comes."""
    name = session.name if session.live else Path(session.name).name
    filtered = f"'{expression}' " if expression else ""
    told = filtered if width_of(filtered) <= FILTER else ""  # a longer one would hide the numbers: it comes last
    parts = [(f" {name} {told}", BOLD), state(session)]
    parts.append((f"  {session.read.packets:,} packets  {short(session.read.bytes)}B", PLAIN))
    packets, octets = rates(paces)
    if session.live and not session.ended and packets:
        parts.append((f"  {short(packets[-1])}/s  {short(octets[-1] * 8)}bit/s", BOLD))
    elif session.live and session.gaps:  # why it ended by itself
        parts.append((f"  {'; '.join(gap.reason for gap in session.gaps)}", WARNING))
    elif session.ended and session.read.last > session.read.first:
        seconds = (session.read.last - session.read.first) / 1e9
        parts.append((f"  in {seconds:,.3f} s  {short(session.read.packets / seconds)}/s", PLAIN))
    if not told and filtered:
        parts.append((f"  {filtered}", PLAIN))
    if session.live and packets:
        parts.append((f"  {spark(packets)}", PLAIN))
    return parts


def state(session: Session) -> Part:
    if session.frozen:
        return ("frozen", MARKED)
    if session.live:
        return ("ended", WARNING) if session.ended else ("capturing", GOOD)
    return ("a file", PLAIN) if session.ended else ("reading", BOLD)


def rates(paces: Sequence[Pace]) -> tuple[list[float], list[float]]:
    """Packets and bytes per second between each two."""
    pairs = [(one, other, max(other.at - one.at, 1e-3)) for one, other in pairwise(paces)]
    packets = [(other.packets - one.packets) / seconds for one, other, seconds in pairs]
    return packets, [(other.bytes - one.bytes) / seconds for one, other, seconds in pairs]


def second_line(session: Session) -> list[Part]:
    """The three numbers of loss, and how full the ring is; of a file what is wrong with it."""
    losses = session.losses()
    if losses is None or session.live is None:
        faults = [gap.reason for gap in session.gaps]
        return (
            [(f" {'; '.join(faults)}", LOSS)] if faults else [(" nothing is lost in a file but what is not in it", DIM)]
        )
    held, ring = session.live.ring.held(), session.live.ring
    interface = ("-", DIM) if losses.interface is None else counted(losses.interface)
    parts: list[Part] = [(" lost: kernel ", PLAIN), counted(losses.kernel), ("  interface ", PLAIN), interface]
    parts += [("  not shown ", PLAIN), counted(losses.skipped)]
    if not session.ended and (faults := [fault.reason for fault in session.live.faults()]):
        parts.append((f"  {'; '.join(faults)}", WARNING))
    parts.append((f"  ring {held.bytes >> 20} of {ring.limit >> 20} MiB", PLAIN))
    if ring.dropped.packets:
        parts.append((f", {short(ring.dropped.packets)} older let go", DIM))
    return parts


def counted(number: int) -> Part:
    return (f"{number:,}", LOSS if number else GOOD)
