"""Rows under construction: decoders put column pieces in, a Table comes out; what was never put is absent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from collectors.table import Column, Gap, Table
from collectors.values import (
    ABSENT,
    WHOLE,
    Addresses,
    Cell,
    Codes,
    Index,
    Numbers,
    Pool,
    Values,
    compact,
    constant,
    distinct,
    fill,
    is_constant,
    translated,
)

FEW = 8  # rows of which a constant column saves nothing


class Draft:
    """``rows`` empty rows of ``columns``; each put fills the rows at ``at`` of one column."""

    def __init__(self, columns: Sequence[Column], rows: int) -> None:
        self.columns, self.rows = tuple(columns), rows
        self._dtypes = {column.name: "?" if column.dtype == "bool" else column.dtype for column in columns}
        self._pieces: dict[str, list[tuple[Index, Values]]] = {}

    def numbers(self, name: str, numbers: ArrayLike, at: Index = WHOLE, known: NDArray[np.bool_] | None = None) -> None:
        """Numbers of the column's dtype, (rows at ``at``,) or one number for all; where ``known`` is false, absent."""
        values = np.asarray(numbers).astype(self._dtypes[name], copy=False)
        if not values.ndim:
            values = constant(values, self._count(at))
        self._put(name, at, Numbers(values, known))

    def named(self, name: str, numbers: NDArray[Any], namer: Callable[[int], Cell], at: Index = WHOLE) -> None:
        """Cells that follow from a number (enumerations, flags); ``namer`` is asked once per distinct number."""
        found, codes = distinct(numbers)
        self._put(name, at, interned([namer(number) for number in found.tolist()], codes))

    def spelled(
        self, name: str, octets: NDArray[np.uint8], speller: Callable[[bytes], Cell], at: Index = WHOLE
    ) -> None:
        """Cells that follow from an attribute's bytes, (n, length); ``speller`` is asked once per distinct value."""
        rows, length = octets.shape
        if rows and (octets == octets[0]).all():
            self._put(name, at, interned([speller(octets[0].tobytes())], constant(0, rows, np.int8)))
            return
        raw = np.ascontiguousarray(octets).tobytes()
        codes: dict[bytes, int] = {}
        found = [codes.setdefault(raw[o : o + length], len(codes)) for o in range(0, rows * length, length)]
        self._put(name, at, interned([speller(value) for value in codes], np.array(found, np.int32)))

    def same(self, name: str, cell: Cell) -> None:
        """One cell of a text or json column for every row."""
        self._put(name, WHOLE, Codes(constant(0, self.rows, np.int8), (cell,)))

    def cells(self, name: str, cells: Sequence[Cell], at: Index = WHOLE) -> None:
        """Ready cells of a text or json column (None = absent)."""
        self._put(name, at, Codes.of(cells))

    def coded(self, name: str, codes: Codes, at: Index = WHOLE) -> None:
        """Cells that are interned already."""
        self._put(name, at, codes)

    def addresses(
        self,
        name: str,
        octets: NDArray[np.uint8],
        form: ArrayLike,
        at: Index = WHOLE,
        prefix: NDArray[np.uint8] | None = None,
    ) -> None:
        """Addresses, octets (n, width) in network order; ``form`` as in values.Addresses, one or (n,)."""
        forms = np.asarray(form, np.uint8)
        if not forms.ndim:
            forms = constant(forms, self._count(at))
        if len(forms) and not is_constant(forms) and (forms == forms[0]).all():
            forms = constant(forms[0], len(forms))
        self._put(name, at, Addresses(octets, forms, prefix))

    def table(self, gaps: Sequence[Gap] = ()) -> Table:
        return Table(self.columns, {column.name: self._finished(column) for column in self.columns}, tuple(gaps))

    def _count(self, at: Index) -> int:
        return len(range(*at.indices(self.rows))) if isinstance(at, slice) else len(at)

    def _put(self, name: str, at: Index, values: Values) -> None:
        if len(values) != self._count(at):
            raise ValueError(f"{name}: {len(values)} values for {self._count(at)} rows")
        self._pieces.setdefault(name, []).append((at, values))

    def _finished(self, column: Column) -> Values:
        pieces = self._pieces.pop(column.name, [])
        if not pieces:
            return absent(column, self.rows)
        if len(pieces) == 1 and isinstance(at := pieces[0][0], slice) and at == WHOLE:
            return owned(pieces[0][1])
        if column.dtype == "address":
            return scattered_addresses(self.rows, pieces)
        if column.dtype in ("text", "json"):
            return scattered_codes(self.rows, pieces)
        return scattered_numbers(self.rows, self._dtypes[column.name], pieces)


