"""Connections that the peer has closed and the process here has not: it forgets to close them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.table import Table
from nettui.findings.finding import Diagnosis, Finding, Tables
from nettui.findings.holders import alike, groups, holder, in_state, most_common, owned, remote
from nettui.findings.rows import Mask, Row, capped

MANY = 100  # of one process
PATIENCE = 1000  # ms since the peer was last heard of: a process has so long to close its side
NAMES = ("netid", "state", "src", "sport", "dst", "dport", "inode", "recv_q", "lastack")


def find(tables: Tables) -> Iterator[Finding]:
    table = tables["sockets"]
    left = table.select([name for name in NAMES if name in table])
    waiting = in_state(left, "CLOSE-WAIT") & forgotten(left)
    if int(waiting.sum()) < MANY:
        return
    found = owned(tables, left, waiting)
    if "pid" not in found:
        yield told(found)
        return
    rows, counts = groups(found, "pid")
    piles = [found.take(np.flatnonzero(alike(found, row, "pid"))) for row in rows[counts >= MANY].tolist()]
    yield from capped(told(pile) for pile in piles)


def forgotten(table: Table) -> Mask:
    """Those whose peer has been silent for long enough; all where that is not known."""
    if "lastack" not in table:
        return np.ones(len(table), np.bool_)
    silent = table.numbers("lastack")
    found: Mask = ~silent.present() | (silent.numbers >= PATIENCE)
    return found


def told(pile: Table) -> Finding:
    peer, row = most_common(pile, "dst", "dport"), pile.row(0)
    unread = pile.numbers("recv_q")
    return Finding(
        "warning",
        holder(row),
        f"{holder(row)} has not closed {len(pile):,} connections that their peers have closed{longest(pile)};"
        " it runs out of descriptors some day",
        (
            f"sockets: {len(pile):,} in CLOSE-WAIT, most with {remote(peer)}",
            f"sockets: {int((unread.present() & (unread.numbers > 1)).sum()):,} of them with data not read",
        ),
        (
            "ss -tanp state close-wait  # recv_q: what the process has not read yet",
            *process_remedies(row),
        ),
        "sockets",
        "state CLOSE-WAIT" + (f" and pid {row['pid']}" if "pid" in row else ""),
    )


def process_remedies(row: Row) -> tuple[str, ...]:
    if "pid" not in row:
        return ()
    return (
        f"cat /proc/{row['pid']}/limits  # Max open files: how many more it may have",
        f"ls /proc/{row['pid']}/task  # its threads; a stack of each tells where it hangs",
    )


def longest(pile: Table) -> str:
    if "lastack" not in pile:
        return ""
    silent = pile.numbers("lastack")
    most = int(np.where(silent.present(), silent.numbers, 0).max(initial=0)) // 1000
    return f", one of them {most:,} s ago or before" if most else ""


CLOSE_WAIT = Diagnosis(
    "close_wait", "a process does not close connections that the peer closed", ("sockets",), find, ("socket_owners",)
)
