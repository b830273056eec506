"""Section netfilter: the ruleset with whose a rule is, what it plainly matches, and what to look at."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.table import Note, Table
from nettui.netfilter.managers import with_managers, with_marks
from nettui.netfilter.matches import with_matches


def netfilter(tables: Mapping[str, Table]) -> Table:
    return with_marks(with_managers(with_matches(noted(tables["netfilter"]))))


def noted(table: Table) -> Table:
    """With a note where rules of iptables-legacy and of nf_tables are in force at once."""
    worlds = table.codes("world")
    rules = table.codes("rule").present()
    legacy = worlds.matching(lambda world: world == "iptables-legacy") & rules
    others = worlds.matching(lambda world: world != "iptables-legacy") & rules
    if not legacy.any() or not others.any():
        return table
    count = (
        f"{int(legacy.sum()):,} rules of iptables-legacy and {int(others.sum()):,} of nf_tables are in force at once"
    )
    advice = "a packet must pass both; neither `nft list ruleset` nor one `iptables-save` shows all of them"
    return table.with_gaps([Note(count, advice)])
