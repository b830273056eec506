"""conntrack drops packets: no room for new flows, or two flows that would be the same after translation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.table import Table
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables
from nettui.findings.rows import counted, figure
from nettui.rates import SUFFIX

MANY = 10  # packets/s of no flow from which it is more than what scanners and late resets make
TOLD: tuple[tuple[str, Severity, str], ...] = (
    ("drop", "error", "packets/s are dropped: an entry for them could not be made or put in"),
    (
        "insert_failed",
        "error",
        "packets/s are dropped: another flow has the same addresses and ports after translation",
    ),
    ("chaintoolong", "error", "packets/s are dropped: the hash chain for their entry is too long"),
    (
        "early_drop",
        "warning",
        "entries/s are thrown out before their time, as the table is full: those flows may break",
    ),
    ("invalid", "note", "packets/s fit no flow, so rules for state INVALID drop them and translation leaves them out"),
)
REMEDIES = {
    "drop": "nettui report overview --where 'what \"conntrack entries\"'  # how full the table is",
    "insert_failed": "conntrack -S  # by CPU; DNS clients that ask for A and AAAA at once are a usual cause",
    "chaintoolong": "sysctl net.netfilter.nf_conntrack_buckets  # too few buckets for so many flows",
    "early_drop": "conntrack -L -o extended  # what fills the table (long output)",
    "invalid": "sysctl net.netfilter.nf_conntrack_tcp_be_liberal  # 1 takes segments out of window as valid",
}


def find(tables: Tables) -> Iterator[Finding]:
    """insert_failed is inside drop: of the two only the one that tells the cause."""
    table = tables["conntrack_statistics"]
    paces = {name: together(table, name + SUFFIX) for name, *_ in TOLD}
    if paces["insert_failed"] >= paces["drop"]:
        paces["drop"] = 0.0
    for name, severity, says in TOLD:
        if paces[name] > (MANY if name == "invalid" else 0):
            yield told(name, severity, f"{figure(paces[name])} {says}", table)


def together(table: Table, name: str) -> float:
    """The sum over all CPUs."""
    if name not in table:
        return 0.0
    values = table.numbers(name)
    return float(np.where(values.present(), values.numbers, 0).sum())


def told(name: str, severity: Severity, says: str, table: Table) -> Finding:
    return Finding(
        severity,
        f"conntrack {name}",
        says,
        (
            f"conntrack_statistics: {name} {together(table, name):,.0f} on {counted(len(table), 'CPU')}",
            *(f"conntrack_statistics: {other} {together(table, other):,.0f}"
              for other in ("drop", "insert_failed", "early_drop", "invalid")
              if other != name and together(table, other)),
        ),
        (REMEDIES[name], "nettui drops --layer conntrack  # while it happens"),
        "conntrack_statistics",
        f"{name} > 0",
    )  # fmt: skip


CONNTRACK_DROPS = Diagnosis(
    "conntrack_drops", "conntrack drops packets or throws out flows", ("conntrack_statistics",), find
)
