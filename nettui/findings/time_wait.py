"""As many sockets in TIME-WAIT as may be: further connections end at once, without it."""

from __future__ import annotations

from collections.abc import Iterator

from nettui.findings.counted import counters_of, evidence, pace
from nettui.findings.finding import Diagnosis, Finding, Tables, number
from nettui.findings.rows import figure

NEARLY = 0.9
OVERFLOW = "TcpExt.TCPTimeWaitOverflow"


def find(tables: Tables) -> Iterator[Finding]:
    known = counters_of(tables)
    rows = [row for row in tables["limits"].rows() if row["name"] == "TCP time-wait" and "used" in row]
    used, limit = (number(rows[0], "used"), number(rows[0], "limit")) if rows else (0, 0)
    over = pace(known, OVERFLOW)
    if not over and not (limit and used >= NEARLY * limit):
        return
    yield Finding(
        "warning",
        "TIME-WAIT",
        f"{used:,} of {limit:,} sockets are in TIME-WAIT"
        + (f", {figure(over)} connections/s end without it" if over else "; more connections will end without it")
        + ": late segments of an old connection may reach a new one",
        (f"limits: TCP time-wait {used:,} of {limit:,}", *evidence(known, OVERFLOW, "TcpExt.TW")),
        (
            "ss -tan state time-wait  # with whom: who closes first keeps it",
            "nstat -az TcpExtTW TcpExtTCPTimeWaitOverflow  # how many were, and how many ended without",
            "sysctl -w net.ipv4.tcp_max_tw_buckets=N  # changes the host; each takes some 250 bytes",
        ),
        "overview",
        "what 'TCP time-wait'",
    )


TIME_WAIT = Diagnosis("time_wait", "TIME-WAIT sockets are at their limit", ("limits",), find, ("protocols",))
