"""Comparisons of a rule: cmp, range and lookup, and what stands before them: bitwise, byteorder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft.comparisons import compare, complete
from collectors.netfilter.nft.constants import (
    STRINGS,
    Constant,
    NotPlaced,
    Prefix,
    Range,
    Right,
    SetReference,
    Term,
    Values,
)
from collectors.netfilter.nft.fields import Match
from collectors.netfilter.nft.loads import Reader
from collectors.netfilter.nft.telling import Attributes, Telling, needed, number, unsigned, width
from collectors.netfilter.nft.terms import Binop, Concat, Mapped, Swapped
from collectors.netfilter.nft.uapi import NFTA_DATA_VALUE
from collectors.wire.templates import View

NFTA_CMP_SREG, NFTA_CMP_OP, NFTA_CMP_DATA = 1, 2, 3
NFTA_RANGE_SREG, NFTA_RANGE_OP, NFTA_RANGE_FROM_DATA, NFTA_RANGE_TO_DATA = 1, 2, 3, 4
NFTA_LOOKUP_SET, NFTA_LOOKUP_SREG, NFTA_LOOKUP_DREG, NFTA_LOOKUP_FLAGS = 1, 2, 3, 5
NFTA_BITWISE_SREG, NFTA_BITWISE_DREG, NFTA_BITWISE_LEN, NFTA_BITWISE_MASK, NFTA_BITWISE_XOR = 1, 2, 3, 4, 5
NFTA_BITWISE_OP, NFTA_BITWISE_DATA = 6, 7
NFTA_BYTEORDER_SREG, NFTA_BYTEORDER_DREG = 1, 2
NFT_LOOKUP_F_INV = 1
OPERATORS = ("==", "!=", "<", "<=", ">", ">=")  # NFT_CMP_*
NFT_BITWISE_MASK_XOR = 0
SHIFTS = {1: "<<", 2: ">>"}  # NFT_BITWISE_LSHIFT, NFT_BITWISE_RSHIFT


def data(view: View) -> View:
    """The bytes in a nested NFTA_DATA_VALUE."""
    return needed(view.attribute_map(), NFTA_DATA_VALUE)


def operator(attributes: Attributes, key: int) -> str:
    found = unsigned(attributes, key)
    if found >= len(OPERATORS):
        raise NotPlaced(f"operator {found}")
    return OPERATORS[found]


def cmp(telling: Telling, attributes: Attributes) -> None:
    value = Constant.of(data(needed(attributes, NFTA_CMP_DATA)))
    left = telling.get(attributes.get(NFTA_CMP_SREG), value.bits)
    right: Right = value
    if isinstance(left, Concat):
        right = spliced(left, value)
    elif left.bits > value.bits and left.data_type not in STRINGS:
        right = Prefix(replace(value, whole=left.bits), value.bits)
    compare(telling, Match(left, operator(attributes, NFTA_CMP_OP), right))


def spliced(left: Concat, value: Constant) -> Values:
    """The value's parts, each padded to words of 32 bits."""
    parts, at = [], 0
    for term in left.parts:
        parts.append(Constant.of(value.view.part(at, (term.bits + 7) // 8)))
        at += (term.bits + 31) // 32 * 4
    return Values(tuple(parts))


def between(telling: Telling, attributes: Attributes) -> None:
    low, high = (Constant.of(data(needed(attributes, key))) for key in (NFTA_RANGE_FROM_DATA, NFTA_RANGE_TO_DATA))
    left = telling.get(attributes.get(NFTA_RANGE_SREG))
    compare(telling, Match(left, operator(attributes, NFTA_RANGE_OP), Range(low, high)))


def lookup(telling: Telling, attributes: Attributes) -> None:
    reference = SetReference(needed(attributes, NFTA_LOOKUP_SET))
    left = key_of(telling, attributes, NFTA_LOOKUP_SREG, reference)
    telling.counted_elsewhere |= reference.counts(telling.context)
    if NFTA_LOOKUP_DREG not in attributes:
        inverted = unsigned(attributes, NFTA_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV
        compare(telling, Match(left, "!=" if inverted else "==", reference))
    elif number(attributes[NFTA_LOOKUP_DREG]):
        telling.put(attributes[NFTA_LOOKUP_DREG], mapped(left, reference))
    else:
        telling.say(complete(telling, mapped(left, reference, "vmap")).text(telling.context), effect=False)
        telling.verdict = ["vmap"]


def mapped(key: Term, reference: SetReference, word: str = "map") -> Mapped:
    return Mapped(key, reference, word, key.data_type, key.order, key.bits)


def key_of(telling: Telling, attributes: Attributes, register: int, reference: SetReference) -> Term:
    """The register's term; several where the set's key is longer than the first."""
    left = telling.get(attributes.get(register))
    if not telling.more(attributes[register], left):
        return left
    found = reference.kind(telling.context)
    return telling.get(attributes[register], found.key_length * 8) if found else left


def bitwise(telling: Telling, attributes: Attributes) -> None:
    bits = width(attributes, NFTA_BITWISE_LEN)
    left = telling.get(attributes.get(NFTA_BITWISE_SREG), bits)
    operation = unsigned(attributes, NFTA_BITWISE_OP)
    if operation == NFT_BITWISE_MASK_XOR:
        mask, xor = (Constant.of(data(needed(attributes, key))) for key in (NFTA_BITWISE_MASK, NFTA_BITWISE_XOR))
        if max(mask.bits, xor.bits) > (left.bits or bits):
            raise NotPlaced("a mask wider than what it masks")
        term = masked(left, mask.number(), xor.number(), bits)
    elif operation in SHIFTS:
        by = int.from_bytes(data(needed(attributes, NFTA_BITWISE_DATA)).octets(), types.HOST)
        term = Binop(SHIFTS[operation], left, by)
    else:
        raise NotPlaced(f"bitwise operation {operation}")
    telling.put(needed(attributes, NFTA_BITWISE_DREG), term)


def masked(left: Term, mask: int, xor: int, bits: int) -> Term:
    """``(left & mask) ^ xor`` as nft writes it: with ``&``, ``^`` and ``|``."""
    ored = ~mask & xor
    xor &= mask
    mask |= ored
    if mask != (1 << (left.bits or bits)) - 1:
        left = Binop("&", left, mask)
    if xor:
        left = Binop("^", left, xor)
    return Binop("|", left, ored) if ored else left


def byteorder(telling: Telling, attributes: Attributes) -> None:
    term = telling.get(attributes.get(NFTA_BYTEORDER_SREG))
    telling.put(needed(attributes, NFTA_BYTEORDER_DREG), Swapped(term))


READERS: Mapping[str, Reader] = {
    "cmp": cmp,
    "range": between,
    "lookup": lookup,
    "bitwise": bitwise,
    "byteorder": byteorder,
}
