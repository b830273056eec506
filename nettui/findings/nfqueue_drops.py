"""A queue to a program (NFQUEUE) drops packets: the program is too slow, or stands still."""

from __future__ import annotations

from collections.abc import Iterator

from nettui.findings.finding import Diagnosis, Finding, Tables, number, rate
from nettui.findings.holders import holder, owned
from nettui.findings.rows import Row, above, capped, equals, figure, is_one_of, moving, picked

WAITING = 512  # packets; half of what a queue takes unless its reader asks for more (NFQNL_QMAX_DEFAULT)
NAMES = ("queue", "portid", "waiting", "queue_dropped", "user_dropped", "queue_dropped_rate", "user_dropped_rate",
         "id_sequence", "id_sequence_rate")  # fmt: skip


def find(tables: Tables) -> Iterator[Finding]:
    table = tables["nfqueues"]
    wanted = moving(table, "queue_dropped") | moving(table, "user_dropped") | above(table, "waiting", WAITING)
    yield from capped(told(row, reader(tables, row)) for row in picked(table, wanted, *NAMES))


def reader(tables: Tables, row: Row) -> str:
    """The process whose netlink socket has the queue's address, which need not be its process id."""
    if "sockets" in tables:
        table = tables["sockets"]
        mask = equals(table, "portid", [number(row, "portid")]) & is_one_of(table, "protocol", "nft")
        for found in owned(tables, table.select(SOCKET), mask).rows():
            return holder(found)
    return f"the reader with netlink address {number(row, 'portid')}"


SOCKET = ("netid", "protocol", "portid", "inode")


def told(row: Row, process: str) -> Finding:
    full, slow = rate(row, "queue_dropped"), rate(row, "user_dropped")
    queue, waiting = number(row, "queue"), number(row, "waiting")
    if full or slow:
        why = "the queue is full" if full >= slow else "its socket's buffer is full"
        says = f"drops {figure(full + slow)} packets/s, as {why}: {process} gives its verdicts too slowly"
    else:
        says = f"holds {waiting:,} packets: {process} gives its verdicts too slowly"
    return Finding(
        "error" if full or slow else "warning",
        f"NFQUEUE {queue}",
        f"NFQUEUE {queue} {says}",
        (
            f"nfqueues: queue {queue} queue_dropped {number(row, 'queue_dropped'):,}, "
            f"user_dropped {number(row, 'user_dropped'):,}",
            f"nfqueues: queue {queue} waiting {waiting:,}, netlink address {number(row, 'portid')}",
        ),
        (
            "cat /proc/net/netfilter/nfnetlink_queue  # queue, address, waiting, …, dropped",
            "nettui report netfilter --where 'verdict queue'  # which rules send packets there",
            f"nft list ruleset  # `queue to {queue} bypass` lets pass what a missing reader would have judged",
        ),
        "netfilter",
        "verdict queue",
    )


NFQUEUE_DROPS = Diagnosis(
    "nfqueue_drops", "a queue to a program drops packets", ("nfqueues",), find, ("sockets", "socket_owners")
)
