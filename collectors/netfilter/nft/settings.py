"""Statements that write: header fields (payload … set), and elements of sets and maps (add, update, delete)."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft import loads
from collectors.netfilter.nft.comparisons import complete
from collectors.netfilter.nft.constants import NotPlaced, SetReference, Term, Text, joined
from collectors.netfilter.nft.fields import raw
from collectors.netfilter.nft.loads import NFTA_PAYLOAD_DREG, Reader
from collectors.netfilter.nft.matches import key_of
from collectors.netfilter.nft.model import NFT_SET_ANONYMOUS, NftSet
from collectors.netfilter.nft.statements import STATEFUL, counted, value
from collectors.netfilter.nft.telling import Attributes, Telling, needed, unsigned
from collectors.netfilter.nft.terms import Binop, Concat, Payload
from collectors.netfilter.nft.uapi import NFTA_EXPR_DATA, NFTA_EXPR_NAME, NFTA_LIST_ELEM
from collectors.wire.templates import View

NFTA_PAYLOAD_SREG = 5
NFTA_DYNSET_SET_NAME, NFTA_DYNSET_OP, NFTA_DYNSET_SREG_KEY, NFTA_DYNSET_SREG_DATA = 1, 3, 4, 5
NFTA_DYNSET_TIMEOUT, NFTA_DYNSET_EXPR, NFTA_DYNSET_EXPRESSIONS = 6, 7, 10
OPERATIONS = ("add", "update", "delete")  # NFT_DYNSET_OP_*


def payload(telling: Telling, attributes: Attributes) -> None:
    if NFTA_PAYLOAD_DREG in attributes:
        loads.payload(telling, attributes)
        return
    field = raw(*loads.payload_bits(attributes))
    term = telling.get(attributes.get(NFTA_PAYLOAD_SREG))
    known = complete(telling, field)
    if isinstance(known, Payload) and known.field is None and (part := partial_field(telling, field, term)):
        said = part
    else:
        said = [*known.text(telling.context), " set ", *value(telling, term, known.data_type, known.order)]
    telling.say(said)


def partial_field(telling: Telling, field: Payload, term: Term) -> Text | None:
    """A field of some bits: the others of its bytes are kept, ``(bytes & kept) | number``."""
    every = (1 << field.bits) - 1
    kept, number = every, 0
    if isinstance(term, Binop) and term.operator == "|":
        number, term = term.raw, term.left
    if isinstance(term, Binop) and term.operator == "&":
        kept, term = term.raw, term.left
    found = telling.fields.trimmed(field, every & ~kept | number) if term == field else None
    if found is None:
        return None
    part, skip = telling.fields.complete(found[0]), found[1]
    telling.implied.used(part)
    return [*part.text(telling.context), " set ", types.number_text(part.data_type, number >> skip, telling.context)]


def dynset(telling: Telling, attributes: Attributes) -> None:
    reference = SetReference(needed(attributes, NFTA_DYNSET_SET_NAME))
    operation = unsigned(attributes, NFTA_DYNSET_OP)
    if operation >= len(OPERATIONS):
        raise NotPlaced(f"operation {operation} on a set")
    key = complete(telling, key_of(telling, attributes, NFTA_DYNSET_SREG_KEY, reference))
    telling.counted_elsewhere |= reference.counts(telling.context)
    lead = meter(reference, telling, attributes)
    said: Text = lead or [f"{OPERATIONS[operation]} ", *reference.text(telling.context)]
    said += [" { ", *key.text(telling.context)]
    if NFTA_DYNSET_TIMEOUT in attributes:
        said.append(attributes[NFTA_DYNSET_TIMEOUT].hole(timeout))
    for expression in expressions(attributes):
        said += [" ", *(told := stateless(expression))]
        telling.counted_elsewhere |= told == ["counter"]
    if NFTA_DYNSET_SREG_DATA in attributes:
        said += [" : ", *map_data(telling, attributes[NFTA_DYNSET_SREG_DATA], reference.kind(telling.context))]
    telling.say([*said, " }"])


def meter(reference: SetReference, telling: Telling, attributes: Attributes) -> Text:
    """nft's older way to write a set that a rule fills: the set has the rule's name for it."""
    if not expressions(attributes):
        return []
    found = reference.found(telling.context)
    return [f"meter {found.name} size {found.size}"] if found and found.flags & NFT_SET_ANONYMOUS else []


def timeout(octets: bytes) -> str:
    found = int.from_bytes(octets[:8], "big")
    return f" timeout {types.milliseconds(found)}" if found else ""


def expressions(attributes: Attributes) -> list[View]:
    if NFTA_DYNSET_EXPRESSIONS in attributes:
        return [view for number, view in attributes[NFTA_DYNSET_EXPRESSIONS].attributes() if number == NFTA_LIST_ELEM]
    return [attributes[NFTA_DYNSET_EXPR]] if NFTA_DYNSET_EXPR in attributes else []


def stateless(expression: View) -> Text:
    """What each element gets, without what the rule itself has counted."""
    found = expression.attribute_map()
    name = needed(found, NFTA_EXPR_NAME).text()
    if name == "counter" and NFTA_EXPR_DATA in found:
        found[NFTA_EXPR_DATA].ignore()
        return ["counter"]
    if name in STATEFUL and NFTA_EXPR_DATA in found:
        return counted(name, found[NFTA_EXPR_DATA])
    return [f"[expr {name}]"]


def map_data(telling: Telling, register: View, found: NftSet | None) -> Text:
    """What a map is to give: as its data's type has it, each part of a concatenation."""
    term = telling.get(register, found.data_length * 8 if found else 0)
    kinds = types.parts(found.data_type) if found else ()
    parts = term.parts if isinstance(term, Concat) else (term,)
    if len(kinds) != len(parts):
        return complete(telling, term).text(telling.context)
    texts = []
    for kind, part in zip(kinds, parts, strict=True):
        order = types.TYPES.get(kind, types.NUMBER).order
        texts.append(value(telling, part, kind, order))
    return joined(texts, " . ")


READERS: Mapping[str, Reader] = {"payload": payload, "dynset": dynset}
