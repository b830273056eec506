"""Rules in the order in which a packet meets them: below a jump the rules of the chain that it leads to."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from collectors.table import Table

DEEPEST = 16  # NFT_JUMP_STACK_SIZE; what leads deeper the kernel refuses
MOST = 250_000  # rows of all base chains together
PLAIN, ABOVE, EMPTY, DEEPER = range(4)
NOTES = ("", "  (see above)", "  (an empty chain)", "  (not followed deeper)")


class Branch(NamedTuple):
    """Rows of the ruleset with their depth below the base chain, and a place in NOTES for each."""

    rows: list[int]
    depths: list[int]
    notes: list[int]


class Forest:
    """All chains of a ruleset, to be unfolded from any base chain."""

    def __init__(self, table: Table) -> None:
        kinds = table.codes("kind")
        self.heads = np.flatnonzero(kinds.matching(lambda kind: kind != "rule")).tolist()
        self._ends = dict(zip(self.heads, [*self.heads[1:], len(table)], strict=False))
        self.names = chain_names(table, self.heads)
        self._chains = {name: head for head, name in reversed(self.names.items())}
        self._jumps = self._leading(table)
        self.room = MOST

    def _leading(self, table: Table) -> dict[int, list[tuple[int, list[int]]]]:
        """For each chain the rules that lead to others, and where."""
        found: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        targets, inner = table.codes("target"), table.codes("targets")
        rows = np.flatnonzero(targets.present() | inner.present())
        owner = np.array(self.heads, np.intp)[np.searchsorted(self.heads, rows, "right") - 1] if self.heads else rows
        cells = zip(rows.tolist(), owner.tolist(), targets.take(rows).cells(), inner.take(rows).cells(), strict=True)
        for row, head, target, others in cells:
            wanted = [target] if target is not None else others
            aims = [self._chains.get((*self.names[head][:3], str(name))) for name in wanted or []]  # type: ignore[union-attr]
            found[head].append((row, [aim for aim in aims if aim is not None]))
        return found

    def unfold(self, head: int) -> Branch:
        """The rules that a packet may meet from this base chain on; each chain once, then only named."""
        branch = Branch([], [], [])
        self._descend(head, 1, branch, {head})
        return branch

    def _descend(self, head: int, depth: int, branch: Branch, seen: set[int]) -> None:
        at, end = head + 1, self._ends[head]
        for row, aims in self._jumps.get(head, ()):
            self._pass(at, row + 1, depth, branch)
            at = row + 1
            for aim in aims:
                empty = self._ends[aim] == aim + 1
                known = aim in seen and not empty
                if known or empty or depth >= DEEPEST or self.room <= 0:
                    branch.notes[-1] = ABOVE if known else EMPTY if empty else DEEPER
                    continue
                seen.add(aim)
                self._descend(aim, depth + 1, branch, seen)
        self._pass(at, end, depth, branch)

    def _pass(self, start: int, stop: int, depth: int, branch: Branch) -> None:
        count = max(0, min(stop - start, self.room))
        self.room -= count
        branch.rows.extend(range(start, start + count))
        branch.depths.extend([depth] * count)
        branch.notes.extend([PLAIN] * count)


def chain_names(table: Table, heads: list[int]) -> dict[int, tuple[bool, str, str, str]]:
    """(legacy, family, table, chain) of each chain's row."""
    chains = table.take(np.array(heads, np.intp))
    cells = zip(*(chains[name].cells() for name in ("world", "family", "table", "chain")), strict=True)
    return {
        head: (world == "iptables-legacy", str(family), str(name), str(chain))
        for head, (world, family, name, chain) in zip(heads, cells, strict=True)
    }
