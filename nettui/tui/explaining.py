"""What a row has that can be explained: its counter, its drop reasons, or columns that the kernel counts loss in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from collectors.values import Cell
from nettui.knowledge import article, find
from nettui.knowledge.entry import Counter
from nettui.knowledge.spelling import Entry
from nettui.tui.cells import BOLD, DIM, GOOD, HEADING, PLAIN
from nettui.tui.dialogs import Paragraph

# panel -> group of the counters that are columns there
GROUPS: Mapping[str, str] = {
    "links": "rtnl_link_stats64", "softnet": "softnet", "qdiscs": "qdisc", "classes": "class",
    "conntrack_statistics": "nf_conntrack", "sockets": "socket",
}  # fmt: skip
STYLES = {"title": HEADING, "heading": BOLD, "text": PLAIN, "command": GOOD, "note": DIM}
LONGEST_LINE = 100


def names(panel: str, row: Mapping[str, Cell]) -> list[str]:
    """Names in this row that something is known of: its counter and drop reasons, else columns above zero."""
    if counter := row.get("counter"):
        reasons = row.get("reasons")
        return [
            str(counter),
            *(f"{find.REASON_PREFIX}{name}" for name in (reasons if isinstance(reasons, dict) else ())),
        ]
    group = GROUPS.get(panel)
    if group is None:
        return []
    found = [f"{group}.{name}" for name, cell in row.items() if isinstance(cell, int) and cell > 0]
    return [name for name in found if find.counters().get(name)]


def entry(name: str) -> Entry | None:
    """What is known of one name as the ledger spells it."""
    if name.startswith(find.REASON_PREFIX):
        return find.reason(name.removeprefix(find.REASON_PREFIX))
    known = find.counter(name)
    return replace(known, name=name) if known is not None and name.startswith(find.ETHTOOL) else known


def cause(name: str) -> str:
    known = entry(name)
    return known.cause if isinstance(known, Counter) else ""


def now(row: Mapping[str, Cell]) -> str:
    """What the row says of its counter at this moment."""
    told = [("since", "+{:,} since the mark or since it is watched"), ("rate", "{:,.1f}/s"), ("total", "{:,} in all")]
    words = [text.format(row[name]) for name, text in told if isinstance(row.get(name), int | float)]
    if not words and isinstance(row.get("value"), int):
        words = [f"{row['value']:,}"]
    return "; ".join([*words, *([str(row["scope"])] if row.get("scope") else [])])


def page(known: list[tuple[str, str]], width: int) -> list[Paragraph]:
    """Articles, one below the other; ``known``: names, each with what it says now."""
    lines: list[Paragraph] = []
    for name, number in known:
        found = entry(name)
        lines += [()] if lines else []
        if found is None:
            lines += [((name, HEADING),), (("nothing is known of it here yet", PLAIN),)]
            continue
        laid = article.laid(found, min(width, LONGEST_LINE), number)
        lines += [((text, STYLES[look]),) for look, text in laid]
    return lines
