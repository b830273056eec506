"""Link layers: Ethernet with VLANs and LLC, Linux cooked captures, BSD loopback, raw IP."""

from __future__ import annotations

from collectors.wire.packets.link import COOKED_LLC, INET, INET6, LENGTHS, SNAP
from nettui.packets.headers.part import Field, Node, Part, Told, told
from nettui.packets.headers.spelling import hexed, link_address

ETHERTYPES = {
    0x0800: "IPv4", 0x0806: "ARP", 0x8035: "RARP", 0x86DD: "IPv6", 0x8100: "802.1Q Virtual LAN", 0x88A8: "802.1ad",
    0x9100: "QinQ", 0x88CC: "LLDP", 0x8847: "MPLS", 0x8864: "PPPoE session", 0x8809: "Slow protocols",
    0x888E: "802.1X Authentication", 0x6558: "Ethernet",
}  # fmt: skip
DIRECTIONS = ("Unicast to us", "Broadcast", "Multicast", "Unicast to another host", "Sent by us")


def ethertype(value: int) -> str:
    name = ETHERTYPES.get(value)
    return f"0x{value:04x}" if name is None else f"{name} (0x{value:04x})"


def direction(value: int) -> str:
    return f"{DIRECTIONS[value]} ({value})" if value < len(DIRECTIONS) else str(value)


MACS = (Field("Destination", 0, 6, link_address), Field("Source", 6, 6, link_address))
TYPE, LENGTH = Field("Type", 12, 2, ethertype), Field("Length", 12, 2)
TAG = (
    Field("Priority", 0, 2, mask=0xE000), Field("DEI", 0, 2, mask=0x1000), Field("ID", 0, 2, mask=0xFFF),
)  # fmt: skip
COOKED = (
    Field("Packet type", 0, 2, direction), Field("Link-layer address type", 2, 2),
    Field("Link-layer address length", 4, 2), Field("Source", 6, 6, link_address), Field("Protocol", 14, 2, ethertype),
)  # fmt: skip
COOKED2 = (
    Field("Protocol", 0, 2, ethertype), Field("Interface index", 4, 4), Field("Link-layer address type", 8, 2),
    Field("Packet type", 10, 1, direction), Field("Link-layer address length", 11, 1),
    Field("Source", 12, 6, link_address),
)  # fmt: skip
POINTS = (
    Field("DSAP", 0, 1, hexed(1)), Field("SSAP", 1, 1, hexed(1)), Field("Control", 2, 1, hexed(1)),
)  # fmt: skip
SNAPPED = (Field("Organization Code", 3, 3, hexed(3)), Field("Type", 6, 2, ethertype))


def ethernet(part: Part) -> Told:
    kind = part.number(12, 2)
    fields = (*MACS, LENGTH if kind <= LENGTHS else TYPE)
    return carried(part.node("Ethernet", 0, 14, told(part, fields)), part, kind, 14)


def vlan(part: Part) -> Told:
    """IEEE 802.1Q."""
    kind = part.number(2, 2)
    last = Field("Length", 2, 2) if kind <= LENGTHS else Field("Type", 2, 2, ethertype)
    text = f"VLAN {part.number(0, 2) & 0xFFF}" if part.left() >= 2 else "VLAN"
    return carried(part.node(text, 0, 4, told(part, (*TAG, last))), part, kind, 4)


def carried(node: Node, part: Part, kind: int, size: int) -> Told:
    """What an ethertype says: the protocol, or the length of an LLC packet."""
    if part.left() < size:
        return Told(node, "", 0, part.ahead(size))
    rest = part.ahead(size)
    return Told(node, "llc", 0, rest.ending(kind)) if kind <= LENGTHS else Told(node, "ether", kind, rest)


def llc(part: Part) -> Told:
    """IEEE 802.2, and SNAP with an ethertype behind it."""
    snap = part.number(0, 3) == SNAP << 8 | 3
    size = 8 if snap else 3
    node = part.node("Logical-Link Control", 0, size, told(part, (*POINTS, *SNAPPED) if snap else POINTS))
    known = snap and part.left() >= 8 and not part.number(3, 3)
    return Told(node, "ether" if known else "", part.number(6, 2), part.ahead(size))


def cooked(part: Part) -> Told:
    return cooked_as("Linux cooked capture v1", part, COOKED, part.number(4, 2), part.number(14, 2), 16)


def cooked2(part: Part) -> Told:
    return cooked_as("Linux cooked capture v2", part, COOKED2, part.number(11, 1), part.number(0, 2), 20)


def cooked_as(text: str, part: Part, fields: tuple[Field, ...], octets: int, kind: int, size: int) -> Told:
    """``octets``: of the sender's address, which is told where it is one of Ethernet."""
    node = part.node(text, 0, size, told(part, [f for f in fields if f.name != "Source" or octets == 6]))
    rest = part.ahead(size)
    if part.left() < size or (kind <= LENGTHS and kind != COOKED_LLC):
        return Told(node, "", 0, rest)
    return Told(node, "llc" if kind == COOKED_LLC else "ether", kind if kind > LENGTHS else 0, rest)


def loopback(part: Part) -> Told:
    """A u32 AF_ number, in the byte order of the machine or of the network."""
    family = part.number(0, 4)
    family = family if family <= 0xFFFF else int.from_bytes(family.to_bytes(4, "big"), "little")
    version = 4 if family in INET else 6 if family in INET6 else 0
    spelled = Field("Family", 0, 4, lambda _: str(family))
    return Told(part.node("Null/Loopback", 0, 4, told(part, (spelled,))), "version", version, part.ahead(4))
