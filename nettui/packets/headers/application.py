"""What UDP and TCP carry: DNS, the ClientHello of TLS."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.wire.packets import dns as names
from collectors.wire.packets import tls as hello
from nettui.packets.headers.part import Field, Node, Part, Told, told
from nettui.packets.headers.spelling import hexed, named, switched

DNS = (
    Field("Transaction ID", 0, 2, hexed(2)),
    Field("Flags", 2, 2, hexed(2), inside=(
        Field("Response", 2, 2, switched, 0x8000), Field("Opcode", 2, 2, mask=0x7800),
        Field("Authoritative", 2, 2, switched, 0x0400), Field("Truncated", 2, 2, switched, 0x0200),
        Field("Recursion desired", 2, 2, switched, 0x0100), Field("Recursion available", 2, 2, switched, 0x0080),
        Field("Reply code", 2, 2, named(dict(enumerate(names.CODES))), 0x000F),
    )),
    Field("Questions", 4, 2), Field("Answer RRs", 6, 2), Field("Authority RRs", 8, 2), Field("Additional RRs", 10, 2),
)  # fmt: skip
VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
CONTENTS = {20: "Change Cipher Spec", 21: "Alert", 22: "Handshake", 23: "Application Data"}


def version(value: int) -> str:
    return f"{VERSIONS[value]} (0x{value:04x})" if value in VERSIONS else f"0x{value:04x}"


RECORD = (Field("Content Type", 0, 1, named(CONTENTS)), Field("Version", 1, 2, version), Field("Length", 3, 2))
HELLO = (
    Field("Handshake Type", 5, 1, named({1: "Client Hello"})),
    Field("Length", 6, 3),
    Field("Version", 9, 2, version),
)
EXTENSION = (Field("Type", 0, 2, named({hello.SERVER_NAME: "server_name"})), Field("Length", 2, 2))


def dns(part: Part) -> Told:
    children = list(told(part, DNS))
    if part.left() > names.HEADER and part.number(4, 2):
        children.append(question(part.ahead(names.HEADER)))
    text = "Domain Name System (response)" if part.number(2, 2) & names.ANSWER else "Domain Name System (query)"
    return Told(part.node(text, 0, part.left(), children), "", 0, part.ahead(part.left()))


def question(part: Part) -> Node:
    """The first one: a name, u16 type and class."""
    name, kind = names.question(part.raw()[: names.LONGEST + 4])
    if name is None or kind is None:
        return part.node("Query: cut off or not a name", 0, part.left())
    size = name_size(part)
    found = [part.node(f"Name: {name}", 0, size), part.node(f"Type: {kind}", size, 2)]
    found += told(part, (Field("Class", size + 2, 2, hexed(2)),))
    return part.node(f"Query: {name}: type {kind}", 0, size + 4, found)


def name_size(part: Part) -> int:
    """Bytes of a name where it stands: up to its end, or to a pointer to where it goes on."""
    at = 0
    while at < part.left() and 0 < part.number(at, 1) < 64:
        at += 1 + part.number(at, 1)
    return at + (2 if part.number(at, 1) >= 192 else 1)


def dns_in_stream(part: Part) -> Told:
    """Two bytes of length stand before a message: only one that is whole is told."""
    size = part.number(0, 2)
    if not names.HEADER <= size <= part.left() - 2:
        return data(part)
    found = dns(part.ahead(2).ending(size))
    length = part.node(f"Length: {size}", 0, 2)
    return found._replace(
        node=part.node(found.node.text, 0, size + 2, (length, *found.node.children)), rest=part.ahead(size + 2)
    )


def data(part: Part) -> Told:
    """TLS by its first bytes, else bytes."""
    right = part.left() >= 6 and part.number(0, 1) in CONTENTS and part.number(1, 1) == 3 and part.number(2, 1) <= 4
    return tls(part) if right else Told(part.node("", 0, 0), "", 0, part)


def tls(part: Part) -> Told:
    """u8 type, u16 version, length of the record; u8 type, u24 length of the handshake message."""
    size = part.number(3, 2) + 5
    record = part.ending(size)
    children = list(told(record, RECORD))
    if part.number(0, 1) == hello.HANDSHAKE and part.number(5, 1) == hello.CLIENT_HELLO:
        inside = (*told(record, HELLO), *extensions(record))
        children.append(record.node("Handshake Protocol: Client Hello", 5, record.left() - 5, inside))
    node = record.node("TLS Record Layer", 0, record.left(), children)
    return Told(record.node("Transport Layer Security", 0, record.left(), (node,)), "", 0, part.ahead(size))


def extensions(part: Part) -> Iterator[Node]:
    at = hello.SESSION
    for width in (1, 2, 1):  # session, cipher suites, compression methods
        at += width + part.number(at, width)
    part = part.ahead(at).ending(part.number(at, 2) + 2).ahead(2)
    while part.left() >= 4:
        kind, size = part.number(0, 2), part.number(2, 2)
        yield part.node(f"Extension: {kind} (len={size})", 0, 4 + size, extension(part.ending(4 + size), kind))
        part = part.ahead(4 + size)


def extension(part: Part, kind: int) -> Iterator[Node]:
    """Of the server's name: u16 length of the list; u8 type: 0, a host's name; u16 length."""
    yield from told(part, EXTENSION)
    size = part.number(7, 2)
    if kind == hello.SERVER_NAME and part.left() >= 9 + size and size and not part.number(6, 1):
        name = part.ahead(9).ending(size).raw()
        yield part.node(f"Server Name: {hello.spelled(name)}", 9, size)