def of_rows(columns: Sequence[Column], rows: Sequence[Mapping[str, Cell]]) -> Draft:
    """Rows that are few as dictionaries, without or with None for what is absent; no addresses."""
    draft = Draft(columns, len(rows))
    for column in columns:
        cells = [row.get(column.name) for row in rows]
        if column.numeric or column.dtype == "bool":
            known = np.array([cell is not None for cell in cells], np.bool_)
            wide = column.dtype if column.dtype == "u8" else None  # numpy takes some of 64 bits among others for floats
            draft.numbers(column.name, np.array([cell or 0 for cell in cells], wide), known=known)
        else:
            draft.cells(column.name, cells)
    return draft


def absent(column: Column, rows: int) -> Values:
    """A column without any value, in the memory of one."""
    if column.dtype == "address":
        return Addresses(np.zeros((rows, 0), np.uint8), constant(ABSENT, rows, np.uint8))
    if column.dtype in ("text", "json"):
        return Codes(constant(-1, rows, np.int8))
    dtype = "?" if column.dtype == "bool" else column.dtype
    return Numbers(constant(0, rows, dtype), constant(False, rows, np.bool_))


def interned(cells: Sequence[Cell], codes: NDArray[np.signedinteger[Any]]) -> Codes:
    """Codes into ``cells``, in which equal cells and None are allowed."""
    pool = Pool()
    return Codes(compact(translated(codes, pool.translation(cells)), len(pool)), pool.cells())


def owned(values: Values) -> Values:
    """A copy that keeps no receive buffer alive; a constant is kept once."""
    if isinstance(values, Numbers):
        return Numbers(condensed(values.numbers), None if values.known is None else condensed(values.known))
    if isinstance(values, Addresses):
        prefix = None if values.prefix is None else condensed(values.prefix)
        octets = np.empty(values.octets.shape, np.uint8)
        fill(octets, values.octets)
        return Addresses(octets, condensed(values.form), prefix)
    return values


def condensed(array: NDArray[Any]) -> NDArray[Any]:
    """A copy of a one-dimensional array; of equal elements only one is kept."""
    if len(array) < FEW or array[0] != array[-1]:
        return np.array(array)
    if is_constant(array) or (array == array[0]).all():
        return constant(array[0].copy(), len(array))
    return np.array(array)


def scattered_numbers(rows: int, dtype: str, pieces: Sequence[tuple[Index, Values]]) -> Numbers:
    numbers, known = np.zeros(rows, dtype), np.zeros(rows, bool)
    placed = [(at, values) for at, values in pieces if isinstance(values, Numbers)]
    for at, values in placed:
        numbers[at] = values.numbers
        known[at] = True if values.known is None else values.known
    return Numbers(numbers, None if known.all() else known)


def scattered_codes(rows: int, pieces: Sequence[tuple[Index, Values]]) -> Codes:
    codes = np.full(rows, -1, np.int32)
    if len(pieces) == 1 and isinstance(alone := pieces[0][1], Codes):
        codes[pieces[0][0]] = alone.codes
        return Codes(compact(codes, len(alone.pool)), alone.pool)
    pool = Pool()
    for at, values in pieces:
        assert isinstance(values, Codes)
        translation = pool.translation(values.pool)
        codes[at] = translation[values.codes[0]] if is_constant(values.codes) else translation[values.codes]
    return Codes(compact(codes, len(pool)), pool.cells())


def scattered_addresses(rows: int, pieces: Sequence[tuple[Index, Values]]) -> Addresses:
    addresses = [(at, values) for at, values in pieces if isinstance(values, Addresses)]
    width = max((values.octets.shape[1] for _, values in addresses), default=0)
    octets, form = np.zeros((rows, width), np.uint8), np.full(rows, ABSENT, np.uint8)
    prefix = np.full(rows, 255, np.uint8) if any(values.prefix is not None for _, values in addresses) else None
    for at, values in addresses:
        fill(octets, values.octets, at)
        form[at] = values.form
        if prefix is not None and values.prefix is not None:
            prefix[at] = values.prefix
    return Addresses(octets, form, prefix)
