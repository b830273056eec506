"""ipset's sets and elements beside ``ipset save`` and ``ipset list -o xml``."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping

import pytest

from collectors import Host, collect
from collectors.netfilter.ipset import set_names
from collectors.values import Cell
from tests import netfilter_scenes, set_scenes
from tests.lab import Namespace, needs_root

pytestmark = [pytest.mark.root, needs_root]

SCENES = [set_scenes.sets, set_scenes.icmp_members, netfilter_scenes.kubernetes_host]
FLAGS = ("counters", "comment", "skbinfo")
OWN = ("world", "name", "flags", "index")
LEFT = re.compile(r" timeout [1-9][0-9]*")  # runs on between two readings


def member_line(row: Mapping[str, Cell]) -> str:
    """A row of set_elements as ``ipset save`` writes it."""
    flags = row.get("flags")
    said = [f"add {row['set']} {row['elem']}"]
    said += [f"timeout {row['timeout']}"] if "timeout" in row else []
    said += [str(flag) for flag in flags] if isinstance(flags, list) else []
    said += [f"packets {row['packets']} bytes {row['bytes']}"] if "packets" in row else []
    said += [f'comment "{row["comment"]}"'] if "comment" in row else []
    return " ".join([*said, *(f"{name} {row[name]}" for name in ("skbmark", "skbprio", "skbqueue") if name in row)])


def members(host: Host) -> list[str]:
    return [member_line(row) for row in collect("set_elements", host).rows() if row["world"] == "ipset"]


def saved(inside: Namespace, word: str) -> list[str]:
    return [line for line in inside.run("ipset save").splitlines() if line.startswith(word)]


@pytest.mark.parametrize("scene", SCENES)
def test_members_are_written_as_ipset_saves_them(scene):
    with scene() as inside:
        ours, theirs = members(inside.host), saved(inside, "add ")
    assert [LEFT.sub(" timeout", line) for line in ours] == [LEFT.sub(" timeout", line) for line in theirs]
    assert theirs


def described(inside: Namespace) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Name and header of each set in ipset's own XML."""
    for entry in ElementTree.fromstring(inside.run("ipset list -t -o xml")):
        fields = {field.tag: field.text for field in entry.iterfind("header/*")}
        name, kind, revision = entry.get("name"), entry.findtext("type"), entry.findtext("revision")
        yield str(name), {"type": kind, "revision": revision, **fields}


@pytest.mark.parametrize("scene", SCENES)
def test_sets_are_what_ipset_says_they_are(scene):
    with scene() as inside:
        theirs = dict(described(inside))
        ours = {str(row["name"]): row for row in collect("sets", inside.host).rows() if row["world"] == "ipset"}
    assert list(ours) == list(theirs)
    for name, row in ours.items():
        peer = {key: text for key, text in theirs[name].items() if key not in FLAGS}
        told = {("numentries" if key == "elements" else key): str(cell) for key, cell in row.items() if key not in OWN}
        if "family" not in peer:
            told.pop("family", None)  # ipset does not say it of a bitmap
        assert told == peer
        assert {*row.get("flags", [])} == {*FLAGS} & theirs[name].keys()


def test_a_set_is_known_by_the_index_that_rules_have_of_it():
    with set_scenes.sets() as inside:
        names = set_names(inside.host)
        told = {row["index"]: row["name"] for row in collect("sets", inside.host).rows() if "index" in row}
    assert names == told
    assert len(names) > 15


def test_a_list_of_sets_refers_to_its_members():
    with set_scenes.sets() as inside:
        rows = {row["name"]: row for row in collect("sets", inside.host).rows() if row["world"] == "ipset"}
        elements = [line for line in members(inside.host) if line.startswith("add ls ")]
    assert elements == ['add ls hi comment "x"', "add ls hn"]
    assert rows["hi"]["references"] == 1
