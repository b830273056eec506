"""What the bars tell: rows, filter, order, cost, gaps and faults."""

from __future__ import annotations

import os
import time

from collectors.table import Gap
from nettui.ledger.layers import span
from nettui.scrub import scrub
from nettui.snapshot import Fill
from nettui.tui.bars import Part
from nettui.tui.cells import BOLD, GLYPHS, LOSS, MARKED, PLAIN, WARNING
from nettui.tui.pane import Pane

NEARLY = 0.9  # of a table's limit


def hints(pane: Pane) -> list[str]:
    """Beside the command that shows the same."""
    return [" : jump", "  s sort", f"  Enter {pane.opens}", "  p pivot", "  / filter", "  ? help", "  q quit "]


def status_parts(pane: Pane) -> list[Part]:
    """Rows, filter and order."""
    shown, total = len(pane), pane.total()
    if pane.latest is None:
        return [(" no rows yet", PLAIN)]
    rows = f"{shown:,} of {total:,}" if pane.where_text else f"{total:,} rows"
    place = f" {pane.cursor + 1:,}/" if shown else " "
    parts: list[Part] = [(place + rows, BOLD)]
    if pane.fill:
        parts.append(fill_part(pane.fill))
    if pane.where_text:
        parts.append((f"  filter: {pane.where_text}", BOLD))
    if pane.sort:
        parts.append((f"  sort: {pane.sort[0]}{GLYPHS.down if pane.sort[1] else GLYPHS.up}", PLAIN))
    if pane.busy():
        parts.append(("  working ...", BOLD))
    if pane.fault and len(pane):
        parts.append((f"  failed: {pane.fault}", LOSS))
    return parts


def fill_part(fill: Fill) -> Part:
    """How full the kernel's table is, in this namespace, whatever is shown of it; marked from nine tenths on."""
    share = fill.used / fill.limit
    return (f"  {fill.used:,} of at most {fill.limit:,} ({100 * share:.1f} %)", LOSS if share >= NEARLY else PLAIN)


def timing_parts(pane: Pane) -> list[Part]:
    if pane.read_at is None:
        return []
    parts: list[Part] = [(f"  read in {pane.elapsed * 1000:.0f} ms", PLAIN)] if pane.elapsed else []
    if pane.pace is not None:
        parts.append((f"  every {pane.pace:.0f} s " if pane.pace >= 0.95 else f"  every {pane.pace:.1f} s ", PLAIN))
    return parts


def state_parts(pane: Pane, frozen: bool) -> list[Part]:
    """Whether it is read, and the time of what is shown."""
    at = time.strftime(" %H:%M:%S ", time.localtime(pane.read_at or time.time()))
    if frozen:
        return [(" FROZEN", MARKED), (at, BOLD)]
    if pane.read_at is None:
        return [(" reading", BOLD), (at, PLAIN)]
    return [(" live", BOLD), (at, PLAIN)]


def watch_parts(marked: float | None, reasons: str | Gap) -> list[Part]:
    """How long ago the mark was set (seconds since the epoch), and whether drop reasons are counted."""
    parts = [] if marked is None else [(f"  since mark {span(time.time() - marked)}", BOLD)]
    if isinstance(reasons, Gap):
        return [*parts, ("  no reasons: see above", WARNING)]
    return [*parts, (f"  reasons: {reasons}", BOLD)] if reasons else parts


def gap_text(gap: Gap) -> str:
    return f"{gap.reason} -> {gap.remedy}" if gap.remedy else gap.reason


def fault_text(error: BaseException | None) -> str:
    """One sentence about a fault of nettui's own, with the line where it happened."""
    trace = error.__traceback__ if error is not None else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace else ""  # noqa: PTH119
    return scrub(f"nettui: a fault of its own: {type(error).__name__}: {error}{place}; please report it")
