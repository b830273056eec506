"""Sets, maps, their elements and objects of nf_tables beside ``nft -j list`` and ``nft list``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from collectors import Host, collect
from collectors.netfilter import nfnetlink, set_elements
from collectors.netfilter.nft.chains import FAMILIES
from collectors.netfilter.nft.elements import elements_text
from collectors.netfilter.nft.model import NFT_SET_ANONYMOUS, Context, NftSet
from collectors.netfilter.nft.set_messages import decode_elements, decode_sets, read_elements
from collectors.netfilter.nft.uapi import NFT_MSG_GETSET, NFT_MSG_NEWSET, NFT_MSG_NEWSETELEM
from collectors.wire.netlink import messages
from nettui.details import details
from tests import netfilter_scenes, set_scenes
from tests.lab import Namespace, needs_root
from tests.parity.peer import differences

pytestmark = [pytest.mark.root, needs_root]

NOT_CARRIED = {"elem": "elements are set_elements'", "stmt": "told as text, see the test of it"}
OWN = {
    "world": "nft has one",
    "elements": "nft counts none",
    "auto-merge": "in nft's text and not in its JSON (1.0.6)",
    "stmt": "told as text",
    "flags": "compared apart: nft's JSON leaves dynamic out",
}
BLOCKS = re.compile(r" (?=(?:set|map|meter|chain|flowtable|counter|quota|limit|synproxy|ct \w+) \S+ \{ )")
REMAINING = re.compile(r"expires [0-9dhms]+")


def plain(text: str) -> str:
    """White space made one, and without the times that run on between two readings."""
    return REMAINING.sub("expires", " ".join(text.split()))


def sets_of(host: Host) -> Iterator[NftSet]:
    """Every set, anonymous ones too, with its elements."""
    kinds = nfnetlink.kind(nfnetlink.NFTABLES, NFT_MSG_NEWSET), nfnetlink.kind(nfnetlink.NFTABLES, NFT_MSG_NEWSETELEM)
    dumped = [messages(block.data) for block in nfnetlink.dump_of(host, nfnetlink.NFTABLES, NFT_MSG_GETSET)]
    found = [entry for part in dumped for entry in decode_sets(part.of(kinds[0]))]
    elements = decode_elements([messages(block.data).of(kinds[1]) for block in read_elements(host, found)])
    for entry in found:
        yield replace(entry, elements=elements.get((entry.family, entry.table, entry.name)))


def told(entry: NftSet, devices: dict[int, str]) -> str:
    return elements_text(entry, Context(entry.family, entry.table, device=devices.get))


def devices_of(inside: Namespace) -> dict[int, str]:
    return {link["ifindex"]: link["ifname"] for link in inside.json("ip -j link")}


def listed(ruleset: str, entry: NftSet) -> str:
    """What nft writes of the set's elements."""
    (table,) = re.findall(rf"table {FAMILIES[entry.family]} {entry.table} {{ .*?(?= table \w+ \S+ {{|$)", ruleset)
    (block,) = [block for block in BLOCKS.split(table) if re.match(rf"(set|map|meter) {entry.name} {{", block)]
    found = re.search(r"elements = (\{.*?\}) \}", block)
    return found[1] if found else "{ }"


@pytest.mark.parametrize("scene", [set_scenes.sets, netfilter_scenes.nft_router, netfilter_scenes.firewalld_host])
def test_elements_are_written_as_nft_writes_them(scene):
    with scene() as inside:
        found = [entry for entry in sets_of(inside.host) if not entry.flags & NFT_SET_ANONYMOUS]
        ruleset, devices = plain(inside.run("nft list ruleset")), devices_of(inside)
    different = {entry.name: (plain(told(entry, devices)), listed(ruleset, entry)) for entry in found}
    assert {name: texts for name, texts in different.items() if texts[0] != texts[1]} == {}
    assert found


