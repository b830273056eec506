"""What a counter or drop reason means, with its number on this host: as text for a reader, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np

from collectors.values import Cell
from nettui import __version__
from nettui.knowledge import article, find
from nettui.knowledge.entry import Counter, Place, Reason
from nettui.knowledge.spelling import Entry, Found
from nettui.report.document import SCHEMA
from nettui.report.json import encode
from nettui.report.style import Style
from nettui.scrub import scrub
from nettui.snapshot import Snapshot

WIDTH, WIDEST = 80, 100  # columns where nothing tells how many there are; more make prose hard to read
SHOWN = 3  # of the devices, CPUs or queues that counted
COLOURS: Mapping[article.Look, str] = {"title": "1", "heading": "1", "command": "36", "note": "2"}
# group of counters -> the table that is read for them, none that is expensive; the others are the protocols'
TABLES: Mapping[str, str] = {
    "rtnl_link_stats64": "links",
    "softnet": "softnet",
    "qdisc": "qdiscs",
    "nf_conntrack": "conntrack_statistics",
    "neigh": "statistics",
    "rt_cache": "statistics",
    "synproxy": "statistics",
    "xfrm": "statistics",
    "tls": "statistics",
    "Sctp": "statistics",
}
ELSEWHERE = frozenset(
    {"bond", "bridge", "class", "clsact", "ethtool", "mpls", "nfqueue", "policy", "rule", "socket", "vxlan"}
)
WORDS = {"ifname": "", "cpu": "cpu ", "ifindex": "device ", "family": ""}  # what tells a row from others


class Answer(NamedTuple):
    """What one name means, or what it may have been meant for."""

    name: str
    entries: tuple[Entry, ...]
    near: tuple[str, ...] = ()


def answered(names: Sequence[str]) -> list[Answer]:
    return [answer(name) for name in dict.fromkeys(names)]


def answer(name: str) -> Answer:
    entries = tuple(map(called, find.found(name)))
    return Answer(name, entries, () if entries else tuple(find.similar(name)))


def called(found: Found) -> Entry:
    """The entry under the name that was asked for, where one describes many: a driver's counters."""
    entry = found.entry
    if isinstance(entry, Counter) and found.name.startswith(find.ETHTOOL):
        return replace(entry, name=found.name)
    return entry


def missing(answer: Answer) -> str:
    """One sentence about a name that is not known."""
    hint = f"; did you mean {', '.join(answer.near)}?" if answer.near else "; `nstat -az` names many"
    return f"no counter or drop reason {answer.name[:64]!r}{hint}"


def tables(answers: Sequence[Answer]) -> list[str]:
    """What must be read to tell the numbers of this moment."""
    groups = [entry.name.partition(".")[0] for answer in answers for entry in answer.entries
              if isinstance(entry, Counter)]  # fmt: skip
    return list(dict.fromkeys(TABLES.get(group, "protocols") for group in groups if group not in ELSEWHERE))


def numbers(name: str, snapshot: Snapshot) -> dict[str, int] | None:
    """What the counter says, by device, CPU or family where there are several; None where this host has no such."""
    group, _, own = name.partition(".")
    table = snapshot.tables.get(TABLES.get(group, "protocols")) if group not in ELSEWHERE else None
    if table is None:
        return None
    if "counter" in table:
        table = table.take(np.flatnonzero(table.codes("counter").matching(lambda cell: cell == name)))
        own = "value"
    if own not in table or not table.numbers(own).present().any():
        return None
    sums: dict[str, int] = {}
    for row in table.rows():
        if isinstance(value := row.get(own), int):
            sums[scope(row)] = sums.get(scope(row), 0) + value
    return sums


def scope(row: Mapping[str, Cell]) -> str:
    name = next((name for name in WORDS if row.get(name) is not None and not ("counter" in row and name == "cpu")), "")
    return f"{WORDS[name]}{row[name]}" if name else ""


def now(entry: Entry, also: Sequence[str], snapshot: Snapshot) -> str:
    """The number of this moment, and those of the counters that mean alike where they are above zero."""
    if not isinstance(entry, Counter):
        return ""
    others = {name: told(numbers(name, snapshot)) for name in also}
    texts = [told(numbers(entry.name, snapshot)), *(f"{name} {said}" for name, said in others.items() if said > "0")]
    return "; ".join(said for said in texts if said)


def told(sums: Mapping[str, int] | None) -> str:
    """The numbers in words: the sum, and who has most of it."""
    if sums is None:
        return ""
    total = f"{sum(sums.values()):,}"
    most = sorted(((count, name) for name, count in sums.items() if count and name), reverse=True)
    named = [f"{name} {count:,}" for count, name in most[:SHOWN]]
    return f"{total} ({', '.join(named)}{', …' if len(most) > SHOWN else ''})" if named else total


def text(answers: Sequence[Answer], snapshot: Snapshot, style: Style) -> Iterator[str]:
    width = min(style.width or WIDTH, WIDEST)
    first = True
    for answer in answers:
        pages = article.folded(answer.entries)
        if len(pages) > 1:
            yield "" if first else "\n"
            yield from summary(answer, pages, style, width)
            first = False
        for entry, also in pages:
            lines = article.laid(entry, width, now(entry, also, snapshot), also)
            yield "" if first else "\n"
            yield "".join(f"{painted(style, look, scrub(line))}\n" for look, line in lines)
            first = False


def summary(answer: Answer, pages: Sequence[tuple[Entry, Sequence[str]]], style: Style, width: int) -> Iterator[str]:
    """Names of all that it may be, before the articles."""
    yield painted(style, "title", f"{scrub(answer.name.strip())}: {len(pages)} of that name") + "\n"
    names = [scrub(article.title(entry)) for entry, _ in pages]
    room = min(max(map(len, names)), width // 2)
    for name, (entry, _) in zip(names, pages, strict=True):
        cause = entry.meaning if isinstance(entry, Place) else entry.cause or "no loss"
        yield shorten(f"  {name:<{room}}  {cause}", width) + "\n"


def shorten(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def painted(style: Style, look: article.Look, line: str) -> str:
    return style.painted(COLOURS[look], line) if look in COLOURS and line else line


def document(answers: Sequence[Answer], snapshot: Snapshot) -> str:
    """One JSON document: under each name that was asked for what it means, or what is spelled like it."""
    names = [
        {"name": scrub(answer.name), "entries": [described(entry, snapshot) for entry in answer.entries]}
        | ({} if answer.entries else {"near": list(answer.near)})
        for answer in answers
    ]
    body = ",\n".join(encode(name) for name in names)
    return f'{encode({"nettui": __version__, "schema": SCHEMA})[:-1]},"names":[\n{body}\n]}}\n'


def described(entry: Entry, snapshot: Snapshot) -> dict[str, Any]:
    """An entry with all its fields; ``contains`` and the like are what others say of it."""
    what = "counter" if isinstance(entry, Counter) else "reason" if isinstance(entry, Reason) else "function"
    fields: dict[str, Any] = {"kind": what, **asdict(entry)}
    if isinstance(entry, Place):
        return fields
    names = article.related(entry)
    if isinstance(entry, Reason):
        return {**fields, "counters": names.along}
    sums = numbers(entry.name, snapshot)
    now = {} if sums is None else {"now": sums.get("", sum(sums.values())), "by": {k: v for k, v in sums.items() if k}}
    return {**fields, "along": names.along, "contains": names.contains, "reasons": names.reasons, **now}
