"""A chain of any of the three worlds, and the rules that it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.netfilter.told import Rules

# chains of these stand in one list of the kernel's, whichever family they are of
IP = ("inet", "ip", "ip6")
AT_DEVICE = ("ingress", "egress")


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain as its row tells it. ``hook``: None for a chain that is only jumped to.

    ``counted``: packets and bytes that met the policy, None where they are not counted. ``order``: among chains of one
    hook and priority; the kernel asks the one that was registered last first (nf_hook_entries_grow), which is the one
    with the greatest handle in the youngest table, unless an older table was given a chain since.
    """

    world: str
    family: str
    table: str
    name: str
    handle: int | None = None
    hook: str | None = None
    priority: int | None = None
    priority_name: str | None = None
    type: str | None = None
    policy: str | None = None
    counted: tuple[int, int] | None = None
    comment: str | None = None
    dev: tuple[str, ...] = ()
    table_handle: int | None = None
    table_flags: tuple[str, ...] = ()
    owner: int | None = None
    table_comment: str | None = None
    order: int = 0

    def place(self, hooks: Sequence[str], families: Sequence[str]) -> tuple[int, int, int, int, int]:
        """Sort key: base chains by hook, priority and stack, then the others by family, each table's together."""
        family = families.index(self.family) if self.family in families else len(families)
        if self.hook is None:
            return len(hooks) + 1, 0, family, 0, 0
        hook = hooks.index(self.hook) if self.hook in hooks else len(hooks)
        stack = families.index(IP[0]) if self.family in IP or self.hook in AT_DEVICE else family
        return hook, self.priority or 0, stack, self.order, family


@dataclass(frozen=True, slots=True)
class Holding:
    """A chain, and which of its table's ``rules`` are its own, in order."""

    chain: Chain
    rules: Rules
    rows: NDArray[np.intp]


def holdings(chains: Sequence[Chain], rules: Rules) -> list[Holding]:
    """The chains of one table, each with its rules; a rule whose chain is not listed yet is left out, and the
    generation tells that the ruleset has changed.
    """
    order = np.argsort(rules.chains.codes, kind="stable")
    bounds = np.searchsorted(rules.chains.codes[order], np.arange(len(rules.chains.pool) + 1))
    rows = {name: order[bounds[code] : bounds[code + 1]] for code, name in enumerate(rules.chains.pool)}
    return [Holding(chain, rules, rows.get(chain.name, order[:0])) for chain in chains]


def merged(parts: Sequence[Holding]) -> tuple[Rules, NDArray[np.intp]]:
    """The rules of all holdings in one, and the order in which the holdings have them."""
    kept = list({id(part.rules): part.rules for part in parts}.values())
    starts = np.cumsum([0, *map(len, kept)])
    start = {id(rules): int(first) for rules, first in zip(kept, starts, strict=False)}
    order = [part.rows + start[id(part.rules)] for part in parts]
    return Rules.concatenate(kept), np.concatenate(order) if order else np.zeros(0, np.intp)
