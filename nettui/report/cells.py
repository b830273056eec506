"""Cells as text, a column at a time: scrubbed, and spelled by the format's own rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from collectors.values import IPV4, Addresses, Cell, Codes, Numbers, Values, distinct
from nettui.scrub import scrub

Texts = list[str | None]


def column_texts(values: Values, spell: Callable[[Any], str]) -> Texts | str | None:
    """The same as ``texts``, or the one text (None: absent) that all rows have in common."""
    return texts(values.take(slice(0, 1)), spell)[0] if alike(values) else texts(values, spell)


def alike(values: Values) -> bool:
    """Whether every row, of at least one, holds the same cell."""
    present = values.present()
    if not len(present) or present.any() != present.all():
        return False
    held: list[NDArray[Any]]
    if isinstance(values, Codes):
        held = [values.codes]
    elif isinstance(values, Numbers):
        held = [values.numbers]
    else:
        assert isinstance(values, Addresses)
        held = [values.octets, values.form, *([] if values.prefix is None else [values.prefix])]
    return not present.any() or all(bool((array == array[0]).all()) for array in held)


def texts(values: Values, spell: Callable[[Any], str]) -> Texts:
    """Each row's cell as text, None where absent; ``spell`` gets scrubbed cells, each distinct one once."""
    present = values.present()
    if not present.any():
        return [None] * len(values)
    if isinstance(values, Codes):
        return coded(values, spell)
    if isinstance(values, Addresses):
        return addressed(values)
    assert isinstance(values, Numbers)
    if values.numbers.dtype.kind in "iu" and present.all():
        return list(map(repr, values.numbers.tolist()))
    return [None if cell is None else number(cell) for cell in values.cells()]


def addressed(values: Addresses) -> Texts:
    """Addresses as ``ip`` prints them, whichever the format: none of their characters means anything to any."""
    if not (values.form == IPV4).all():
        return values.cells()  # type: ignore[return-value]
    plain = list(map("%d.%d.%d.%d".__mod__, zip(*values.octets[:, :4].T.tolist(), strict=True)))  # five times as fast
    if values.prefix is None:
        return plain  # type: ignore[return-value]
    suffixes = ["", *(f"/{length}" for length in range(1, 32)), *[""] * 224]
    lengths = values.prefix.tolist()
    return [text + suffixes[length] if length else "default" for text, length in zip(plain, lengths, strict=True)]


def coded(values: Codes, spell: Callable[[Any], str]) -> Texts:
    """Texts of a pool's cells; each that occurs is spelled once."""
    used, _ = distinct(values.codes)
    spelled = {code: None if code < 0 else spell(clean(values.pool[code])) for code in used.tolist()}
    if len(used) == 1:
        return list(spelled.values()) * len(values)
    return list(map(spelled.__getitem__, values.codes.tolist()))


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
    """A cell in words: a list joined by commas as ip does, an object as ``key value`` pairs; none of either is told."""
    if isinstance(cell, str):
        return cell or '""'
    if isinstance(cell, list):
        return (" | " if any(isinstance(item, dict) for item in cell) else ",").join(map(plain, cell)) or "none"
    if isinstance(cell, dict):
        return " ".join(f"{key} {plain(value)}" for key, value in cell.items()) or "none"
    return number(cell) or "null"
