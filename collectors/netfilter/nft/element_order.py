"""The order in which nft lists a set's elements, and which of them make an interval together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from collectors.netfilter.nft import datatypes
from collectors.netfilter.nft.datatypes import Order
from collectors.netfilter.nft.model import NFT_SET_INTERVAL, NftSet
from collectors.netfilter.nft.uapi import NFT_SET_ELEM_INTERVAL_END


class Raw(NamedTuple):
    """One element's attributes: ``key`` None for the one that stands for all others."""

    key: bytes | None
    end: bytes | None
    flags: int
    found: Mapping[int, bytes]


class Part(NamedTuple):
    """One field of a key or of a map's data: where it stands, of which type, and the order of a number's bytes."""

    kind: int
    start: int
    size: int
    order: Order

    def of(self, octets: bytes) -> bytes:
        return octets[self.start : self.start + self.size]


Pair = tuple[Raw, bytes | None, bytes | None]  # the element, and the first and last key of its interval


def paired(found: NftSet, raws: Sequence[Raw], keys: Sequence[Part]) -> Iterable[Pair]:
    """Elements in nft's order, each with the first and last key that it holds."""
    if found.flags & NFT_SET_INTERVAL and len(keys) == 1:
        return intervals(raws, keys[0].size)
    ranges: list[Pair] = [(raw, raw.key, raw.end if raw.end is not None else raw.key) for raw in raws]
    if found.flags & NFT_SET_INTERVAL:
        return ranges
    return in_order(ranges, keys)


def in_order(ranges: list[Pair], keys: Sequence[Part]) -> list[Pair]:
    """By value; nft takes a concatenation for one little-endian number, and turns equal ones round."""
    order = keys[0].order if len(keys) == 1 else datatypes.HOST
    flags = len(keys) == 1 and datatypes.TYPES.get(keys[0].kind, datatypes.NUMBER).bitmask

    def value(pair: Pair) -> int:
        key = pair[1]
        if key is None:
            return largest
        number = int.from_bytes(key if len(keys) == 1 else b"".join([part.of(key) for part in keys]), order)
        return number & -number if flags else number

    largest = (1 << sum(part.size for part in keys) * 8) - 1
    ranges.reverse()
    return sorted(ranges, key=value)


def intervals(raws: Sequence[Raw], size: int) -> Iterator[Pair]:
    """Each element with the key before the next one's, which ends its interval; the last one may stay open."""
    bounds = [(int.from_bytes(raw.key, "big"), not ends(raw), raw) for raw in raws if raw.key is not None]
    low: tuple[int, bool, Raw] | None = None
    for bound in sorted(bounds, key=lambda bound: bound[:2]):
        if low:
            yield low[2], low[2].key, (bound[0] - 1).to_bytes(size, "big") if bound[0] > low[0] else low[2].key
        low = None if ends(bound[2]) else bound
    if low:
        yield low[2], low[2].key, b"\xff" * size
    yield from ((raw, None, None) for raw in raws if raw.key is None)


def ends(raw: Raw) -> bool:
    return bool(raw.flags & NFT_SET_ELEM_INTERVAL_END)
