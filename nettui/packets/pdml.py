"""tshark's PDML, its tree of protocols and fields of one packet, as nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn
from xml.parsers import expat

from nettui.packets.tree import Node

DEEPEST = 100  # levels of a tree
MOST = 50_000  # lines of a tree: a packet of 64 KiB has some thousands
GENERAL = "geninfo"  # a protocol that says what the frame says again
WRAPPER = "fake-field-wrapper"  # holds fields that belong to no protocol
DATA = "Data ("  # and its size: what no protocol claims, told without a line by PDML
# what is told of other packets, of which tshark was given none: numbers, times since, streams
OF_OTHERS = re.compile(
    r"frame\.(number|time_delta|time_delta_displayed|time_relative|marked|ignored)"
    r"|(tcp|udp|ip|ipv6|sctp)\.(stream|completeness|time_relative|time_delta)(\..*)?"
)
FIRST, TIMES = "Frame 1: ", "Timestamps"  # the frame's line; what holds a stream's times
NEVER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


class NotPdml(ValueError):
    """What came is no dissection."""


class Told(NamedTuple):
    """``version``: of the tshark that says so."""

    tree: tuple[Node, ...]
    version: str


class Place(NamedTuple):
    """Bytes of the packet; ``sure``: they are those that PDML says this line stands for, None where it says none."""

    start: int
    length: int
    sure: bool | None


NOWHERE = Place(0, 0, False)


@dataclass(slots=True)
class Growing:
    """A node whose children are still being read; ``told``: it is a line of its own; ``at``: where PDML has it."""

    text: str
    place: Place
    at: int = 0
    told: bool = True
    children: list[Node] = field(default_factory=list)
    sure: set[bool] = field(default_factory=set)  # whether its children are where PDML has them

    def finished(self) -> list[Node]:
        if not self.told:
            return self.children
        start, length, sure = self.place
        if sure is None and self.sure == {False}:  # all that it holds is of other bytes, and so it is too
            start = length = 0
        if not length and self.text.startswith(DATA):  # which has no place of its own
            start, length = next(((node.start, node.length) for node in self.children if node.length), (0, 0))
        return [Node(self.text, start, length, tuple(self.children))]


class Reading:
    """What the parser calls; ``packet``: the bytes that the tree is about."""

    def __init__(self, packet: bytes) -> None:
        self._packet = packet
        self.root = Growing("", NOWHERE)
        self._open = [self.root]
        self._count = 0
        self.packets = 0
        self.creator = ""

    def begin(self, name: str, found: Mapping[str, str]) -> None:
        if name == "pdml":
            self.creator = found.get("creator", "")
        elif name == "packet":
            self.packets += 1
        elif name in ("proto", "field"):
            self._count += 1
            if len(self._open) > DEEPEST or self._count > MOST:
                raise NotPdml("a tree that is too deep or too large")
            self._open.append(self._grown(found))

    def end(self, name: str) -> None:
        if name not in ("proto", "field"):
            return
        done = self._open.pop()
        if (not done.told and done.text == GENERAL) or (done.text == TIMES and not done.children):
            return
        if done.place.sure is not None:
            self._open[-1].sure.add(done.place.sure)
        self._open[-1].children += done.finished()

    def doctype(self, *_: object) -> NoReturn:
        raise NotPdml("a document type, which it never has")

    def _grown(self, found: Mapping[str, str]) -> Growing:
        name, hidden = found.get("name", ""), found.get("hide") == "yes"
        at = number(found.get("pos"))
        if name == GENERAL or hidden or OF_OTHERS.fullmatch(name):
            return Growing(GENERAL, NOWHERE, at, told=False)
        text = found.get("showname") or found.get("show") or name
        if text.startswith(FIRST):
            text = f"Frame: {text.removeprefix(FIRST)}"
        if text == "data":
            text = f"{DATA}{len(found.get('value', '')) // 2} bytes)"
        return Growing(text, self._place(found), at, told=name != WRAPPER)

    def _place(self, found: Mapping[str, str]) -> Place:
        """Where the packet has the bytes that PDML gives with a line.

        They are not there where they were put together from several packets, or uncompressed. And of a line that stands
        before the one above it PDML tells the sum of both places (epan/print.c, Wireshark 4.0).
        """
        at, length = number(found.get("pos")), number(found.get("size"))
        value = found.get("unmaskedvalue") or found.get("value") or ""
        if not length:
            return Place(0, 0, None)
        for start in (at, at - self._open[-1].at):
            here = self._packet[start : start + length].hex() if start >= 0 else ""
            if len(here) == 2 * length and (len(value) != len(here) or value == here):
                return Place(start, length, None if len(value) != len(here) else True)
        return NOWHERE


def parsed(octets: bytes, packet: bytes) -> Told:
    """The tree of the first packet; raises NotPdml."""
    reading = Reading(packet)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reading.begin, reading.end
    parser.StartDoctypeDeclHandler = reading.doctype
    try:
        parser.Parse(NEVER.sub("\ufffd", octets.decode(errors="replace")), True)
    except expat.ExpatError as error:
        raise NotPdml(f"its output cannot be read: {error}") from error
    if not reading.packets:
        raise NotPdml("it told of no packet")
    return Told(tuple(reading.root.children), reading.creator.rpartition("/")[2])


def number(text: str | None) -> int:
    return int(text) if text and len(text) < 10 and text.isascii() and text.isdecimal() else 0
