"""Column storage: numbers, coded cells and addresses, as numpy arrays with explicit absence.

Absent is a state of its own (no such attribute, not known), never zero and never the empty text.
"""

from __future__ import annotations

import re
import socket
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

Cell = None | bool | int | float | str | list[Any] | dict[str, Any]
Index = NDArray[np.intp] | slice

ABSENT, IPV4, IPV6 = 0, 4, 6
LINK_LAYER = 128  # an address of k link-layer octets has the form LINK_LAYER + k
HOST_PREFIX = 255  # no prefix length kept: a plain address
WHOLE = slice(None)


class Values(Protocol):
    """One column's values; every row is present or absent (``None``)."""

    def __len__(self) -> int: ...
    def take(self, index: Index) -> Self: ...
    def cells(self, index: Index = WHOLE) -> list[Cell]: ...
    def present(self) -> NDArray[np.bool_]: ...
    def sort_keys(self) -> tuple[NDArray[Any], ...]: ...
    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self: ...


@dataclass(frozen=True, slots=True)
class Numbers:
    """Integers, floats or booleans: ``numbers`` (n,), ``known`` (n,) bool or None when all are present."""

    numbers: NDArray[Any]
    known: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, index: Index) -> Numbers:
        return Numbers(self.numbers[index], None if self.known is None else self.known[index])

    def cells(self, index: Index = WHOLE) -> list[Cell]:
        found: list[Cell] = self.numbers[index].tolist()
        if self.known is None:
            return found
        return [cell if known else None for cell, known in zip(found, self.known[index].tolist(), strict=True)]

    def present(self) -> NDArray[np.bool_]:
        return constant(True, len(self), np.bool_) if self.known is None else self.known

    def sort_keys(self) -> tuple[NDArray[Any], ...]:
        return (self.numbers,) if self.known is None else (self.numbers, ~self.known)

    @classmethod
    def concatenate(cls, parts: Sequence[Numbers]) -> Numbers:
        numbers = joined([part.numbers for part in parts])
        if all(part.known is None for part in parts):
            return cls(numbers)
        return cls(numbers, joined([part.present() for part in parts]))


