"""The event skb:kfree_skb as its format file describes it on the running kernel."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from collectors.wire.netlink import DecodeError

# field:unsigned short protocol;	offset:32;	size:2;	signed:0;
FIELD = re.compile(rb"field:[^;]*?(\w+)(?:\[\d*\])?;\s*offset:(\d{1,9});\s*size:(\d{1,9});")
NUMBER = re.compile(rb"^ID: (\d{1,9})$", re.MULTILINE)
# print fmt: "...", ..., __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 3, "NO_SOCKET" }, ...
SYMBOLIC = re.compile(rb'\{\s*(\d{1,9}),\s*"([A-Z0-9_]{1,64})"\s*\}')
LARGEST = 1024  # bytes of an event; this one has some forty
WANTED = ("common_type", "location", "protocol", "reason")


class Event(NamedTuple):
    """``record``: the fields of WANTED that it has, at their places; ``reasons``: their names, empty before 5.17."""

    number: int
    record: np.dtype[np.void]
    reasons: dict[int, str]

    @property
    def keys(self) -> tuple[str, ...]:
        """What it can be counted by."""
        return tuple(name for name in WANTED[1:] if name in (self.record.names or ()))


def event(text: bytes) -> Event:
    """DecodeError for a format in which the location is missing or a field makes no sense."""
    found = {name.decode(): (int(offset), int(size)) for name, offset, size in FIELD.findall(text)}
    number = NUMBER.search(text)
    wanted = {name: found[name] for name in WANTED if name in found}
    if number is None or not {"common_type", "location"} <= wanted.keys():
        raise DecodeError(0, "the format of skb:kfree_skb without its number or location")
    end = max(offset + size for offset, size in found.values())
    if end > LARGEST or any(size not in (1, 2, 4, 8) for _, size in wanted.values()):
        raise DecodeError(0, "the format of skb:kfree_skb has fields of sizes that make no sense")
    record = np.dtype(
        {
            "names": list(wanted),
            "formats": [f"u{size}" for _, size in wanted.values()],
            "offsets": [offset for offset, _ in wanted.values()],
            "itemsize": -(-end // 4) * 4,
        }
    )
    return Event(int(number[1]), record, reasons_of_format(text))


def reasons_of_format(text: bytes) -> dict[int, str]:
    """Names by number, from the words with which the kernel prints the event."""
    _, _, printed = text.partition(b"print fmt:")
    _, _, reasons = printed.partition(b"REC->reason")
    return {int(number): name.decode() for number, name in SYMBOLIC.findall(reasons)}
