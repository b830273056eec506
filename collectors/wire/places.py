"""Where each message has each attribute, when messages are of many lengths: one step a nesting level, not a message."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.wire.netlink import NLA_TYPE_MASK, DecodeError, Messages


class Places(NamedTuple):
    """Payloads of one attribute in a buffer: ``offsets``, ``lengths`` (n,); length -1 where a message has none."""

    offsets: NDArray[np.intp]
    lengths: NDArray[np.intp]

    def payloads(self, data: bytes) -> list[bytes | None]:
        if (self.lengths < 0).all():
            return [None] * len(self.lengths)
        return [
            data[offset : offset + length] if length >= 0 else None
            for offset, length in zip(self.offsets.tolist(), self.lengths.tolist(), strict=True)
        ]

    def runs(self, data: NDArray[np.uint8]) -> NDArray[np.intp]:
        """The messages, from the first on, whose payload is not that of the one before them."""
        changed = np.ones(len(self.lengths), np.bool_)
        changed[1:] = self.lengths[1:] != self.lengths[:-1]
        for at in range(int(self.lengths.max(initial=0))):
            octets = data[np.minimum(self.offsets + at, len(data) - 1)]
            changed[1:] |= (octets[1:] != octets[:-1]) & (self.lengths[1:] > at)
        return np.flatnonzero(changed)


def attribute_places(messages: Messages, header: int) -> dict[int, Places]:
    """Top-level attributes by number; all messages are walked together, one attribute a step.

    ``header``: size of the family's header behind nlmsghdr. Raises DecodeError for the first malformed message.
    """
    short = np.flatnonzero(messages.lengths < 16 + header)
    if len(short):
        length = messages.lengths[short[0]]
        raise DecodeError(int(messages.offsets[short[0]]), f"message of {length} bytes, header needs {16 + header}")
    halves = messages.data.view(np.uint16)
    at = messages.offsets + 16 + ((header + 3) & ~3)
    end = messages.offsets + messages.lengths.astype(np.intp)
    rows = np.arange(len(messages))
    found: dict[int, Places] = {}
    while len(rows := rows[end[rows] - at[rows] >= 4]):
        offsets = at[rows]
        sizes = halves[offsets >> 1].astype(np.intp)
        wrong = np.flatnonzero((sizes < 4) | (sizes > end[rows] - offsets))
        if len(wrong):
            first = int(offsets[wrong[0]])
            raise DecodeError(
                first, f"attribute length {sizes[wrong[0]]} with {end[rows[wrong[0]]] - first} bytes left"
            )
        numbers = halves[(offsets >> 1) + 1] & NLA_TYPE_MASK
        for number in np.flatnonzero(np.bincount(numbers)).tolist():
            chosen = numbers == number
            if number not in found:
                found[number] = Places(np.zeros(len(at), np.intp), np.full(len(at), -1, np.intp))
            found[number].offsets[rows[chosen]] = offsets[chosen] + 4
            found[number].lengths[rows[chosen]] = sizes[chosen] - 4
        at[rows] = offsets + ((sizes + 3) & ~3)
    return found
