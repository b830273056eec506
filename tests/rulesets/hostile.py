"""Texts that would do harm where they are shown as they are: comments, prefixes and names that the tools accept."""

from __future__ import annotations

TEXTS = (
    "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "[bold red]x[/] [link=file:///etc]y[/link]",
    "<b>&amp;</b>",
    "tab\there",
    "two\nlines",
    "two\n-A INPUT -j ACCEPT\nCOMMIT",
    "cr\rhere",
    "bell\x07 \x01\x02",
    "reversed \u202e gnol",
    "\u00e9 \U0001f600",
    "\u009b31m",
    "a" * 127,
    "$(reboot) `id` %s %n {} {0} \\x1b",
    "# handle 9",
    "} # handle 7",
    "back\\slash",
    "  lead and trail  ",
    "counter packets 1 bytes 2 drop",
)
QUOTED = ('quote"in', '" -j ACCEPT', "it's", "ends with \\")  # as iptables takes them, and raw netlink
NAMES = ("<b>", "[red]", "a$b", "x;y", "\u00e9", "\x1b[1m", "a.b", "x=y", "0")
INVALID = "not \udcff\udcfe UTF-8"  # the bytes ff fe

USERDATA_COMMENT = 0
MALFORMED = (
    b"",
    b"\0",
    bytes([USERDATA_COMMENT, 200]) + b"short\0",
    bytes([USERDATA_COMMENT, 0]),
    bytes([77, 3]) + b"abc",
    bytes([USERDATA_COMMENT, 5]) + b"no NU",
)


def userdata(comment: str) -> bytes:
    """nft's own user data of a rule: type, length, text with NUL."""
    text = comment.encode(errors="surrogateescape") + b"\0"
    return bytes([USERDATA_COMMENT, len(text)]) + text
