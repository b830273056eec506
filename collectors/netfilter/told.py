"""Rules told as text: what a teller makes of one layout, and the rules of many layouts together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.draft import scattered_codes
from collectors.values import Codes, Index, Values, constant
from collectors.wire.templates import Pieces, Place, Templates, filled, numbers


@dataclass(frozen=True, slots=True)
class Told:
    """``text``: the rule in its tool's syntax, without the chain's name and without nft's comment.

    ``verdict``: what ends the rule, in nft's words for every world (accept, drop, reject, return, queue, snat, dnat,
    masquerade, redirect, tproxy, "jump CHAIN", "goto CHAIN", vmap); none for a rule that only counts, logs or sets.
    ``comment``: iptables' ``-m comment``. ``packets``, ``bytes``: the rule's own counter. ``elsewhere``: a counter that
    has a name, or that an element has, counts what the rule meets.
    """

    text: Pieces
    verdict: Pieces = ()
    comment: Pieces = ()
    packets: Place | None = None
    bytes: Place | None = None
    elsewhere: bool = False


class NotTheirs(ValueError):
    """A rule that this world's tool could not have written: the other teller's."""


@dataclass(frozen=True, slots=True)
class Records:
    """The rules of one table as the kernel gave them: what tells each stands at ``offsets`` in ``data``, (n,).

    ``handles``: 0 in a world that has none.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.intp]
    lengths: NDArray[np.intp]
    chains: Codes
    handles: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.chains)


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of one chain or many, in the kernel's order; each (n,).

    ``counted``: whether the rule has a counter of its own; else packets and bytes mean nothing.
    ``elsewhere``: see Told.
    """

    chains: Codes
    handles: NDArray[np.uint64]
    texts: list[str]
    verdicts: Codes
    comments: Codes
    packets: NDArray[np.uint64]
    bytes: NDArray[np.uint64]
    counted: NDArray[np.bool_]
    elsewhere: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.chains)

    @classmethod
    def concatenate(cls, parts: Sequence[Rules]) -> Rules:
        if len(parts) == 1:
            return parts[0]
        nothing = Codes.of([])
        return cls(
            Codes.concatenate([nothing, *(part.chains for part in parts)]),
            np.concatenate([np.zeros(0, np.uint64), *(part.handles for part in parts)]),
            [text for part in parts for text in part.texts],
            Codes.concatenate([nothing, *(part.verdicts for part in parts)]),
            Codes.concatenate([nothing, *(part.comments for part in parts)]),
            np.concatenate([np.zeros(0, np.uint64), *(part.packets for part in parts)]),
            np.concatenate([np.zeros(0, np.uint64), *(part.bytes for part in parts)]),
            np.concatenate([np.zeros(0, np.bool_), *(part.counted for part in parts)]),
            np.concatenate([np.zeros(0, np.bool_), *(part.elsewhere for part in parts)]),
        )


def told(records: Records, templates: Templates[Told], lead: Callable[[str], str]) -> Rules:
    """All rules of a table as text; ``lead`` gives what stands before each rule from its chain's name."""
    count = len(records)
    texts = np.full(count, "", object)
    leads = np.array([lead(str(chain)) for chain in records.chains.pool], object)[records.chains.codes]
    verdicts: list[tuple[Index, Values]] = []
    comments: list[tuple[Index, Values]] = []
    packets, octets_counted = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    counted, elsewhere = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for rows, octets, found in templates.layouts(records.data, records.offsets, records.lengths):
        texts[rows] = filled([leads[rows].tolist(), *found.text], octets)
        if found.verdict:
            verdicts.append((rows, coded(found.verdict, octets)))
        if found.comment:
            comments.append((rows, coded(found.comment, octets)))
        if found.packets and found.bytes:
            packets[rows], octets_counted[rows] = numbers(found.packets, octets), numbers(found.bytes, octets)
            counted[rows] = True
        elsewhere[rows] = found.elsewhere
    words = scattered_codes(count, verdicts), scattered_codes(count, comments)
    return Rules(records.chains, records.handles, texts.tolist(), *words, packets, octets_counted, counted, elsewhere)


def coded(pieces: Pieces, octets: NDArray[np.uint8]) -> Codes:
    """What ``filled`` gives, as cells that repeat."""
    if all(isinstance(piece, str) for piece in pieces):
        return Codes(constant(0, len(octets), np.int8), tuple(filled(pieces, octets[:1])))
    return Codes.of(filled(pieces, octets))
