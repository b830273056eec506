"""What a teller makes of one layout of rules: pieces of text with holes, and where the counters stand."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.wire.templates import Pieces, Place


@dataclass(frozen=True, slots=True)
class Told:
    """``text``: the rule in its tool's syntax, without the chain's name and without nft's comment.

    ``verdict``: what ends the rule, in nft's words for every world (accept, drop, reject, return, queue, snat, dnat,
    masquerade, redirect, tproxy, "jump CHAIN", "goto CHAIN", vmap); none for a rule that only counts, logs or sets.
    ``comment``: iptables' ``-m comment``. ``packets``, ``bytes``: the rule's own counter.
    """

    text: Pieces
    verdict: Pieces = ()
    comment: Pieces = ()
    packets: Place | None = None
    bytes: Place | None = None


class NotTheirs(ValueError):
    """A rule that this world's tool could not have written: the other teller's."""
