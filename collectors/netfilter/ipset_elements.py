"""Elements of ipset's sets as ``ipset save`` prints them, from IPSET_CMD_LIST (uapi linux/netfilter/ipset/ip_set.h)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.netfilter import nfnetlink
from collectors.netfilter.ipset import (
    IPSET_ATTR_ADT,
    IPSET_ATTR_CADT_FLAGS,
    IPSET_ATTR_CIDR,
    IPSET_ATTR_DATA,
    IPSET_ATTR_IP,
    IPSET_ATTR_IPADDR_IPV4,
    IPSET_ATTR_PORT,
    IPSET_ATTR_SETNAME,
    IPSET_ATTR_TIMEOUT,
)
from collectors.netfilter.ipset_words import ICMP, ICMPV6, IPPROTO_ICMP, IPPROTO_ICMPV6
from collectors.netfilter.nft import symbols
from collectors.netfilter.nft.element_places import listed
from collectors.values import IPV4, IPV6, address_text
from collectors.wire.netlink import DecodeError, Messages, text
from collectors.wire.places import Places, attribute_places
from collectors.wire.templates import Piece, Pieces, Place, View

# inside IPSET_ATTR_DATA of an element
IPSET_ATTR_PROTO, IPSET_ATTR_MARK = 7, 10
IPSET_ATTR_ETHER, IPSET_ATTR_NAME, IPSET_ATTR_IP2, IPSET_ATTR_CIDR2, IPSET_ATTR_IFACE = 17, 18, 20, 21, 23
IPSET_ATTR_BYTES, IPSET_ATTR_PACKETS, IPSET_ATTR_COMMENT = 24, 25, 26
IPSET_ATTR_SKBMARK, IPSET_ATTR_SKBPRIO, IPSET_ATTR_SKBQUEUE = 27, 28, 29
IPSET_FLAG_PHYSDEV, IPSET_FLAG_NOMATCH, IPSET_FLAG_IFACE_WILDCARD = 1 << 1, 1 << 2, 1 << 7
FLAGS = {IPSET_FLAG_NOMATCH: "nomatch", IPSET_FLAG_IFACE_WILDCARD: "wildcard"}

Views = Mapping[int, View]


class Members(NamedTuple):
    """Part of one set's elements: where the payload of each stands in ``data``, (n,) each."""

    name: str
    data: NDArray[np.uint8]
    offsets: NDArray[np.intp]
    lengths: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Told:
    """``elem``: the key as text; ``numbers``: timeout, packets, bytes; ``texts``: comment, skbmark, …"""

    elem: Pieces
    numbers: Mapping[str, Place] = field(default_factory=dict)
    texts: Mapping[str, Pieces] = field(default_factory=dict)
    flags: Sequence[str] = ()


def member_places(messages: Messages) -> Iterator[Members]:
    """The elements of each message."""
    found = messages.of(nfnetlink.kind(nfnetlink.IPSET, 7))
    if not len(found):
        return
    nowhere = Places(np.zeros(len(found), np.intp), np.full(len(found), -1, np.intp))
    places = attribute_places(found, nfnetlink.NFGENMSG.itemsize)
    names, lists = (places.get(number, nowhere) for number in (IPSET_ATTR_SETNAME, IPSET_ATTR_ADT))
    for row in range(len(found)):
        at, size = int(names.offsets[row]), int(names.lengths[row])
        start, length = int(lists.offsets[row]), int(lists.lengths[row])
        offsets, lengths = listed(found.data, start, start + max(length, 0), IPSET_ATTR_DATA)
        yield Members(text(found.data[at : at + max(size, 0)].tobytes()), found.data, offsets, lengths)


def tell(view: View, kind: str) -> Told:
    """One element of a set of a type such as ``hash:net,iface``."""
    found = view.attribute_map()
    bits = found[IPSET_ATTR_CADT_FLAGS].number() if IPSET_ATTR_CADT_FLAGS in found else 0
    elem: list[Piece] = []
    for place, word in enumerate(kind.partition(":")[2].split(",")):
        if piece := part(word, place, found, bits):
            elem += [",", *piece] if elem else [*piece]
    numbers = {
        name: found[number].place(dtype)
        for name, number, dtype in (
            ("timeout", IPSET_ATTR_TIMEOUT, ">u4"),
            ("packets", IPSET_ATTR_PACKETS, ">u8"),
            ("bytes", IPSET_ATTR_BYTES, ">u8"),
        )
        if number in found
    }
    texts = {name: [found[number].hole(say)] for name, number, say in TEXTS if number in found}
    flags = [
        word for bit, word in ((IPSET_FLAG_NOMATCH, "nomatch"), (IPSET_FLAG_IFACE_WILDCARD, "wildcard")) if bits & bit
    ]
    return Told(elem, numbers, texts, flags)


