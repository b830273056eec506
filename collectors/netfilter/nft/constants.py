"""What a rule compares packets with: values, prefixes, ranges, flags and sets, as ``nft list`` prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft.datatypes import BIG, Order
from collectors.netfilter.nft.elements import elements_text
from collectors.netfilter.nft.model import NFT_SET_ANONYMOUS, Context, NftSet
from collectors.netfilter.nft.set_keys import as_written, shifted
from collectors.netfilter.nft.uapi import NFT_DATA_VALUE_MAXLEN
from collectors.wire.netlink import DecodeError
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
        if len(view) > NFT_DATA_VALUE_MAXLEN:
            raise DecodeError(view.start, f"a value of {len(view)} bytes")
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
class Masked:
    """Flags that are looked for among others: ``syn / syn,ack``."""

    flags: Flags
    mask: Flags

    def text(self, context: Context) -> Text:
        return [*self.flags.text(context), " / ", *self.mask.text(context)]


def typed(found: NftSet | None) -> NftSet | None:
    """The set without its name and what it holds."""
    return found and replace(found, name="", handle=0, size=0, count=None, elements=None)


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

    def kind(self, context: Context) -> NftSet | None:
        """The set as far as its type goes; another set of the same type is told in the same way."""
        return self.view.classified(lambda octets: typed(context.sets.get(decoded(octets))))

    def counts(self, context: Context) -> bool:
        """Whether its elements count what meets them."""
        named = context.counting
        return bool(named) and self.view.classified(lambda octets: decoded(octets) in named)

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
        found = as_written(found)
        if self.skip:
            found = shifted(found, self.skip, self.bits)
        if self.data_type == types.RAW and found.key_type == types.INTEGER:
            found = replace(found, key_type=types.RAW)
        return elements_text(found, context)


@dataclass(frozen=True, slots=True)
class Values:
    """Constants that a concatenation is compared with."""

    parts: tuple[Constant, ...]

    def text(self, context: Context) -> Text:
        return joined([part.text(context) for part in self.parts], " . ")


Right = Constant | Prefix | Range | Flags | Masked | SetReference | Values


def joined(texts: Sequence[Text], between: str) -> Text:
    found: Text = []
    for text in texts:
        if found:
            found.append(between)
        found += text
    return found
