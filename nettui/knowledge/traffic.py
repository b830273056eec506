"""Entries of counters that tell of no loss: one sentence each."""

from __future__ import annotations

from collections.abc import Mapping

from nettui.knowledge.entry import Counter, Direction


def traffic(
    layer: str, group: str, direction: Direction, counts: Mapping[str, str], since: str = ""
) -> tuple[Counter, ...]:
    """``counts``: a sentence by the counter's name in its group."""
    return tuple(
        Counter(f"{group}.{name}", layer, direction, "traffic", sentence, "", since=since)
        for name, sentence in counts.items()
    )
