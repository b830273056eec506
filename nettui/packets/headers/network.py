"""Network layers: IPv4, IPv6 with its extension headers, ARP."""

from __future__ import annotations

from collectors.wire.ip_protocols import protocol_name
from nettui.packets.headers.link import ethertype
from nettui.packets.headers.part import ENDLESS, Field, Part, Told, told
from nettui.packets.headers.spelling import address4, address6, hexed, link_address, named, switched

WORDS = {"icmpv6": "ICMPv6", "ipv6": "IPv6", "ipip": "IPIP"}
CONGESTION = {0: "Not-ECT", 1: "ECT(1)", 2: "ECT(0)", 3: "CE"}
JUMBO = 0xC204  # option of hop-by-hop options and its length (RFC 2675)


def protocol(value: int) -> str:
    name = protocol_name(value)
    return str(value) if name == str(value) else f"{WORDS.get(name) or name.upper()} ({value})"


SERVICE = (
    Field("Differentiated Services Codepoint", 1, 1, mask=0xFC),
    Field("Explicit Congestion Notification", 1, 1, named(CONGESTION), 0x03),
)
FLAGS = (
    Field("Reserved bit", 6, 1, switched, 0x80), Field("Don't fragment", 6, 1, switched, 0x40),
    Field("More fragments", 6, 1, switched, 0x20),
)  # fmt: skip
IPV4 = (
    Field("Version", 0, 1, mask=0xF0), Field("Header Length", 0, 1, lambda v: f"{v * 4} bytes ({v})", 0x0F),
    Field("Differentiated Services Field", 1, 1, hexed(1), inside=SERVICE), Field("Total Length", 2, 2),
    Field("Identification", 4, 2, lambda v: f"0x{v:04x} ({v})"), Field("Flags", 6, 1, hex, 0xE0, inside=FLAGS),
    Field("Fragment Offset", 6, 2, lambda v: str(v * 8), 0x1FFF), Field("Time to Live", 8, 1),
    Field("Protocol", 9, 1, protocol), Field("Header Checksum", 10, 2, hexed(2)),
    Field("Source Address", 12, 4, address4), Field("Destination Address", 16, 4, address4),
)  # fmt: skip
IPV6 = (
    Field("Version", 0, 1, mask=0xF0),
    Field("Traffic Class", 0, 4, hexed(1), 0x0FF00000, inside=(
        Field("Differentiated Services Codepoint", 0, 4, mask=0x0FC00000),
        Field("Explicit Congestion Notification", 0, 4, named(CONGESTION), 0x00300000),
    )),
    Field("Flow Label", 1, 3, lambda v: f"0x{v:05x}", 0xFFFFF), Field("Payload Length", 4, 2),
    Field("Next Header", 6, 1, protocol), Field("Hop Limit", 7, 1), Field("Source Address", 8, 16, address6),
    Field("Destination Address", 24, 16, address6),
)  # fmt: skip
NEXT = Field("Next Header", 0, 1, protocol)
EXTENSION = (NEXT, Field("Length", 1, 1, lambda v: f"{v} ({v * 8 + 8} bytes)"))
FRAGMENT = (
    NEXT, Field("Reserved octet", 1, 1, hexed(1)), Field("Offset", 2, 2, lambda v: f"{v} ({v * 8} bytes)", 0xFFF8),
    Field("More Fragments", 2, 2, lambda v: "Yes" if v else "No", 1), Field("Identification", 4, 4, hexed(4)),
)  # fmt: skip
AUTHENTICATION = (
    Field("Next header", 0, 1, protocol), Field("Length", 1, 1, lambda v: f"{v} ({v * 4 + 8} bytes)"),
    Field("AH SPI", 4, 4, hexed(4)), Field("AH Sequence", 8, 4),
)  # fmt: skip
ARP = (
    Field("Hardware type", 0, 2, named({1: "Ethernet"})), Field("Protocol type", 2, 2, ethertype),
    Field("Hardware size", 4, 1), Field("Protocol size", 5, 1),
    Field("Opcode", 6, 2, named({1: "request", 2: "reply"})),
)  # fmt: skip
ENDS = (
    Field("Sender MAC address", 8, 6, link_address), Field("Sender IP address", 14, 4, address4),
    Field("Target MAC address", 18, 6, link_address), Field("Target IP address", 24, 4, address4),
)  # fmt: skip


def ipv4(part: Part) -> Told:
    """A fragment that is not the first has no transport header."""
    size, claimed = (part.number(0, 1) & 15) * 4, part.number(2, 2) or ENDLESS
    children = list(told(part, IPV4))
    right = part.number(0, 1) >> 4 == 4 and size >= 20 and claimed >= size and part.left() >= 20
    if right and size > 20:
        children.append(part.node(f"Options: ({size - 20} bytes)", 20, size - 20))
    node = part.node(f"Internet Protocol Version 4{ends(part, IPV4[-2:])}", 0, max(size, 20), children)
    if not right:
        return Told(node, "", 0, part.ahead(max(size, 20)))
    begins = part.number(6, 2) & 0x1FFF == 0 and part.left() >= size
    return Told(node, "ip" if begins else "", part.number(9, 1), part.ending(claimed).ahead(size))


def ipv6(part: Part) -> Told:
    node = part.node(f"Internet Protocol Version 6{ends(part, IPV6[-2:])}", 0, 40, told(part, IPV6))
    right = part.number(0, 1) >> 4 == 6 and part.left() >= 40
    rest = part.ahead(40).ending(part.number(4, 2) or ENDLESS)
    return Told(node, "ip6" if right else "", part.number(6, 1), rest)


def ends(part: Part, fields: tuple[Field, ...]) -> str:
    """Both addresses, for the line of the header itself."""
    if part.left() < fields[-1].offset + fields[-1].size:
        return ""
    source, destination = (field.spell(part.number(field.offset, field.size)) for field in fields)
    return f", Src: {source}, Dst: {destination}"


def extension(part: Part) -> Told:
    """Hop-by-hop and destination options, routing, mobility."""
    jumbo = part.number(4, 4) if part.number(2, 2) == JUMBO else ENDLESS
    return behind(part.ending(jumbo), "IPv6 extension header", EXTENSION, (part.number(1, 1) + 1) * 8, "ip6")


def fragment(part: Part) -> Told:
    first = part.number(2, 2) & 0xFFF8 == 0
    return behind(part, "Fragment Header for IPv6", FRAGMENT, 8, "ip6" if first else "")


def authentication(part: Part) -> Told:
    return behind(part, "Authentication Header", AUTHENTICATION, (part.number(1, 1) + 2) * 4, "ip")


def authentication6(part: Part) -> Told:
    return authentication(part)._replace(kind="ip6" if part.left() >= 12 else "")


def behind(part: Part, text: str, fields: tuple[Field, ...], size: int, kind: str) -> Told:
    """A header that begins with the number of the next; nothing follows where it is not whole."""
    node = part.node(text, 0, size, told(part, fields))
    return Told(node, kind if part.left() >= size else "", part.number(0, 1), part.ahead(size))


def arp(part: Part) -> Told:
    """The addresses are told of IPv4 on Ethernet and its like."""
    known = part.number(2, 2) == 0x0800 and part.number(4, 2) == 0x0604
    size = 28 if known else 8 + 2 * (part.number(4, 1) + part.number(5, 1))
    node = part.node("Address Resolution Protocol", 0, size, told(part, (*ARP, *ENDS) if known else ARP))
    return Told(node, "", 0, part.ahead(size))
