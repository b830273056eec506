"""Elements of sets and maps of nf_tables as ``nft list`` prints them, in its order."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from collectors.netfilter.nft import datatypes
from collectors.netfilter.nft.datatypes import Order
from collectors.netfilter.nft.element_order import Pair, Part, Raw, paired
from collectors.netfilter.nft.model import NFT_SET_INTERVAL, NFT_SET_MAP, NFT_SET_OBJECT, Context, NftSet
from collectors.netfilter.nft.payloads import comment
from collectors.netfilter.nft.set_messages import expressions
from collectors.netfilter.nft.stateful import Stateful, statements
from collectors.netfilter.nft.typeof import UNKNOWN, Width, widths
from collectors.netfilter.nft.uapi import (
    NFTA_DATA_VALUE,
    NFTA_DATA_VERDICT,
    NFTA_SET_ELEM_FLAGS,
    NFTA_SET_ELEM_KEY,
    NFTA_SET_ELEM_KEY_END,
    NFTA_VERDICT_CHAIN,
    NFTA_VERDICT_CODE,
)
from collectors.wire.netlink import DecodeError, attribute_map, text

NFTA_SET_ELEM_DATA, NFTA_SET_ELEM_TIMEOUT = 2, 4
NFTA_SET_ELEM_EXPIRATION, NFTA_SET_ELEM_USERDATA, NFTA_SET_ELEM_EXPR = 5, 6, 7
NFTA_SET_ELEM_OBJREF, NFTA_SET_ELEM_EXPRESSIONS = 9, 11
UDATA_SET_KEYBYTEORDER, UDATA_SET_DATABYTEORDER, UDATA_SET_KEY_TYPEOF = 0, 1, 3
UDATA_SET_DATA_TYPEOF, UDATA_SET_DATA_INTERVAL = 4, 6
ORDERS: Mapping[bytes, Order] = {b"\1\0\0\0": datatypes.HOST, b"\2\0\0\0": "big"}  # enum byteorder of nft
STRINGS = (datatypes.STRING, datatypes.IFNAME)


@dataclass(frozen=True, slots=True)
class Element:
    """``key`` and ``data`` as text; times in ms; ``stateful``: counters and limits of its own."""

    key: str
    data: str | None
    timeout: int | None
    expires: int | None
    stateful: Stateful
    comment: str | None

    @property
    def text(self) -> str:
        said = [self.key]
        if self.stateful.text:
            said.append(self.stateful.text)
        if self.timeout:
            said.append(f"timeout {datatypes.milliseconds(self.timeout)}")
        if self.expires:
            said.append(f"expires {datatypes.milliseconds(self.expires)}")
        if self.comment is not None:
            said.append(f'comment "{self.comment}"')
        if self.data is not None:
            said.append(f": {self.data}")
        return " ".join(said)


def elements_text(found: NftSet, context: Context) -> str:
    """``{ 22, 80-90 }`` as nft prints an anonymous set in a rule, without its line breaks."""
    told = elements(found, context)
    return f"{{ {', '.join([element.text for element in told])} }}" if told else "{ }"


def elements(found: NftSet, context: Context) -> list[Element]:
    """Every element, the pairs that bound an interval as one, in nft's order."""
    raws = [raw_element(payload) for payload in found.elements or ()]
    keys = key_parts(found)
    data = data_parts(found)
    pairs = paired(found, raws, keys)
    return [element(found, raw, key, data, context) for raw, key in told_keys(pairs, keys, context)]


def raw_element(payload: bytes) -> Raw:
    found = attribute_map(payload)
    flags = int.from_bytes(found.get(NFTA_SET_ELEM_FLAGS, b""), "big")
    return Raw(data_value(found.get(NFTA_SET_ELEM_KEY)), data_value(found.get(NFTA_SET_ELEM_KEY_END)), flags, found)


def data_value(nested: bytes | None) -> bytes | None:
    return None if nested is None else attribute_map(nested).get(NFTA_DATA_VALUE)


def key_parts(found: NftSet) -> tuple[Part, ...]:
    """The fields of a key; in a set of intervals the kernel has to compare them, so numbers stand big-endian."""
    order: Order | None = "big"
    known = tuple(Width(size) for size in found.fields)
    if not found.flags & NFT_SET_INTERVAL:
        order = ORDERS.get(found.userdata.get(UDATA_SET_KEYBYTEORDER, b""))
        known = widths(found.userdata.get(UDATA_SET_KEY_TYPEOF, b""))
    return fields(found.key_type, found.key_length, known, order)


def data_parts(found: NftSet) -> tuple[Part, ...]:
    order = ORDERS.get(found.userdata.get(UDATA_SET_DATABYTEORDER, b""))
    length = found.data_length // (2 if is_interval_data(found) else 1)
    return fields(found.data_type, length, widths(found.userdata.get(UDATA_SET_DATA_TYPEOF, b"")), order)


