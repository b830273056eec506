"""Comparisons of one column with typed values: (column, operator, words) in, a vectorised test of its Values out.

A cell that is absent satisfies no comparison, != and !~ included.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.table import Column
from collectors.values import Cell, Codes, Numbers, Values
from nettui.query import words
from nettui.query.pattern import finder
from nettui.query.prefixes import Mask, Test, address_test, any_of, refuse
from nettui.query.units import Amount, amount

CHUNK = 4096


def comparison(column: Column, operator: str, values: Sequence[str]) -> Test:
    """A test of a column's values; ``operator`` is one of = != < <= > >= ~ !~ in covers.

    Raises ValueError, with a sentence, when the column cannot be compared so.
    """
    if operator in ("!=", "!~"):
        opposite = comparison(column, {"!=": "=", "!~": "~"}[operator], values)
        return lambda cells: cells.present() & ~opposite(cells)
    if operator == "~":
        return matching(column, values[0])
    compare = {"address": address_test, "text": text_test, "json": text_test, "bool": truth_test}.get(column.dtype)
    return compare(column, operator, values) if compare else number_test(column, operator, values)


def meant(column: Column, text: str) -> int | frozenset[str] | None:
    """What a value typed for ``=`` stands for: an integer, or words of which one is the cell or in it; else None."""
    if column.dtype in ("text", "json"):
        return meant_words(column, text)
    if not column.numeric:
        return None
    wanted = amount(service(column, text), column.unit)
    whole, rest = divmod(wanted.numerator, wanted.denominator)
    return None if rest else whole


def meant_words(column: Column, text: str) -> frozenset[str]:
    word = text.casefold()
    return frozenset((word, *words.VALUES.get(column.name, {}).get(word, ())))


# numbers


def number_test(column: Column, operator: str, values: Sequence[str]) -> Test:
    if operator == "covers":
        raise refuse(column, operator, "it holds numbers")
    wanted = [amount(service(column, text), column.unit) for text in values]
    sign = "=" if operator == "in" else operator
    return any_of([lambda cells, number=number: compared(cells, sign, number) for number in wanted])  # type: ignore[misc]


def service(column: Column, text: str) -> str:
    """A port by its name in /etc/services, or as ss writes it (``:443``)."""
    if column.name not in ("sport", "dport") or text[:1].isdigit():
        return text
    try:
        return str(socket.getservbyname(text.removeprefix(":")))
    except (OSError, ValueError):
        return text.removeprefix(":")


def compared(cells: Values, operator: str, wanted: Amount) -> Mask:
    assert isinstance(cells, Numbers)
    compare = compared_floats if cells.numbers.dtype.kind == "f" else compared_integers
    found = compare(cells.numbers, operator, wanted)
    return found if cells.known is None else found & cells.known


def compared_floats(numbers: NDArray[Any], operator: str, wanted: Amount) -> Mask:
    value = wanted.numerator / wanted.denominator
    compare = {"=": np.equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[operator]
    found: Mask = compare(numbers, value)
    return found


def compared_integers(numbers: NDArray[Any], operator: str, wanted: Amount) -> Mask:
    """Exact for every integer type: no number goes through a float, none overflows."""
    floor, rest = divmod(wanted.numerator, wanted.denominator)
    below = floor if rest else floor - 1  # the largest integer less than wanted
    match operator:
        case ">":
            return greater(numbers, floor)
        case ">=":
            return greater(numbers, below)
        case "<":
            return ~greater(numbers, below)
        case "<=":
            return ~greater(numbers, floor)
    limits = np.iinfo(numbers.dtype)
    if rest or not limits.min <= floor <= limits.max:
        return np.zeros(len(numbers), np.bool_)
    found: Mask = numbers == numbers.dtype.type(floor)
    return found


def greater(numbers: NDArray[Any], bound: int) -> Mask:
    limits = np.iinfo(numbers.dtype)
    if not limits.min <= bound <= limits.max:
        return np.full(len(numbers), bound < limits.min)
    found: Mask = numbers > numbers.dtype.type(bound)
    return found


def truth_test(column: Column, operator: str, values: Sequence[str]) -> Test:
    if operator not in ("=", "in"):
        raise refuse(column, operator, "it is true or false")
    wanted = {text.lower() for text in values}
    if wanted - words.TRUE - words.FALSE:
        raise ValueError(f"{column.name} is true or false")
    return any_of([truth(yes) for yes in (True, False) if wanted & (words.TRUE if yes else words.FALSE)])


def truth(wanted: bool) -> Test:
    def test(cells: Values) -> Mask:
        assert isinstance(cells, Numbers)
        found: Mask = cells.present() & (cells.numbers.astype(np.bool_) == wanted)
        return found

    return test


# words and lists


def text_test(column: Column, operator: str, values: Sequence[str]) -> Test:
    if operator not in ("=", "in"):
        raise refuse(column, operator, "its words have no order, use = != ~ !~ in")
    wanted = frozenset().union(*(meant_words(column, text) for text in values))

    def equal(cell: Cell) -> bool:
        if isinstance(cell, str):
            return cell.casefold() in wanted
        return any(leaf.casefold() in wanted for leaf in leaves(cell))

    return passing(equal)


def leaves(cell: Any) -> Iterator[str]:
    """Every key and every plain value inside a list or object, as text."""
    if isinstance(cell, dict):
        for key, value in cell.items():
            yield str(key)
            yield from leaves(value)
    elif isinstance(cell, list):
        for value in cell:
            yield from leaves(value)
    else:
        yield cell if isinstance(cell, str) else json.dumps(cell)


def passing(test: Callable[[Cell], bool]) -> Test:
    def found(cells: Values) -> Mask:
        assert isinstance(cells, Codes)
        return cells.matching(test)

    return found


def matching(column: Column, pattern: str) -> Test:
    """A regular expression searched in a text, in any leaf of a list, or in an address or number as printed."""
    finder(pattern)  # a wrong one is refused now

    def found(cells: Values) -> Mask:
        search = finder(pattern)  # its time counts from here
        if isinstance(cells, Codes):
            return cells.matching(
                lambda cell: search(cell) if isinstance(cell, str) else any(map(search, leaves(cell)))
            )
        rows = np.zeros(len(cells), np.bool_)
        for start in range(0, len(cells), CHUNK):
            part = cells.cells(slice(start, start + CHUNK))
            rows[start : start + CHUNK] = [cell is not None and any(map(search, leaves(cell))) for cell in part]
        return rows

    return found
