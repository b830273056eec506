"""Sockets that refuse what arrives for them, because their receive buffer is full most often."""

from __future__ import annotations

from collections.abc import Iterator

from nettui.findings.counted import Counters, counters_of, evidence, moved, pace
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, number, rate
from nettui.findings.holders import holder, joined, owned, refused, refusing
from nettui.findings.rows import Mask, Row, above, capped, counted, figure, is_one_of

MANY = 1000  # packets refused by a socket in its life that are worth a note
COPIES = ("p_raw", "p_dgr", "nl")  # what they refuse was a copy or a notice: the packet itself goes on
FULL = ("Udp.RcvbufErrors", "Udp6.RcvbufErrors", "UdpLite.RcvbufErrors", "UdpLite6.RcvbufErrors")
OTHER = ("Udp.InCsumErrors", "Udp6.InCsumErrors", "Udp.MemErrors", "Udp6.MemErrors")


def find(tables: Tables) -> Iterator[Finding]:
    table, known = tables["socket_drops"], counters_of(tables)
    inward = ~is_one_of(table, "state", "LISTEN")
    now = refusing(table) & inward
    before = above(table, "drops", MANY - 1) & inward & ~now
    losing = rows(tables, now)
    yield from capped(told(row, *state(row, known), known) for row in losing)
    past = "{} has refused {}, and refuses none now"
    yield from capped((told(row, "note", past, known) for row in rows(tables, before)), 3)
    if moved(known, *FULL) and not any(str(row["netid"]).startswith("udp") for row in losing):
        yield unseen(known)


def rows(tables: Tables, mask: Mask) -> list[Row]:
    found = list(owned(tables, tables["socket_drops"], mask).rows())
    return sorted(found, key=lambda row: (-rate(row, "drops"), -number(row, "drops")))


def state(row: Row, known: Counters) -> tuple[Severity, str]:
    """Not every refusal is one for want of room; of several causes at once that is the likeliest."""
    used, size = number(row, "skmem_rmem_alloc"), number(row, "skmem_rcvbuf")
    if used >= size / 2 or moved(known, *FULL):
        why = f"its receive buffer is full ({used:,} of {size:,} bytes now)"
    else:
        why = "its filter or a wrong checksum"
    return "warning" if row["netid"] in COPIES else "error", "{} refused {}: " + why


def told(row: Row, severity: Severity, sentence: str, known: Counters) -> Finding:
    count = refused(row) if severity != "note" else counted(number(row, "drops"), "packet")
    return Finding(
        severity,
        subject(row),
        sentence.format(subject(row), count),
        lines(row, known),
        remedies(row),
        "sockets",
        where(row),
    )


def subject(row: Row) -> str:
    place = row.get("protocol") if row["netid"] in COPIES else joined(row.get("src"), row.get("sport"))
    return f"{row['netid']} {place or 'socket'} of {holder(row)}"


def where(row: Row) -> str:
    return f"cookie {row['cookie']}" if row.get("cookie") else f"netid {row['netid']} and drops > 0"


def lines(row: Row, known: Counters) -> tuple[str, ...]:
    udp = str(row["netid"]).startswith("udp")
    return (
        f"sockets: drops {number(row, 'drops'):,}",
        f"sockets: skmem_rmem_alloc {number(row, 'skmem_rmem_alloc'):,}, skmem_rcvbuf {number(row, 'skmem_rcvbuf'):,}",
        *(evidence(known, *FULL, *OTHER) if udp else ()),
    )


def remedies(row: Row) -> tuple[str, ...]:
    return (
        f"nettui report sockets --where '{where(row)}' --columns recv_q,skmem_rmem_alloc,skmem_rcvbuf,drops,process"
        "  # whether its process reads too slowly",
        f"cat /proc/{row['pid']}/status  # whether the process runs, and on how many CPUs it may"
        if "pid" in row
        else "ss -anumpe  # who holds it (root)",
        "sysctl -w net.core.rmem_max=N  # changes the host: what the program may ask for with SO_RCVBUF",
    )


def unseen(known: Counters) -> Finding:
    return Finding(
        "error",
        "UDP sockets",
        f"{figure(pace(known, *FULL))} datagrams/s found a receive buffer full; the socket is new, or gone",
        evidence(known, *FULL),
        ("ss -anump  # d: what each socket refused", "nettui drops --layer udp  # while it happens"),
        "protocols",
        f"counter {moved(known, *FULL)[0]}",
    )


RECEIVE_BUFFERS = Diagnosis(
    "receive_buffers", "a socket refuses packets, as its receive buffer is full", ("socket_drops",), find,
    ("protocols", "socket_owners"),
)  # fmt: skip
