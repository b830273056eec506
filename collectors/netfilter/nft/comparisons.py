"""What a comparison says, once it is known of which headers a rule speaks."""

from __future__ import annotations

from dataclasses import replace

from collectors.netfilter.nft import datatypes as types
from collectors.netfilter.nft import options
from collectors.netfilter.nft.constants import (
    Constant,
    Flags,
    Masked,
    NotPlaced,
    Prefix,
    Range,
    Right,
    SetReference,
    Term,
    Text,
    Values,
)
from collectors.netfilter.nft.fields import Match
from collectors.netfilter.nft.telling import Telling
from collectors.netfilter.nft.terms import Binop, Concat, Hash, Load, Mapped, Option, Payload, Swapped


def compare(telling: Telling, match: Match) -> None:
    """Add a comparison, or several where adjacent fields are compared at once."""
    if isinstance(match.left, Payload):
        payload_match(telling, match)
        return
    match.left = complete(telling, match.left)
    match.right = typed(match.right, match.left)
    if isinstance(match.left, Load) and match.left.kind in ("meta", "ct"):
        telling.implied.meta_used(match, match.left.base)
    elif isinstance(match.left, Binop) and binop_match(telling, match):
        return
    add(telling, match)


def add(telling: Telling, match: Match) -> None:
    """Add the comparison; one that with the one before bounds a range becomes that range."""
    before = telling.before
    if before and is_range(before, match):
        before.dropped = True
        low, high = before.right, match.right
        if isinstance(low, Constant) and isinstance(high, Constant):
            match.operator = "==" if match.operator == "<=" else "!="
            match.right = Range(low, high)
    telling.statements.append(match)
    telling.before = match


def is_range(before: Match, match: Match) -> bool:
    pair = (before.operator, match.operator)
    constants = isinstance(before.right, Constant) and isinstance(match.right, Constant)
    return constants and pair in ((">=", "<="), ("<", ">")) and before.left == match.left


def typed(right: Right, left: Term) -> Right:
    """A value as one of the left side's type."""
    if isinstance(right, Constant):
        return right.typed(left)
    if isinstance(right, Prefix):
        return Prefix(right.value.typed(left), right.length)
    if isinstance(right, Range):
        return Range(right.low.typed(left), right.high.typed(left))
    if isinstance(right, SetReference):
        return replace(right, data_type=left.data_type)
    if isinstance(right, Values) and isinstance(left, Concat):
        return Values(tuple(value.typed(term) for value, term in zip(right.parts, left.parts, strict=True)))
    return right


def payload_match(telling: Telling, match: Match) -> None:
    left = match.left
    if not isinstance(left, Payload):
        raise NotPlaced("no payload")
    if match.operator in ("==", "!=") and isinstance(match.right, Constant):
        expand(telling, left, match.operator, match.right)
        return
    if match.operator in ("==", "!=") and isinstance(match.right, SetReference):
        telling.fields.learn_icmp(left, match.right, telling.context)
    match.left = field = telling.fields.complete(left)
    match.right = typed(match.right, field)
    telling.implied.used(field)
    add(telling, match)


def expand(telling: Telling, payload: Payload, operator: str, value: Constant) -> None:
    """One comparison for each field that the payload holds."""
    at = 0
    fields, implied = telling.fields, telling.implied
    for field in fields.expanded(payload):
        part: Right = sliced(value, at, field.bits).typed(field)
        at += field.bits
        if field.field and field.field.bits > field.bits and isinstance(part, Constant):
            part = Prefix(replace(part, whole=field.field.bits), field.bits)
        match = Match(field, operator, part)
        base = field.base
        if match.equality:
            fields.learn(match)
            base -= fields.is_stacked(match)
        implied.used(field)
        if match.equality and field.protocol:
            implied.remember(match, base)
        telling.statements.append(match)
    telling.before = None


