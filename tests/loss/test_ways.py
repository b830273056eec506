"""Every way of losing packets that this kernel has: the ledger names the layer, the counter, the number, the reason."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.lab import needs_root
from tests.loss.way import WAYS, Ledger, Way, explained, lab

for module in sorted(Path(__file__).parent.glob("ways_*.py")):  # each puts its ways into WAYS
    import_module(f"tests.loss.{module.stem}")

LOSSES = ("loss", "unknown")  # severities that must be explained when they move; noise and warnings may go on


@needs_root
@pytest.mark.root
@pytest.mark.parametrize("entry", WAYS, ids=lambda entry: entry.name)
def test_the_ledger_tells_of(entry: Way):
    with lab() as place:
        lose = entry.make(place)
        with Ledger(getattr(place, entry.side), reasons=True) as ledger:
            lost = lose()
            assert lost > 0, "nothing was lost"
            rows = ledger.moved(entry, lost)
            sums = ledger.sums(entry.layer)
    told = "\n".join(
        f"{row['counter']} {row['scope']} +{row['since']} {row.get('reasons') or ''} {row.get('note') or ''}"
        for row in rows
    )
    if entry.counter is not None:
        own = [row for row in rows if row["counter"] == entry.counter and entry.scope in str(row["scope"])]
        assert own, f"{entry.counter} did not move; these did:\n{told}"
        numbers = [int(str(row["since"])) for row in own]
        assert lost in numbers or (entry.at_least and max(numbers) >= lost), f"{numbers}, not {lost}:\n{told}"
        assert own[0]["layer"] == entry.layer, told
    if entry.reason is not None:
        named = [row for row in rows if row["counter"] == f"kfree_skb.{entry.reason}"]
        joined = [row for row in rows if entry.reason in (row.get("reasons") or {})]
        assert named or joined, f"no {entry.reason}:\n{told}"
        assert entry.counter is not None or named[0]["layer"] == entry.layer, told
    others = {str(row["counter"]) for row in rows if row["severity"] in LOSSES and row["reach"] == "namespace"}
    unexplained = {name for name in others if not name.startswith("kfree_skb.")} - explained(entry)
    assert not unexplained, f"{unexplained} moved too:\n{told}"
    assert entry.at_least or set(sums) <= {0, lost}, f"the layer's sum is {sums}, not {lost}:\n{told}"
