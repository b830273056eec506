"""The headers of one packet as a tree, of what this project's own decoder knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.wire.packets.columns import APPLICATION, FRAME, LINK, NETWORK, TRANSPORT, WITHIN
from collectors.wire.packets.decode import decoded
from collectors.wire.packets.records import Records

GROUPS = (("Frame", FRAME), ("Link", LINK), ("Network", NETWORK), ("Transport", TRANSPORT),
          ("Application", APPLICATION), ("Inside", WITHIN))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """``text``: a line; ``start``, ``length``: the bytes of the packet that it tells of, of length 0 where there are
    none."""

    text: str
    start: int
    length: int
    children: tuple[Node, ...] = ()


def headers(octets: bytes, link: int) -> tuple[Node, ...]:
    """``link``: LINKTYPE_ of the first header."""
    row = decoded(one(octets, link)).row(0)
    found = []
    for name, columns in GROUPS:
        inside = [Node(f"{column.name}: {row[column.name]}", 0, 0) for column in columns if column.name in row]
        if inside:
            found.append(Node(name, 0, 0, tuple(inside)))
    return tuple(found)


def one(octets: bytes, link: int) -> Records:
    data = np.frombuffer(octets, np.uint8)
    size = np.array([len(octets)], np.uint32)
    return Records(
        data, np.zeros(1, np.intp), size, size, np.zeros(1, np.int64), np.array([link], np.uint16),
        np.full(1, -1, np.int16),
    )  # fmt: skip
