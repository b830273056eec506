"""What single sockets refuse: sk_drops, with the addresses that name the socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collectors.table import Table
from collectors.values import Cell
from nettui.ledger.row import Row, moved

OWN_LAYER = {"tcp": "tcp", "udp": "udp", "udplite": "udp", "mptcp": "mptcp", "sctp": "sctp"}
# a TCP socket counts duplicates and segments out of window too (tcp_drop_reason); a listener what it cannot take
NOISY = ("tcp", "mptcp")
LISTENING = "LISTEN"


def socket_drops(tables: Mapping[str, Table]) -> Iterator[Row]:
    table = tables["socket_drops"]
    for at, total in moved(table, "drops"):
        row = table.row(at)
        netid, state = str(row.get("netid")), row.get("state")
        duplicates = netid in NOISY and state != LISTENING
        yield Row(
            "socket.drops",
            total,
            f"{netid} {named(row)}",
            f"sk:{row.get('cookie')}",
            severity="noise" if duplicates else "",
            note="duplicates and segments out of window are among them" if duplicates else filled(row),
            about={name: row[name] for name in ("cookie", "inode") if name in row},
        )


def named(row: Mapping[str, Cell]) -> str:
    """Its addresses, as ss has them, or what else tells it from others."""
    if row.get("path"):
        return str(row["path"])
    if row.get("sport") is None:
        return str(row.get("protocol") or row.get("inode") or "")
    address = str(row.get("src") or "*")
    here = f"[{address}]:{row['sport']}" if ":" in address else f"{address}:{row['sport']}"
    return here if not row.get("dport") else f"{here} {row.get('dst')}:{row['dport']}"


def filled(row: Mapping[str, Cell]) -> str | None:
    """How full its receive buffer, or a listener's queue, is now."""
    used, limit = row.get("skmem_rmem_alloc"), row.get("skmem_rcvbuf")
    if row.get("state") == LISTENING and row.get("backlog_limit"):
        return f"{row.get('backlog')} of {row['backlog_limit']} wait for accept()"
    if isinstance(used, int) and isinstance(limit, int) and limit:
        return f"receive buffer {used:,} of {limit:,} bytes"
    return None
