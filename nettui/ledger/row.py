"""Row: one counter of one device, CPU, socket, rule or namespace, before it is judged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from collectors.table import Column, Table
from nettui.knowledge import find
from nettui.knowledge.entry import Counter

NAMESPACE, HOST = "namespace", "host"
# names of counters that no entry describes, and that speak of loss all the same
LOSSY = re.compile(
    r"drop|discard|err|fail|lost|loss|overflow|overrun|miss|prune|abort|timeout|retrans|reject|invalid|bad|full"
    r"|squeeze|no_?(route|buf|mem|port|space)|csum|crc|collision|exceeded|unknown|refuse|den(y|ied)|blocked",
    re.IGNORECASE,
)

COLUMNS = (
    Column("layer", "text", "label", help="where in the stack, as a packet meets it from the wire up"),
    Column("direction", "text", "label", help="rx, tx or fwd; absent: both, or not a packet's way"),
    Column("counter", "text", "key", help="group and name as the kernel spells them"),
    Column("scope", "text", "label", help="device, CPU, socket, rule, this namespace or the whole host"),
    Column("total", "u8", "counter", help="since it began to count; absent where nothing counts what is lost"),
    Column("severity", "text", "label", help="loss, refused (on purpose), warning, noise; unknown: not described"),
    Column("cause", "text", "label", help="the usual cause; `nettui explain COUNTER` tells more"),
    Column("part_of", "json", "label", help="counters that have the same packets in their number"),
    Column("along", "json", "label", help="counters of other layers that often count the same packets"),
    Column("note", "text", "label", help="what is known of this row beside its number"),
    Column("reach", "text", "label", help="namespace, or host: all namespaces together"),
    Column("source", "text", "label", help="table of the kernel's that it is read from"),
    Column("which", "text", "key", help="what scope names, as the kernel knows it: ifindex, CPU, cookie, handle"),
    Column("dev", "text", "label", help="device that it belongs to"),
    Column("cpu", "u4", "label", help="processor"),
    Column("cookie", "u8", "label", help="socket (sk:)"),
    Column("inode", "u8", "label", help="socket's inode, as in /proc/PID/fd"),
    Column("netns", "text", "label", help="network namespace of the packets, where it is another one"),
    Column("process", "text", "label", help="name of the process that holds the socket"),
    Column("pid", "u4", "label", help="its process id"),
    Column("reasons", "json", "label", help="drop reasons of the same packets, with their numbers since the mark"),
    Column("family", "text", "label", help="rule: its family"),
    Column("table", "text", "label", help="rule: its table"),
    Column("chain", "text", "label", help="rule: its chain"),
    Column("handle", "u8", "label", help="rule: its handle"),
    Column("position", "u4", "label", help="rule: its place in the chain"),
)


class Row(NamedTuple):
    """One counter; fields as the columns. ``layer``, ``direction``, ``severity``: where they differ from what is known
    of the counter in general; ``part_of`` adds to it."""

    counter: str
    total: int | None
    scope: str = NAMESPACE
    which: str = ""
    reach: str = NAMESPACE
    layer: str = ""
    direction: str = ""
    severity: str = ""
    part_of: tuple[str, ...] = ()
    note: str | None = None
    about: dict[str, Any] = {}  # noqa: RUF012  (never written to) further columns of this row


def of_loss(counter: str) -> bool:
    """Whether the ledger has it: what is described as loss, and what is not described and sounds like it."""
    known = find.counter(counter)
    return known.severity != "traffic" if known else bool(LOSSY.search(counter))


def moved(table: Table, name: str) -> Iterator[tuple[int, int]]:
    """Row and number of the cells of a counter that are above zero."""
    if name not in table:
        return
    values = table.numbers(name)
    for row in np.flatnonzero(values.present() & (values.numbers > 0)).tolist():
        yield row, int(values.numbers[row])


def texts(table: Table, *names: str) -> list[tuple[Any, ...]]:
    """Cells of some columns, row by row; a column that the table lacks is absent."""
    absent = [None] * len(table)
    return list(zip(*(table[name].cells() if name in table else absent for name in names), strict=True))


def cells(row: Row) -> dict[str, Any]:
    """The row judged: what is known of its counter beside what the row says."""
    known: Counter | None = find.counter(row.counter)
    part_of = (*row.part_of, *(known.part_of if known else ()))
    return {
        "layer": row.layer or (known.layer if known else "other"),
        "direction": row.direction or (known.direction if known else "") or None,
        "counter": row.counter,
        "scope": row.scope,
        "total": row.total,
        "severity": row.severity or (known.severity if known else "unknown"),
        "cause": known.cause if known else "not described here yet",
        "part_of": list(part_of) or None,
        "along": list(known.along) if known and known.along else None,
        "note": row.note,
        "reach": row.reach,
        "which": row.which,
        **row.about,
    }
