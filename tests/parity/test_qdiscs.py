"""Queueing disciplines beside ``tc -j -s qdisc``, and classes beside ``tc -s -d class``, which has no JSON."""

from __future__ import annotations

import itertools
import re
import socket
from typing import Any

import pytest

from collectors import Host, collect
from collectors.netlink.qdiscs import COLUMNS
from tests import scenes
from tests.lab import Namespace, joined_pair, needs_root
from tests.parity.peer import Document, differences, settled

pytestmark = [pytest.mark.root, needs_root]

OWN = {"refcnt": "tc leaves out a count of 1", "xstats": "tc puts the kind's own counters beside the others"}
MORE = {  # of a kind's options, beyond tc's
    "tbf": {
        "limit": "tc prints it only where there is no latency",
        "peakrate": "tc's JSON lacks it",
        "mpu": "tc prints it with -d",
        "linklayer": "tc prints it with -d",
    },
    "htb": {"ver": "tc prints it with -d"},
}


def option_differences(row: Document, peer: Document) -> list[str]:
    ours, theirs = row.get("options", {}), dict(peer.get("options", {}))
    theirs.pop("multiqueue", None)  # of multiqueue kernels before 2.6.27
    found = [f"{key}: {ours.get(key)!r}, tc's {value!r}" for key, value in theirs.items() if ours.get(key) != value]
    return found + [
        f"{key}: tc does not tell" for key in ours.keys() - theirs.keys() - MORE.get(row["kind"], {}).keys()
    ]


def test_every_discipline_is_told_as_tc_tells_it():
    def attempt() -> list[str]:
        rows = list(collect("qdiscs", inside.host).rows())
        peers = inside.json("tc -j -s qdisc show")
        assert len(rows) == len(peers) == 11
        return list(itertools.chain.from_iterable(map(qdisc_differences, rows, peers)))

    def qdisc_differences(row: Document, peer: Document) -> list[str]:
        told = {key: value for key, value in peer.items() if key not in ("dev", "options", "refcnt")}
        told["ifindex"] = known[peer["dev"]]
        counters = [column for column in COLUMNS if column.name != "options"]
        found = differences(row, told, counters, own=OWN)
        if row["refcnt"] != peer.get("refcnt", 1):
            found.append(f"refcnt: {row['refcnt']}")
        return found + option_differences(row, peer)

    with scenes.qdiscs() as inside:
        known = {link["ifname"]: link["ifindex"] for link in inside.json("ip -j link")}
        assert not settled(attempt)
        kinds = [row["kind"] for row in collect("qdiscs", inside.host).rows()]
    assert {"htb", "tbf", "mq", "pfifo_fast", "clsact", "ingress", "bfifo", "pfifo_head_drop"} <= set(kinds)


CLASS = re.compile(
    r"class (?P<kind>\S+) (?P<handle>\S+) (?:root|parent (?P<parent>\S+)) (?:leaf (?P<leaf>\S+) )?(?P<options>.*)\n"
    r"(?: Sent (?P<bytes>\d+) bytes (?P<packets>\d+) pkt"
    r" \(dropped (?P<drops>\d+), overlimits (?P<overlimits>\d+) requeues (?P<requeues>\d+)\) *\n"
    r" .*?backlog \S+ (?P<qlen>\d+)p requeues \d+\n"
    r"(?: lended: (?P<lended>\d+) borrowed: (?P<borrowed>\d+) giants: (?P<giants>\d+)\n"
    r" tokens: (?P<tokens>-?\d+) ctokens: (?P<ctokens>-?\d+)\n)?)?"
)


def class_values(row: Document) -> dict[str, Any]:
    """A class by the groups of CLASS, as texts."""
    values = {**row, **row.get("xstats", {})}
    return {name: None if values.get(name) is None else str(values[name]) for name in CLASS.groupindex}


def test_every_class_is_told_as_tc_tells_it():
    with scenes.qdiscs() as inside:
        rows = list(collect("classes", inside.host).rows())
        text = inside.run("tc -s -d class show dev left0") + inside.run("tc -s -d class show dev queues0")
    told = [match.groupdict() for match in CLASS.finditer(text)]
    assert len(rows) == len(told) == 7
    for row, peer in zip(rows, told, strict=True):
        options = {**peer, "options": None}
        assert {**class_values(row), "options": None} == options
    assert [row["handle"] for row in rows if row["kind"] == "mq"] == ["4:1", "4:2", "4:3"]
    by_handle = {row["handle"]: row for row in rows}
    assert by_handle["1:20"]["options"].items() >= {"rate": 1250000, "ceil": 12500000, "prio": 3, "overhead": 8}.items()
    assert by_handle["1:20"]["options"]["mpu_rate"] == 64
    assert by_handle["1:30"]["options"]["rate"] == 5_000_000_000
    assert by_handle["1:20"]["packets"] >= 23
    assert "rate" in by_handle["1:30"]
    assert by_handle["1:1"]["root"] is True


def test_classes_are_asked_for_only_where_a_discipline_has_some():
    with scenes.qdiscs() as inside:
        known = {link["ifname"]: link["ifindex"] for link in inside.json("ip -j link")}
        asked = set(collect("classes", inside.host)["ifindex"].cells())
    assert asked == {known["left0"], known["queues0"]}


def test_twenty_three_packets_into_a_small_queue_are_all_accounted_for():
    """Sent, waiting and dropped make 23, and tc counts the same drops."""
    with joined_pair() as (left, _):
        left.run("sysctl -qw net.ipv6.conf.left0.disable_ipv6=1", "tc qdisc add dev left0 root pfifo limit 1000")
        left.ip("neighbour add 10.9.0.77 lladdr 02:00:00:00:00:77 dev left0 nud permanent")
        left.run("tc qdisc replace dev left0 root handle 3: tbf rate 8kbit burst 2000 limit 5000")
        before = row_of(left.host, "3:")
        send(left, 23)
        after = row_of(left.host, "3:")
        (peer,) = [qdisc for qdisc in left.json("tc -j -s qdisc show dev left0") if qdisc["handle"] == "3:"]
    passed = after["packets"] - before["packets"]
    assert passed + after["qlen"] + after["drops"] - before["drops"] == 23
    assert after["drops"] == peer["drops"] > 0
    assert after["backlog"] == after["qlen"] * 1042


def row_of(host: Host, handle: str) -> dict[str, Any]:
    (row,) = [row for row in collect("qdiscs", host).rows() if row["handle"] == handle]
    return row


def send(inside: Namespace, count: int) -> None:
    """UDP packets of 1000 bytes, 1042 with their headers, to an address that nobody has."""
    with inside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
        sock.connect(("10.9.0.77", 9))
        for _ in range(count):
            sock.send(bytes(1000))
