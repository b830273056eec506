"""A rule as it is told: what its registers hold, and its statements so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.netfilter.nft.constants import NotPlaced, Term, Text
from collectors.netfilter.nft.fields import Fields, Match
from collectors.netfilter.nft.implied import Implied
from collectors.netfilter.nft.model import Context
from collectors.netfilter.nft.terms import Concat
from collectors.netfilter.nft.uapi import NFT_DATA_VALUE_MAXLEN
from collectors.wire.netlink import DecodeError
from collectors.wire.templates import Place, View

NFT_REG32_00 = 8
NFT_REG_VERDICT = 0
Attributes = Mapping[int, View]


@dataclass(slots=True, eq=False)
class Said:
    """A statement that is no comparison."""

    text: Text
    dropped: bool = False


class Telling:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.fields = Fields(context.family)
        self.implied = Implied(self.fields)
        self.statements: list[Match | Said] = []
        self.verdict: Text = []
        self.packets: Place | None = None
        self.bytes: Place | None = None
        self.counted_elsewhere = False  # by a counter with a name, or an element's
        self._registers: dict[int, Term] = {}
        self.before: Match | None = None  # with which a range may be made

    def put(self, register: View, term: Term) -> None:
        self._registers[number(register)] = term

    def get(self, register: View | None, bits: int = 0) -> Term:
        """What a register holds; a concatenation of it and those behind it where that is less than ``bits``."""
        if register is None:
            raise NotPlaced("no register")
        at = number(register)
        term = self._at(at)
        return term if not term.bits or term.bits >= bits else self._concat(at, bits)

    def more(self, register: View, term: Term) -> bool:
        """Whether something stands in the register behind the term's."""
        return bool(term.bits) and number(register) + (term.bits + 31) // 32 in self._registers

    def _at(self, at: int) -> Term:
        if at not in self._registers:
            raise NotPlaced(f"register {at} holds nothing that is known")
        return self._registers[at]

    def _concat(self, at: int, bits: int) -> Concat:
        parts: list[Term] = []
        left = bits
        while left > 0:
            term = self._at(at)
            if not term.bits:
                raise NotPlaced("a part without a width")
            words = (term.bits + 31) // 32
            parts.append(term)
            at, left = at + words, left - words * 32
        return Concat(tuple(parts), bits=bits)

    def say(self, text: Text, *, verdict: Text | None = None, effect: bool = True) -> None:
        """Add a statement; ``effect``: it does something, so that no match before it is implied by one behind."""
        self.statements.append(Said(text))
        self.before = None
        if verdict is not None:
            self.verdict = verdict
        if effect:
            self.implied.forget()

    def unknown(self, name: str) -> None:
        """An expression that cannot be told; what any register holds behind it is not known either."""
        self.say([f"[expr {name}]"])
        self._registers.clear()


def number(register: View) -> int:
    """A register's place in words of 32 bits; 0 is the verdict."""
    found = register.number()
    if found >= NFT_REG32_00:
        return 1 + found - NFT_REG32_00
    return NFT_REG_VERDICT if found == NFT_REG_VERDICT else 1 + (found - 1) * 4


def unsigned(attributes: Attributes, key: int, missing: int = 0) -> int:
    """A number of any width, part of the layout."""
    if key not in attributes:
        return missing
    if len(attributes[key]) > 8:
        raise DecodeError(attributes[key].start, f"a number of {len(attributes[key])} bytes")
    return int.from_bytes(attributes[key].octets(), "big")


def width(attributes: Attributes, key: int) -> int:
    """A length in bytes as bits; no more than the registers hold."""
    octets = unsigned(attributes, key)
    if octets > NFT_DATA_VALUE_MAXLEN:
        raise NotPlaced(f"{octets} bytes")
    return octets * 8


def needed(attributes: Attributes, key: int) -> View:
    if key not in attributes:
        raise NotPlaced(f"attribute {key} is missing")
    return attributes[key]
