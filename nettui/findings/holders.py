"""What diagnoses ask of sockets: where they stand, which process holds them, what most of them have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.table import Table
from collectors.values import Addresses, Cell, Codes, Numbers
from nettui.findings.finding import Tables, number, rate
from nettui.findings.rows import Mask, Row, above, counted, figure, is_one_of, moving
from nettui.joins import with_owners
from nettui.rates import SUFFIX, address_words, mixed

HELD = ("process", "pid", "holders")
RATE = "drops" + SUFFIX


def owned(tables: Tables, table: Table, mask: Mask) -> Table:
    """The rows where ``mask`` is true, with the process that holds each: owners are not looked up for the others."""
    found = table.take(np.flatnonzero(mask))
    return with_owners(found, tables["socket_owners"]) if len(found) and "socket_owners" in tables else found


def in_state(table: Table, *states: str, netid: str = "tcp") -> Mask:
    return is_one_of(table, "netid", netid) & is_one_of(table, "state", *states)


def refusing(table: Table) -> Mask:
    """Rows of socket_drops that refused packets between two readings; one that is new there came from zero."""
    if RATE not in table:
        return np.zeros(len(table), np.bool_)
    return moving(table, "drops") | (above(table, "drops") & ~table[RATE].present())


def refused(row: Row) -> str:
    """How fast, or how many where there were none before: ``1,200 packets/s``, ``12 packets for the first time``."""
    if rate(row, "drops"):
        return f"{figure(rate(row, 'drops'))} packets/s"
    return f"{counted(number(row, 'drops'), 'packet')} for the first time"


def holder(row: Row) -> str:
    """``nginx (4711)``; who it is may be unknown without root, and nobody holds what was closed."""
    if "pid" in row:
        return f"{row.get('process', 'process')} ({row['pid']})"
    return "an unknown process" if row.get("inode") else "no process"


def local(row: Row) -> str:
    return joined(row.get("src"), row.get("sport"))


def remote(row: Row) -> str:
    return joined(row.get("dst"), row.get("dport"))


def joined(address: Cell, port: Cell) -> str:
    host = "*" if address in (None, "0.0.0.0", "::") else f"[{address}]" if ":" in str(address) else str(address)
    return host if port is None else f"{host}:{port}"


def groups(table: Table, *names: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows that are alike in the named columns: one row of each group, and how many it has; largest first."""
    marks = mixed(np.hstack([words(table, name) for name in names]))
    order = np.argsort(marks, kind="stable")
    ranked = marks[order]
    first = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]])) if len(ranked) else order[:0]
    sizes = np.diff(np.append(first, len(ranked)))
    by_size = np.argsort(-sizes, kind="stable")
    return order[first[by_size]], sizes[by_size]


def alike(table: Table, row: int, *names: str) -> Mask:
    """Rows that have the same in the named columns as this one."""
    every = np.hstack([words(table, name) for name in names])
    found: Mask = (every == every[row]).all(axis=1)
    return found


def words(table: Table, name: str) -> NDArray[np.uint64]:
    """A column as 64-bit words, equal where the cells are."""
    values = table[name]
    if isinstance(values, Addresses):
        return address_words(values, -(-max(values.octets.shape[1], 8) // 8) * 8)
    if isinstance(values, Codes):
        return values.codes.astype(np.int64).view(np.uint64).reshape(-1, 1)
    assert isinstance(values, Numbers)
    return np.column_stack([np.where(values.present(), values.numbers, 0), values.present()]).astype(np.uint64)


def most_common(table: Table, *names: str) -> Row:
    """The row that has most like it."""
    firsts, _ = groups(table, *names)
    return table.row(int(firsts[0]))
