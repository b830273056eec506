"""A rule of nf_tables as ``nft list ruleset`` prints it, from its expressions (NFTA_RULE_EXPRESSIONS)."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.netfilter.nft import comparisons, loads, matches, refusals, settings, statements, translations
from collectors.netfilter.nft.constants import NotPlaced, joined
from collectors.netfilter.nft.fields import Match
from collectors.netfilter.nft.loads import Reader
from collectors.netfilter.nft.model import Context
from collectors.netfilter.nft.telling import Telling
from collectors.netfilter.nft.uapi import NFTA_EXPR_DATA, NFTA_EXPR_NAME, NFTA_LIST_ELEM
from collectors.netfilter.told import Told
from collectors.wire.netlink import DecodeError
from collectors.wire.templates import View

READERS: Mapping[str, Reader] = {
    **loads.READERS,
    **matches.READERS,
    **statements.READERS,
    **refusals.READERS,
    **settings.READERS,
    **translations.READERS,
}


def tell(expressions: View, context: Context) -> Told:
    """The first rule of a layout; ``expressions`` is the payload of its NFTA_RULE_EXPRESSIONS."""
    telling = Telling(context)
    for number, view in expressions.attributes():
        if number == NFTA_LIST_ELEM:
            read(telling, view)
    texts = [
        comparisons.text(statement, telling) if isinstance(statement, Match) else statement.text
        for statement in telling.statements
        if not statement.dropped
    ]
    return Told(
        joined(texts, " "),
        telling.verdict,
        packets=telling.packets,
        bytes=telling.bytes,
        elsewhere=telling.counted_elsewhere,
    )


def read(telling: Telling, expression: View) -> None:
    """One expression; what cannot be told is named in the place where it stands."""
    found = expression.attribute_map()
    if NFTA_EXPR_NAME not in found:
        raise DecodeError(expression.start, "an expression without a name")
    name = found[NFTA_EXPR_NAME].text()
    data = found.get(NFTA_EXPR_DATA, expression.part(0, 0))
    try:
        if name in statements.STATEFUL:
            telling.say(statements.counted(name, data))
        elif name in READERS:
            READERS[name](telling, data.attribute_map())
        else:
            telling.unknown(name)
    except NotPlaced:
        telling.unknown(name)
