"""How iptables-save writes a string: bare where it is a plain word, else in quotes (xtables_save_string)."""

from __future__ import annotations

import re

from collectors.wire.templates import told_string

PLAIN = re.compile(rb"[A-Za-z0-9_-]+\Z")
ESCAPED = re.compile(r"[\"\\']")


def quoted(octets: bytes) -> str:
    """A NUL-terminated string, in quotes where any character is not a letter, a digit, ``_`` or ``-``."""
    value = octets.split(b"\0", 1)[0]
    text = told_string(value)
    if PLAIN.match(value):
        return text
    return '"' + ESCAPED.sub(r"\\\g<0>", text) + '"'
