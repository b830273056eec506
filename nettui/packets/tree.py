"""The headers of one packet as a tree, of what this project's own decoder knows, with the bytes of each line."""

from __future__ import annotations

from dataclasses import replace

from collectors.wire.packets.decode import DEEPEST
from nettui.packets.headers.layers import LAYERS, unknown
from nettui.packets.headers.part import Node, Part

__all__ = ["Node", "headers"]


def headers(octets: bytes, link: int) -> tuple[Node, ...]:
    """``link``: LINKTYPE_ of the first header. What no header claims is told as data. Never reads beyond the end."""
    whole = Part(octets, 0, len(octets))
    frame = whole.node(f"Frame: {len(octets)} bytes captured, link type {link}", 0, len(octets))
    return (frame, *following("link", link, whole, 0))


def following(kind: str, number: int, part: Part, depth: int) -> list[Node]:
    """This header and all that it leads to."""
    found: list[Node] = []
    bound = part.end
    while part.left() and depth < DEEPEST:
        node, kind, number, rest, within = LAYERS.get((kind, number), unknown)(part)
        depth += 1
        if within:
            inner = following(kind, number, rest, depth)
            return [*found, replace(node, children=(*node.children, *inner)), *trailer(rest, bound)]
        if node.text:
            found.append(node)
        part = rest
        if not kind:
            break
    if part.left():
        found.append(part.node(f"Data ({part.left()} bytes)", 0, part.left()))
    return found + trailer(part, bound)


def trailer(part: Part, bound: int) -> list[Node]:
    """Behind the end that the headers claim: padding, as a rule."""
    return [Node(f"Trailer ({bound - part.end} bytes)", part.end, bound - part.end)] if bound > part.end else []
