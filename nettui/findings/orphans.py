"""Connections that no process holds any more and that still wait for their peer: they take memory until it answers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.table import Table
from nettui.findings.counted import counters_of, evidence, pace
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, number
from nettui.findings.holders import groups, in_state, remote
from nettui.findings.rows import Mask, Row, figure

MANY = 200  # in this namespace
STRAINED, FULL = 0.5, 1.0  # of tcp_max_orphans, from which it resets some; with little memory from a quarter on
ABORTS = "TcpExt.TCPAbortOnMemory"
STATES = ("FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "LAST-ACK")


def find(tables: Tables) -> Iterator[Finding]:
    table = tables["sockets"]
    orphans = in_state(table, *STATES) & without_process(table)
    count = int(orphans.sum())
    used, limit = fill(tables)
    aborted = pace(counters_of(tables), ABORTS)
    severity, state = judged(used, limit, aborted)
    if severity is None and count < MANY:
        return
    found = table.select(("state", "dst", "dport")).take(np.flatnonzero(orphans))
    yield told(tables, severity or "warning", state, count, largest(found))


def without_process(table: Table) -> Mask:
    inode = table.numbers("inode")
    found: Mask = ~inode.present() | (inode.numbers == 0)
    return found


def fill(tables: Tables) -> tuple[int, int]:
    """Of the whole host; the limit shows in its first namespace alone."""
    rows = [row for row in tables["limits"].rows() if row["name"] == "TCP orphans"] if "limits" in tables else []
    return (number(rows[0], "used"), number(rows[0], "limit")) if rows else (0, 0)


def judged(used: int, limit: int, aborted: float) -> tuple[Severity | None, str]:
    if aborted:
        return "error", f"; {figure(aborted)} connections/s are reset for want of memory or of room for orphans"
    if limit and used >= STRAINED * limit:
        full = used >= FULL * limit
        return (
            "error" if full else "warning",
            f"; the host has {used:,} of at most {limit:,}" + full * ", and resets further ones",
        )
    return None, ""


def largest(found: Table) -> tuple[Row, int]:
    """One of those with the peer that most are with, and how many these are."""
    if not len(found):
        return {}, 0
    rows, counts = groups(found, "dst", "dport")
    return found.row(int(rows[0])), int(counts[0])


def told(tables: Tables, severity: Severity, state: str, count: int, most: tuple[Row, int]) -> Finding:
    used, limit = fill(tables)
    row, number_of = most
    return Finding(
        severity,
        "orphans",
        f"{count:,} closed connections here still wait for their peers"
        + (f", {number_of:,} of them for {remote(row)}" if number_of else "")
        + state,
        (
            f"sockets: {count:,} without a process in {', '.join(STATES)}",
            *((f"limits: TCP orphans {used:,} of {limit:,} on the host",) if limit else ()),
            *evidence(counters_of(tables), ABORTS, "TcpExt.TCPAbortOnTimeout", "TcpExt.TCPAbortFailed"),
        ),
        (
            "ss -tanoe state fin-wait-1  # with whom, what is not acknowledged, and how often it was sent",
            "sysctl net.ipv4.tcp_orphan_retries net.ipv4.tcp_fin_timeout  # how long they are kept",
            "sysctl -w net.ipv4.tcp_orphan_retries=2  # changes the host: peers that are gone are given up sooner",
        ),
        "sockets",
        f"state {row['state']}" if row else "",
    )


ORPHANS = Diagnosis("orphans", "closed connections pile up", ("sockets",), find, ("limits", "protocols"))
