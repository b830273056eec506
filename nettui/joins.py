"""Join primitives: a table with a column more, looked up in another by index or inode."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Table
from collectors.values import Codes, Numbers, Values, distinct


def with_text(table: Table, name: str, meaning: str, values: Codes) -> Table:
    return table.extended([Column(name, "text", "label", help=meaning)], {name: values})


def with_device(table: Table, index: str, name: str, links: Table | None) -> Table:
    """With a text column of the device names behind an index column; as ip does, ``if7`` where it has none."""
    return with_text(table, name, "network device", named(table.numbers(index), index_names(links)))


def with_matching(table: Table, other: Table | None, key: str, names: tuple[str, ...]) -> Table:
    """With columns of another table, matched by a number that is unique there; absent where it has no row."""
    if other is None or not len(other):
        return table
    numbers = other.numbers(key).numbers
    order = np.argsort(numbers, kind="stable")
    wanted = table.numbers(key).numbers
    rows = order[np.minimum(np.searchsorted(numbers[order], wanted), len(order) - 1)]
    columns = [other.column(name) for name in names if name in other]
    return table.extended(columns, {c.name: masked(other[c.name].take(rows), numbers[rows] == wanted) for c in columns})


def masked(values: Values, kept: NDArray[np.bool_]) -> Values:
    """The same values, absent where ``kept`` is false."""
    if isinstance(values, Numbers):
        return Numbers(values.numbers, values.present() & kept)
    if isinstance(values, Codes):
        return Codes(np.where(kept, values.codes, -1).astype(values.codes.dtype), values.pool)
    raise TypeError("addresses are not joined")


def named(indexes: Numbers, names: dict[int, str], otherwise: str = "if", zero: bool = False) -> Codes:
    """Names of numbers; absent has none, nor has 0 unless ``zero``."""
    found, codes = distinct(indexes.numbers)
    pool = tuple(names.get(number, f"{otherwise}{number}") for number in found.tolist())
    known = indexes.present() if zero else indexes.present() & (indexes.numbers != 0)
    return Codes(np.where(known, codes, -1).astype(np.int32), pool)


def index_names(links: Table | None) -> dict[int, str]:
    return {} if links is None else pairs(links, "ifindex", "ifname")


def pairs(table: Table, number: str, name: str) -> dict[int, str]:
    """A number column and a text column as a dictionary; rows without either are left out."""
    both: Any = zip(table[number].cells(), table[name].cells(), strict=True)
    return {key: value for key, value in both if key is not None and value is not None}


OWNER_COLUMNS = (
    Column("process", "text", "label", help="name of the process that holds the socket"),
    Column("pid", "u4", "label", help="its process id"),
    Column("fd", "i4", "label", help="its file descriptor"),
    Column("holders", "u4", "gauge", help="descriptors, of any process, that refer to the socket"),
)


def with_owners(table: Table, owners: Table) -> Table:
    """Each socket's first holder by process id, and how many holders there are; absent where none is known."""
    held, inodes = table.numbers("inode"), owners.numbers("inode").numbers
    pids, descriptors, names = owners.numbers("pid").numbers, owners.numbers("fd").numbers, owners.codes("comm")
    if not len(owners):
        inodes, pids, descriptors = np.zeros(1, inodes.dtype), np.zeros(1, pids.dtype), np.zeros(1, descriptors.dtype)
        names = Codes(np.array([-1]))
    order = np.lexsort((descriptors, pids, inodes))
    ranked = inodes[order]
    first = np.searchsorted(ranked, held.numbers, "left")
    count = np.searchsorted(ranked, held.numbers, "right") - first
    known = (count > 0) & held.present() & (held.numbers != 0)
    rows = order[np.minimum(first, len(order) - 1)]
    return table.extended(
        OWNER_COLUMNS,
        {
            "process": masked(names.take(rows), known),
            "pid": Numbers(pids[rows].astype(np.uint32), known),
            "fd": Numbers(descriptors[rows].astype(np.int32), known),
            "holders": Numbers(count.astype(np.uint32), known),
        },
    )