@pytest.mark.parametrize("scene", [set_scenes.sets, netfilter_scenes.firewalld_host])
def test_sets_of_one_rule_are_written_as_nft_writes_them_in_it(scene):
    with scene() as inside:
        found = [entry for entry in sets_of(inside.host) if entry.flags & NFT_SET_ANONYMOUS]
        ruleset, devices = plain(inside.run("nft list ruleset")), devices_of(inside)
    assert [text for entry in found if plain(text := told(entry, devices)) not in ruleset] == []
    assert found


def peers(inside: Namespace, what: str) -> list[dict]:
    found = json.loads(inside.run(f"nft -j list {what}"))["nftables"]
    return [value for entry in found for key, value in entry.items() if key not in ("metainfo", "table")]


@pytest.mark.parametrize("scene", [set_scenes.sets, netfilter_scenes.nft_router])
def test_sets_and_maps_are_what_nft_says_they_are(scene):
    with scene() as inside:
        theirs = {
            (peer["family"], peer["table"], peer["name"]): peer
            for what in ("sets", "maps")
            for peer in peers(inside, what)
        }
        table = collect("sets", inside.host)
    ours = {(row["family"], row["table"], row["name"]): row for row in table.rows() if row["world"] == "nft"}
    assert ours.keys() == theirs.keys()
    found = []
    for key, row in ours.items():
        peer = theirs[key]
        if isinstance(peer["type"], list):
            peer["type"] = " . ".join(peer["type"])
        found += differences(row, peer, table.columns, not_carried=NOT_CARRIED, own=OWN)
        if [flag for flag in row.get("flags", []) if flag != "dynamic"] != peer.get("flags", []):
            found.append(f"{key}: flags {row.get('flags')}, the peer's {peer.get('flags')}")
        if row["elements"] != len(peer.get("elem", [])):
            found.append(f"{key}: {row['elements']} elements, the peer's {len(peer.get('elem', []))}")
    assert not found


def test_what_elements_have_of_their_own_is_told_as_nft_declares_it():
    with set_scenes.sets() as inside:
        rows = [row for row in collect("sets", inside.host).rows() if "stmt" in row]
        texts = {
            row["name"]: plain(
                inside.run(f"nft list {'map' if 'map' in row else 'set'} {row['family']} {row['table']} {row['name']}")
            )
            for row in rows
        }
    assert len(rows) > 6
    for row in rows:
        assert f" {row['stmt']} " in texts[row["name"]].replace(" elements = ", " ")


def test_a_set_that_merges_intervals_says_so():
    with set_scenes.sets() as inside:
        rows = {row["name"]: row for row in collect("sets", inside.host).rows()}
    assert rows["iv"]["auto-merge"] is True
    assert "auto-merge" not in rows["pi"]


def test_listed_elements_are_those_of_the_text():
    """What set_elements tells by layouts and what a rule's text holds come from two renderers."""
    with set_scenes.sets() as inside:
        named = [entry for entry in sets_of(inside.host) if not entry.name.startswith("__")]
        rows = list(collect("set_elements", inside.host).rows())
    for entry in named:
        mine = [row for row in rows if (row.get("table"), row["set"]) == (entry.table, entry.name)]
        text = told(entry, {1: "lo"})
        assert text.count("comment ") == sum("comment" in row for row in mine)
        for row in mine:
            key = re.escape(str(row["elem"]))
            data = re.escape(f": {row['data']}") if "data" in row else ""
            assert re.search(rf"[{{,] {key}[^,]*{data} ?[,}}]", text), (row, text)
        assert len(mine) == (0 if text == "{ }" else len(re.findall(r", (?![^\"]*\" )", text)) + 1)


def test_counters_times_and_comments_stand_beside_their_element():
    with set_scenes.sets() as inside:
        rows = {(row["set"], row["elem"]): row for row in collect("set_elements", inside.host).rows()}
    assert (rows["cnt", "fd00::2"]["packets"], rows["cnt", "fd00::2"]["bytes"]) == (7, 8)
    assert rows["mct", "1.1.1.1"]["data"] == "0x00000007"
    assert rows["mct", "1.1.1.1"]["timeout"] == 60
    assert 50 <= rows["mct", "1.1.1.1"]["expires"] <= 60
    assert rows["mct", "1.1.1.1"]["comment"] == "a"
    assert rows["lim", "9.9.9.9"]["stmt"] == "limit rate 5/second"
    assert rows["m", "1.2.3.5"]["data"] == "jump ch"
    assert rows["ports", "443"]["comment"] == "[/x] \x1b[31mred"