@dataclass(frozen=True, slots=True)
class Codes:
    """Cells that repeat (names, flag lists, nested objects): ``codes`` (n,) into ``pool``, -1 absent."""

    codes: NDArray[np.signedinteger[Any]]
    pool: tuple[Cell, ...] = ()

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Codes:
        """Intern a sequence of cells (``None`` = absent)."""
        if set(map(type, cells)) <= {str, type(None)}:  # as most are, and then a dictionary does it all
            known: dict[Cell, int] = defaultdict(count(-1).__next__)
            known[None]  # is the first, and so has code -1
            codes = np.fromiter(map(known.__getitem__, cells), np.int32, len(cells))
            return cls(codes, tuple(known)[1:])
        pool = Pool()
        return cls(np.fromiter((pool.code(cell) for cell in cells), np.int32, len(cells)), pool.cells())

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, index: Index) -> Codes:
        return Codes(self.codes[index], self.pool)

    def cells(self, index: Index = WHOLE) -> list[Cell]:
        pool = self.pool
        return [pool[code] if code >= 0 else None for code in self.codes[index].tolist()]

    def present(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.codes >= 0
        return found

    def sort_keys(self) -> tuple[NDArray[Any], ...]:
        """Natural order (veth2 before veth10), absent last."""
        order = sorted(range(len(self.pool)), key=lambda code: natural(self.pool[code]))
        ranks = np.empty(len(order) + 1, np.int32)
        ranks[order] = np.arange(len(order))
        ranks[-1] = len(order)
        return (ranks[self.codes],)

    def matching(self, test: Callable[[Cell], bool]) -> NDArray[np.bool_]:
        """Rows whose cell passes ``test``, which is asked once for each pool entry and never for absence."""
        passed = np.fromiter((*map(test, self.pool), False), np.bool_, len(self.pool) + 1)
        found: NDArray[np.bool_] = passed[self.codes]
        return found

    @classmethod
    def concatenate(cls, parts: Sequence[Codes]) -> Codes:
        pool = Pool()
        codes = joined([translated(part.codes, pool.translation(part.pool)) for part in parts])
        return cls(compact(codes, len(pool)), pool.cells())


@dataclass(frozen=True, slots=True)
class Addresses:
    """Network and link-layer addresses.

    ``octets`` (n, width) uint8 left-aligned, width as wide as the widest address here; ``form`` (n,) uint8:
    ABSENT, IPV4, IPV6 or LINK_LAYER + octet count; ``prefix`` (n,) uint8 prefix lengths (HOST_PREFIX: none) or None.
    """

    octets: NDArray[np.uint8]
    form: NDArray[np.uint8]
    prefix: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.form)

    def take(self, index: Index) -> Addresses:
        return Addresses(self.octets[index], self.form[index], None if self.prefix is None else self.prefix[index])

    def cells(self, index: Index = WHOLE) -> list[Cell]:
        octets, form = np.ascontiguousarray(self.octets[index]), self.form[index]
        if self.prefix is None and len(form) and (form == form[0]).all():  # packets: few addresses, many times
            known, width, raw = Texts(int(form[0])), octets.shape[1], octets.tobytes()
            return (
                [known[raw[at : at + width]] for at in range(0, len(form) * width, width)]
                if width
                else [None] * len(form)
            )
        prefix = [HOST_PREFIX] * len(form) if self.prefix is None else self.prefix[index].tolist()
        width, raw = octets.shape[1], octets.tobytes()
        return [
            address_text(raw[row * width : (row + 1) * width], kind, length)
            for row, (kind, length) in enumerate(zip(form.tolist(), prefix, strict=True))
        ]

    def present(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.form != ABSENT
        return found

    def sort_keys(self) -> tuple[NDArray[Any], ...]:
        octets = np.ascontiguousarray(wide(self.octets, -(-self.octets.shape[1] // 4) * 4))
        words = octets.view(">u4").astype(np.uint32)
        prefix = () if self.prefix is None else (self.prefix,)
        return (*prefix, *words.T[::-1], self.form, self.form == ABSENT)

    @classmethod
    def concatenate(cls, parts: Sequence[Addresses]) -> Addresses:
        octets = np.zeros((sum(map(len, parts)), max(part.octets.shape[1] for part in parts)), np.uint8)
        row = 0
        for part in parts:
            fill(octets[row : row + len(part), : part.octets.shape[1]], part.octets)
            row += len(part)
        form = joined([part.form for part in parts])
        if all(part.prefix is None for part in parts):
            return cls(octets, form)
        lengths = [constant(HOST_PREFIX, len(p), np.uint8) if p.prefix is None else p.prefix for p in parts]
        return cls(octets, form, joined(lengths))


class Pool:
    """Cells in the order first seen, each once; lists and dicts are compared by value."""

    def __init__(self) -> None:
        self._codes: dict[Any, int] = {}
        self._cells: list[Cell] = []

    def __len__(self) -> int:
        return len(self._cells)

    def code(self, cell: Cell) -> int:
        if cell is None:
            return -1
        key = cell if type(cell) is str else (type(cell), repr(cell))
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self._cells)
            self._cells.append(cell)
        return code

    def translation(self, pool: Sequence[Cell]) -> NDArray[np.int32]:
        """Codes here of another pool's cells; its last element is -1, so that code -1 stays absent."""
        return np.fromiter((*map(self.code, pool), -1), np.int32, len(pool) + 1)

    def cells(self) -> tuple[Cell, ...]:
        return tuple(self._cells)


def constant(value: Any, rows: int, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """``rows`` times one value, in the memory of one: a read-only array of stride 0."""
    kept = np.array(value, dtype)
    array: NDArray[Any] = np.ndarray((rows,), kept.dtype, kept, 0, (0,))  # np.broadcast_to takes ten times as long
    array.flags.writeable = False
    return array


def is_constant(array: NDArray[Any]) -> bool:
    return array.strides[0] == 0 and len(array) > 0


def distinct(numbers: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.signedinteger[Any]]]:
    """The distinct numbers in ascending order, and for each element its index among them; quick for few values."""
    if len(numbers) and (is_constant(numbers) or (numbers == numbers[0]).all()):
        return numbers[:1], constant(0, len(numbers), np.int8)
    if numbers.dtype == np.uint8:
        found = np.flatnonzero(np.bincount(numbers, minlength=256))
        codes = np.zeros(256, np.int16)
        codes[found] = np.arange(len(found))
        return found, codes[numbers]
    ordered = np.sort(numbers)  # and not np.unique, which imports numpy.ma: a tenth of a report's start
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first], np.searchsorted(ordered[first], numbers)


def joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """One (n,) array behind the other; where all are the same constant it stays one."""
    filled = [array for array in arrays if len(array)]
    if filled and all(is_constant(array) and array[0] == filled[0][0] for array in filled):
        return constant(filled[0][0], sum(map(len, filled)), filled[0].dtype)
    return np.concatenate(arrays)


def translated(codes: NDArray[Any], translation: NDArray[Any]) -> NDArray[Any]:
    """``translation[codes]``; a constant stays one."""
    return constant(translation[codes[0]], len(codes)) if is_constant(codes) else translation[codes]


def compact(codes: NDArray[Any], pool: int) -> NDArray[np.signedinteger[Any]]:
    """The same codes in the smallest signed type that holds ``pool`` entries and -1."""
    dtype = np.int8 if pool <= 127 else np.int16 if pool <= 32767 else np.int32
    return constant(codes[0], len(codes), dtype) if is_constant(codes) else codes.astype(dtype, copy=False)


def wide(octets: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """``octets`` (n, w) padded with zeros on the right to (n, width)."""
    if octets.shape[1] == width:
        return octets
    padded = np.zeros((len(octets), width), np.uint8)
    padded[:, : octets.shape[1]] = octets
    return padded


def fill(target: NDArray[np.uint8], octets: NDArray[np.uint8], at: Index = WHOLE) -> None:
    """Copy octets (n, w) to the rows at ``at`` of a target as wide or wider, four at a time where they stand so."""
    width = octets.shape[1]
    if width % 4 == target.shape[1] % 4 == 0 and octets.strides[1:] == target.strides[1:] == (1,):
        words = target.view(np.uint32).T[: width // 4]
        for word, octet_words in zip(words, octets.view(np.uint32).T, strict=True):
            word[at] = octet_words  # one long copy a word: numpy's loop over rows of one word costs ten times as much
    else:
        target[at, :width] = octets


def address_text(octets: bytes, form: int, prefix: int = HOST_PREFIX) -> str | None:
    """An address as ``ip`` prints it: a full-length prefix is left out, prefix length 0 is ``default``."""
    if form == ABSENT:
        return None
    if form >= LINK_LAYER:
        return octets[: form - LINK_LAYER].hex(":")
    if prefix == 0:
        return "default"
    size = 4 if form == IPV4 else 16
    text = socket.inet_ntop(socket.AF_INET if form == IPV4 else socket.AF_INET6, octets[:size])
    return text if prefix >= size * 8 else f"{text}/{prefix}"


class Texts(dict[bytes, str | None]):
    """Addresses of one form as texts, each told once."""

    def __init__(self, form: int) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, octets: bytes) -> str | None:
        text = self[octets] = address_text(octets, self._form)
        return text


def natural(cell: Cell) -> tuple[tuple[int, int, str], ...]:
    """A sort key in which the digits of a text count as numbers."""
    parts = re.split(r"(\d+)", str(cell))
    return tuple((0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part) for part in parts if part)
