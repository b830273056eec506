"""Types of the running kernel, from /sys/kernel/btf/vmlinux: places of members, enumerations, a tracepoint's arguments.

Five megabytes with some 140,000 types are walked once for where each begins (40 ms); only the types that are asked for
are looked into.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from collectors.wire.netlink import DecodeError

VMLINUX = Path("/sys/kernel/btf/vmlinux")

# include/uapi/linux/btf.h
# struct btf_header { __u16 magic; __u8 version, flags; __u32 hdr_len, type_off, type_len, str_off, str_len; };
HEADER = struct.Struct("=HBBIIIII")
MAGIC = 0xEB9F
# struct btf_type { __u32 name_off; __u32 info; /* 0-15 vlen, 24-28 kind, 31 kind_flag */ __u32 size_or_type; };
WORDS = 3
PTR, STRUCT, UNION, ENUM, TYPEDEF, VOLATILE, CONST, RESTRICT = 2, 4, 5, 6, 8, 9, 10, 11
FUNC_PROTO, TYPE_TAG = 13, 18
# words behind a btf_type, by kind: once, and for each of its vlen members
ONCE = (0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0)
EACH = (0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3)
TRANSPARENT = (TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG)
DEEPEST = 24  # typedefs of typedefs


class Member(NamedTuple):
    """``bit``: from the beginning of the structure."""

    name: str
    type: int
    bit: int


class Argument(NamedTuple):
    """One argument of a tracepoint: the kind of its type, and the name of what a pointer points to ("" for void)."""

    kind: int
    name: str


class Tracepoint(NamedTuple):
    """``type``: number of the typedef btf_trace_NAME, by which a program is attached."""

    type: int
    arguments: tuple[Argument, ...]


class Btf:
    """The types in one BTF blob; DecodeError for what is not BTF, KeyError for a name that is not there."""

    def __init__(self, blob: bytes) -> None:
        if len(blob) < HEADER.size:
            raise DecodeError(0, "BTF without its header")
        magic, _, _, header, type_at, type_size, string_at, string_size = HEADER.unpack_from(blob)
        if magic != MAGIC:
            raise DecodeError(0, "no BTF, or of the other byte order")
        if type_size % 4 or header + max(type_at + type_size, string_at + string_size) > len(blob):
            raise DecodeError(4, "BTF is shorter than its header says")
        self._words = memoryview(blob)[header + type_at :][:type_size].cast("I")
        self._strings = blob[header + string_at :][:string_size]
        self._begins = beginnings(self._words)

    @classmethod
    def read(cls, path: Path = VMLINUX) -> Btf:
        return cls(path.read_bytes())

    def offset(self, structure: str, *members: str) -> int:
        """Bytes from the beginning of a structure to a member, through members of members."""
        at, bits = self.find(structure, STRUCT), 0
        for name in members:
            found = self._member(at, name)
            if found is None:
                raise KeyError(f"struct {structure} without {'.'.join(members)}")
            at, bits = found.type, bits + found.bit
        return bits // 8

    def enumerators(self, name: str) -> dict[int, str]:
        """The names of an enumeration's values."""
        at = self._begins[self.find(name, ENUM) - 1] + WORDS
        words = self._words[at : at + 2 * (self._words[at - 2] & 0xFFFF)].tolist()
        return {value: self._text(name) for name, value in zip(words[::2], words[1::2], strict=True)}

    def tracepoint(self, name: str) -> Tracepoint:
        """What a raw tracepoint hands over, from the typedef btf_trace_NAME: void (*)(void *, ...)."""
        number = self.find(f"btf_trace_{name}", TYPEDEF)
        prototype = self._target(number)
        for _ in range(DEEPEST):
            at = self._at(prototype)
            if self._kind(at) == FUNC_PROTO:
                words = self._words[at + WORDS : at + WORDS + 2 * (self._words[at + 1] & 0xFFFF)].tolist()
                return Tracepoint(number, tuple(map(self._argument, words[3::2])))
            prototype = self._words[at + 2]
        raise DecodeError(at * 4, f"btf_trace_{name} is no function")

    def find(self, name: str, kind: int) -> int:
        """The number of the type of that name and kind."""
        string = self._strings.find(b"\0" + name.encode() + b"\0") + 1
        if string:
            words, begins = np.asarray(self._words), np.asarray(self._begins)
            for index in np.flatnonzero(words[begins] == string).tolist():
                if self._kind(self._begins[index]) == kind:
                    return int(index) + 1
        raise KeyError(f"BTF knows no {name}")

    def _member(self, structure: int, name: str) -> Member | None:
        """A member by name, also inside members that have none; a type is searched once, however often it occurs."""
        places, searched = [(structure, 0)], {structure}
        while places:
            number, bits = places.pop()
            for member in self._members(number):
                if member.name == name:
                    return member._replace(bit=bits + member.bit)
                if not member.name and member.type not in searched:
                    searched.add(member.type)
                    places.append((member.type, bits + member.bit))
        return None

    def _members(self, number: int) -> Iterator[Member]:
        at = self._at(self._target(number))
        if self._kind(at) not in (STRUCT, UNION):
            return
        info = self._words[at + 1]
        # struct btf_member { __u32 name_off, type, offset; /* with kind_flag: 24-31 width of the bit field */ };
        words = self._words[at + WORDS : at + WORDS + 3 * (info & 0xFFFF)].tolist()
        for name, kind, offset in zip(words[::3], words[1::3], words[2::3], strict=True):
            yield Member(self._text(name), kind, offset & 0xFFFFFF if info >> 31 else offset)

    def _argument(self, number: int) -> Argument:
        at = self._at(self._target(number)) if number else -1
        kind = self._kind(at)
        pointed = self._target(self._words[at + 2]) if kind == PTR else 0
        named = self._at(pointed) if pointed else at if kind != PTR else -1
        return Argument(kind, self._text(self._words[named]) if named >= 0 else "")

    def _target(self, number: int) -> int:
        """The type behind typedefs and qualifiers; 0 is void."""
        for _ in range(DEEPEST):
            if not number or self._kind(self._at(number)) not in TRANSPARENT:
                return number
            number = self._words[self._at(number) + 2]
        raise DecodeError(0, "BTF with typedefs of themselves")

    def _at(self, number: int) -> int:
        """Where a type begins, in words."""
        if not 0 < number <= len(self._begins):
            raise DecodeError(0, f"BTF has no type {number}")
        return self._begins[number - 1]

    def _kind(self, at: int) -> int:
        return self._words[at + 1] >> 24 & 31 if at >= 0 else 0

    def _text(self, offset: int) -> str:
        end = self._strings.find(b"\0", offset)
        if end < 0:
            raise DecodeError(offset, "a BTF name beyond its strings")
        return self._strings[offset:end].decode("ascii", "replace")


def beginnings(words: memoryview[int]) -> array[int]:
    """Where each type begins, in words; the first is type 1."""
    found, at, end = array("I"), 0, len(words)
    note, once, each = found.append, ONCE, EACH
    try:
        while at < end:
            note(at)
            info = words[at + 1]
            kind = info >> 24 & 31
            at += WORDS + once[kind] + each[kind] * (info & 0xFFFF)
    except IndexError:
        at = -1
    if at != end:
        raise DecodeError(found[-1] * 4, "a BTF type of a kind that is not known, or cut short")
    return found
