"""How iptables-save writes a string: bare where it is a plain word, else in quotes (xtables_save_string)."""

from __future__ import annotations

import re

PLAIN = re.compile(rb"[A-Za-z0-9_-]+\Z")
ESCAPED = re.compile(rb"[\"\\']")


def quoted(octets: bytes) -> str:
    """A NUL-terminated string, in quotes where any character is not a letter, a digit, ``_`` or ``-``."""
    value = octets.partition(b"\0")[0]
    if PLAIN.match(value):
        return value.decode()
    if b'"' in value or b"\\" in value or b"'" in value:
        value = ESCAPED.sub(rb"\\\g<0>", value)
    return f'"{value.decode("utf-8", "surrogateescape")}"'
