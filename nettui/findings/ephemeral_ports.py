"""Nearly all local ports are used for connections to one destination: further ones cannot be made."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from collectors.table import Table
from nettui.findings.finding import Diagnosis, Finding, Tables, number
from nettui.findings.holders import alike, groups, holder, most_common, owned, remote
from nettui.findings.rows import Mask, capped, is_one_of

NEARLY, OUT = 0.8, 0.98
RANGE = "net.ipv4.ip_local_port_range"  # of IPv6 too
DESTINATION = ("src", "dst", "dport")  # a local port can be used once for each of these


def find(tables: Tables) -> Iterator[Finding]:
    table, limits = tables["sockets"], port_range(tables["settings"])
    if limits is None:
        return
    first, last = limits
    size = last - first + 1
    ports = np.flatnonzero(outgoing(table, first, last))
    if len(ports) < NEARLY * size:  # as it is on most hosts: nothing to group
        return
    used = table.select([name for name in NAMES if name in table]).take(ports)
    rows, counts = groups(used, *DESTINATION)
    full = counts >= NEARLY * size
    yield from capped(
        told(tables, used, row, count, size, limits)
        for row, count in zip(rows[full].tolist(), counts[full].tolist(), strict=True)
    )


NAMES = ("netid", "state", "src", "sport", "dst", "dport", "inode")


def port_range(settings: Table) -> tuple[int, int] | None:
    for row in settings.rows(np.flatnonzero(is_one_of(settings, "name", RANGE))):
        found = re.fullmatch(r"\s*(\d{1,5})\s+(\d{1,5})\s*", str(row.get("value")))
        if found and int(found[1]) <= int(found[2]):
            return int(found[1]), int(found[2])
    return None


def outgoing(table: Table, first: int, last: int) -> Mask:
    """TCP connections in whatever state, whose local port is of the range."""
    port, peer = table.numbers("sport"), table.numbers("dport")
    found: Mask = (port.numbers >= first) & (port.numbers <= last) & port.present()
    found &= (peer.numbers > 0) & peer.present()
    return found & is_one_of(table, "netid", "tcp")


def told(tables: Tables, used: Table, row: int, count: int, size: int, limits: tuple[int, int]) -> Finding:
    chosen = owned(tables, used, alike(used, row, *DESTINATION))
    waiting = int(is_one_of(chosen, "state", "TIME-WAIT").sum())
    held = chosen.take(np.flatnonzero(chosen.numbers("inode").present()))
    top = most_common(held, "pid") if len(held) and "pid" in held else {}
    one = used.row(row)
    by = f", most of them held by {holder(top)}" if number(top, "pid") else ""
    return Finding(
        "error" if count >= OUT * size else "warning",
        f"{one.get('src')} to {remote(one)}",
        f"{count:,} of {size:,} local ports are used for connections from {one.get('src')} to {remote(one)}"
        f"{by}; {waiting:,} are in TIME-WAIT",
        (
            f"sockets: {count:,} from {one.get('src')} to {remote(one)}, {waiting:,} of them TIME-WAIT",
            f"settings: {RANGE} {limits[0]} {limits[1]}",
        ),
        (
            f"ss -tan 'dport = :{one.get('dport')}'  # the connections and their states",
            "sysctl net.ipv4.ip_local_reserved_ports net.ipv4.tcp_tw_reuse  # what makes fewer or more ports usable",
            "sysctl -w 'net.ipv4.ip_local_port_range=10240 65535'  # changes the host; the program could keep"
            " its connections open, or use several addresses",
        ),
        "sockets",
        f"dst {one.get('dst')} and dport {one.get('dport')}",
    )


EPHEMERAL_PORTS = Diagnosis(
    "ephemeral_ports", "local ports toward one destination are nearly used up", ("sockets", "settings"), find,
    ("socket_owners",),
)  # fmt: skip
