"""The decoders' fixtures, recorded anew from this kernel: ``python -m tests.record NAME...`` (as root)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from collectors.collector import Block
from collectors.registry import collector
from tests import conntrack_scenes, counter_scenes, link_scenes, netfilter_scenes, scenes, set_scenes, socket_scenes
from tests.lab import Namespace

FIXTURES = Path(__file__).parent / "collectors" / "fixtures"
SCENES: dict[str, Callable[[], AbstractContextManager[Namespace]]] = {
    "links": link_scenes.links,
    "peers": link_scenes.links,
    "ethtool": link_scenes.links,
    "addresses": scenes.addresses,
    "rules": scenes.rules,
    "nexthops": scenes.nexthops,
    "routes": scenes.routes,
    "neighbours": scenes.neighbours,
    "qdiscs": scenes.qdiscs,
    "classes": scenes.qdiscs,
    "sets": set_scenes.sets,
    "set_elements": set_scenes.sets,
    "nft_objects": set_scenes.sets,
    "sockets": socket_scenes.sockets,
    "protocols": socket_scenes.sockets,
    "conntrack": conntrack_scenes.flows,
    "conntrack_statistics": conntrack_scenes.flows,
    "expectations": conntrack_scenes.flows,
    "statistics": counter_scenes.counted,
    "nfqueues": counter_scenes.counted,
    "neighbour_tables": counter_scenes.counted,
    "link_statistics": counter_scenes.counted,
    "driver_statistics": counter_scenes.counted,
    "socket_drops": counter_scenes.counted,
    "netfilter": netfilter_scenes.both_worlds,
}


def record(name: str) -> None:
    """Read a collector in its scene, and keep each block as ``fixtures/NAME/NUMBER-PART.bin``."""
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    with SCENES[name]() as inside:
        blocks = [item for item in collector(name).read(inside.host) if isinstance(item, Block)]
    for old in folder.glob("*.bin"):
        old.unlink()
    for number, block in enumerate(blocks):
        (folder / f"{number:02d}-{block.part}.bin").write_bytes(bytes(block.data))


def recorded(name: str) -> list[Block]:
    """The blocks of a fixture, in the order in which they were read."""
    files = sorted((FIXTURES / name).glob("*.bin"))
    assert files, f"no fixture {name}: python -m tests.record {name}"
    return [Block(file.stem.partition("-")[2], file.read_bytes()) for file in files]


if __name__ == "__main__":
    for wanted in sys.argv[1:] or SCENES:
        record(wanted)
