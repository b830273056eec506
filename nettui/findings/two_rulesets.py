"""Rules of iptables-legacy and of nf_tables are in force at once."""

from __future__ import annotations

from collections.abc import Iterator

from nettui.findings.finding import Diagnosis, Finding, Tables
from nettui.findings.rows import is_one_of, listed

LEGACY = "iptables-legacy"


def find(tables: Tables) -> Iterator[Finding]:
    table = tables["netfilter"]
    rules = is_one_of(table, "kind", "rule")
    legacy = is_one_of(table, "world", LEGACY) & rules
    others = ~is_one_of(table, "world", LEGACY) & rules
    if not legacy.any() or not others.any():
        return
    held = sorted({" ".join(map(str, pair)) for pair in zip(
        table["family"].take(legacy.nonzero()[0]).cells(), table["table"].take(legacy.nonzero()[0]).cells(), strict=True
    )})  # fmt: skip
    yield Finding(
        "note",
        LEGACY,
        f"{int(legacy.sum()):,} rules of iptables-legacy and {int(others.sum()):,} of nf_tables are in force at once: a"
        " packet must pass both, and neither tool shows all of them",
        (f"netfilter: iptables-legacy holds {listed(held)}", f"netfilter: {int(others.sum()):,} rules of nf_tables"),
        (
            f"nettui report netfilter --where 'world {LEGACY}'  # the older rules",
            "iptables-legacy-save  # the same for a file; what brings them must be told to use nf_tables",
        ),
        "netfilter",
        f"world {LEGACY}",
    )


TWO_RULESETS = Diagnosis("two_rulesets", "iptables-legacy and nf_tables filter at once", ("netfilter",), find)
