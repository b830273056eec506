"""What is known of an entry as an article: parts with headings, and their lines at a width, for whichever front end."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from nettui.knowledge import find
from nettui.knowledge.entry import Counter, Place, Reason, Severity
from nettui.knowledge.spelling import Entry

Look = Literal["title", "heading", "text", "command", "note"]
Kind = Literal["text", "list", "commands"]

SEVERITIES: Mapping[Severity, str] = {
    "loss": "loss",
    "refused": "refused on purpose",
    "warning": "warning: nothing is lost yet, or it is made good",
    "noise": "noise: usual on a healthy host",
    "traffic": "no loss",
}
WAYS = {"rx": "on receive", "tx": "on send", "fwd": "when forwarding", "": ""}
OLD = "4.18 or earlier"
NOW, SINCE, SOURCE = "Now", "Since kernel", "Source"  # parts of one line
TOKEN = re.compile(r"(?:'[^']*'|\"[^\"]*\"|\S)+")
# The same counters for IPv6 and UDP-Lite have the same article
FAMILIES = re.compile(r"\b(Udp|UdpLite|Ip|Icmp)6?(?=[.[])")


class Part(NamedTuple):
    heading: str
    kind: Kind
    lines: tuple[str, ...]


class Related(NamedTuple):
    """Other names for the same packets. ``inside``: counters that have them in their number; ``contains``: counters
    that are in this one's; ``along``: of other layers, often; ``reasons``: drop reasons."""

    inside: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    along: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def related(entry: Entry) -> Related:
    """Both ways: what the entry names, and what names it."""
    known = find.counters().values()
    if isinstance(entry, Place):
        return Related()
    if isinstance(entry, Reason):
        named = (other.name for other in known if entry.name in other.reasons)
        return Related(along=tuple(dict.fromkeys((*entry.counters, *named))))
    name = entry.name
    along = (*entry.along, *(other.name for other in known if name in other.along))
    reasons = (*entry.reasons, *(other.name for other in find.reasons().values() if name in other.counters))
    return Related(
        entry.part_of,
        tuple(other.name for other in known if name in other.part_of),
        tuple(dict.fromkeys(along)),
        tuple(dict.fromkeys(reasons)),
    )


def title(entry: Entry) -> str:
    if isinstance(entry, Place):
        return entry.function
    return f"{find.REASON_PREFIX}{entry.name}" if isinstance(entry, Reason) else entry.name


def kind(entry: Entry) -> str:
    """Layer, way and severity in one line."""
    what = "counter" if isinstance(entry, Counter) else "drop reason" if isinstance(entry, Reason) else "function"
    layer = f"layer {entry.layer}" if entry.layer else "layer: the function tells"
    way = WAYS[entry.direction] if isinstance(entry, Counter) else ""
    return ", ".join(part for part in (what, layer, way) if part) + f"; {SEVERITIES[entry.severity]}"


def parts(entry: Entry, now: str = "", also: Sequence[str] = ()) -> list[Part]:
    """The article without its title; ``now``: what the counter says at this moment; ``also``: names that mean alike."""
    meaning = entry.counts if isinstance(entry, Counter) else entry.meaning
    found = [
        Part("", "text", (meaning, *([f"The same for {', '.join(also)}."] if also else []))),
        Part(NOW, "text", (now,) if now else ()),
    ]
    if isinstance(entry, Place):
        return [part for part in found if part.lines]
    found += [
        Part("Usual causes", "list", entry.causes),
        Part("What to do", "commands", entry.remedies),
        Part("Same packets", "list", tuple(relations(entry))),
        Part(SINCE, "text", (entry.since or (OLD if isinstance(entry, Counter) else ""),)),
        Part(SOURCE, "text", (entry.source,)),
    ]
    return [part for part in found if any(part.lines)]


def relations(entry: Entry) -> Iterator[str]:
    names = related(entry)
    if names.inside:
        yield f"also in {', '.join(names.inside)}: do not add them up"
    if names.contains:
        yield f"in this number: {', '.join(names.contains)}"
    if names.along:
        how = "often counted too by" if isinstance(entry, Counter) else "counted by"
        some = "some are " if isinstance(entry, Reason) and entry.name in find.VAGUE else ""
        yield f"{some}{how} {', '.join(names.along)}"
    elif isinstance(entry, Reason):
        yield "no counter shows it: only the drop reason does"
    if names.reasons:
        yield f"drop reason{'s' * (len(names.reasons) > 1)} {', '.join(names.reasons)}"


def laid(entry: Entry, width: int, now: str = "", also: Sequence[str] = ()) -> Iterator[tuple[Look, str]]:
    """Lines with their look, none longer than ``width`` where that can be."""
    yield "title", title(entry)
    yield from (("note", line) for line in textwrap.wrap(kind(entry), width))
    for part in parts(entry, now, also):
        if part.heading != SOURCE:
            yield "text", ""
        if part.heading in (NOW, SINCE, SOURCE):
            look: Look = "heading" if part.heading == NOW else "note"
            yield from ((look, line) for line in wrapped(f"{part.heading}: {part.lines[0]}", width, "", "  "))
            continue
        if part.heading:
            yield "heading", part.heading
        yield from body(part, width)


def body(part: Part, width: int) -> Iterator[tuple[Look, str]]:
    for line in part.lines:
        if part.kind == "commands":
            yield from command(line, width)
        else:
            first = "  - " if part.kind == "list" else "  "
            yield from (("text", one) for one in wrapped(line, width, first, " " * len(first)))


def wrapped(text: str, width: int, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )


def command(remedy: str, width: int) -> Iterator[tuple[Look, str]]:
    """A command as it can be copied, broken between its words where it is long, and what it is good for."""
    if remedy.startswith("# "):
        yield from (("text", line) for line in wrapped(remedy.removeprefix("# "), width, "  ", "  "))
    elif len(remedy) + 2 <= width:
        yield "command", f"  {remedy}"
    else:
        words, _, note = remedy.partition("  # ")
        yield from (("command", line) for line in broken(words, width))
        yield from (("note", line) for line in wrapped(note, width, "      # ", "      # "))


def broken(words: str, width: int) -> list[str]:
    """A line of the shell in lines that end with a backslash."""
    lines = ["  "]
    for token in TOKEN.findall(words):
        if lines[-1].strip() and len(lines[-1]) + len(token) + 2 > width:
            lines[-1] += "\\"
            lines.append("      ")
        lines[-1] += f"{token} "
    return [line.rstrip() for line in lines]


def folded(entries: Sequence[Entry]) -> list[tuple[Entry, tuple[str, ...]]]:
    """Entries with the names of others that say the same, but for IPv6 or UDP-Lite."""
    groups: dict[object, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(FAMILIES.sub("Udp", repr(entry)) if isinstance(entry, Counter) else entry, []).append(entry)
    return [(group[0], tuple(title(other) for other in group[1:])) for group in groups.values()]
