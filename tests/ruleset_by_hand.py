"""Rulesets by hand: a table of the netfilter collector from a compact list of chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from collectors.draft import Draft
from collectors.netfilter.ruleset_columns import COLUMNS
from collectors.table import Table

TARGETS = {
    "ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "RETURN": "return", "NFQUEUE": "queue", "DNAT": "dnat",
    "SNAT": "snat", "MASQUERADE": "masquerade", "REDIRECT": "redirect",
}  # fmt: skip
SILENT = {"MARK", "LOG", "CT", "TCPMSS", "CONNMARK"}
VERDICTS = ("accept", "drop", "reject", "return", "queue", "masquerade")


@dataclass(frozen=True)
class At:
    """A chain: ``hook`` and ``priority`` make it a base chain; ``counts`` are each rule's packets, in order."""

    name: str
    rules: Sequence[str] = ()
    hook: str | None = None
    priority: int = 0
    type: str = "filter"
    policy: str | None = None
    family: str = "ip"
    table: str = "filter"
    world: str = "iptables-nft"
    counts: Sequence[int] | None = None
    flags: Sequence[str] = ()
    dev: Sequence[str] = ()


def nft(chain: At) -> At:
    return replace(chain, world="nft", family="inet" if chain.family == "ip" else chain.family)


def verdict(rule: str) -> str | None:
    words = rule.split()
    if words[0] == "-A":
        target = words[words.index("-j") + 1] if "-j" in words else ""
        return TARGETS.get(target) or (f"jump {target}" if target and target not in SILENT else None)
    if "vmap" in words:
        return "vmap"
    if len(words) > 1 and words[-2] in ("jump", "goto"):
        return " ".join(words[-2:])
    return next((word for word in ("dnat", "snat") if word in words), words[-1] if words[-1] in VERDICTS else None)


def comment(rule: str) -> str | None:
    words = rule.split("--comment ")
    return words[1].split('"')[1] if len(words) > 1 and words[1].startswith('"') else None


def ruleset(*chains: At) -> Table:
    """The chains, each followed by its rules; handles count up."""
    rows = [(chain, rule, place) for chain in chains for place, rule in enumerate((None, *chain.rules))]
    draft = Draft(COLUMNS, len(rows))
    for name in ("world", "family", "table", "hook"):
        draft.cells(name, [getattr(chain, name) for chain, _, _ in rows])
    draft.cells("chain", [chain.name for chain, _, _ in rows])
    draft.cells("kind", ["rule" if rule else "base chain" if chain.hook else "chain" for chain, rule, _ in rows])
    hooked = np.array([chain.hook is not None for chain, _, _ in rows], np.bool_)
    draft.numbers("priority", np.array([chain.priority for chain, _, _ in rows]), known=hooked)
    draft.cells("type", [chain.type if chain.hook and not rule else None for chain, rule, _ in rows])
    draft.cells("policy", [None if rule else chain.policy for chain, rule, _ in rows])
    for name, attribute in (("table_flags", "flags"), ("dev", "dev")):
        draft.cells(name, [None if rule else list(getattr(chain, attribute)) or None for chain, rule, _ in rows])
    draft.cells("rule", [rule for _, rule, _ in rows])
    verdicts = [verdict(rule) if rule else None for _, rule, _ in rows]
    draft.cells("verdict", verdicts)
    leads = [said.split()[1] if said and said.startswith(("jump ", "goto ")) else None for said in verdicts]
    draft.cells("target", leads)
    draft.cells("comment", [comment(rule) if rule else None for _, rule, _ in rows])
    is_rule = np.array([rule is not None for _, rule, _ in rows], np.bool_)
    draft.numbers("position", np.array([place for _, _, place in rows]), known=is_rule)
    draft.numbers("handle", np.arange(1, len(rows) + 1))
    counts = [chain.counts[place - 1] if chain.counts and rule else None for chain, rule, place in rows]
    counted = np.array([count is not None for count in counts], np.bool_)
    draft.numbers("packets", np.array([count or 0 for count in counts], np.uint64), known=counted)
    draft.numbers("bytes", np.array([100 * (count or 0) for count in counts], np.uint64), known=counted)
    lost = np.array([said in ("drop", "reject") for said in verdicts], np.bool_) & ~counted
    draft.numbers("uncounted", True, np.flatnonzero(lost))
    return draft.table()
