"""Where the elements of large sets stand in a dump: found by strides, no object for each."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.set_messages import (
    NFTA_SET_ELEM_LIST_ELEMENTS,
    NFTA_SET_ELEM_LIST_SET,
    NFTA_SET_ELEM_LIST_TABLE,
    SetKey,
)
from collectors.netfilter.nft.uapi import NFT_SET_ELEM_INTERVAL_END, NFTA_LIST_ELEM, NFTA_SET_ELEM_FLAGS
from collectors.wire.netlink import NLA_TYPE_MASK, NLATTR, DecodeError, Messages, text
from collectors.wire.places import Places, attribute_places


class SetElements(NamedTuple):
    """Part of one set's elements: where the payload of each NFTA_LIST_ELEM stands in ``data``, (n,) each."""

    key: SetKey
    data: NDArray[np.uint8]
    offsets: NDArray[np.intp]
    lengths: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, chosen: NDArray[np.bool_]) -> SetElements:
        return SetElements(self.key, self.data, self.offsets[chosen], self.lengths[chosen])


def element_places(messages: Messages) -> Iterator[SetElements]:
    """The elements of each message; those of equal length that follow each other are found by one stride."""
    if not len(messages):
        return
    nowhere = Places(np.zeros(len(messages), np.intp), np.full(len(messages), -1, np.intp))
    places = attribute_places(messages, nfnetlink.NFGENMSG.itemsize)
    tables, sets, lists = (
        places.get(number, nowhere)
        for number in (NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_ELEMENTS)
    )
    for row, family in enumerate(messages.data[messages.offsets + 16].tolist()):
        key = (family, named(messages.data, tables, row), named(messages.data, sets, row))
        start, length = int(lists.offsets[row]), int(lists.lengths[row])
        offsets, lengths = listed(messages.data, start, start + max(length, 0))
        yield SetElements(key, messages.data, offsets, lengths)


def counted(messages: Messages) -> Iterator[tuple[SetKey, int]]:
    """How many elements each message has; the ones that only end an interval are not counted."""
    for held in element_places(messages):
        yield held.key, len(held) - int(interval_ends(held).sum())


def interval_ends(held: SetElements) -> NDArray[np.bool_]:
    """Which elements only end an interval: they have a key and these flags, and nothing else."""
    wanted = NLATTR.pack(8, NFTA_SET_ELEM_FLAGS) + struct.pack(">I", NFT_SET_ELEM_INTERVAL_END)
    found = np.zeros(len(held), np.bool_)
    rows = np.flatnonzero(held.lengths >= 4 + len(wanted))
    if len(rows):
        windows = np.lib.stride_tricks.sliding_window_view(held.data, len(wanted))
        keys = (held.data.view(np.uint16)[held.offsets[rows] >> 1].astype(np.intp) + 3) & ~3
        last = held.lengths[rows] - len(wanted)
        tails = windows[held.offsets[rows] + last]
        found[rows] = (keys == last) & (tails == np.frombuffer(wanted, np.uint8)).all(axis=1)
    return found


def named(data: NDArray[np.uint8], places: Places, row: int) -> str:
    offset, length = int(places.offsets[row]), int(places.lengths[row])
    return text(data[offset : offset + length].tobytes()) if length > 0 else ""


def listed(
    data: NDArray[np.uint8], start: int, end: int, wanted: int = NFTA_LIST_ELEM
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Payload offsets and lengths of the attributes of one number between two offsets."""
    words = data.view(np.uint32)
    heads = words.data
    parts: list[tuple[Sequence[int] | NDArray[np.intp], Sequence[int] | NDArray[np.intp]]] = []
    singles: tuple[list[int], list[int]] = ([], [])
    at = start
    while end - at >= 4:
        head = heads[at >> 2]
        size, number = head & 0xFFFF, head >> 16 & NLA_TYPE_MASK
        if size < 4 or size > end - at:
            raise DecodeError(at, f"attribute length {size} with {end - at} bytes left")
        following = at + ((size + 3) & ~3)
        if following + 4 <= end and heads[following >> 2] == head:
            run = repeated(words, at >> 2, (following - at) >> 2, head, (end - at) // (following - at))
            if number == wanted:
                parts += [singles, (np.arange(run) * (following - at) + at + 4, np.full(run, size - 4))]
                singles = ([], [])
            at += run * (following - at)
            continue
        if number == wanted:
            singles[0].append(at + 4)
            singles[1].append(size - 4)
        at = following
    parts.append(singles)
    offsets, lengths = (np.concatenate([np.asarray(part[place], np.intp) for part in parts]) for place in (0, 1))
    return offsets, lengths


def repeated(words: NDArray[np.uint32], at: int, stride: int, head: int, most: int) -> int:
    """How many attributes with this header follow each other from ``at`` (in words)."""
    differing = words[at : at + most * stride : stride] != head
    first = int(differing.argmax())
    return first if differing[first] else most
