"""TCP or UDP has as much memory as it may, or nearly so: buffers shrink, then packets are dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from nettui.findings.counted import Counters, counters_of, evidence, moved, pace
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, number
from nettui.findings.rows import Row, figure, is_one_of

NEARLY = 0.9  # of the limit, where the threshold of pressure is not known
KINDS = {
    "TCP memory": ("TCP", "tcp_mem", ("TcpExt.TCPMemoryPressures", "TcpExt.TCPMemoryPressuresChrono"),
                   ("TcpExt.TCPAbortOnMemory", "TcpExt.TCPRcvQDrop", "TcpExt.PruneCalled", "TcpExt.RcvPruned")),
    "UDP memory": ("UDP", "udp_mem", (), ("Udp.MemErrors", "Udp6.MemErrors")),
}  # fmt: skip
LOSSES = ("TcpExt.TCPAbortOnMemory", "TcpExt.RcvPruned", "Udp.MemErrors", "Udp6.MemErrors")


def find(tables: Tables) -> Iterator[Finding]:
    """The limits show in the host's first namespace alone; the counters in each."""
    known = counters_of(tables)
    rows = {row["name"]: row for row in tables["limits"].rows()} if "limits" in tables else {}
    for name, (protocol, setting, pressure, losses) in KINDS.items():
        row = rows.get(name, {})
        severity, state = judged(row, threshold(tables, setting), known, pressure, losses)
        if severity:
            yield told(protocol, setting, severity, state, row, evidence(known, *pressure, *losses))


def threshold(tables: Tables, setting: str) -> int | None:
    """From which on there is pressure: the second of the three numbers."""
    if "settings" not in tables:
        return None
    table = tables["settings"]
    for row in table.rows(np.flatnonzero(is_one_of(table, "name", f"net.ipv4.{setting}"))):
        found = re.fullmatch(r"\s*\d+\s+(\d{1,18})\s+\d+\s*", str(row.get("value")))
        if found:
            return int(found[1])
    return None


def judged(
    row: Row, strained: int | None, known: Counters, pressure: tuple[str, ...], losses: tuple[str, ...]
) -> tuple[Severity | None, str]:
    used, limit = number(row, "used"), number(row, "limit")
    losing = [name for name in moved(known, *losses) if name in LOSSES]
    if losing:
        return (
            "error",
            f"loses {figure(pace(known, *losing))} packets or connections/s for want of memory ({losing[0]})",
        )
    if limit and used >= limit:
        return "error", "has all the memory it may: what arrives is dropped"
    if moved(known, *pressure):
        return "warning", "came under memory pressure: buffers shrink, and connections slow down"
    if limit and used >= (strained or NEARLY * limit):
        return "warning", "is under memory pressure: buffers shrink, and connections slow down"
    return None, ""


def told(protocol: str, setting: str, severity: Severity, state: str, row: Row, lines: tuple[str, ...]) -> Finding:
    used, limit = number(row, "used"), number(row, "limit")
    return Finding(
        severity,
        f"{protocol} memory",
        f"{protocol} {state}" + (f"; {used:,} of {limit:,} pages are in use" if limit else ""),
        ((f"limits: {protocol} memory {used:,} of {limit:,} pages on the host",) if limit else ()) + lines,
        (
            f"cat /proc/net/sockstat  # mem: pages that {protocol} has",
            f"ss -{protocol[0].lower()}anm  # skmem: r and w are what a socket's queues take",
            f"sysctl -w 'net.ipv4.{setting}=LOW PRESSURE MOST'  # changes the host; pages. A process that does not"
            " read is the more usual cause",
        ),
        "protocols",
        f"group {protocol.title()}",
    )


SOCKET_MEMORY = Diagnosis(
    "socket_memory", "TCP or UDP runs out of memory", ("protocols",), find, ("limits", "settings")
)
