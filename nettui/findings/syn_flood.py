"""More connections are begun than finished: a flood of SYNs, or answers that do not reach their senders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nettui.findings.counted import Counters, counters_of, evidence, pace
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, number
from nettui.findings.holders import groups, holder, in_state, local, owned
from nettui.findings.rows import Row, capped, counted, figure

MANY = 256  # half open at one listener
FEW = 5  # below which a queue of them is no pile, however short it may be
COOKIES, FULL, FAILED = "TcpExt.SyncookiesSent", "TcpExt.TCPReqQFullDrop", "TcpExt.SyncookiesFailed"
DROPS, OVERFLOWS = "TcpExt.ListenDrops", "TcpExt.ListenOverflows"
COUNTERS = (COOKIES, "TcpExt.SyncookiesRecv", FAILED, "TcpExt.TCPReqQFullDoCookies", FULL, DROPS, OVERFLOWS)
NAMES = ("netid", "family", "state", "src", "sport", "dst", "dport", "inode", "backlog_limit")


def find(tables: Tables) -> Iterator[Finding]:
    known = counters_of(tables)
    severity, says = judged(known, half_open(tables) >= FEW)
    lines = evidence(known, *COUNTERS)
    piles = list(at_listeners(tables))
    yield from capped(told(pile, count, sources, severity or "warning", says, lines) for pile, count, sources in piles)
    if severity and not piles:
        yield Finding(
            severity,
            "listeners",
            f"connections are begun in masses: {says}",
            lines,
            remedies(0),
            "protocols",
            f"counter in ({COOKIES}, {FULL}, {DROPS})",
        )


def half_open(tables: Tables) -> int:
    return int(in_state(tables["sockets"], "SYN-RECV").sum())


def judged(known: Counters, waiting: bool) -> tuple[Severity | None, str]:
    """A SYN that is answered with a cookie is not lost, one that finds the queue full without cookies is."""
    if pace(known, FULL):
        return "error", f"{figure(pace(known, FULL))} SYNs/s are dropped, as a queue of half open ones is full"
    spare = pace(known, DROPS) - pace(known, OVERFLOWS)
    if spare > 0 and waiting and not pace(known, COOKIES):
        return "error", f"{figure(spare)} SYNs/s are dropped at listeners"
    if pace(known, COOKIES):
        return "warning", f"{figure(pace(known, COOKIES))} SYNs/s are answered with cookies, as a queue is full"
    return None, ""


def at_listeners(tables: Tables) -> Iterator[tuple[Row, int, int]]:
    """Listeners with too many half open connections: one row, how many they are, and from how many addresses."""
    table = tables["sockets"]
    begun = table.select([name for name in NAMES if name in table]).take(np.flatnonzero(in_state(table, "SYN-RECV")))
    if len(begun) < FEW:
        return
    listening = owned(tables, table, in_state(table, "LISTEN"))
    limits = {row["sport"]: row for row in listening.rows() if "sport" in row}
    rows, counts = groups(begun, "sport")
    piles = counts >= FEW
    for row, count in zip(rows[piles].tolist(), counts[piles].tolist(), strict=True):
        one = begun.row(row)
        listener = limits.get(one.get("sport"), one)
        limit = number(listener, "backlog_limit")
        if count >= MANY or (limit and count >= max(FEW, limit)):
            port = begun.numbers("sport").numbers == one["sport"]
            yield listener, count, len(groups(begun.take(np.flatnonzero(port)), "dst")[0])


def told(row: Row, count: int, sources: int, severity: Severity, says: str, lines: tuple[str, ...]) -> Finding:
    port = number(row, "sport")
    return Finding(
        severity,
        f"{local(row)} of {holder(row)}",
        f"{count:,} connections from {counted(sources, 'address')} to {local(row)} of {holder(row)} are half open"
        + (f"; {says}" if says else ": their SYNs are answered and no more comes"),
        (f"sockets: {count:,} in SYN-RECV at port {port}, limit {number(row, 'backlog_limit'):,}", *lines),
        remedies(port),
        "sockets",
        f"sport {port} and state in (LISTEN, SYN-RECV)",
    )


def remedies(port: int) -> tuple[str, ...]:
    return (
        f"ss -tan state syn-recv{f' sport = :{port}' if port else ''}  # from where; few addresses can be blocked",
        "sysctl net.ipv4.tcp_syncookies net.ipv4.tcp_max_syn_backlog net.core.somaxconn  # the limits",
        "sysctl -w net.ipv4.tcp_syncookies=1  # changes the host: a full queue then answers with cookies",
    )


SYN_FLOOD = Diagnosis(
    "syn_flood", "more connections are begun than finished", ("sockets", "protocols"), find, ("socket_owners",)
)
