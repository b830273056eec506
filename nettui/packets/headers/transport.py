"""Transport layers: TCP with its options, UDP, SCTP, ICMP with the packet that it quotes."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.wire.packets import icmp as decoder
from collectors.wire.packets import tcp_options as options
from collectors.wire.packets.transport import CHUNKS, DNS_PORTS, MOST, SERVICES
from nettui.packets.headers.part import Field, Node, Part, Told, cut, told
from nettui.packets.headers.spelling import hexed, switched

PORTS = (Field("Source Port", 0, 2), Field("Destination Port", 2, 2))
CHECKSUM = Field("Checksum", 6, 2, hexed(2))
UDP = (*PORTS, Field("Length", 4, 2), CHECKSUM)
UDPLITE = (*PORTS, Field("Checksum coverage", 4, 2), CHECKSUM)
LETTERS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")
FLAGS = ("Fin", "Syn", "Reset", "Push", "Acknowledgment", "Urgent", "ECN-Echo", "Congestion Window Reduced",
         "Accurate ECN")  # fmt: skip


def flags(value: int) -> str:
    names = [name for bit, name in enumerate(LETTERS) if value >> bit & 1]
    return f"0x{value & 0xFFF:03x} ({', '.join(names) or '<None>'})"


TCP = (
    *PORTS, Field("Sequence Number (raw)", 4, 4), Field("Acknowledgment number (raw)", 8, 4),
    Field("Header Length", 12, 1, lambda v: f"{v * 4} bytes ({v})", 0xF0),
    Field("Flags", 12, 2, flags, inside=tuple(
        Field(name, *((12, 1) if bit > 7 else (13, 1)), switched, 1 << bit % 8)
        for bit, name in reversed(tuple(enumerate(FLAGS)))
    )),
    Field("Window", 14, 2), Field("Checksum", 16, 2, hexed(2)), Field("Urgent Pointer", 18, 2),
)  # fmt: skip
SCTP = (
    Field("Source port", 0, 2), Field("Destination port", 2, 2), Field("Verification tag", 4, 4, hexed(4)),
    Field("Checksum", 8, 4, hexed(4)),
)  # fmt: skip
CHUNK = (Field("Chunk flags", 1, 1, hexed(1)), Field("Chunk length", 2, 2))
OPTIONS = {
    options.MSS: (4, "Maximum segment size: {} bytes", (Field("MSS Value", 2, 2),)),
    options.WINDOW: (3, "Window scale: {}", (Field("Shift count", 2, 1),)),
    options.SACK_PERMITTED: (2, "SACK permitted", ()),
    options.TIMESTAMP: (
        10, "Timestamps: TSval {}, TSecr {}",
        (Field("Timestamp value", 2, 4), Field("Timestamp echo reply", 6, 4)),
    ),
}  # fmt: skip
ICMP = (Field("Type", 0, 1), Field("Code", 1, 1), Field("Checksum", 2, 2, hexed(2)))
ECHO = (Field("Identifier", 4, 2), Field("Sequence Number", 6, 2))


def tcp(part: Part) -> Told:
    size = max((part.number(12, 1) >> 4) * 4, 20)
    children = list(told(part, TCP))
    if size > 20 and part.left() > 20:
        within = part.ending(size).ahead(20)
        children.append(within.node(f"Options: ({size - 20} bytes)", 0, size - 20, tcp_options(within)))
    node = part.node(f"Transmission Control Protocol{ports(part)}", 0, size, children)
    known = DNS_PORTS[0] in (part.number(0, 2), part.number(2, 2))
    return Told(node, "tcp" if part.left() >= size else "", DNS_PORTS[0] if known else 0, part.ahead(size))


def ports(part: Part) -> str:
    return f", Src Port: {part.number(0, 2)}, Dst Port: {part.number(2, 2)}" if part.left() >= 4 else ""


def tcp_options(part: Part) -> Iterator[Node]:
    """u8 kind, length of both and of what follows; two kinds are alone."""
    while part.left():
        kind = part.number(0, 1)
        if kind in (options.END, options.NOTHING):
            name = "End of Option List (EOL)" if kind == options.END else "No-Operation (NOP)"
            yield part.node(f"TCP Option - {name}", 0, 1)
            if kind == options.END:
                return
            part = part.ahead(1)
            continue
        size = part.number(1, 1)
        if size < 2 or size > part.left():
            yield cut(part, f"TCP Option {kind}")
            return
        yield tcp_option(part.ending(size), kind, size)
        part = part.ahead(size)


def tcp_option(part: Part, kind: int, size: int) -> Node:
    right, form, fields = OPTIONS.get(kind, (0, "", ()))
    if size == right:
        text = form.format(*(part.number(field.offset, field.size) for field in fields))
        return part.node(f"TCP Option - {text}", 0, size, told(part, fields))
    if kind == options.SACK and size % 8 == 2:
        edges = [Field(f"{('left', 'right')[at % 2]} edge (raw)", 2 + 4 * at, 4) for at in range((size - 2) // 4)]
        return part.node("TCP Option - SACK", 0, size, told(part, edges))
    return part.node(f"TCP Option {kind} ({size} bytes)", 0, size)


def udp(part: Part) -> Told:
    claimed = part.number(4, 2) or part.left()
    service = int(SERVICES[1, part.number(2, 2)] or SERVICES[0, part.number(0, 2)])
    node = part.node(f"User Datagram Protocol{ports(part)}", 0, 8, told(part, UDP))
    whole = part.left() >= 8 and claimed >= 8
    return Told(node, "udp" if whole else "", service, part.ending(claimed if whole else part.left()).ahead(8))


def udplite(part: Part) -> Told:
    return Told(part.node(f"UDP-Lite{ports(part)}", 0, 8, told(part, UDPLITE)), "", 0, part.ahead(8))


def dccp(part: Part) -> Told:
    node = part.node(f"Datagram Congestion Control Protocol{ports(part)}", 0, 12, told(part, PORTS))
    return Told(node, "", 0, part.ahead(12))


def sctp(part: Part) -> Told:
    found, rest = list(told(part, SCTP)), part.ahead(12)
    for _ in range(MOST):
        size = rest.number(2, 2)
        if rest.left() < 4 or size < 4:
            break
        kind = CHUNKS.get(rest.number(0, 1)) or str(rest.number(0, 1))
        found.append(rest.node(f"{kind} chunk", 0, size, told(rest.ending(size), CHUNK)))
        rest = rest.ahead(size + 3 & ~3)
    text = f"Stream Control Transmission Protocol{ports(part)}"
    return Told(part.node(text, 0, rest.at - part.at, found), "", 0, rest)


def icmp(part: Part) -> Told:
    big = (decoder.UNREACHABLE << 8 | decoder.FRAGMENTATION_NEEDED, Field("MTU of next hop", 6, 2))
    return message(part, "Internet Control Message Protocol", decoder.ECHOES, decoder.ERRORS, big, 4)


def icmp6(part: Part) -> Told:
    big = (decoder.TOO_BIG << 8 | part.number(1, 1), Field("MTU", 4, 4))
    return message(part, "Internet Control Message Protocol v6", decoder.ECHOES6, decoder.ERRORS6, big, 6)


def message(
    part: Part, text: str, echoes: tuple[int, ...], errors: tuple[int, ...], big: tuple[int, Field], version: int
) -> Told:
    """``big``: type and code of the error that tells an MTU, and where."""
    kind = part.number(0, 1)
    more = ECHO if kind in echoes else (big[1],) if part.number(0, 2) == big[0] else ()
    quotes = kind in errors and part.left() > 8
    node = part.node(text, 0, part.left() if quotes else 8, told(part, (*ICMP, *more)))
    return Told(node, "version" if quotes else "", version, part.ahead(8), within=quotes)
