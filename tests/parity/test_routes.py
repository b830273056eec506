"""Routes and nexthop objects beside ``ip -j -d -s route``, ``ip -j nexthop`` and ``ip -j route get fibmatch``."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from collectors import collect
from collectors.collector import INTERRUPTED
from collectors.netlink import nexthop_objects, routes
from collectors.wire.netlink import NetlinkError
from tests import scenes
from tests.lab import Namespace, needs_root
from tests.parity.peer import Document, differences, documents

pytestmark = [pytest.mark.root, needs_root]

OWN = {
    "family": "ip is asked for one family at a time",
    "used": "ip tells it of cached routes only",
}
NOT_CARRIED = {"nh_info": "the nexthop object of nhid, which ip asks for: the table nexthops has it"}
OWN_LOOKUP = {**OWN, "table": "ip does not ask for it, and prints main; compared with the rules instead"}
OWN_NEXTHOPS = {"family": "ip leaves the reader to see it"}


def indexes(inside: Namespace) -> dict[str, int]:
    return {link["ifname"]: link["ifindex"] for link in inside.json("ip -j link")}


def by_index(document: Document, known: dict[str, int]) -> Document:
    """Devices by index, of the next hops too: a collector does not know names."""
    found: Document = {**document}
    if "dev" in found:
        found["oif"] = known[found.pop("dev")]
    if "nexthops" in found:
        found["nexthops"] = [by_index(hop, known) for hop in found["nexthops"]]
    return found


def without_locks(row: dict[str, Any]) -> dict[str, Any]:
    """ip tells in text which metrics are locked, in JSON not."""
    if "metrics" not in row:
        return row
    metrics = [{key: value for key, value in row["metrics"][0].items() if key != "lock"}]
    return {**row, "metrics": metrics}


def route_differences(inside: Namespace, option: str, family: str) -> list[str]:
    known = indexes(inside)
    rows = [without_locks(row) for row in collect("routes", inside.host).rows() if row["family"] == family]
    peers = documents(inside.run(f"ip -j -d -s {option} route show table all"))
    assert len(rows) == len(peers) > 20
    return [
        difference
        for row, peer in zip(rows, peers, strict=True)
        for difference in differences(
            row, by_index(peer, known), routes.COLUMNS, not_carried=NOT_CARRIED, own=OWN, close={"expires": 1.0}
        )
    ]


@pytest.mark.parametrize(("option", "family"), [("-4", "inet"), ("-6", "inet6")])
def test_every_kind_of_route_is_told_as_ip_tells_it(option, family):
    with scenes.routes() as inside:
        assert not route_differences(inside, option, family)


def test_locked_metrics_are_named_as_ip_marks_them_in_text():
    with scenes.routes() as inside:
        rows = {row["dst"]: row for row in collect("routes", inside.host).rows()}
        text = inside.run("ip route show 20.2.0.0/16")
    locked = [before for word, before in zip(text.split(), ["", *text.split()], strict=False) if word == "lock"]
    assert rows["20.2.0.0/16"]["metrics"][0]["lock"] == locked == ["mtu", "rto_min"]
    assert rows["20.15.0.0/16"]["metrics"][0]["lock"] == ["congestion"]


def test_two_hundred_routes_in_twenty_tables_are_told_as_ip_tells_them():
    with scenes.routes() as inside:
        inside.ip(
            *(f"route add 30.{n}.0.0/{16 + n % 17} via 10.9.0.{2 + n % 9} table {n % 20 + 1}" for n in range(200))
        )
        assert not route_differences(inside, "-4", "inet")
        assert not route_differences(inside, "-6", "inet6")


def test_nexthop_objects_are_told_as_ip_tells_them():
    with scenes.nexthops() as inside:
        known = indexes(inside)
        rows = list(collect("nexthops", inside.host).rows())
        peers = documents(inside.run("ip -j -d nexthop show"))
    assert len(rows) == len(peers) == len(scenes.NEXTHOPS)
    for row, peer in zip(rows, peers, strict=True):
        assert not differences(row, by_index(peer, known), nexthop_objects.COLUMNS, own=OWN_NEXTHOPS)


DESTINATIONS = (
    "10.9.0.2",
    "10.9.0.1",
    "20.1.2.3",
    "20.8.9.9",
    "20.6.1.1",
    "20.10.0.9",
    "99.1.2.3",
    "fd20:2::5",
    "fd99::1",
)


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_a_lookup_finds_the_route_that_ip_finds(destination):
    with scenes.routes() as inside:
        known = indexes(inside)
        (row,) = routes.lookup(inside.host, destination).rows()
        (peer,) = documents(inside.run(f"ip -j -d route get fibmatch {destination}"))
    assert not differences(row, by_index(peer, known), routes.COLUMNS, not_carried=NOT_CARRIED, own=OWN_LOOKUP)


def test_a_lookup_by_mark_follows_the_rule_of_the_mark():
    with scenes.routes() as inside:
        inside.ip("rule add fwmark 7 table 5000", "route add 20.1.0.0/24 via 10.9.0.77 table 5000")
        (unmarked,) = routes.lookup(inside.host, "20.1.0.9").rows()
        (marked,) = routes.lookup(inside.host, "20.1.0.9", mark=7).rows()
        (local,) = routes.lookup(inside.host, "10.9.0.1").rows()
    assert local["table"] == "local"
    assert (unmarked["table"], unmarked["dst"]) == ("main", "20.1.0.0/16")
    assert (marked["table"], marked["dst"], marked["gateway"]) == ("5000", "20.1.0.0/24", "10.9.0.77")


@pytest.mark.parametrize(("kind", "word"), [("blackhole", "Invalid argument"), ("prohibit", "Permission denied")])
def test_a_lookup_of_what_is_blocked_tells_the_kernels_reason(kind, word):
    with scenes.joined_pair() as (inside, _):
        inside.ip(f"route add {kind} 20.0.0.0/8")
        with pytest.raises(NetlinkError, match=word):
            routes.lookup(inside.host, "20.1.2.3")


def test_a_lookup_of_no_address_is_a_value_error():
    with scenes.routes() as inside, pytest.raises(ValueError, match="is not an IPv4 address"):
        routes.lookup(inside.host, "host.example")


def test_routes_that_stay_are_all_there_while_others_come_and_go(tmp_path):
    """Reading beside a writer: each table has every stable route, and is clean or says that it was interrupted."""
    stable = {f"50.{n >> 8}.{n & 255}.0/24" for n in range(6000)}
    passing = [f"60.{n >> 8}.{n & 255}.0/24" for n in range(6000)]
    commands = tmp_path / "commands"
    commands.write_text(
        "\n".join(f"route {verb} {route} via 10.9.0.2" for verb in ("add", "del") * 3 for route in passing)
    )
    counts, readings = set(), 0
    with scenes.joined_pair() as (inside, _):
        inside.ip(*(f"route add {route} via 10.9.0.2" for route in sorted(stable)))
        writer = subprocess.Popen(["ip", "-netns", inside.name, "-batch", str(commands)])
        try:
            while writer.poll() is None and readings < 400:
                table = collect("routes", inside.host)
                assert stable <= set(table["dst"].cells())
                assert set(table.gaps) <= {INTERRUPTED}
                counts.add(len(table))
                readings += 1
        finally:
            writer.kill()
            writer.wait()
    assert readings > 2
    assert len(counts) > 1, "nothing changed while it was read"
