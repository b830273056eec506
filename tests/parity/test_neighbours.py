"""Neighbours beside ``ip -j -s -d neighbour`` and forwarding entries beside ``bridge -j -s -d fdb``."""

from __future__ import annotations

import itertools

import pytest

from collectors import collect
from collectors.netlink.neighbours import COLUMNS
from tests import scenes
from tests.lab import Namespace, needs_root
from tests.parity.peer import Document, differences, settled

pytestmark = [pytest.mark.root, needs_root]

CLOSE = {"used": 1.0, "confirmed": 1.0, "updated": 1.0}
WORDS = ("router", "proxy", "extern_learn", "offload", "managed")
INDEXES = {"master": "master_index", "viaIf": "via_index"}  # bridge's name of a device, our index
OWN = {"family": "ip's two tables, and bridge's, are read by one command each", "mac": "lladdr, as bridge names it"}
OWN_BRIDGE = {**OWN, "lladdr": "mac again", "confirmed": "bridge does not tell it", "refcnt": "bridge does not tell it"}


def indexes(inside: Namespace) -> dict[str, int]:
    return {link["ifname"]: link["ifindex"] for link in inside.json("ip -j link")}


def test_arp_ndp_and_proxy_entries_are_told_as_ip_tells_them():
    """``nud all``, because ip leaves out NOARP entries, which fill the table too."""

    def attempt() -> list[str]:
        rows = [row for row in collect("neighbours", inside.host).rows() if row["family"] != "bridge"]
        peers = [of_ip(peer, known) for peer in inside.json("ip -j -s -d neighbour show nud all")]
        peers += [of_ip(peer, known) for peer in inside.json("ip -j -s -d neighbour show proxy")]
        return alike(rows, peers, ("ifindex", "dst", "flags"), OWN)

    with scenes.neighbours() as inside:
        known = indexes(inside)
        assert not settled(attempt)
        states = {str(row.get("state")) for row in collect("neighbours", inside.host).rows()}
    assert {"['REACHABLE']", "['PERMANENT']", "['STALE']", "['FAILED']", "['NOARP']"} <= states


def test_forwarding_entries_are_told_as_bridge_tells_them():
    def attempt() -> list[str]:
        rows = [row for row in collect("neighbours", inside.host).rows() if row["family"] == "bridge"]
        peers = [of_bridge(peer, known) for peer in inside.json("bridge -j -s -d fdb show")]
        return alike(rows, peers, ("ifindex", "mac", "dst", "src_vni", "flags"), OWN_BRIDGE)

    with scenes.neighbours() as inside:
        known = indexes(inside)
        assert not settled(attempt)
        rows = [row for row in collect("neighbours", inside.host).rows() if row["family"] == "bridge"]
    remote = {row["mac"]: row for row in rows}
    assert remote["02:00:00:00:02:01"]["dst"] == "10.9.0.3"
    assert (remote["02:00:00:00:02:01"]["port"], remote["02:00:00:00:02:01"]["vni"]) == (8472, 99)
    assert remote["02:00:00:00:02:02"]["dst"] == "fd09::3"
    assert remote["02:00:00:00:02:03"]["src_vni"] == 1000
    assert remote["02:00:00:00:02:04"]["nhid"] == 8


def of_ip(peer: Document, known: dict[str, int]) -> Document:
    """With an index for the name, and the words that ip makes keys of in one list, as bridge has them."""
    flags = [word for word in WORDS if word in peer]
    rest = {key: value for key, value in peer.items() if key not in (*WORDS, "dev")}
    return {"state": [], **rest, "ifindex": known[peer["dev"]], "flags": flags}


def of_bridge(peer: Document, known: dict[str, int]) -> Document:
    """With indexes for names; bridge tells the state of a learned entry as an empty text, which is none."""
    rest = {key: value for key, value in peer.items() if key not in ("ifname", "state", *INDEXES)}
    named = {name: known[peer[key]] for key, name in INDEXES.items() if key in peer}
    state = {"state": peer["state"]} if peer["state"] else {}
    return {**rest, **named, **state, "ifindex": known[peer["ifname"]]}


def alike(rows: list[Document], peers: list[Document], key: tuple[str, ...], own: dict[str, str]) -> list[str]:
    def order(row: Document) -> str:
        return str([row.get(name) for name in key])

    return [
        difference
        for row, peer in itertools.zip_longest(sorted(rows, key=order), sorted(peers, key=order), fillvalue={})
        for difference in differences(row, peer, COLUMNS, own=own, close=CLOSE)
    ]
