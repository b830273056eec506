"""Amounts with units, as typed in a filter, against the unit that a column declares; exact integer arithmetic."""

from __future__ import annotations

import re
from dataclasses import dataclass

# unit -> (what it measures, how many of the smallest unit of that kind)
UNITS: dict[str, tuple[str, int]] = {
    "ns": ("time", 1), "us": ("time", 10**3), "µs": ("time", 10**3), "ms": ("time", 10**6), "s": ("time", 10**9),
    "m": ("time", 60 * 10**9), "min": ("time", 60 * 10**9), "h": ("time", 3600 * 10**9), "d": ("time", 86400 * 10**9),
    "bit": ("data", 1), "kbit": ("data", 10**3), "Mbit": ("data", 10**6), "Gbit": ("data", 10**9),
    "B": ("data", 8), "kB": ("data", 8 * 10**3), "KB": ("data", 8 * 10**3), "MB": ("data", 8 * 10**6),
    "GB": ("data", 8 * 10**9), "TB": ("data", 8 * 10**12),
    "KiB": ("data", 8 * 2**10), "MiB": ("data", 8 * 2**20), "GiB": ("data", 8 * 2**30), "TiB": ("data", 8 * 2**40),
    "packets": ("packets", 1), "packet": ("packets", 1),
    "pps": ("packets per second", 1), "kpps": ("packets per second", 10**3), "Mpps": ("packets per second", 10**6),
    "bps": ("data rate", 1), "kbps": ("data rate", 10**3), "Mbps": ("data rate", 10**6), "Gbps": ("data rate", 10**9),
    "%": ("share", 1),
}  # fmt: skip
UNITS |= {f"{unit}/s": ("data rate", size) for unit, (kind, size) in UNITS.items() if kind == "data"}
UNITS |= {f"{unit}/s": ("packets per second", 1) for unit in ("packets", "packet")}

# multiples that fit every column, in the column's own unit
MULTIPLES = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}

AMOUNT = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|\d+(?:\.(\d+))?)\s*([^\d\s.].*)?", re.ASCII)
DIGITS = 40  # more than any counter needs


@dataclass(frozen=True, slots=True)
class Amount:
    """The exact number ``numerator / denominator`` in a column's unit."""

    numerator: int
    denominator: int = 1


def amount(text: str, column_unit: str) -> Amount:
    """A typed number such as ``50ms``, ``1.5 GB``, ``0x10``, ``2k`` in the column's unit.

    Raises ValueError, with a sentence, for what is no number, and for a unit that does not fit the column.
    """
    found = AMOUNT.fullmatch(text.strip())
    if found is None or len(found[2]) > DIGITS:
        raise ValueError("expected a number" if found is None else f"a number of more than {DIGITS} digits")
    sign, digits, fraction, unit = found.groups()
    if unit and digits.lower().startswith("0x"):
        raise ValueError("expected a number")
    number = int(digits, 16) if digits.lower().startswith("0x") else int(digits.replace(".", ""))
    times, over = scale(unit or "", column_unit)
    return Amount((-number if sign == "-" else number) * times, over * 10 ** len(fraction or ""))


def scale(unit: str, column_unit: str) -> tuple[int, int]:
    """By what a number in ``unit`` is multiplied and divided to be in ``column_unit``."""
    if not unit:
        return 1, 1
    if unit in MULTIPLES:
        return MULTIPLES[unit], 1
    kind, size = UNITS.get(unit, ("", 0))
    wanted, own = UNITS.get(column_unit, ("", 1))
    if not size or kind != wanted:
        raise ValueError(f"{unit!r} {'does not fit' if size else 'is no unit'} here; {fitting(column_unit)}")
    return size, own


def fitting(column_unit: str) -> str:
    """Which units a column of this unit can be compared in, as a sentence."""
    kind = UNITS.get(column_unit, ("", 0))[0]
    names = [*(name for name, (other, _) in UNITS.items() if kind and other == kind), *MULTIPLES]
    return f"the column is in {column_unit or 'plain numbers'}, understood are {', '.join(names)}"


def is_unit(text: str) -> bool:
    return text in UNITS or text in MULTIPLES
