"""What to say of a name that does not exist: the closest there is, and all there are."""

from __future__ import annotations

from collections.abc import Iterable


def closest(name: str, known: Iterable[str], most: int) -> list[str]:
    """The known names that are most like ``name``, the likest first."""
    from difflib import get_close_matches

    return get_close_matches(name[:64].lower(), list(known), most)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """One sentence or two, such as ``no column 'stat', did you mean state? There are …``."""
    names, shown = list(known), repr(name[:64])
    close = closest(name, names, 1)
    listed = ", ".join(names) or "none"
    return f"no {what} {shown}, did you mean {close[0]}? There are {listed}" if close else (
        f"no {what} {shown}; there are {listed}"
    )  # fmt: skip
