"""Keys of a set's elements, where a rule's text depends on them: ICMP types, and fields of a few bits.

A field of some bits stands in the kernel's keys where it stands in its bytes.
"""

from __future__ import annotations

from dataclasses import replace

from collectors.netfilter.nft import datatypes, typeof
from collectors.netfilter.nft.keys import NFT_CT_PROTO_DST, NFT_CT_PROTO_SRC
from collectors.netfilter.nft.model import NFT_SET_ANONYMOUS, NftSet
from collectors.netfilter.nft.payloads import userdata
from collectors.netfilter.nft.uapi import NFTA_DATA_VALUE, NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_KEY_END
from collectors.wire.netlink import attribute, attribute_map, attributes

UDATA_SET_KEY_TYPEOF = 3


def lowest_type(found: NftSet | None) -> int:
    """The smallest key of an anonymous set of single octets, 0 of any other and where no element was read."""
    if found is None or not found.flags & NFT_SET_ANONYMOUS:
        return 0
    keys = [
        attribute_map(nested).get(NFTA_DATA_VALUE, b"")
        for payload in found.elements or ()
        if (nested := attribute_map(payload).get(NFTA_SET_ELEM_KEY)) is not None
    ]
    lowest = min(keys, default=b"")
    return lowest[0] if len(lowest) == 1 else 0


def as_written(found: NftSet) -> NftSet:
    """The set with the key's type that nft takes from how the set was written: it has none for a flow's ports."""
    said = found.userdata.get(UDATA_SET_KEY_TYPEOF, b"")
    kinds = datatypes.parts(found.key_type)
    untyped = [is_port(part) for part in typeof.written(said)]
    if len(untyped) != len(kinds) or not any(untyped):
        return found
    key_type = 0
    for kind, without in zip(kinds, untyped, strict=True):
        key_type = key_type << datatypes.TYPE_BITS | (datatypes.INVALID if without else kind)
    return replace(found, key_type=key_type)


def is_port(part: dict[int, bytes]) -> bool:
    if typeof.number(part, typeof.TYPEOF_EXPR) != typeof.EXPR_CT:
        return False
    inside = userdata(part.get(typeof.TYPEOF_DATA, b""))
    return typeof.number(inside, typeof.CT_KEY) in (NFT_CT_PROTO_SRC, NFT_CT_PROTO_DST)


def shifted(found: NftSet, skip: int, bits: int) -> NftSet:
    """The set with keys of ``bits`` bits, which stand ``skip`` bits from the end of the kernel's keys."""
    octets = (bits + 7) // 8
    if found.elements is None:
        return found
    elements = [element(payload, skip, octets) for payload in found.elements]
    return replace(found, elements=elements, key_length=octets)


def element(payload: bytes, skip: int, octets: int) -> bytes:
    return b"".join(
        attribute(number, key(value, skip, octets) if number in (NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_KEY_END) else value)
        for number, value in attributes(payload)
    )


def key(payload: bytes, skip: int, octets: int) -> bytes:
    return b"".join(
        attribute(number, moved(value, skip, octets) if number == NFTA_DATA_VALUE else value)
        for number, value in attributes(payload)
    )


def moved(value: bytes, skip: int, octets: int) -> bytes:
    number = int.from_bytes(value, "big") >> skip
    return number.to_bytes(max(octets, (number.bit_length() + 7) // 8), "big")