def part(word: str, place: int, found: Views, bits: int) -> Pieces:
    """One of the fields that the type names; [] for one that the element does not have."""
    if word in ("ip", "net"):
        second = place > 0
        return network(found, *((IPSET_ATTR_IP2, IPSET_ATTR_CIDR2) if second else (IPSET_ATTR_IP, IPSET_ATTR_CIDR)))
    if word == "port":
        return port(found)
    if word == "iface" and IPSET_ATTR_IFACE in found:
        return ["physdev:" if bits & IPSET_FLAG_PHYSDEV else "", found[IPSET_ATTR_IFACE].hole(text)]
    if word == "mac" and IPSET_ATTR_ETHER in found:
        return [found[IPSET_ATTR_ETHER].hole(lambda octets: octets.hex(":").upper())]
    if word == "mark" and IPSET_ATTR_MARK in found:
        return [found[IPSET_ATTR_MARK].hole(lambda octets: f"0x{octets.hex()}")]
    if word == "set" and IPSET_ATTR_NAME in found:
        return [found[IPSET_ATTR_NAME].hole(text)]
    return []


def network(found: Views, address: int, length: int) -> Pieces:
    """An address, with the length of its prefix where that is not all of it."""
    if address not in found:
        return []
    (number, octets), *_ = [*found[address].attributes(), (0, found[address])]
    form, size = (IPV4, 4) if number == IPSET_ATTR_IPADDR_IPV4 else (IPV6, 16)
    if len(octets) != size:
        raise DecodeError(octets.start, f"an address of {len(octets)} bytes")
    prefix = found[length].number(">B") if length in found else size * 8
    suffix = f"/{prefix}" if prefix != size * 8 else ""
    return [octets.hole(partial(address_form, form=form)), suffix]


def address_form(octets: bytes, form: int) -> str:
    return address_text(octets, form) or ""


def port(found: Views) -> Pieces:
    if IPSET_ATTR_PORT not in found:
        return []
    here = found[IPSET_ATTR_PORT]
    if IPSET_ATTR_PROTO not in found:
        return [here.hole(lambda octets: str(int.from_bytes(octets, "big")))]
    protocol = found[IPSET_ATTR_PROTO].number(">B")
    name = symbols.protocols().get(protocol, str(protocol))
    codes = {IPPROTO_ICMP: ICMP, IPPROTO_ICMPV6: ICMPV6}.get(protocol)
    if codes is None:
        return [f"{name}:", here.hole(lambda octets: str(int.from_bytes(octets, "big")))]
    return [f"{name}:", here.hole(partial(icmp, codes=codes))]


def icmp(octets: bytes, codes: Mapping[int, str]) -> str:
    """A type and code, which stand where another protocol has its port."""
    number = int.from_bytes(octets, "big")
    return codes.get(number) or f"{number >> 8}/{number & 0xFF}"


def skbmark(octets: bytes) -> str:
    mark, mask = int.from_bytes(octets[:4], "big"), int.from_bytes(octets[4:8], "big")
    return f"{mark:#x}" if mask == 0xFFFFFFFF else f"{mark:#x}/{mask:#x}"


def skbprio(octets: bytes) -> str:
    return f"{int.from_bytes(octets[:2], 'big'):x}:{int.from_bytes(octets[2:4], 'big'):x}"


def decimal(octets: bytes) -> str:
    return str(int.from_bytes(octets, "big"))


TEXTS = (
    ("comment", IPSET_ATTR_COMMENT, text),
    ("skbmark", IPSET_ATTR_SKBMARK, skbmark),
    ("skbprio", IPSET_ATTR_SKBPRIO, skbprio),
    ("skbqueue", IPSET_ATTR_SKBQUEUE, decimal),
)
