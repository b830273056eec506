"""Counts that the kernel keeps for a histogram trigger, from the event's file hist."""

from __future__ import annotations

import re

import numpy as np

from collectors.tracing.keys import KEY, Counts

ENTRIES = 16384
# { reason:          6, location: 18446744071579124510, protocol:       2048 } hitcount:         23
ENTRY = re.compile(rb"^\{ (.+?) \} hitcount:\s*(\d{1,20})\b", re.MULTILINE)
PART = re.compile(rb"(\w+):\s*(\d{1,20})\b")
# Totals: Hits: 23 Entries: 1 Dropped: 0, a line each
DROPPED = re.compile(rb"^\s*Dropped:\s*(\d{1,20})$", re.MULTILINE)


def trigger(keys: tuple[str, ...]) -> str:
    """What is written to the event's file trigger."""
    return f"hist:keys={','.join(keys)}:size={ENTRIES}"


def counts(text: bytes) -> Counts:
    """Keys with location, reason and protocol; numbers that do not fit are left out with their entry."""
    keys, drops = [], []
    for parts, hits in ENTRY.findall(text):
        key = {name.decode(): int(number) for name, number in PART.findall(parts)}
        location, reason, protocol = key.get("location", 0), key.get("reason", 0), key.get("protocol", 0)
        if 0 < location < 1 << 64 and reason < 1 << 32 and protocol < 1 << 16 and int(hits) < 1 << 63:
            keys.append((location, reason, 0, 0, protocol, 0, 0))
            drops.append(int(hits))
    lost = DROPPED.search(text)
    return Counts(np.array(keys, KEY), np.array(drops, np.uint64), int(lost[1]) if lost else 0)
