"""What moved between readings: rates, resets, rows that come and go, sources that fail for a while."""

from __future__ import annotations

from typing import Any

from collectors.draft import of_rows
from collectors.table import Column, Table
from nettui.ledger.history import KEPT, History

COLUMNS = (
    Column("counter", "text", "key"),
    Column("which", "text", "key"),
    Column("source", "text"),
    Column("scope", "text"),
    Column("total", "u8", "counter"),
)


def table(**totals: int | None) -> Table:
    """Rows ``counter__which``; the source is the counter's name."""
    rows = []
    for name, total in totals.items():
        counter, _, which = name.partition("__")
        rows.append({"counter": counter, "which": which, "source": counter, "scope": which or "namespace",
                     "total": total})  # fmt: skip
    return of_rows(COLUMNS, rows).table()


class Watch:
    """A history that is told of a reading every second."""

    def __init__(self, *sources: str) -> None:
        self.history, self.sources, self.now = History(), sources, 1000.0

    def read(self, failed: tuple[str, ...] = (), **totals: int | None) -> dict[tuple[str, str], dict[str, Any]]:
        self.now += 1
        read = {source: self.now for source in self.sources if source not in failed}
        told = self.history.follow(table(**totals), read, self.now + 1e9)
        return {(str(row["counter"]), str(row["which"])): row for row in told.rows()}


def test_the_first_reading_has_no_rate_and_no_delta():
    (row,) = Watch("drops").read(drops=23).values()
    assert row["total"] == 23
    assert row["since"] == 0
    assert not {"rate", "delta", "first_moved", "state"} & set(row)


def test_a_counter_that_moved_has_its_delta_rate_and_times():
    watch = Watch("drops")
    watch.read(drops=23)
    (row,) = watch.read(drops=30).values()
    assert (row["delta"], row["rate"], row["since"]) == (7, 7.0, 7)
    assert row["first_moved"] == row["last_moved"] == 1e9 + 1002
    (row,) = watch.read(drops=30).values()
    assert (row["delta"], row["rate"], row["since"]) == (0, 0.0, 7)
    assert row["last_moved"] == 1e9 + 1002


def test_a_row_that_was_not_there_came_from_zero():
    watch = Watch("drops")
    watch.read()
    (row,) = watch.read(drops__eth0=5).values()
    assert (row["delta"], row["rate"]) == (5, 5.0)


def test_a_source_that_could_not_be_read_before_gives_no_rate_at_first():
    watch = Watch("drops")
    watch.read(failed=("drops",))
    (row,) = watch.read(drops=5).values()
    assert "delta" not in row


def test_a_source_that_fails_for_a_while_loses_nothing():
    watch = Watch("drops")
    watch.read(drops=5)
    assert watch.read(failed=("drops",)) == {}
    (row,) = watch.read(drops=11).values()
    assert (row["delta"], row["rate"], row["since"]) == (6, 3.0, 6)
    assert "state" not in row


def test_a_counter_that_went_down_was_reset_and_has_no_rate():
    watch = Watch("drops")
    watch.read(drops=50)
    watch.read(drops=53)
    (row,) = watch.read(drops=2).values()
    assert row["state"] == "reset"
    assert not {"rate", "delta"} & set(row)
    assert row["since"] == 3
    (row,) = watch.read(drops=4).values()
    assert (row["delta"], row["since"]) == (2, 5)
    assert "state" not in row


def test_a_socket_that_died_with_drops_stays_in_the_sum():
    watch = Watch("drops")
    watch.read(drops__a=1, drops__b=1)
    watch.read(drops__a=8, drops__b=1)
    rows = watch.read(drops__b=2)
    assert rows["drops", "a"]["state"] == "gone"
    assert rows["drops", "a"]["since"] == 7
    assert "delta" not in rows["drops", "a"]
    assert sum(row["since"] for row in rows.values()) == 8


def test_a_row_that_died_without_a_move_is_forgotten():
    watch = Watch("drops")
    watch.read(drops__a=9, drops__b=1)
    assert [which for _, which in watch.read(drops__b=1)] == ["b"]
    (again, _) = watch.read(drops__a=2, drops__b=1).values()
    assert again["delta"] == 2


def test_a_row_that_is_gone_and_comes_back_is_told_once():
    watch = Watch("drops")
    watch.read(drops__a=1)
    watch.read(drops__a=4)
    watch.read()
    (row,) = watch.read(drops__a=5).values()
    assert (row["delta"], row["since"]) == (1, 4)
    assert "state" not in row


def test_more_rows_gone_than_are_kept_stay_in_the_sum():
    watch = Watch("drops")
    watch.read()
    many = {f"drops__{number}": 2 for number in range(KEPT + 23)}
    watch.read(**many)
    rows = watch.read()
    assert sum(row["since"] for row in rows.values()) == 2 * (KEPT + 23)
    assert [row["scope"] for row in rows.values() if "gone" in row["scope"]] == ["23 that are gone"]
    assert len(watch.read()) == KEPT + 1


def test_the_mark_begins_anew():
    watch = Watch("drops")
    watch.read(drops__a=1, drops__b=1)
    watch.read(drops__a=4, drops__b=1)
    watch.read(drops__b=1)
    watch.history.mark()
    (row,) = watch.read(drops__b=3).values()
    assert row["which"] == "b"
    assert row["since"] == 2
    assert row["first_moved"] == row["last_moved"]


def test_a_rule_that_nothing_counts_has_no_number():
    watch = Watch("rule")
    watch.read(rule=None)
    (row,) = watch.read(rule=None).values()
    assert not {"total", "delta", "rate"} & set(row)


def test_a_source_that_was_not_read_anew_keeps_its_numbers():
    watch = Watch("drops")
    watch.read(drops=1)
    watch.read(drops=3)
    told = watch.history.follow(table(drops=3), {"drops": watch.now}, watch.now + 1e9)
    assert told.row(0)["delta"] == 2
