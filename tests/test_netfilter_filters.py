"""Filters between rules, flows and sockets are valid, and leave out nothing that the kernel would match."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.table import Column, Table
from nettui.netfilter import filters
from nettui.netfilter.rules import netfilter
from nettui.query import compile
from tests.ruleset_by_hand import At, ruleset
from tests.tui.stage import table

FLOWS = (
    Column("proto", "text"),
    *(Column(name, "address") for name in ("src", "dst", "reply_src", "reply_dst")),
    *(Column(name, "u2") for name in ("sport", "dport", "reply_sport", "reply_dport")),
)
SOCKETS = (
    Column("netid", "text"), Column("src", "address"), Column("sport", "u2"), Column("dst", "address"),
    Column("dport", "u2"),
)  # fmt: skip


def flow(proto: str, src: str, sport: int, dst: str, dport: int, **reply: Any) -> dict[str, Any]:
    """A flow without NAT, but for what is given of its replies."""
    plain = {"reply_src": dst, "reply_dst": src, "reply_sport": dport, "reply_dport": sport}
    return {"proto": proto, "src": src, "sport": sport, "dst": dst, "dport": dport, **plain, **reply}


# a client at a published port: DNAT to the container; a container outwards: masqueraded
PUBLISHED = flow("tcp", "198.51.100.2", 40000, "198.51.100.1", 8080, reply_src="172.17.0.2", reply_sport=80)
OUTWARDS = flow("tcp", "172.17.0.2", 50000, "203.0.113.5", 443, reply_dst="198.51.100.1", reply_dport=61000)
LOOKUP = flow("udp", "172.17.0.3", 5000, "192.0.2.53", 53)
ALL = [PUBLISHED, OUTWARDS, LOOKUP]


def rule(text: str, hook: str | None = None) -> dict[str, Any]:
    return netfilter({"netfilter": ruleset(At("X", [text], hook))}).row(1)


def passing(where: str, rows: Table) -> list[int]:
    return [int(row) for row in compile(where, rows.columns).mask(rows).nonzero()[0]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("-A X -p tcp -m tcp --dport 8080 -j ACCEPT", [0]),
        ("-A X -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j ACCEPT", [0]),
        ("-A X -s 172.17.0.0/16 -j ACCEPT", [0, 1, 2]),
        ("-A X -s 172.17.0.2/32 -j MASQUERADE", [0, 1]),
        ("-A X -s 172.17.0.2/32 -p tcp -m tcp --sport 80 -j ACCEPT", [0]),
        ("-A X -d 198.51.100.1/32 -p tcp -m tcp --dport 61000 -j ACCEPT", [1]),
        ("-A X -s 203.0.113.0/24 -j DROP", [1]),
        ("-A X -p udp -m multiport --dports 53,67 -j DROP", [2]),
        ("-A X -p udp -j DROP", [2]),
        ("-A X -s 203.0.113.5/32 -d 172.17.0.9/32 -j DROP", []),
        ("tcp dport { 443, 8080 } accept", [0, 1]),
    ],
)
def test_from_a_rule_to_its_flows_in_both_directions_and_through_nat(text: str, wanted: list[int]):
    where = filters.flows(rule(text))
    assert where
    assert passing(where, table(FLOWS, ALL)) == wanted


def test_a_rule_that_matches_nothing_plainly_leads_to_no_flows():
    assert filters.flows(rule("-A X -j DROP")) == ""
    assert filters.flows(rule("-A X -i eth0 -j DROP")) == ""
    assert filters.sockets(rule("-A X -p icmp -j DROP")) == ""


RULES = [
    "-A X -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
    "-A X -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j ACCEPT",
    "-A X -s 198.51.100.0/24 -j LOG",
    "-A X -j RETURN",
    "-A X -p udp -j DROP",
    "-A X -s 198.51.100.66/32 -j DROP",
    "-A X -p tcp -m tcp --dport 81 -j DROP",
    "-A X -s 172.17.0.2/32 -p tcp -m tcp --sport 80 -j ACCEPT",
    "-A X -i eth0 -j ACCEPT",
]


def test_from_a_flow_to_the_rules_that_do_not_plainly_leave_it_out():
    found = netfilter({"netfilter": ruleset(At("X", RULES, "forward"))})
    assert [row - 1 for row in passing(filters.rules(PUBLISHED), found)] == [0, 1, 2, 3, 7, 8]
    assert passing(filters.way(PUBLISHED), found)[0] == 0  # the base chain too


def test_a_flow_without_ports_or_protocol_leads_to_valid_filters():
    found = netfilter({"netfilter": ruleset(At("X", RULES, "forward"))})
    ping = {"proto": "icmp", "src": "10.0.0.1", "dst": "10.0.0.2", "reply_src": "10.0.0.2", "reply_dst": "10.0.0.1"}
    assert [row - 1 for row in passing(filters.rules(ping), found)] == [3, 8]
    assert [row - 1 for row in passing(filters.rules({}), found)] == [3, 4, 8]  # its protocol is not known


def test_from_a_rule_to_the_sockets_behind_it():
    rows = [
        {"netid": "tcp", "src": "0.0.0.0", "sport": 80, "dst": "0.0.0.0", "dport": 0},
        {"netid": "tcp", "src": "10.0.0.1", "sport": 80, "dst": "10.0.0.9", "dport": 40000},
        {"netid": "tcp", "src": "10.0.0.1", "sport": 40000, "dst": "10.0.0.9", "dport": 80},
        {"netid": "udp", "src": "10.0.0.1", "sport": 80, "dst": "10.0.0.9", "dport": 1},
    ]
    sockets = table(SOCKETS, rows)
    assert passing(filters.sockets(rule("-A X -p tcp -m tcp --dport 80 -j DROP", "input")), sockets) == [0, 1]
    assert passing(filters.sockets(rule("-A X -p tcp -m tcp --dport 80 -j DROP", "output")), sockets) == [0, 2]
    narrow = "-A X -s 10.0.0.8/32 -p tcp -m tcp --dport 80 -j DROP"
    assert passing(filters.sockets(rule(narrow, "input")), sockets) == [0]
    assert passing(filters.sockets(rule("-A X -s 10.0.0.0/24 -j DROP")), sockets) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("endpoint", "wanted"), [("172.17.0.2:80", [0]), ("172.17.0.2:81", []), ("[2001:db8::2]:80", [])]
)
def test_from_a_service_to_the_flows_that_its_endpoint_answers(endpoint: str, wanted: list[int]):
    where = filters.endpoint({"proto": "tcp", "endpoint": endpoint})
    assert passing(where, table(FLOWS, ALL)) == wanted


def test_a_service_without_an_endpoint_leads_nowhere():
    assert filters.endpoint({"proto": "tcp"}) == ""