def is_interval_data(found: NftSet) -> bool:
    return any(found.userdata.get(UDATA_SET_DATA_INTERVAL, b""))


def fields(kind: int, length: int, known: Sequence[Width], order: Order | None) -> tuple[Part, ...]:
    """``known``: the widths of a concatenation's fields, as far as they are; ``order``: where it is not the type's."""
    kinds = datatypes.parts(kind)
    if len(kinds) < 2:
        return (Part(kind, 0, length, order or datatypes.TYPES.get(kind, datatypes.NUMBER).order),)
    found, at = [], 0
    for place, part in enumerate(kinds):
        width = known[place] if place < len(known) else UNKNOWN
        described = datatypes.TYPES.get(part, datatypes.NUMBER)
        size = described.octets or width.octets or 4
        own = described.order if described.octets else width.order or described.order
        found.append(Part(part, at, size, order or own))
        at += (size + 3) & ~3
    return tuple(found)


def told_keys(pairs: Iterable[Pair], keys: Sequence[Part], context: Context) -> Iterator[tuple[Raw, str]]:
    for raw, low, high in pairs:
        if low is None or high is None:
            yield raw, "*"
        else:
            yield raw, span_text(keys, low, high, context)


def span_text(parts: Sequence[Part], low: bytes, high: bytes, context: Context) -> str:
    if len(parts) == 1:
        return part_text(parts[0], low, high, context)
    return " . ".join([part_text(part, part.of(low), part.of(high), context) for part in parts])


def part_text(part: Part, low: bytes, high: bytes, context: Context) -> str:
    """One value, a prefix, a name with a star, or a range."""
    if low == high:
        return datatypes.value_text(part.kind, low, context, part.order)
    length = common(low, high, part.order)
    if length is not None and part.kind in STRINGS and length % 8 == 0 and length:
        return datatypes.prefix_text(part.kind, low, length, context)
    if length is not None and datatypes.TYPES.get(part.kind, datatypes.NUMBER).prefix:
        return f"{datatypes.value_text(part.kind, low, context, part.order)}/{length}"
    if part.kind in STRINGS:
        return "-".join([datatypes.value_text(part.kind, end, context) for end in (low, high)])
    if part.kind == datatypes.TIME:  # nft writes the ends of a range without its larger units
        return "-".join([f"{int.from_bytes(end, part.order) // 1000}s" for end in (low, high)])
    return datatypes.range_text(part.kind, low, high, context, part.order)


def common(low: bytes, high: bytes, order: Order) -> int | None:
    """The length of the prefix that holds exactly the values between these, None where there is none."""
    first, last = int.from_bytes(low, order), int.from_bytes(high, order)
    span = first ^ last
    return len(low) * 8 - span.bit_length() if span & (span + 1) == 0 and first & span == 0 else None


def element(found: NftSet, raw: Raw, key: str, parts: Sequence[Part], context: Context) -> Element:
    said = raw.found.get(NFTA_SET_ELEM_USERDATA)
    return Element(
        key,
        data_text(found, raw, parts, context),
        number(raw, NFTA_SET_ELEM_TIMEOUT),
        number(raw, NFTA_SET_ELEM_EXPIRATION),
        statements(expressions(raw.found, NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_EXPRESSIONS)),
        comment(said) if said else None,
    )


def number(raw: Raw, attribute: int) -> int | None:
    return int.from_bytes(raw.found[attribute], "big") if attribute in raw.found else None


def data_text(found: NftSet, raw: Raw, parts: Sequence[Part], context: Context) -> str | None:
    """What a map gives for the key: a verdict, a value, or an object's name."""
    if found.flags & NFT_SET_OBJECT:
        return f'"{text(raw.found.get(NFTA_SET_ELEM_OBJREF, b""))}"'
    if not found.flags & NFT_SET_MAP or NFTA_SET_ELEM_DATA not in raw.found:
        return None
    inside = attribute_map(raw.found[NFTA_SET_ELEM_DATA])
    if NFTA_DATA_VERDICT in inside:
        return verdict(inside[NFTA_DATA_VERDICT])
    value = inside.get(NFTA_DATA_VALUE, b"")
    half = len(value) // 2 if is_interval_data(found) else 0
    return span_text(parts, value[half and 0 : half or None], value[half:], context)


def verdict(nested: bytes) -> str:
    found = attribute_map(nested)
    code = found.get(NFTA_VERDICT_CODE, b"")
    if len(code) != 4:
        raise DecodeError(0, f"a verdict of {len(code)} bytes")
    return datatypes.verdict_text(struct.unpack(">i", code)[0], text(found.get(NFTA_VERDICT_CHAIN, b"")))
