"""Part: bytes of a packet that a header is told from; Field: where a header has what, and how that is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

ENDLESS = 1 << 62


@dataclass(frozen=True, slots=True)
class Node:
    """``text``: a line; ``start``, ``length``: the bytes of the packet that it tells of, of length 0 where there are
    none."""

    text: str
    start: int
    length: int
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """``octets``: the whole packet; what is told begins ``at`` and is read up to ``end``, never further."""

    octets: bytes
    at: int
    end: int

    def left(self) -> int:
        return self.end - self.at

    def number(self, offset: int, size: int) -> int:
        """In network order; of bytes that are not there, 0."""
        start = self.at + offset
        return int.from_bytes(self.octets[start : start + size], "big") if start + size <= self.end else 0

    def raw(self) -> bytes:
        return self.octets[self.at : self.end]

    def ahead(self, by: int) -> Part:
        return replace(self, at=min(self.at + by, self.end))

    def ending(self, size: int) -> Part:
        """Its first ``size`` bytes, where it has as many."""
        return replace(self, end=min(self.end, self.at + max(size, 0)))

    def node(self, text: str, offset: int, size: int, children: Iterable[Node] = ()) -> Node:
        """Of these bytes, as far as they are there."""
        start = min(self.at + offset, self.end)
        return Node(text, start, min(size, self.end - start), tuple(children))


class Told(NamedTuple):
    """A header's ``node``; ``kind`` and ``number``: what the ``rest`` is (a key of layers.LAYERS), "" if that is data.

    ``within``: what follows belongs below this node, as the packet that an ICMP error quotes.
    """

    node: Node
    kind: str
    number: int
    rest: Part
    within: bool = False


class Field(NamedTuple):
    """``size`` bytes at an ``offset`` of the header, of which those of ``mask``, all without one, are a number that
    ``spell`` writes; ``bits``: how many bits of them are drawn, where only some are the field's."""

    name: str
    offset: int
    size: int
    spell: Callable[[int], str] = str
    mask: int = 0
    bits: int = 0
    inside: tuple[Field, ...] = ()


def told(part: Part, fields: Iterable[Field]) -> Iterator[Node]:
    """Each field that is there; at the first that is not whole, that it was cut."""
    for field in fields:
        if field.offset + field.size > part.left():
            yield cut(part.ahead(field.offset), field.name)
            return
        value, drawn = part.number(field.offset, field.size), ""
        if field.mask:
            drawn = drawing(value, field.mask, field.bits or field.size * 8)
            value = (value & field.mask) // (field.mask & -field.mask)
        yield part.node(
            f"{drawn}{field.name}: {field.spell(value)}", field.offset, field.size, told(part, field.inside)
        )


def cut(part: Part, name: str) -> Node:
    """What is left of it."""
    return part.node(f"{name}: cut off", 0, part.left())


def drawing(value: int, mask: int, bits: int) -> str:
    """``.... 0101 = ``: the bits of a field, and dots for those of others."""
    digits = "".join("." if not mask >> bit & 1 else str(value >> bit & 1) for bit in reversed(range(bits)))
    return " ".join(digits[at : at + 4] for at in range(0, bits, 4)) + " = "
