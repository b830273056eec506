"""One packet dissected by tshark."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.table import Gap
from nettui.packets.tree import Node, headers


@dataclass(frozen=True, slots=True)
class Dissection:
    """``by``: whose tree it is; ``gap``: why it is not tshark's."""

    tree: tuple[Node, ...]
    by: str
    gap: Gap | None = None


class Dissector:
    def dissect(self, octets: bytes, link: int, time: int, length: int) -> Dissection:
        return Dissection(headers(octets, link), "nettui")

    def close(self) -> None:
        """End what runs."""
