"""More than one in a hundred TCP segments is sent again: the network loses them, or their acknowledgements."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

import numpy as np

from collectors.table import Table
from nettui.findings.counted import Counters, counters_of, evidence, pace, total
from nettui.findings.finding import Diagnosis, Finding, Tables, number
from nettui.findings.holders import holder, owned, remote
from nettui.findings.rows import Row, figure, moving, picked

RATE, BAD, LEAST = 0.01, 0.05, 2.0  # shares of what is sent; segments/s, below which a single one decides
AGAIN, SENT = "Tcp.RetransSegs", "Tcp.OutSegs"
KINDS = ("TcpExt.TCPTimeouts", "TcpExt.TCPSynRetrans", "TcpExt.TCPFastRetrans", "TcpExt.TCPLossProbes",
         "TcpExt.TCPLostRetransmit", "TcpExt.TCPSpuriousRTOs", "TcpExt.TCPDSACKRecv")  # fmt: skip
WORST = 3


def find(tables: Tables) -> Iterator[Finding]:
    """``Tcp.OutSegs`` leaves out what is sent again (net/ipv4/tcp_output.c, __tcp_transmit_skb)."""
    known = counters_of(tables)
    again, sent = pace(known, AGAIN), pace(known, SENT)
    if again < LEAST or again <= RATE * sent:
        return
    share = again / (again + sent)
    worst = worst_of(tables)
    to = f", most to {remote(worst[0])}" if worst else ""
    yield Finding(
        "error" if share > BAD else "warning",
        "TCP",
        f"{share:.1%} of the TCP segments are sent again, {figure(again)} of {figure(again + sent)}/s{to}",
        (*evidence(known, AGAIN, SENT, *KINDS), *since_boot(known), *map(line, worst)),
        (
            "ss -tin state established  # retrans, rtt and cwnd of each connection",
            *(f"ip route get {quote(str(row['dst']))}  # by which device and gateway" for row in worst[:1]),
            "nettui drops --interval 1  # whether this host itself loses them",
        ),
        "protocols",
        f"counter {AGAIN}",
    )


def since_boot(known: Counters) -> tuple[str, ...]:
    again, sent = total(known, AGAIN), total(known, SENT)
    return (f"protocols: {again / (again + sent):.2%} since the namespace exists",) if again + sent else ()


def worst_of(tables: Tables) -> list[Row]:
    """The connections that send most again now."""
    if "sockets" not in tables:
        return []
    table: Table = tables["sockets"]
    losing = np.flatnonzero(moving(table, "retrans_total"))
    if not len(losing):
        return []
    paces = table.numbers("retrans_total_rate").numbers[losing]
    mask = np.zeros(len(table), np.bool_)
    mask[losing[np.argsort(-paces)[:WORST]]] = True
    found = owned(tables, table, mask)
    names = ("src", "sport", "dst", "dport", "inode", "process", "pid", "retrans_total", "retrans_total_rate")
    rows = picked(found, np.ones(len(found), np.bool_), *names)
    return sorted(rows, key=lambda row: -number(row, "retrans_total_rate"))


def line(row: Row) -> str:
    return f"sockets: {remote(row)} of {holder(row)} retrans_total {number(row, 'retrans_total'):,}"


RETRANSMISSIONS = Diagnosis(
    "retransmissions", "more than 1 % of the TCP segments are sent again", ("protocols",), find,
    ("sockets", "socket_owners"),
)  # fmt: skip
