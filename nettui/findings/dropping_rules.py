"""Rules and policies that drop or reject packets now."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nettui.findings.finding import Diagnosis, Finding, Tables, number, rate
from nettui.findings.rows import Row, figure, is_one_of, moving, picked

NAMES = ("world", "family", "table", "chain", "kind", "hook", "policy", "handle", "position", "rule", "packets",
         "packets_rate", "verdict", "comment")  # fmt: skip
LOSING = ("drop", "reject")
FAST = 100  # packets/s from which it is more than what scanners send to any host
MOST = 10
PLAIN = re.compile(r"[\w.:-]+")


def find(tables: Tables) -> Iterator[Finding]:
    """To drop is what such a rule is for: a note, and a warning where it is fast or meets what this host sends."""
    table = tables["netfilter"]
    losing = is_one_of(table, "verdict", *LOSING) | is_one_of(table, "policy", *LOSING)
    rows = sorted(picked(table, losing & moving(table, "packets"), *NAMES), key=lambda row: -rate(row, "packets"))
    for row in rows[:MOST]:
        yield dropping(row)
    if len(rows) > MOST:
        rest = sum(rate(row, "packets") for row in rows[MOST:])
        yield Finding(
            "note",
            "rules",
            f"{len(rows) - MOST:,} more rules and policies drop {figure(rest)} packets/s together",
            (f"netfilter: {len(rows):,} rules and policies with moving counters",),
            ("nettui drops --layer netfilter  # all of them as they move",),
            "netfilter",
            "mark ~ drop or mark ~ reject",
        )


def dropping(row: Row) -> Finding:
    place = " ".join(str(row[name]) for name in ("family", "table", "chain"))
    pace, hook = rate(row, "packets"), row.get("hook")
    verdict = str(row.get("verdict") or row.get("policy"))
    told = f"rule {row.get('position')} of {place}" if row["kind"] == "rule" else f"the policy of {place}"
    own = ", of those that this host sends" if hook == "output" else ""
    text = str(row["rule"])[:200] if "rule" in row else f"policy {row.get('policy')}"
    find_it = chosen(row)
    return Finding(
        "warning" if hook == "output" or pace >= FAST else "note",
        f"{place} #{row['position']}" if "position" in row else f"{place} policy",
        f"{told} {verdict}s {figure(pace)} packets/s{own}, {number(row, 'packets'):,} since it is there",
        (f"netfilter: {text}", f"netfilter: packets {number(row, 'packets'):,}"),
        (
            f'nettui report netfilter --where "{find_it}"  # the chain as a packet meets it',
            "nettui drops --layer netfilter  # while it drops",
        ),
        "netfilter",
        find_it,
    )


def chosen(row: Row) -> str:
    """A filter for the chain, and for all that drops in the family where its names hold what a filter would not."""
    if all(PLAIN.fullmatch(str(row[name])) for name in ("chain", "table")):
        return f"chain '{row['chain']}' and table '{row['table']}' and family {row['family']}"
    return f"family {row['family']} and (verdict drop or verdict reject or policy drop)"


DROPPING_RULES = Diagnosis("dropping_rules", "rules or policies drop packets now", ("netfilter",), find)
