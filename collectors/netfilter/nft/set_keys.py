"""Keys of a set's elements, where a rule's text depends on them: ICMP types, and fields of a few bits.

A field of some bits stands in the kernel's keys where it stands in its bytes.
"""

from __future__ import annotations

from dataclasses import replace

from collectors.netfilter.nft.model import NftSet
from collectors.wire.netlink import attribute, attribute_map, attributes

NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_KEY_END, NFTA_DATA_VALUE = 1, 10, 1


def lowest_key(found: NftSet) -> bytes | None:
    """The smallest key, None where no element was read."""
    keys = [
        attribute_map(nested).get(NFTA_DATA_VALUE, b"")
        for payload in found.elements or ()
        if (nested := attribute_map(payload).get(NFTA_SET_ELEM_KEY)) is not None
    ]
    return min(keys) if keys else None


def shifted(found: NftSet, bits: int) -> NftSet:
    """The set with the keys of its elements moved right by ``bits``."""
    if found.elements is None:
        return found
    return replace(found, elements=[element(payload, bits) for payload in found.elements])


def element(payload: bytes, bits: int) -> bytes:
    return b"".join(
        attribute(number, key(value, bits) if number in (NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_KEY_END) else value)
        for number, value in attributes(payload)
    )


def key(payload: bytes, bits: int) -> bytes:
    return b"".join(
        attribute(number, moved(value, bits) if number == NFTA_DATA_VALUE else value)
        for number, value in attributes(payload)
    )


def moved(value: bytes, bits: int) -> bytes:
    return (int.from_bytes(value, "big") >> bits).to_bytes(len(value), "big")