def sliced(value: Constant, at: int, bits: int) -> Constant:
    """Bits of a value, counted from its first one; for whole bytes only those bytes."""
    below = value.bits - at - bits
    if value.skip == 0 and at % 8 == bits % 8 == value.bits % 8 == 0 and below >= 0:
        return replace(value, view=value.view.part(at // 8, bits // 8), bits=bits, split=False)
    return replace(value, bits=bits, skip=value.skip + max(below, 0), split=False)


def binop_match(telling: Telling, match: Match) -> bool:
    """Rewrite a comparison of masked bits; true where it has been added."""
    left = match.left
    if not isinstance(left, Binop):
        return False
    if left.operator == "&" and match.operator in ("==", "!=") and types.is_bitmask(left.data_type):
        flag_match(match, left)
    elif left.operator == "&" and isinstance(match.right, Constant) and is_prefix(left):
        match.left, match.right = left.left, Prefix(match.right, left.number.bit_count())
    elif left.operator == "&":
        return trimmed_match(telling, match, left)
    elif left.operator == ">>" and isinstance(left.left, Binop) and left.left.operator == "&":
        match.left = unshifted(telling, left)
    return False


def flag_match(match: Match, left: Binop) -> None:
    """``flags & mask`` compared with none, with all, or with some of the mask."""
    if not isinstance(match.right, Constant):
        return
    value, mask = match.right.number(), Flags(left.data_type, left.number)
    if not value:
        match.operator = "" if match.operator == "!=" else "!"
        match.left, match.right = left.left, mask
    elif value.bit_count() > 1 or value != left.number:
        match.left, match.right = left.left, Masked(Flags(left.data_type, value), mask)


def is_prefix(left: Binop) -> bool:
    """Whether the mask keeps the first bits of a value that is told so."""
    mask, width = left.number, left.bits
    low = (mask & -mask).bit_length() - 1 if mask else width
    return types.TYPES.get(left.data_type, types.NUMBER).prefix and mask == (1 << width) - (1 << low)


def trimmed_match(telling: Telling, match: Match, left: Binop) -> bool:
    """A mask that only selects a field within its bytes is left out."""
    found = trimmed(telling, left)
    if found is None:
        return False
    field, skip = found
    match.left, match.right = field, narrowed(match.right, field.bits, skip)
    if isinstance(field, Payload):
        payload_match(telling, match)
        return True
    match.right = typed(match.right, field)
    return False


def trimmed(telling: Telling, left: Binop) -> tuple[Payload | Option, int] | None:
    if isinstance(left.left, Payload):
        return telling.fields.trimmed(left.left, left.raw)
    return options.trimmed(left.left, left.raw, left.bits) if isinstance(left.left, Option) else None


def narrowed(right: Right, bits: int, skip: int) -> Right:
    if isinstance(right, Constant):
        return replace(right, bits=bits, skip=skip, order="big")
    if isinstance(right, Range):
        return Range(*(replace(end, bits=bits, skip=skip, order="big") for end in (right.low, right.high)))
    return replace(right, skip=skip, bits=bits) if isinstance(right, SetReference) else right


def unshifted(telling: Telling, left: Binop) -> Term:
    """``(bits & mask) >> n`` as the field that it selects, with the shift that is left over."""
    inner = left.left
    found = trimmed(telling, inner) if isinstance(inner, Binop) and isinstance(inner.left, Payload) else None
    if found is None or not isinstance(found[0], Payload):
        return left
    field = telling.fields.complete(found[0])
    telling.implied.used(field)
    over = left.raw - found[1]
    return Binop(left.operator, field, over) if over else field


def complete(telling: Telling, term: Term, *, joined: bool = False) -> Term:
    """A term with its fields named; what they imply is left out of the rule. ``joined``: part of a concatenation."""
    if isinstance(term, Payload):
        field = telling.fields.complete(term)
        telling.implied.used(field)
        return field
    if isinstance(term, Option):
        telling.implied.option_used(term)
    elif isinstance(term, Load) and term.kind == "ct" and not term.protocol and term.base:
        return telling.fields.addressed(term)
    elif isinstance(term, Binop):
        return complete_binop(telling, term, joined)
    elif isinstance(term, Swapped):
        return Swapped(complete(telling, term.term))
    elif isinstance(term, Concat):
        return replace(term, parts=tuple(complete(telling, part, joined=True) for part in term.parts))
    elif isinstance(term, Hash):
        return replace(term, term=complete(telling, term.term))
    elif isinstance(term, Mapped):
        return complete_map(telling, term)
    return term


def complete_binop(telling: Telling, term: Binop, joined: bool) -> Term:
    left = complete(telling, term.left, joined=joined)
    term = replace(term, left=left)
    if joined and term.operator == "&" and (found := trimmed(telling, term)):
        return complete(telling, found[0])
    return term


def complete_map(telling: Telling, term: Mapped) -> Mapped:
    key, mapping = term.key, term.mapping
    if isinstance(key, Binop) and key.operator == "&" and isinstance(key.left, Payload):
        key = complete(telling, key)
        found = trimmed(telling, key) if isinstance(key, Binop) else None
        if found:
            key, mapping = found[0], replace(mapping, skip=found[1], bits=found[0].bits)
    key = complete(telling, key)
    return replace(term, key=key, mapping=replace(mapping, data_type=key.data_type))


def text(match: Match, telling: Telling) -> Text:
    """``left == right``, without the operator where nft leaves it out."""
    context = telling.context
    left = match.left.text(context)
    if isinstance(match.right, Masked):
        return [*left, " != " if match.operator == "!=" else " ", *match.right.text(context)]
    operator = match.operator
    if operator == "==" and not isinstance(match.left, Binop) and not one_flag(match.right):
        operator = ""
    return [*left, f" {operator} " if operator else " ", *match.right.text(context)]


def one_flag(right: Right) -> bool:
    """Whether a value is one that nft would otherwise take for a test of flags."""
    if not isinstance(right, Constant) or not types.is_bitmask(right.data_type):
        return False
    return not right.split or right.number().bit_count() < 2
