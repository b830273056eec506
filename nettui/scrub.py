"""The one place where text from outside is made harmless for terminals, reports and clipboards.

Interface aliases, process names, comments and host names may hold any character. What a terminal would obey, what
turns the reading direction round and what cannot be seen is spelled out, as ``cat -v`` does:

    C0 and DEL                          ^@ … ^[ … ^_  ^?
    C1 (U+0080 to U+009F)               M-^@ … M-^[ … M-^_
    bytes that are not UTF-8            <9b>
    bidi controls, line and paragraph
    separators, invisible characters    <U+202E>
"""

from __future__ import annotations

import re

# Unicode categories Cc, Cf, Cs, Zl, Zp, and the letters and marks that have no shape of their own
C0, C1 = range(0x20), range(0x80, 0xA0)
RAW_BYTES = range(0xDC80, 0xDD00)  # PEP 383: how a byte that is not UTF-8 stands in a str
UNSEEN = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x600, 0x605), (0x61C, 0x61C), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x890, 0x891),
    (0x8E2, 0x8E2), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E),
    (0x2060, 0x206F), (0x3164, 0x3164), (0xD800, 0xDFFF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB), (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip


def escape(first: int, last: int) -> str:
    return f"\\U{first:08x}-\\U{last:08x}"


HARMFUL = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f{''.join(escape(*pair) for pair in UNSEEN)}]")


def scrub(text: str) -> str:
    """``text`` with every harmful character spelled out; harmless text is returned as it is."""
    return text if text.isascii() and text.isprintable() else HARMFUL.sub(spelled, text)


def spelled(found: re.Match[str]) -> str:
    """One harmful character in visible ones."""
    code = ord(found[0])
    if code in C0:
        return f"^{chr(code + 0x40)}"
    if code == 0x7F:
        return "^?"
    if code in C1:
        return f"M-^{chr(code - 0x40)}"
    if code in RAW_BYTES:
        return f"<{code - 0xDC00:02x}>"
    return f"<U+{code:04X}>"
