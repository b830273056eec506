"""Drop reasons in the ledger: joined to the counters that count the same packets, in rows of their own otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from collectors.table import Table
from collectors.values import Codes
from nettui.knowledge import find
from nettui.ledger.row import HOST, NAMESPACE, Row
from nettui.ledger.sockets import OWN_LAYER

PREFIX = "kfree_skb."
SOCKET, PROTOCOLS = "socket.drops", frozenset(OWN_LAYER.values())
APART = 5.0  # seconds between the readings of two tables, at most; a screen may be slower
GUESSED = "task"  # the namespace is the one of the process that ran
Namer = Callable[[int], str | None]


def rows(table: Table, own: int | None, device: Namer, namespace: Namer, everywhere: bool) -> Iterator[Row]:
    """The reasons of one namespace, by its inode; with ``everywhere`` of all others too, named as such."""
    for entry in table.rows():
        netns, index = entry.get("netns"), entry.get("ifindex")
        here = netns is None or own is None or netns == own
        if not here and not everywhere:
            continue
        dev = device(index) if isinstance(index, int) and here else None
        yield judged(entry, dev, None if here or not isinstance(netns, int) else namespace(netns) or f"net:[{netns}]")


def judged(entry: Mapping[str, Any], dev: str | None, netns: str | None) -> Row:
    """One row of the kernel's count; where its reason says little, the function tells layer and severity."""
    function = str(entry.get("function") or "")
    name = str(entry.get("reason") or ("NOT_SPECIFIED" if function else "UNKNOWN"))
    known, place = find.reason(name), find.place(function)
    told = [f"in {function}"] if function else []
    counters = known.counters if known else ()
    if place and (known is None or known.name in find.VAGUE):
        severity, meaning, counters = place.severity, place.meaning, (*counters, *place.counters)
    else:
        severity, meaning = (known.severity, known.meaning) if known else ("loss", "")
        if place and place.severity == "noise" and severity != "loss":  # good ping replies have NO_SOCKET
            severity, meaning = place.severity, place.meaning
    told += [meaning.removesuffix(".")] if meaning else []
    told += ["the namespace is a guess"] if entry.get("by") == GUESSED else []
    return Row(
        PREFIX + name,
        int(entry["drops"]),
        f"netns {netns}" if netns else dev or NAMESPACE,
        "/".join(str(entry.get(part, "")) for part in ("netns", "ifindex", "function", "protocol", "by")),
        HOST if entry.get("netns") is None else NAMESPACE,
        known.layer if known and known.layer else find.layer_of(function),
        severity=severity,
        note="; ".join(told) or None,
        about={
            "cause": known.cause if known else "not described here yet",
            "along": list(counters) or None,
            "dev": dev,
            "netns": netns,
        },
    )


def joined(table: Table, began: float) -> Table:
    """A followed ledger in which one loss that a counter and a reason both saw since ``began`` is one row."""
    names, moved = table["counter"].cells(), table["last_moved"].cells()
    recent = [isinstance(last, float) and last >= began for last in moved]
    candidates = [row for row in range(len(table)) if recent[row] and not str(names[row]).startswith(PREFIX)]
    seen: dict[int, dict[str, int]] = {}
    taken: set[int] = set()
    for row in range(len(table)):
        if not str(names[row]).startswith(PREFIX) or not recent[row]:
            continue
        entry = table.row(row)
        for other in matching(entry, table, candidates):
            told = seen.setdefault(other, {})
            reason = str(entry["counter"]).removeprefix(PREFIX)
            told[reason] = told.get(reason, 0) + int(str(entry.get("since", 0)))
            taken.add(row)
    return table if not taken else without(with_reasons(table, seen), taken)


def matching(entry: Mapping[str, Any], table: Table, candidates: Sequence[int]) -> list[int]:
    """The counters that count the packets of this reason: the kernel counts both in one place."""
    name = str(entry["counter"]).removeprefix(PREFIX)
    if entry.get("severity") == "noise" or entry.get("netns"):
        return []
    names = table["counter"].cells()
    found = []
    for row in candidates:
        known = find.counter(str(names[row]))
        named = known is not None and name in known.reasons
        if named and name in find.VAGUE:  # then the place must tell the same layer
            named = table.cell(row, "layer") == entry.get("layer")
        told = named or names[row] in (entry.get("along") or ())
        dev = table.cell(row, "dev")
        same = of_protocol(entry, table, row) and (dev is None or entry.get("dev") in (None, dev))
        if told and same and at_one_time(entry, table.row(row)):
            found.append(row)
    return found


def at_one_time(entry: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether both moved in one span of time, as far as readings that are ``APART`` can tell."""
    return bool(entry["first_moved"] <= row["last_moved"] + APART and row["first_moved"] <= entry["last_moved"] + APART)


def of_protocol(entry: Mapping[str, Any], table: Table, row: int) -> bool:
    """Whether the row may be of the reason's protocol: one of UDP says nothing of a TCP socket."""
    layer, netid = entry.get("layer"), str(table.cell(row, "scope")).partition(" ")[0]
    return table.cell(row, "counter") != SOCKET or layer not in PROTOCOLS or OWN_LAYER.get(netid) == layer


def with_reasons(table: Table, seen: Mapping[int, dict[str, int]]) -> Table:
    column = table.column("reasons")
    return table.extended([column], {"reasons": Codes.of([seen.get(row) for row in range(len(table))])})


def without(table: Table, rows: set[int]) -> Table:
    return table.take(np.array([row for row in range(len(table)) if row not in rows], np.intp))
