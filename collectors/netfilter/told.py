"""Rules told as text: what a teller makes of one layout, and the rules of many layouts together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    chains: list[str]
    handles: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of one chain or many, in the kernel's order; each list and array (n,).

    ``counted``: whether the rule has a counter of its own; else packets and bytes mean nothing.
    ``elsewhere``: see Told.
    """

    chains: list[str]
    handles: NDArray[np.uint64]
    texts: list[str]
    verdicts: list[str]
    comments: list[str | None]
    packets: NDArray[np.uint64]
    bytes: NDArray[np.uint64]
    counted: NDArray[np.bool_]
    elsewhere: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.chains)

    @classmethod
    def concatenate(cls, parts: Sequence[Rules]) -> Rules:
        return cls(
            [name for part in parts for name in part.chains],
            np.concatenate([np.zeros(0, np.uint64), *(part.handles for part in parts)]),
            [text for part in parts for text in part.texts],
            [verdict for part in parts for verdict in part.verdicts],
            [comment for part in parts for comment in part.comments],
            np.concatenate([np.zeros(0, np.uint64), *(part.packets for part in parts)]),
            np.concatenate([np.zeros(0, np.uint64), *(part.bytes for part in parts)]),
            np.concatenate([np.zeros(0, np.bool_), *(part.counted for part in parts)]),
            np.concatenate([np.zeros(0, np.bool_), *(part.elsewhere for part in parts)]),
        )


def told(records: Records, templates: Templates[Told], lead: Callable[[str], str]) -> Rules:
    """All rules of a table as text; ``lead`` gives what stands before each rule from its chain's name."""
    count = len(records.chains)
    texts, verdicts, comments = (np.full(count, nothing, object) for nothing in ("", "", None))
    packets, octets_counted = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    counted, elsewhere = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for rows, octets, found in templates.layouts(records.data, records.offsets, records.lengths):
        texts[rows] = filled(found.text, octets)
        if found.verdict:
            verdicts[rows] = filled(found.verdict, octets)
        if found.comment:
            comments[rows] = filled(found.comment, octets)
        if found.packets and found.bytes:
            packets[rows], octets_counted[rows] = numbers(found.packets, octets), numbers(found.bytes, octets)
            counted[rows] = True
        elsewhere[rows] = found.elsewhere
    leads = {chain: lead(chain) for chain in dict.fromkeys(records.chains)}
    pairs = zip(records.chains, texts.tolist(), strict=True)
    whole = [leads[chain] + said if said else leads[chain].rstrip() for chain, said in pairs]
    own = (records.chains, records.handles, whole, verdicts.tolist(), comments.tolist())
    return Rules(*own, packets, octets_counted, counted, elsewhere)
