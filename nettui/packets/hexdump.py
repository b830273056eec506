"""Bytes in lines, as hexadecimal numbers and as letters."""

from __future__ import annotations

from typing import NamedTuple

PRINTABLE = range(0x20, 0x7F)


class HexLine(NamedTuple):
    """``start``: offset of its first byte; ``hex``: two digits for each; ``text``: ASCII, others as dots."""

    start: int
    hex: tuple[str, ...]
    text: str


def lines(octets: bytes, width: int = 16) -> list[HexLine]:
    parts = ((at, octets[at : at + width]) for at in range(0, len(octets), width))
    return [HexLine(at, tuple(f"{octet:02x}" for octet in part), letters(part)) for at, part in parts]


def letters(octets: bytes) -> str:
    return "".join(chr(octet) if octet in PRINTABLE else "." for octet in octets)
