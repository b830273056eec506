"""Conntrack tuples: both ends of one direction of a flow, as attributes nested in ctnetlink's messages."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netfilter.conntrack import words as words
from collectors.table import Column
from collectors.values import IPV4, IPV6, Cell, address_text
from collectors.wire.netlink import DecodeError, attribute_map
from collectors.wire.shapes import Nested, Path, Shape

# uapi linux/netfilter/nfnetlink_conntrack.h
CTA_TUPLE_IP, CTA_TUPLE_PROTO, CTA_TUPLE_ZONE = 1, 2, 3
CTA_IP_V4_SRC, CTA_IP_V4_DST, CTA_IP_V6_SRC, CTA_IP_V6_DST = 1, 2, 3, 4
CTA_PROTO_NUM, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT = 1, 2, 3
CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMP_CODE = 4, 5, 6
CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_ICMPV6_CODE = 7, 8, 9
IPPROTO_GRE = 47

TUPLE: Nested = {CTA_TUPLE_IP: {}, CTA_TUPLE_PROTO: {}}
ADDRESSES = {"src": (CTA_IP_V4_SRC, CTA_IP_V6_SRC), "dst": (CTA_IP_V4_DST, CTA_IP_V6_DST)}
PORTS = {  # GRE has its keys where others have ports
    "sport": ("srckey", CTA_PROTO_SRC_PORT),
    "dport": ("dstkey", CTA_PROTO_DST_PORT),
}
ICMP = {
    "icmp_type": ("u1", (CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMPV6_TYPE)),
    "icmp_code": ("u1", (CTA_PROTO_ICMP_CODE, CTA_PROTO_ICMPV6_CODE)),
    "icmp_id": (">u2", (CTA_PROTO_ICMP_ID, CTA_PROTO_ICMPV6_ID)),
}


def columns(prefix: str, of: str, *keys: str) -> tuple[Column, ...]:
    """The columns of one tuple, named with a prefix; ``keys``: those that identify the row."""
    told = (
        ("src", "address", f"source address {of}"),
        ("dst", "address", f"destination address {of}"),
        ("sport", "u2", f"source port {of}"),
        ("dport", "u2", f"destination port {of}"),
        ("icmp_type", "u1", f"type of the ICMP message {of}"),
        ("icmp_code", "u1", f"code of the ICMP message {of}"),
        ("icmp_id", "u2", f"identifier of the ICMP message {of}"),
        ("srckey", "u2", f"GRE: source key {of}"),
        ("dstkey", "u2", f"GRE: destination key {of}"),
    )
    return tuple(
        Column(prefix + name, dtype, "key" if name in keys else "label", help=meaning) for name, dtype, meaning in told
    )


class Ends(NamedTuple):
    """One direction of the flows of a shape; ``addresses`` (n, 4 or 16) and ``ports`` (n,) by src/dst, sport/dport."""

    addresses: dict[str, NDArray[np.uint8]]
    ports: dict[str, NDArray[np.uint16]]


def put_tuple(draft: Draft, shape: Shape, prefix: str, *path: int) -> Ends:
    """The columns of the tuple at ``path``; gives back what NAT is told from."""
    ends = Ends({}, {})
    for name, numbers in ADDRESSES.items():
        where = first(shape, (*path, CTA_TUPLE_IP), numbers)
        if where:
            octets, form = address(shape, where)
            draft.addresses(prefix + name, octets, form, shape.at)
            ends.addresses[name] = octets
    put_ports(draft, shape, prefix, (*path, CTA_TUPLE_PROTO), ends.ports)
    for name, (dtype, numbers) in ICMP.items():
        where = first(shape, (*path, CTA_TUPLE_PROTO), numbers)
        if where:
            found = shape.number(dtype, *where)
            draft.numbers(prefix + name, found, shape.at)
            if name == "icmp_id":
                ends.ports[name] = found
    return ends


def put_ports(draft: Draft, shape: Shape, prefix: str, path: Path, found: dict[str, NDArray[np.uint16]]) -> None:
    """Ports, which of GRE flows are keys; a shape may have both kinds."""
    gre = None
    for name, (key, number) in PORTS.items():
        if (*path, number) not in shape:
            continue
        found[name] = ports = shape.number(">u2", *path, number)
        if gre is None:
            gre = gre_rows(shape, path)
        if not gre.any():
            draft.numbers(prefix + name, ports, shape.at)
            continue
        draft.numbers(prefix + key, ports, shape.at, gre)
        draft.numbers(prefix + name, ports, shape.at, ~gre)


def gre_rows(shape: Shape, path: Path) -> NDArray[np.bool_]:
    where = (*path, CTA_PROTO_NUM)
    return shape.number("u1", *where) == IPPROTO_GRE if where in shape else np.zeros(len(shape), np.bool_)


def first(shape: Shape, path: Path, numbers: tuple[int, ...]) -> Path | None:
    """The first of these attributes that the shape has below ``path``."""
    return next(((*path, number) for number in numbers if (*path, number) in shape), None)


def address(shape: Shape, where: Path) -> tuple[NDArray[np.uint8], int]:
    octets = shape.bytes_of(*where)
    form = IPV4 if where[-1] in (CTA_IP_V4_SRC, CTA_IP_V4_DST) else IPV6
    if octets.shape[1] != (4 if form == IPV4 else 16):
        raise DecodeError(0, f"address of {octets.shape[1]} bytes is not of its family")
    return octets, form


def told(value: bytes) -> dict[str, Cell]:
    """One tuple as an object, for those that are few: the columns' names without a prefix."""
    outer = attribute_map(value)
    inner, protocol = attribute_map(outer.get(CTA_TUPLE_IP, b"")), attribute_map(outer.get(CTA_TUPLE_PROTO, b""))
    found: dict[str, Cell] = {}
    if CTA_PROTO_NUM in protocol:
        found["proto"] = words.protocol(int.from_bytes(protocol[CTA_PROTO_NUM], "big"))
    for name, (four, six) in ADDRESSES.items():
        octets = inner.get(four, inner.get(six, b""))
        if len(octets) in (4, 16):
            found[name] = address_text(octets, IPV4 if len(octets) == 4 else IPV6)
    for name, (_, number) in PORTS.items():
        if number in protocol:
            found[name] = int.from_bytes(protocol[number], "big")
    return found
