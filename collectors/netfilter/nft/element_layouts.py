"""Elements of nft's sets told by layout: for sets whose elements are many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from socket import AF_INET, AF_INET6, inet_ntop

from collectors.netfilter.nft import datatypes
from collectors.netfilter.nft.element_order import Part
from collectors.netfilter.nft.elements import (
    NFTA_SET_ELEM_DATA,
    NFTA_SET_ELEM_EXPIRATION,
    NFTA_SET_ELEM_EXPR,
    NFTA_SET_ELEM_EXPRESSIONS,
    NFTA_SET_ELEM_OBJREF,
    NFTA_SET_ELEM_TIMEOUT,
    NFTA_SET_ELEM_USERDATA,
    data_parts,
    is_interval_data,
    key_parts,
    span_text,
)
from collectors.netfilter.nft.model import Context, NftSet
from collectors.netfilter.nft.payloads import comment
from collectors.netfilter.nft.stateful import stateful
from collectors.netfilter.nft.uapi import (
    NFTA_COUNTER_BYTES,
    NFTA_COUNTER_PACKETS,
    NFTA_DATA_VALUE,
    NFTA_DATA_VERDICT,
    NFTA_EXPR_DATA,
    NFTA_EXPR_NAME,
    NFTA_SET_ELEM_FLAGS,
    NFTA_SET_ELEM_KEY,
    NFTA_SET_ELEM_KEY_END,
    NFTA_VERDICT_CHAIN,
    NFTA_VERDICT_CODE,
)
from collectors.wire.netlink import text
from collectors.wire.templates import Pieces, Place, View

PLAIN = {(datatypes.IPADDR, 4): AF_INET, (datatypes.IP6ADDR, 16): AF_INET6}

Views = Mapping[int, View]


@dataclass(slots=True)
class Told:
    """One layout: ``texts`` and ``numbers`` by column."""

    texts: dict[str, Pieces] = field(default_factory=dict)
    numbers: dict[str, Place] = field(default_factory=dict)


class Teller:
    """Tells the elements of one set; ``keyed`` false: all but their keys."""

    def __init__(self, found: NftSet, context: Context, keyed: bool = True) -> None:
        self.context, self.keyed = context, keyed
        self.keys, self.data = key_parts(found), data_parts(found)
        self.halves = is_interval_data(found)

    def tell(self, view: View) -> Told:
        found, told = view.attribute_map(), Told()
        if NFTA_SET_ELEM_FLAGS in found:
            found[NFTA_SET_ELEM_FLAGS].octets()
        if key := self.key(view, found):
            told.texts["elem"] = key
        if data := self.value(found):
            told.texts["data"] = data
        for name, number in (("timeout", NFTA_SET_ELEM_TIMEOUT), ("expires", NFTA_SET_ELEM_EXPIRATION)):
            if number in found:
                told.numbers[name] = found[number].place(">u8")
        if NFTA_SET_ELEM_USERDATA in found:
            told.texts["comment"] = [found[NFTA_SET_ELEM_USERDATA].hole(remarked)]
        self.stateful(found, told)
        return told

    def key(self, view: View, found: Views) -> Pieces:
        if NFTA_SET_ELEM_KEY not in found:
            return ["*"]
        low = found[NFTA_SET_ELEM_KEY].attribute_map().get(NFTA_DATA_VALUE)
        high = low
        if NFTA_SET_ELEM_KEY_END in found:
            high = found[NFTA_SET_ELEM_KEY_END].attribute_map().get(NFTA_DATA_VALUE)
        if low is None or high is None:
            return ["*"]
        both = view.part(low.start - view.start, high.start + high.length - low.start)
        if not self.keyed:
            both.ignore()
            return []
        piece = both.hole(speller(self.keys, low.length, self.context))
        both.part(low.length, max(0, high.start - low.start - low.length)).octets()  # what stands between the two
        return [piece]

    def value(self, found: Views) -> Pieces:
        if NFTA_SET_ELEM_OBJREF in found:
            return ['"', found[NFTA_SET_ELEM_OBJREF].hole(text), '"']
        inside = found[NFTA_SET_ELEM_DATA].attribute_map() if NFTA_SET_ELEM_DATA in found else {}
        if NFTA_DATA_VERDICT in inside:
            return verdict(inside[NFTA_DATA_VERDICT].attribute_map())
        if NFTA_DATA_VALUE not in inside:
            return []
        value = inside[NFTA_DATA_VALUE]
        half = value.length // 2 if self.halves else value.length
        return [value.hole(partial(span, self.data, half, self.context))]

    def stateful(self, found: Views, told: Told) -> None:
        payloads = [found[NFTA_SET_ELEM_EXPR]] if NFTA_SET_ELEM_EXPR in found else []
        if NFTA_SET_ELEM_EXPRESSIONS in found:
            payloads = [payload for _, payload in found[NFTA_SET_ELEM_EXPRESSIONS].attributes()]
        said: list[Pieces] = []
        for payload in payloads:
            inside = payload.attribute_map()
            name = inside[NFTA_EXPR_NAME].text() if NFTA_EXPR_NAME in inside else ""
            data = inside[NFTA_EXPR_DATA].attribute_map() if NFTA_EXPR_DATA in inside else {}
            if name == "counter" and {NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS} <= data.keys():
                told.numbers["packets"] = data[NFTA_COUNTER_PACKETS].place(">u8")
                told.numbers["bytes"] = data[NFTA_COUNTER_BYTES].place(">u8")
            else:
                said.append([payload.hole(lambda octets: stateful(octets).text)])
        if said:
            told.texts["stmt"] = [piece for pieces in said for piece in (" ", *pieces)][1:]


def speller(parts: Sequence[Part], size: int, context: Context) -> Callable[[bytes], str]:
    """What tells a key of ``size`` bytes, or two such as the ends of a range."""
    if len(parts) == 1 and (family := PLAIN.get((parts[0].kind, size))):
        return lambda octets: inet_ntop(family, octets) if len(octets) == size else span(parts, size, context, octets)
    return partial(span, parts, size, context)


def span(parts: Sequence[Part], size: int, context: Context, octets: bytes) -> str:
    """A value, or all between the first ``size`` bytes and the last."""
    return span_text(parts, octets[:size], octets[-size:], context)


def verdict(found: Views) -> Pieces:
    code = found[NFTA_VERDICT_CODE].number(">i") if NFTA_VERDICT_CODE in found else 0
    said = datatypes.verdict_text(code, "")
    return [said, found[NFTA_VERDICT_CHAIN].hole(text)] if NFTA_VERDICT_CHAIN in found else [said]


def remarked(octets: bytes) -> str:
    return comment(octets) or ""
