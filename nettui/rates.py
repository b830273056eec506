"""Rates of counters between two readings of a table, with rows matched by their declared key."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column, Table
from collectors.values import Addresses, Codes, Numbers, Pool, Values, wide

SUFFIX = "_rate"
ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / the golden ratio, to spread keys over 64 bits


def with_rates(now: Table, before: Table, seconds: float) -> Table:
    """``now`` with a ``NAME_rate`` column (f8, unit per second) behind each counter.

    A row that is new, and a counter that went down, was or is absent, has no rate.
    """
    counters = [column for column in now.columns if column.kind == "counter" and column.name in before]
    if not counters or seconds <= 0:
        return now
    rows = matched(now, before)
    columns, arrays = [], {}
    for column in counters:
        name = column.name + SUFFIX
        columns.append(Column(name, "f8", "gauge", f"{column.unit}/s", f"{column.help}, per second"))
        arrays[name] = rate(now[column.name], before[column.name], rows, seconds)
    return now.extended(columns, arrays)


def rate(now: Values, before: Values, rows: NDArray[np.intp], seconds: float) -> Numbers:
    assert isinstance(now, Numbers)
    assert isinstance(before, Numbers)
    if not len(before):
        return Numbers(np.zeros(len(now)), np.zeros(len(now), np.bool_))
    earlier = before.numbers[rows]
    known = (rows >= 0) & (now.numbers >= earlier) & now.present() & before.present()[rows]
    difference = np.where(known, now.numbers - earlier, 0)
    return Numbers(difference / seconds, known)


def matched(now: Table, before: Table) -> NDArray[np.intp]:
    """For each row of ``now`` its row in ``before``, -1 where there is none or its key is not unique there."""
    keys = [column.name for column in now.columns if column.kind == "key" and column.name in before]
    pairs = [comparable(now[name], before[name]) for name in keys]
    if not pairs:
        return np.full(len(now), -1)
    left = np.hstack([pair[0] for pair in pairs])
    right = np.hstack([pair[1] for pair in pairs])
    if left.shape == right.shape and (left == right).all() and len(np.unique(mixed(left))) == len(left):
        return np.arange(len(left))
    if not len(right):
        return np.full(len(left), -1)
    marks = mixed(right)
    order = np.argsort(marks, kind="stable")
    ranked, wanted = marks[order], mixed(left)
    place = np.searchsorted(ranked, wanted)
    rows = order[np.minimum(place, len(order) - 1)]
    alone = np.searchsorted(ranked, wanted, "right") - place == 1
    return np.where(alone & (left == right[rows]).all(axis=1), rows, -1)


def mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One 64-bit mark per row of key words (n, k); equal rows have equal marks."""
    mark = np.zeros(len(words), np.uint64)
    for column in words.T:
        mark = (mark ^ column) * ODD
        mark ^= mark >> np.uint64(29)
    return mark


def comparable(left: Values, right: Values) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Two columns as words (n, k) that are equal exactly where the cells are."""
    if isinstance(left, Codes) and isinstance(right, Codes):
        pool = Pool()
        sides = [pool.translation(side.pool)[side.codes] for side in (left, right)]
        return as_words(sides[0]), as_words(sides[1])
    if isinstance(left, Addresses) and isinstance(right, Addresses):
        width = -(-max(left.octets.shape[1], right.octets.shape[1], 8) // 8) * 8
        return address_words(left, width), address_words(right, width)
    assert isinstance(left, Numbers)
    assert isinstance(right, Numbers)
    return number_words(left), number_words(right)


def as_words(numbers: NDArray[Any]) -> NDArray[np.uint64]:
    return numbers.astype(np.int64).view(np.uint64).reshape(-1, 1)


def number_words(values: Numbers) -> NDArray[np.uint64]:
    known = values.present()
    words = np.where(known, values.numbers, 0).astype(np.uint64 if values.numbers.dtype.kind == "u" else np.int64)
    return np.column_stack([words.view(np.uint64), known.astype(np.uint64)])


def address_words(values: Addresses, width: int) -> NDArray[np.uint64]:
    prefix = np.uint64(255) if values.prefix is None else values.prefix.astype(np.uint64)
    return np.column_stack(
        [
            np.ascontiguousarray(wide(values.octets, width)).view(np.uint64),
            values.form.astype(np.uint64) << np.uint64(8) | prefix,
        ]
    )
