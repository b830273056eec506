"""What tells a match or target: a function of its struct, and of what is not in the struct."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from collectors.wire.templates import Pieces, View

NFPROTO_IPV4, NFPROTO_IPV6 = 2, 10


@dataclass(frozen=True, slots=True)
class Setting:
    """``family``: NFPROTO of the rule; ``set_names``: ipset's names by index, as structs name sets by index only."""

    family: int
    set_names: Mapping[int, str] = field(default_factory=dict)


# The struct's bytes and the setting -> pieces that begin with " -m NAME" or " -j NAME"; DecodeError when it is short.
Teller = Callable[[View, Setting], Pieces]
Words = Callable[[bytes, Setting], str]


def struct_teller(head: str, size: int, words: Words) -> Teller:
    """Tells a struct whose first ``size`` bytes are the user's.

    They are one hole, so that all rules with this extension have one layout; behind them is the kernel's own state
    (pointers, credit), which differs from rule to rule and is not told.
    """

    def tell(view: View, setting: Setting) -> Pieces:
        told = view.part(0, size).hole(lambda octets: words(octets, setting))
        view.part(size).ignore()
        return (head, told)

    return tell


def match(name: str, size: int, words: Words) -> Teller:
    return struct_teller(f" -m {name}", size, words)


def target(name: str, size: int, words: Words) -> Teller:
    return struct_teller(f" -j {name}", size, words)


def bare(head: str) -> Teller:
    """An extension that has nothing to say but its name."""
    return struct_teller(head, 0, lambda octets, setting: "")
