"""Sizes of set fields whose data type has none, from what nft keeps of a ``typeof`` (libnftnl udata.h)."""

from __future__ import annotations

from typing import NamedTuple

from collectors.netfilter.nft.datatypes import HOST, Order
from collectors.netfilter.nft.payloads import userdata

TYPEOF_EXPR, TYPEOF_DATA = 0, 1  # enum NFTNL_UDATA_SET_TYPEOF_*
EXPR_PAYLOAD, EXPR_META, EXPR_CT, EXPR_CONCAT = 7, 9, 12, 13  # enum expr_types of nft
PAYLOAD_LENGTH = 4  # bits
CT_KEY = 0
NFT_CT_PKTS, NFT_CT_BYTES, NFT_CT_AVGPKT, NFT_CT_ZONE, NFT_CT_ID = 14, 15, 16, 17, 23
CT_ADDRESSES = (19, 20, 21, 22)  # NFT_CT_SRC_IP to NFT_CT_DST_IP6
CT_SIZES = {NFT_CT_PKTS: 8, NFT_CT_BYTES: 8, NFT_CT_AVGPKT: 8, NFT_CT_ZONE: 2}


class Width(NamedTuple):
    """A field's bytes and their order, None where the expression does not tell."""

    octets: int | None = None
    order: Order | None = None


UNKNOWN = Width()


def widths(said: bytes) -> tuple[Width, ...]:
    """The width of each field of a concatenation; () for any other expression."""
    found = written(said)
    return tuple(width(part) for part in found) if len(found) > 1 else ()


def written(said: bytes) -> list[dict[int, bytes]]:
    """The expression that a set was declared with, each of a concatenation's; [] where none is kept."""
    found = userdata(said)
    if number(found, TYPEOF_EXPR) != EXPR_CONCAT:
        return [found] if found else []
    parts = userdata(found.get(TYPEOF_DATA, b""))
    return [userdata(parts[place]) for place in sorted(parts)]


def width(found: dict[int, bytes]) -> Width:
    inside = userdata(found.get(TYPEOF_DATA, b""))
    kind = number(found, TYPEOF_EXPR)
    if kind == EXPR_PAYLOAD and PAYLOAD_LENGTH in inside:
        return Width((number(inside, PAYLOAD_LENGTH) + 7) // 8, "big")
    if kind == EXPR_META:
        return Width(4, HOST)
    if kind == EXPR_CT:
        key = number(inside, CT_KEY)
        if key in CT_ADDRESSES:
            return UNKNOWN  # as wide, and in the order, as its type
        return Width(CT_SIZES.get(key, 4), "big" if key == NFT_CT_ID else HOST)
    return UNKNOWN


def number(found: dict[int, bytes], kind: int) -> int:
    """nft keeps these in the host's order."""
    return int.from_bytes(found.get(kind, b""), HOST)
