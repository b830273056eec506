"""Regular expressions that end in time: a pattern whose search could take too long is refused before it is tried.

Python's ``re`` backtracks, so one text of a stranger's choice can keep a careless pattern busy for years. The parse
tree bounds how many ways a search can go through a text of n characters; that bound decides.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

LONGEST = 200  # characters of a pattern
STEPS = 3e8  # of one search: about two seconds
SECONDS = 5.0  # for all texts of one table
SHORTEST = 16  # every pattern must be able to take an interface name


class TooCostly(ValueError):
    """A search that could not be done in a reasonable time."""


def finder(pattern: str) -> Callable[[str], bool]:
    """A search for ``pattern`` anywhere in a text, whatever the case; raises ValueError when it cannot be had."""
    if len(pattern) > LONGEST:
        raise ValueError(f"a pattern of more than {LONGEST} characters")
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
        tree = re._parser.parse(pattern, re.IGNORECASE)  # type: ignore[attr-defined]
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    reach = longest_text(tree)
    if reach < SHORTEST:
        raise ValueError("a pattern that could take for ever: repeat less inside what is itself repeated")
    search, clock, deadline = compiled.search, time.monotonic, time.monotonic() + SECONDS

    def found(text: str) -> bool:
        if len(text) > reach:
            raise TooCostly(f"this pattern is too costly for a text of {len(text)} characters, repeat less in it")
        if clock() > deadline:
            raise TooCostly(f"this pattern took more than {SECONDS:.0f} s on this table")
        return search(text) is not None

    return found


def longest_text(tree: Iterable[Any]) -> int:
    """The longest text for which a search stays within STEPS, tried in powers of two; 0 where there is none."""
    for power in range(16, 2, -1):
        length: int = 2**power
        paths, repeats = ways(tree, length)
        if length * paths / math.factorial(min(repeats + 1, 20)) <= STEPS:
            return length
    return 0


def ways(tree: Iterable[Any], length: int) -> tuple[float, int]:
    """In how many ways a sequence can match inside ``length`` characters, and its count of open-ended repeats."""
    total, repeats = 1.0, 0
    for operator, argument in tree:
        paths, open_ended = ways_of(str(operator), argument, length)
        total, repeats = total * paths, repeats + open_ended
    return total, repeats


def ways_of(operator: str, argument: Any, length: int) -> tuple[float, int]:
    match operator:
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN" | "AT" | "CATEGORY" | "RANGE":
            return 1.0, 0
        case "SUBPATTERN":
            return ways(argument[-1], length)
        case "ATOMIC_GROUP":
            return ways(argument, length)
        case "ASSERT" | "ASSERT_NOT":
            return ways(argument[1], length)
        case "BRANCH":
            found = [ways(branch, length) for branch in argument[1]]
            return sum(paths for paths, _ in found), max(open_ended for _, open_ended in found)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return repeated(argument, length)
        case _:  # back references and conditions: their cost is not bounded here
            return math.inf, 0


def repeated(argument: tuple[int, int, Any], length: int) -> tuple[float, int]:
    least, most, inner = argument
    paths, open_ended = ways(inner, length)
    counts = min(int(most), length) - min(least, length) + 1
    if paths == 1:
        return float(counts), int(counts > 1 and int(most) >= length)
    try:
        return counts * paths ** min(int(most), length), open_ended * min(int(most), length)
    except OverflowError:
        return math.inf, 0
