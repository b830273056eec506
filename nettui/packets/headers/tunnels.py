"""Tunnels: GRE, VXLAN, Geneve; IP in IP has no header of its own."""

from __future__ import annotations

from collectors.wire.packets.tunnels import BRIDGED, CHECKSUM, ETHERNET, KEY, ROUTING, SEQUENCE, VERSION
from nettui.packets.headers.link import ethertype
from nettui.packets.headers.part import Field, Node, Part, Told, told
from nettui.packets.headers.spelling import hexed

GRE = (Field("Flags and Version", 0, 2, hexed(2)), Field("Protocol Type", 2, 2, ethertype))
PARTS = (  # in their order
    (CHECKSUM, Field("Checksum", 0, 2, hexed(2))), (KEY, Field("Key", 0, 4, hexed(4))),
    (SEQUENCE, Field("Sequence Number", 0, 4)),
)  # fmt: skip
VXLAN = (Field("Flags", 0, 2, hexed(2)), Field("VXLAN Network Identifier (VNI)", 4, 3))
GENEVE = (
    Field("Version", 0, 1, mask=0xC0), Field("Options Length", 0, 1, lambda v: f"{v * 4} bytes", 0x3F),
    Field("Protocol Type", 2, 2, ethertype), Field("Virtual Network Identifier (VNI)", 4, 3),
)  # fmt: skip


def gre(part: Part) -> Told:
    """Of version 1 (PPTP), and of one with source routes, only the beginning is told."""
    flags = part.number(0, 2)
    known = not flags & (VERSION | ROUTING)
    fields, size = list(GRE), 4
    for flag, field in PARTS:
        if known and flags & flag:
            fields.append(field._replace(offset=size))
            size += 4
    node = part.node("Generic Routing Encapsulation", 0, size, told(part, fields))
    return inside(node, part, size, known)


def vxlan(part: Part) -> Told:
    node = part.node("Virtual eXtensible Local Area Network", 0, 8, told(part, VXLAN))
    known = part.number(0, 1) & 8 and part.left() >= 8
    return Told(node, "link" if known else "", ETHERNET, part.ahead(8))


def geneve(part: Part) -> Told:
    size = 8 + (part.number(0, 1) & 63) * 4
    fields = (*GENEVE, Field("Options", 8, size - 8, hexed(size - 8))) if size > 8 else GENEVE
    node = part.node("Generic Network Virtualization Encapsulation", 0, size, told(part, fields))
    return inside(node, part, size, part.number(0, 1) >> 6 == 0)


def inside(node: Node, part: Part, size: int, known: bool) -> Told:
    """Ethernet, or what the ethertype in the header's third and fourth byte says."""
    kind, rest = part.number(2, 2), part.ahead(size)
    if not known or part.left() < size:
        return Told(node, "", 0, rest)
    return Told(node, "link", ETHERNET, rest) if kind == BRIDGED else Told(node, "ether", kind, rest)
