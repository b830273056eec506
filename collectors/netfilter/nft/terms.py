"""What a rule's registers hold and what it compares them with: terms, and their text as ``nft list`` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft.datatypes import BIG, HOST, Order
from collectors.netfilter.nft.elements import elements_text
from collectors.netfilter.nft.headers import BASES, NO_BASE, UNKNOWN, Field, Header
from collectors.netfilter.nft.model import NFT_SET_ANONYMOUS, Context, NftSet
from collectors.netfilter.nft.set_keys import shifted
from collectors.wire.netlink import text as decoded
from collectors.wire.templates import Piece, View

Text = list[Piece]
STRINGS = (types.STRING, types.IFNAME)


class NotPlaced(ValueError):
    """An expression that this renderer cannot put into words."""


class Term(Protocol):
    """``bits``: its width, 0 where it is not known."""

    @property
    def data_type(self) -> int: ...
    @property
    def order(self) -> Order: ...
    @property
    def bits(self) -> int: ...
    def text(self, context: Context) -> Text: ...


@dataclass(frozen=True, slots=True)
class Load:
    """A packet's property that is no header's field: ``meta mark``, ``ct state``, ``fib …``.

    ``base``: the layer whose protocol it tells, NO_BASE where it tells none. ``key``: NFT_META_* or NFT_CT_*.
    """

    kind: str
    key: int
    said: str
    data_type: int
    bits: int
    order: Order = BIG
    base: int = NO_BASE
    protocol: bool = False

    def text(self, context: Context) -> Text:
        return [self.said]


@dataclass(frozen=True, slots=True)
class Payload:
    """Bits of a packet; ``header`` UNKNOWN and no ``field`` until it is known what they are."""

    base: int
    offset: int
    bits: int
    header: Header = UNKNOWN
    field: Field | None = None
    order: Order = BIG

    @property
    def data_type(self) -> int:
        return self.field.data_type if self.field else types.INVALID

    @property
    def protocol(self) -> bool:
        return self.field is not None and self.header.protocol_field(self.field)

    def text(self, context: Context) -> Text:
        if self.field:
            return [f"{self.header.name} {self.field.name}"]
        return [f"@{BASES.get(self.base, 'invalid')},{self.offset},{self.bits}"]


@dataclass(frozen=True, slots=True)
class Option:
    """A field of an IPv6 extension header, a TCP or IP option, or an SCTP chunk (NFT_EXTHDR_OP_*)."""

    operation: int
    number: int
    offset: int
    bits: int
    said: str
    data_type: int
    known: bool = True
    order: Order = BIG

    def text(self, context: Context) -> Text:
        return [self.said]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that a rule holds: ``view``'s bytes, of which the lowest ``skip`` bits are not told.

    ``bits``: how many are; ``whole``: the width of the value of which they are the first, for a prefix.
    ``split``: a mask's bits are told one by one.
    """

    view: View
    data_type: int
    order: Order
    bits: int
    skip: int = 0
    whole: int = 0
    split: bool = True

    @classmethod
    def of(cls, view: View) -> Constant:
        return cls(view, types.INVALID, BIG, len(view) * 8)

    def typed(self, term: Term) -> Constant:
        return replace(self, data_type=term.data_type, order=term.order)

    def number(self) -> int:
        """What it is; from now on part of the layout."""
        return self._number(self.view.octets())

    def _number(self, octets: bytes) -> int:
        number = int.from_bytes(octets, self.order) >> self.skip & (1 << self.bits) - 1
        return number << self.whole - self.bits if self.whole else number

    def text(self, context: Context, plain: bool = False) -> Text:
        return [self.view.hole(partial(self._told, context, plain))]

    def _told(self, context: Context, plain: bool, octets: bytes) -> str:
        if self.data_type in STRINGS:
            return types.string_text(octets)
        number = self._number(octets)
        if self.split and not plain and types.is_bitmask(self.data_type):
            return " | ".join(types.flag_texts(self.data_type, number, context))
        return types.number_text(self.data_type, number, context, plain=plain)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first ``length`` bits of a value."""

    value: Constant
    length: int

    def text(self, context: Context) -> Text:
        return [*self.value.text(context), f"/{self.length}"]


@dataclass(frozen=True, slots=True)
class Range:
    low: Constant
    high: Constant

    def text(self, context: Context) -> Text:
        return [*self.low.text(context, plain=True), "-", *self.high.text(context, plain=True)]


@dataclass(frozen=True, slots=True)
class Flags:
    """Bits of a mask by their names, separated by commas; ``number`` was looked at."""

    data_type: int
    number: int

    def text(self, context: Context) -> Text:
        return [",".join(types.flag_texts(self.data_type, self.number, context))]


@dataclass(frozen=True, slots=True)
class SetReference:
    """A set by its name, an anonymous one by its elements, told as the left side has them."""

    view: View
    data_type: int = types.INTEGER
    skip: int = 0
    bits: int = 0  # of the field that its keys are, where they have ``skip`` bits below it

    def found(self, context: Context) -> NftSet | None:
        """The set; its name is part of the layout from now on."""
        return context.sets.get(self.view.text())

    def text(self, context: Context) -> Text:
        return [self.view.hole(partial(self._told, context))]

    def _told(self, context: Context, octets: bytes) -> str:
        asked = (octets, self.skip, self.data_type)
        if asked not in context.inline:
            context.inline[asked] = self._set_text(context, decoded(octets))
        return context.inline[asked]

    def _set_text(self, context: Context, name: str) -> str:
        found = context.sets.get(name)
        if found is None or not found.flags & NFT_SET_ANONYMOUS:
            return f"@{name}"
        if self.skip:
            found = shifted(found, self.skip, self.bits)
        if self.data_type == types.INVALID and found.key_type == types.INTEGER:
            found = replace(found, key_type=types.INVALID)
        return elements_text(found, context)


@dataclass(frozen=True, slots=True)
class Concat:
    parts: tuple[Term, ...]
    data_type: int = types.INVALID
    order: Order = BIG
    bits: int = 0

    def text(self, context: Context) -> Text:
        return joined([part.text(context) for part in self.parts], " . ")


@dataclass(frozen=True, slots=True)
class Values:
    """Constants that a concatenation is compared with."""

    parts: tuple[Constant, ...]

    def text(self, context: Context) -> Text:
        return joined([part.text(context) for part in self.parts], " . ")


STRENGTH = {"<<": 1, ">>": 1, "&": 2, "^": 3, "|": 4}


@dataclass(frozen=True, slots=True)
class Binop:
    """``left`` and a number that was looked at, as it stands in the register, big-endian."""

    operator: str
    left: Term
    raw: int

    @property
    def data_type(self) -> int:
        return self.left.data_type

    @property
    def order(self) -> Order:
        return self.left.order

    @property
    def bits(self) -> int:
        return self.left.bits

    @property
    def shift(self) -> bool:
        return self.operator in ("<<", ">>")

    @property
    def number(self) -> int:
        """The number in the byte order of the left side."""
        if self.shift or self.order == "big":
            return self.raw
        return int.from_bytes(self.raw.to_bytes((self.bits + 7) // 8, "big"), "little")

    def text(self, context: Context) -> Text:
        left = self.left.text(context)
        if isinstance(self.left, Binop) and STRENGTH[self.operator] < STRENGTH[self.left.operator]:
            left = ["(", *left, ")"]
        return [*left, f" {self.operator} {self._right(context)}"]

    def _right(self, context: Context) -> str:
        if self.shift:
            return str(self.number)
        if not types.is_bitmask(self.data_type):
            return types.number_text(self.data_type, self.number, context)
        told = types.flag_texts(self.data_type, self.number, context)
        return f"({' | '.join(told)})" if len(told) > 1 and self.operator != "|" else " | ".join(told)


@dataclass(frozen=True, slots=True)
class Swapped:
    """A term whose bytes are turned, so that ranges can be compared."""

    term: Term

    @property
    def data_type(self) -> int:
        return self.term.data_type

    @property
    def order(self) -> Order:
        return BIG if self.term.order == HOST else HOST

    @property
    def bits(self) -> int:
        return self.term.bits

    def text(self, context: Context) -> Text:
        return self.term.text(context)


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a map gives for a key."""

    key: Term
    mapping: SetReference
    word: str = "map"
    data_type: int = types.INVALID
    order: Order = BIG
    bits: int = 0

    def text(self, context: Context) -> Text:
        return [*self.key.text(context), f" {self.word} ", *self.mapping.text(context)]


@dataclass(frozen=True, slots=True)
class Hash:
    """``jhash`` of a term, and what follows it: modulus, seed, offset."""

    term: Term
    said: str
    data_type: int = types.INTEGER
    order: Order = HOST
    bits: int = 32

    def text(self, context: Context) -> Text:
        return ["jhash ", *self.term.text(context), self.said]


def joined(texts: Sequence[Text], between: str) -> Text:
    found: Text = []
    for text in texts:
        if found:
            found.append(between)
        found += text
    return found
