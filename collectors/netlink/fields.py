"""Nested values into words: small structs and attribute streams of which a kernel may send less or more."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from collectors.values import Cell
from collectors.wire.netlink import attribute_map

Fields = dict[str, Cell]
Words = Mapping[int, tuple[str, Callable[[bytes], Cell]]]


def spelled(words: Words, value: bytes) -> Fields:
    """The attributes that ``words`` names; what its speller makes None is left out."""
    inner = attribute_map(value)
    found = {name: spell(inner[number]) for number, (name, spell) in words.items() if number in inner}
    return {name: cell for name, cell in found.items() if cell is not None}


def unpacked(layout: str, names: Sequence[str], value: bytes) -> Fields:
    """The fields of a packed struct by name: those that the value reaches, for an older kernel's ends earlier."""
    found: Fields = {}
    at = 0
    order, codes = layout[0], expanded(layout[1:])
    for name, code in zip(names, codes, strict=True):
        size = struct.calcsize(order + code)
        if at + size > len(value):
            break
        (found[name],) = struct.unpack_from(order + code, value, at)
        at += size
    return found


def expanded(layout: str) -> str:
    """``7Qq4I`` as ``QQQQQQQqIIII``."""
    codes, count = "", ""
    for letter in layout:
        if letter.isdecimal():
            count += letter
        else:
            codes, count = codes + letter * int(count or 1), ""
    return codes


def little(value: bytes) -> int:
    return int.from_bytes(value, "little")


def signed(value: bytes) -> int:
    return int.from_bytes(value, "little", signed=True)


def flag(value: bytes) -> bool | None:
    """True or left out, as tc prints switches."""
    return True if little(value) else None


def nanoseconds(value: bytes) -> float:
    return signed(value) / 1e9
