"""The smaller counters beside ``ip ntable``, ``ip stats``, ``bridge vni``, ``ethtool -S``, ``ss`` and ``lnstat``."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from collectors import Host, collect
from collectors.netlink.neighbour_tables import COLUMNS as TABLE_COLUMNS
from collectors.values import Cell
from tests.counter_scenes import LOST, QUEUE, WAITING, counted
from tests.lab import Namespace, needs_root
from tests.parity.peer import differences, settled

pytestmark = [pytest.mark.root, needs_root]

# what the whole host does between two readings
MOVING = dict.fromkeys(
    ("entries", "allocs", "destroys", "lookups", "hits", "periodic_gc_runs", "rcv_probes_mcast"), 200
)
NOT_CARRIED = {
    "refcnt": "no use", "reachable": "drawn at random from base_reachable", "proxy_qlen": "no use",
    **dict.fromkeys(("last_flush", "last_rand", "hash_rnd", "hash_mask", "hash_chain_gc"), "of the hash table"),
}  # fmt: skip
OWN = {"queue_lenbytes": "ip does not tell it", "mcast_reprobes": "ip does not tell it"}


@pytest.fixture(scope="module")
def inside() -> Iterator[Namespace]:
    with counted() as made:
        yield made


def rows(name: str, inside: Namespace) -> list[dict[str, Cell]]:
    table = collect(name, inside.host)
    assert not table.gaps
    return list(table.rows())


def indexes(inside: Namespace) -> dict[str, int]:
    return {link["ifname"]: link["ifindex"] for link in inside.json("ip -j link")}


def test_neighbour_tables_are_told_as_ip_tells_them(inside: Namespace):
    def attempt() -> list[str]:
        peers = [peer for peer in inside.json("ip -j -s ntable") if "dev" not in peer]
        found = rows("neighbour_tables", inside)
        assert len(found) == len(peers) == 2
        return [
            difference
            for row, peer in zip(found, peers, strict=True)
            for difference in differences(row, peer, TABLE_COLUMNS, not_carried=NOT_CARRIED, own=OWN, close=MOVING)
        ]

    assert not settled(attempt)


def test_bridge_counters_are_told_as_ip_tells_them(inside: Namespace):
    """Its words: igmp_queries has rx_v1, of which the kernel's name is igmp_v1queries; stp has the kernel's names."""

    def attempt() -> list[str]:
        ours = {
            (row["ifindex"], row["counter"], row.get("direction")): row["value"]
            for row in rows("link_statistics", inside)
            if str(row["counter"]).startswith("bridge.") and "mcast_" not in str(row["counter"])
        }
        theirs = {}
        for group in ("xstats", "xstats_slave"):
            for peer in inside.json(f"ip -j stats show group {group}"):
                for name, value in {**flat(peer.get("multicast", {})), **peer.get("stp", {})}.items():
                    if value:
                        counter, _, way = name.partition(" ")
                        theirs[peer["ifindex"], f"bridge.{counter}", way or None] = value
        return [str(entry) for entry in ours.items() ^ theirs.items()]

    assert not settled(attempt)
    port = indexes(inside)["port0"]
    found = {(row["ifindex"], row["counter"]): row["value"] for row in rows("link_statistics", inside)}
    assert found[port, "bridge.igmp_parse_errors"] == LOST


def flat(multicast: dict[str, Any]) -> dict[str, int]:
    found = {}
    for kind, inner in multicast.items():
        if isinstance(inner, int):
            found[kind] = inner
            continue
        for key, value in inner.items():
            way, _, version = key.partition("_")
            protocol, what = kind.split("_")
            found[f"{protocol}_{version}{what} {way}"] = value
    return found


def test_networks_of_vxlan_are_told_as_bridge_tells_them(inside: Namespace):
    known = indexes(inside)
    theirs = {
        (known[peer["ifname"]], network["vni"], f"vxlan.{name}", value)
        for peer in inside.json("bridge -j -s vni")
        for network in peer["vnis"]
        for name, value in network["stats"].items()
        if value
    }
    ours = {
        (row["ifindex"], row["vni"], row["counter"], row["value"])
        for row in rows("link_statistics", inside)
        if "vni" in row
    }
    assert ours == theirs == {(known["vx0"], 10, "vxlan.rx_errors", LOST)}


def test_drivers_counters_are_told_as_ethtool_tells_them(inside: Namespace):
    def attempt() -> list[str]:
        theirs = []
        for name, index in indexes(inside).items():
            if name not in ("left0", "port0", "port1"):
                continue
            lines = re.findall(r"^ +(.+): (\d+)$", inside.run(f"ethtool -S {name}"), re.MULTILINE)
            theirs += [(index, word, place, int(value)) for place, (word, value) in enumerate(lines)]
        ours = [tuple(row.values()) for row in rows("driver_statistics", inside)]
        return [str(entry) for entry in {*ours} ^ {*theirs}]

    assert not settled(attempt)


def test_a_socket_that_dropped_is_told_as_ss_tells_it(inside: Namespace):
    found = {(row["netid"], row["sport"]): row for row in rows("socket_drops", inside) if "sport" in row}
    assert set(found) == {("tcp", 5000), ("udp", 5000)}
    receiver = found["udp", 5000]
    said = re.search(r"r(\d+),rb(\d+),.*d(\d+)\)", inside.run("ss -Huanm sport 5000"))
    assert said
    assert [receiver[name] for name in ("skmem_rmem_alloc", "skmem_rcvbuf", "drops")] == [int(n) for n in said.groups()]
    assert receiver["drops"] == LOST
    listener = found["tcp", 5000]
    assert [str(listener[name]) for name in ("recv_q", "backlog_limit")] == inside.run("ss -Hltn sport 5000").split()[
        1:3
    ]


def test_a_full_queue_to_user_space_counts_what_it_dropped(inside: Namespace):
    (row,) = rows("nfqueues", inside)
    assert (row["queue"], row["waiting"], row["queue_dropped"], row["user_dropped"]) == (QUEUE, WAITING, LOST, 0)


def test_what_a_policy_blocked_is_counted_in_its_namespace_alone(inside: Namespace):
    found = {row["counter"]: row["value"] for row in rows("statistics", inside) if row["group"] == "xfrm"}
    assert found["xfrm.OutPolBlock"] == LOST
    assert {row["source"] for row in rows("statistics", inside)}.isdisjoint({"stat/arp_cache", "stat/ndisc_cache"})


def test_sums_over_all_cpus_are_as_lnstat_tells_them():
    """Of those files that this namespace has: those of the neighbour tables are in the first one only."""
    files = {row["source"]: row.get("family") for row in collect("statistics", Host()).rows()}
    assert "stat/rt_cache" in files
    for file, family in files.items():
        if str(file).startswith("stat/"):
            assert not settled(lambda file=file, family=family: beside_lnstat(str(file), family))


def beside_lnstat(file: str, family: Cell) -> list[str]:
    """lnstat adds up levels too, such as entries, and ends with status 1."""
    command = ["lnstat", "-j", "-c", "1", "-i", "1", "-f", file.removeprefix("stat/")]
    theirs = json.loads(subprocess.run(command, capture_output=True, check=False, timeout=60).stdout)
    ours = dict.fromkeys(theirs, 0)
    for row in collect("statistics", Host()).rows():
        if row["source"] == file and row.get("family") == family and "value" in row:
            ours[str(row["name"])] += int(str(row["value"]))
    return [
        f"{name}: {ours[name]}, lnstat's {theirs[name]}"
        for name in ours
        if name != "entries" and ours[name] != theirs[name]
    ]
