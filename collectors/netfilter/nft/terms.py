"""What a rule's registers hold: terms, and their text as ``nft list`` prints it."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft.constants import SetReference, Term, Text, joined
from collectors.netfilter.nft.datatypes import BIG, HOST, Order
from collectors.netfilter.nft.headers import BASES, NO_BASE, UNKNOWN, Field, Header
from collectors.netfilter.nft.model import Context


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
        return self.field.data_type if self.field else types.RAW

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
class Concat:
    parts: tuple[Term, ...]
    data_type: int = types.INVALID
    order: Order = BIG
    bits: int = 0

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
