"""Rates match rows by their declared key and never invent a number."""

import numpy as np

from collectors.draft import Draft
from collectors.table import Column, Table
from nettui.rates import with_rates

COLUMNS = (Column("name", "text", "key"), Column("index", "u4", "key"), Column("packets", "u8", "counter", "packets"))


def table(rows: list[tuple[str, int, int | None]]) -> Table:
    draft = Draft(COLUMNS, len(rows))
    draft.cells("name", [row[0] for row in rows])
    draft.numbers("index", np.array([row[1] for row in rows], np.uint32))
    known = np.array([row[2] is not None for row in rows], bool)
    draft.numbers("packets", np.array([row[2] or 0 for row in rows], np.uint64), known=known)
    return draft.table()


def rates(now: list[tuple[str, int, int | None]], before: list[tuple[str, int, int | None]]) -> list[object]:
    return with_rates(table(now), table(before), 2.0)["packets_rate"].cells()


def test_a_rate_is_the_difference_by_the_seconds():
    assert rates([("a", 1, 30)], [("a", 1, 10)]) == [10.0]


def test_rows_are_matched_by_key_when_their_order_changes():
    assert rates([("b", 2, 9), ("a", 1, 30)], [("a", 1, 10), ("b", 2, 1)]) == [4.0, 10.0]


def test_a_counter_that_went_down_has_no_rate():
    assert rates([("a", 1, 5)], [("a", 1, 10)]) == [None]


def test_a_new_row_has_no_rate():
    assert rates([("a", 1, 30), ("b", 2, 7)], [("a", 1, 10)]) == [10.0, None]


def test_every_key_column_counts():
    assert rates([("a", 2, 30)], [("a", 1, 10)]) == [None]


def test_an_absent_counter_has_no_rate():
    assert rates([("a", 1, 30), ("b", 1, None)], [("a", 1, None), ("b", 1, 3)]) == [None, None]


def test_rows_with_the_same_key_have_no_rate():
    assert rates([("a", 1, 30), ("a", 1, 50)], [("a", 1, 10), ("a", 1, 20)]) == [None, None]


def test_the_first_reading_of_an_empty_table_gives_no_rate():
    assert rates([("a", 1, 30)], []) == [None]


def test_large_counters_lose_no_packet():
    top = 2**63 + 11
    assert rates([("a", 1, top + 23)], [("a", 1, top)]) == [11.5]
