"""tshark's PDML, its tree of protocols and fields of one packet, as nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from nettui.packets.tree import Node

DEEPEST = 100  # levels of a tree
GENERAL = "geninfo"  # a protocol that says what the frame says again
WRAPPER = "fake-field-wrapper"  # holds fields that belong to no protocol
DATA = "Data ("  # and its size: what no protocol claims, told without a line by PDML


class NotPdml(ValueError):
    """What came is no dissection."""


@dataclass(slots=True)
class Growing:
    """A node whose children are still being read; ``told``: it is a line of its own."""

    text: str
    start: int
    length: int
    told: bool = True
    children: list[Node] = field(default_factory=list)

    def finished(self) -> list[Node]:
        if not self.told:
            return self.children
        if not self.length and self.text.startswith(DATA):  # which has no place of its own
            self.start, self.length = next(((n.start, n.length) for n in self.children if n.length), (0, 0))
        return [Node(self.text, self.start, self.length, tuple(self.children))]


def parsed(octets: bytes, size: int) -> tuple[Node, ...]:
    """The tree of the first packet; ``size``: its bytes, beyond which no node points. Raises NotPdml."""
    root = Growing("", 0, 0)
    open_nodes = [root]
    packets = 0

    def begin(name: str, found: Mapping[str, str]) -> None:
        nonlocal packets
        if name == "packet":
            packets += 1
        elif name in ("proto", "field"):
            if len(open_nodes) > DEEPEST:
                raise NotPdml("a tree that is too deep")
            open_nodes.append(grown(found, size))

    def end(name: str) -> None:
        if name in ("proto", "field"):
            done = open_nodes.pop()
            if done.text != GENERAL or done.told:
                open_nodes[-1].children += done.finished()

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        parser.Parse(octets, True)
    except (expat.ExpatError, IndexError) as error:
        raise NotPdml(f"its output cannot be read: {error}") from error
    if not packets:
        raise NotPdml("it told of no packet")
    return tuple(root.children)


def grown(found: Mapping[str, str], size: int) -> Growing:
    name, hidden = found.get("name", ""), found.get("hide") == "yes"
    if name == GENERAL or hidden:
        return Growing(GENERAL, 0, 0, told=False)
    start, length = number(found.get("pos")), number(found.get("size"))
    if start + length > size:  # of bytes that were put together from several packets
        start = length = 0
    text = found.get("showname") or found.get("show") or name
    if text == "data":
        text = f"{DATA}{len(found.get('value', '')) // 2} bytes)"
    return Growing(text, start, length, told=name != WRAPPER)


def number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() else 0
