"""Cells as text, a column at a time: scrubbed, and spelled by the format's own rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from collectors.values import Cell, Codes, Numbers, Values
from nettui.scrub import scrub

Texts = list[str | None]


def texts(values: Values, spell: Callable[[Any], str]) -> Texts:
    """Each row's cell as text, None where absent; ``spell`` gets scrubbed cells, each distinct one once."""
    if isinstance(values, Numbers):
        return [None if cell is None else number(cell) for cell in values.cells()]
    if isinstance(values, Codes):
        used, places = np.unique(values.codes, return_inverse=True)
        spelled = [None if code < 0 else spell(clean(values.pool[code])) for code in used.tolist()]
        return [spelled[place] for place in places.tolist()]
    return [None if cell is None else spell(cell) for cell in values.cells()]


def number(cell: Cell) -> str | None:
    """A number or truth as JSON writes it; what is not finite has no value."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return repr(cell)


def clean(cell: Any) -> Any:
    """A cell with every text in it scrubbed, keys of objects too."""
    if isinstance(cell, str):
        return scrub(cell)
    if isinstance(cell, list):
        return [clean(item) for item in cell]
    if isinstance(cell, dict):
        return {scrub(str(key)): clean(value) for key, value in cell.items()}
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def plain(cell: Any) -> str:
    """A cell in words: a list joined by commas as ip does, an object as ``key value`` pairs; empty shows as such."""
    if isinstance(cell, str):
        return cell or '""'
    if isinstance(cell, list):
        return (" | " if any(isinstance(item, dict) for item in cell) else ",").join(map(plain, cell)) or "[]"
    if isinstance(cell, dict):
        return " ".join(f"{key} {plain(value)}" for key, value in cell.items()) or "{}"
    return number(cell) or "null"
