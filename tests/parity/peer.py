"""Our rows beside the peer's JSON objects, field by field, in both directions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from collectors.table import Column
from collectors.values import Cell

Document = dict[str, Any]
# words of iproute2 that say where they stand by a null
TUNNEL_WORDS = ("id", "src", "dst", "ttl", "tos", "hoplimit", "tc", "mode", "segs", "action", "nh6", "nh4")


def differences(
    row: Mapping[str, Cell],
    peer: Mapping[str, Any],
    columns: Iterable[Column],
    *,
    not_carried: Mapping[str, str] | None = None,
    own: Mapping[str, str] | None = None,
    close: Mapping[str, float] | None = None,
) -> list[str]:
    """What is not alike: every key of the peer that is not in ``not_carried`` must be ours with the same value, and
    every cell of ours that is not in ``own`` must be the peer's; both of these tell why. ``close``: how far apart two
    numbers may be that go on counting between the two readings.
    """
    names = {column.path or column.name: column.name for column in columns}
    found = [f"{key}: not carried" for key in peer if key not in names and key not in (not_carried or {})]
    for key, name in names.items():
        if name in (own or {}) or key in (not_carried or {}):
            continue
        ours, theirs = row.get(name), plain(peer[key]) if key in peer else None
        if not alike(ours, theirs, (close or {}).get(name, 0)):
            found.append(f"{name}: {ours!r}, the peer's {theirs!r} in {dict(peer)}")
    return found


def alike(ours: Cell, theirs: Cell, margin: float) -> bool:
    if margin and isinstance(ours, int | float) and isinstance(theirs, int | float):
        return abs(ours - theirs) <= margin
    return ours == theirs


def plain(value: Any) -> Cell:
    """A null is a word that stands for itself: true; inside lists and objects too."""
    if value is None:
        return True
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def documents(text: str) -> list[Document]:
    """iproute2's JSON; the fields of a tunnel, some of which have a route's names, are put into ``encap_info``."""
    return json.loads(text, object_pairs_hook=untangled)


def untangled(pairs: list[tuple[str, Any]]) -> Document:
    document: Document = {}
    inside: Document | None = None
    for key, value in pairs:
        if inside is not None and key in TUNNEL_WORDS:
            inside[key] = value
            continue
        document[key] = value
        inside = document.setdefault("encap_info", {}) if key == "encap" else None
    return document


def settled(attempt: Callable[[], list[str]], tries: int = 3) -> list[str]:
    """The differences of the first try without any, or of the last: timers run between two readings."""
    for _ in range(tries):
        found = attempt()
        if not found:
            break
    return found
