"""Connections that the peer has closed and the process here has not: it forgets to close them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.table import Table
from nettui.findings.finding import Diagnosis, Finding, Tables
from nettui.findings.holders import alike, groups, holder, in_state, local, most_common, owned, remote
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
    inode = found.numbers("inode")
    accepted = inode.present() & (inode.numbers > 0)
    held, unheld = (found.take(np.flatnonzero(mask)) for mask in (accepted, ~accepted))
    yield from capped(told(pile) for pile in piles(held, "pid"))
    yield from capped(not_accepted(pile) for pile in piles(unheld, "sport"))


def piles(table: Table, name: str) -> Iterator[Table]:
    """Sockets that are alike in the column, where they are many; all together where there is no such column."""
    if name not in table:
        rows, counts = np.zeros(1, np.intp), np.array([len(table)])
    else:
        rows, counts = groups(table, name)
    for row in rows[counts >= MANY].tolist():
        yield table.take(np.flatnonzero(alike(table, row, name))) if name in table else table


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


def not_accepted(pile: Table) -> Finding:
    place = local(pile.row(0))
    return Finding(
        "warning",
        place,
        f"{len(pile):,} connections to {place} were closed by their peers before the process there accepted them"
        f"{longest(pile)}",
        (f"sockets: {len(pile):,} in CLOSE-WAIT without a process, most with {remote(most_common(pile, 'dst'))}",),
        (
            f"ss -ltnp 'sport = :{pile.cell(0, 'sport')}'  # Recv-Q: how many wait for accept(), and for whom",
            "ss -tano state close-wait  # the connections",
        ),
        "sockets",
        f"state CLOSE-WAIT and sport {pile.cell(0, 'sport')}",
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
