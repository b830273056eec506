"""Drop reasons that stand alone are told one reading later, and only if no counter has joined them."""

from __future__ import annotations

from collectors.draft import of_rows
from collectors.table import Table
from nettui.ledger.history import COLUMNS as MOVES
from nettui.ledger.row import COLUMNS
from nettui.report.drops import Waiting

LONE = {"counter": "kfree_skb.NETFILTER_DROP", "which": "1", "layer": "netfilter", "delta": 23}
RULE = {"counter": "rule.drop", "which": "nft 5", "layer": "netfilter", "delta": 23}


def table(*rows: dict[str, object]) -> Table:
    return of_rows((*COLUMNS, *MOVES), rows).table()  # type: ignore[arg-type]


def names(found: Table) -> list[object]:
    return [row["counter"] for row in found.rows()]


def test_a_lone_reason_waits_for_one_reading():
    waiting = Waiting()
    assert names(waiting.sifted(table(LONE), table(LONE))) == []
    (row,) = waiting.sifted(table(), table({**LONE, "delta": 0})).rows()
    assert (row["counter"], row["delta"]) == (LONE["counter"], 23)
    assert names(waiting.sifted(table(), table(LONE))) == []


def test_a_reason_whose_counter_comes_meanwhile_is_told_with_that():
    waiting = Waiting()
    waiting.sifted(table(LONE), table(LONE))
    assert names(waiting.sifted(table(RULE), table(RULE))) == ["rule.drop"]


def test_what_waits_at_the_end_is_not_lost():
    waiting = Waiting()
    waiting.sifted(table(LONE, RULE), table(LONE, RULE))
    assert waiting.rows is not None
    assert names(waiting.rows) == ["kfree_skb.NETFILTER_DROP"]
