"""A listener whose queue of connections that wait for accept() is full, or nearly so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.table import Table
from nettui.findings.counted import counters_of, evidence, pace
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, number, rate
from nettui.findings.holders import holder, local, owned, refused, refusing
from nettui.findings.rows import Mask, Row, capped, figure, is_one_of, settings

NEARLY, LEAST = 0.75, 8  # of the limit; connections that wait, below which a short queue is no news
COUNTERS = ("TcpExt.ListenOverflows", "TcpExt.ListenDrops", "TcpExt.TCPAbortOnOverflow")


def find(tables: Tables) -> Iterator[Finding]:
    """A queue takes one more than its limit (include/net/sock.h, sk_acceptq_is_full), and then drops SYNs and ACKs."""
    table, known = tables["socket_drops"], counters_of(tables)
    listening, over = is_one_of(table, "state", "LISTEN"), pace(known, COUNTERS[0])
    near = nearly_full(table) & listening
    losing = refusing(table) & listening & (near | bool(over))
    largest, lines = settings(tables).get("net.core.somaxconn"), evidence(known, *COUNTERS)
    yield from capped(told(row, "error", f"refused {refused(row)}", largest, lines) for row in rows(tables, losing))
    yield from capped(told(row, *state(row), largest, lines) for row in rows(tables, near & ~losing))
    if over and not losing.any() and not near.any():
        yield unseen(over, lines)


def nearly_full(table: Table) -> Mask:
    waiting, limit = table.numbers("backlog"), table.numbers("backlog_limit")
    found: Mask = waiting.numbers >= NEARLY * limit.numbers.astype(np.float64)
    found &= (waiting.numbers >= LEAST) | (waiting.numbers > limit.numbers)
    return found & waiting.present() & limit.present()


def rows(tables: Tables, mask: Mask) -> list[Row]:
    found = list(owned(tables, tables["socket_drops"], mask).rows())
    return sorted(found, key=lambda row: (-rate(row, "drops"), -number(row, "backlog")))


def state(row: Row) -> tuple[Severity, str]:
    if number(row, "backlog") > number(row, "backlog_limit"):
        return "error", "is full and refuses new connections"
    return "warning", "is nearly full"


def told(row: Row, severity: Severity, what: str, largest: int | None, lines: tuple[str, ...]) -> Finding:
    waiting, limit = number(row, "backlog"), number(row, "backlog_limit")
    port = row["sport"]
    return Finding(
        severity,
        f"{local(row)} of {holder(row)}",
        f"the queue of {holder(row)} at {local(row)} {what}: {waiting:,} connections wait for accept(), {limit:,} may",
        (
            f"sockets: LISTEN {local(row)} backlog {waiting:,}, limit {limit:,}, drops {number(row, 'drops'):,}",
            *([f"settings: net.core.somaxconn {largest:,}"] if largest else []),
            *lines,
        ),
        (
            f"ss -ltnp 'sport = :{port}'  # Recv-Q: how many wait, Send-Q: how many may",
            *([f"cat /proc/{row['pid']}/stack  # where the process stands that does not accept them (root)"]
              if "pid" in row else []),
            f"sysctl -w net.core.somaxconn={2 * limit + 2}  # changes the host; the program must listen() again"
            if limit == largest
            else "sysctl net.core.somaxconn  # larger than the program's own listen() asks for: raise it there",
        ),
        "sockets",
        f"state LISTEN and sport {port}",
    )  # fmt: skip


def unseen(over: float, lines: tuple[str, ...]) -> Finding:
    return Finding(
        "error",
        "listeners",
        f"{figure(over)} connections/s found the queue of a listener full, and none is full any more",
        lines,
        (
            "ss -ltn  # Recv-Q: how many wait for accept(), Send-Q: how many may",
            "nettui drops --layer tcp  # while it happens",
        ),
        "protocols",
        "counter TcpExt.ListenOverflows",
    )


LISTEN_QUEUE = Diagnosis(
    "listen_queue", "a listener's queue of connections is full", ("socket_drops",), find,
    ("protocols", "socket_owners", "settings"),
)  # fmt: skip