OBJECT_OWN = {
    "world": "nft has one",
    "type": "nft's key of the object",
    "text": "compared with nft's text",
    "references": "nft does not tell",
    "quota": "bytes in nft's JSON, where a counter's bytes are too",
    "bytes": "compared apart",
}
OBJECT_NOT_CARRIED = dict.fromkeys(
    ("bytes", "inv", "rate", "per", "burst", "rate_unit", "burst_unit", "type", "protocol", "l3proto", "policy",
     "dport", "timeout", "size", "mss", "wscale", "flags"),
    "part of the text",
)  # fmt: skip
KINDS = ("counters", "quotas", "limits", "ct helpers", "ct timeout", "ct expectation", "synproxys")


def test_objects_are_written_as_nft_writes_them():
    with set_scenes.sets() as inside:
        rows = list(collect("nft_objects", inside.host).rows())
        texts = [
            plain(inside.run(f"nft list {row['type']} {row['family']} {row['table']} {row['name']}")) for row in rows
        ]
    for row, text in zip(rows, texts, strict=True):
        found = re.search(rf"{row['type']} {row['name']} \{{ (?:comment \".*?\" )?(.*?) ?\}} \}}$", text)
        assert found
        assert found[1] == row["text"]
    assert {str(row["type"]) for row in rows} >= {"counter", "quota", "limit", "ct helper", "ct timeout", "synproxy"}


def test_objects_count_what_nft_says_they_count():
    with set_scenes.sets() as inside:
        table = collect("nft_objects", inside.host)
        theirs = {
            (peer["family"], peer["table"], kind, peer["name"]): peer
            for entry in json.loads(inside.run("nft -j list ruleset"))["nftables"]
            for kind, peer in entry.items()
            if kind in {str(row["type"]) for row in table.rows()}
        }
    ours = {(row["family"], row["table"], row["type"], row["name"]): row for row in table.rows()}
    assert ours.keys() == theirs.keys()
    found = []
    for key, row in ours.items():
        found += differences(row, theirs[key], table.columns, not_carried=OBJECT_NOT_CARRIED, own=OBJECT_OWN)
        if row["type"] in ("counter", "quota") and theirs[key]["bytes"] != row.get("bytes", row.get("quota")):
            found.append(f"{key}: {row}")
    assert not found


def test_an_opened_set_shows_its_first_elements_with_what_they_have():
    with set_scenes.sets() as inside:
        rows = {row["name"]: row for row in collect("sets", inside.host).rows()}
        cci, om, nif = (details("sets", rows[name], inside.host)["elements"] for name in ("cci", "om", "nif"))
    assert cci == {"10.0.0.0/8 . 80-90": "", "1.2.3.5 . 22": "", "1.2.3.4-1.2.3.9 . 5": "comment x"}
    assert om == {"1.2.3.4": '"c1"'}
    assert nif["10.0.0.0/8,physdev:eth0"].endswith("flags nomatch,wildcard skbmark 0x7 skbprio 1:2 skbqueue 1")


def test_a_set_of_a_million_elements_is_told_without_listing_them():
    with netfilter_scenes.large_set() as inside:
        read = list(collector_blocks(inside.host))
        (row,) = collect("sets", inside.host).rows()
        first, whole = set_elements.some(inside.host, "nft", "ip", "large", "large", 300)
    assert row["elements"] == row["size"] == 1_000_000
    assert sum(len(block.data) for block in read) < 4096
    assert (len(first), whole) == (300, False)


def collector_blocks(host: Host) -> Iterator:
    from collectors.registry import collector

    return collector("sets").read(host)
