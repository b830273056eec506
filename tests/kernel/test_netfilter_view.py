"""A Docker host of the real kernel: from the link to the chain that drops, to the flow that passes, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from collectors.table import Table
from nettui import sources
from nettui.panels.registry import panel
from nettui.query import compile
from nettui.tui.jumps import pivots
from tests.lab import needs_root
from tests.netfilter_scenes import DROPPED, PASSED, SHUT_OUT, docker_host, firewalld_host, kubernetes_host

pytestmark = [pytest.mark.root, needs_root]
SECTIONS = ("links", "netfilter", "hooks", "services", "conntrack", "sockets")


@pytest.fixture(scope="module")
def tables() -> Iterator[Mapping[str, Table]]:
    with docker_host() as host:
        yield sources.read(SECTIONS, host.host).tables


def rows(table: Table, where: str) -> list[dict[str, object]]:
    found = compile(where, table.columns).mask(table)
    return [row for row, passed in zip(table.rows(), found.tolist(), strict=True) if passed]


def follow(tables: Mapping[str, Table], section: str, row: dict[str, object], label: str) -> list[dict[str, object]]:
    """The rows that a pivot leads to."""
    (jump,) = [jump for jump in pivots(panel(section), row) if jump.label == label]  # type: ignore[arg-type]
    assert not jump.missing
    return rows(tables[jump.panel], jump.where)


def test_every_dropped_datagram_is_counted_where_it_was_dropped(tables):
    (rule,) = rows(tables["hooks"], "mark drop and packets > 0")
    assert (rule["src"], rule["packets"], rule["hook"], rule["chain"]) == (SHUT_OUT, DROPPED, "forward", "DOCKER-USER")
    above = [row for row in rows(tables["hooks"], "hook forward") if row["depth"] == 0]
    assert [row["step"] for row in above] == ["ip filter FORWARD  policy drop"]
    assert rule["manager"] == "docker"


def test_what_is_dropped_leaves_no_flow_and_what_passes_does(tables):
    (dropping,) = rows(tables["hooks"], "mark drop and packets > 0")
    assert follow(tables, "hooks", dropping, "its flows") == []
    (passing,) = rows(tables["hooks"], "table filter and dst 172.17.0.3 and dport 53")
    assert passing["packets"] == PASSED
    (flow,) = follow(tables, "hooks", passing, "its flows")
    assert (flow["proto"], flow["dport"], flow["reply_src"]) == ("udp", 5353, "172.17.0.3")


def test_a_flow_leads_to_the_rules_that_could_see_it(tables):
    (flow,) = rows(tables["conntrack"], "proto tcp and dport 8080")
    found = follow(tables, "conntrack", flow, "rules that could see it")
    texts = {str(row["rule"]) for row in found}
    assert "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80" in texts
    assert "-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT" in texts
    assert not any(SHUT_OUT in text or "5353" in text or "5432" in text for text in texts)
    assert follow(tables, "conntrack", flow, "what its packets meet on their way")[0]["kind"] == "stage"


def test_a_link_leads_to_the_rules_that_name_it(tables):
    (bridge,) = rows(tables["links"], "ifname docker0")
    named = follow(tables, "links", bridge, "chains and rules that name it")
    assert len(named) == 9
    met = follow(tables, "links", bridge, "what packets meet that go out by it")
    assert DROPPED in [row.get("packets") for row in met if row.get("mark") == "drop"]


def test_published_ports_are_told_with_what_they_counted(tables):
    found = {row["service"]: (row["endpoint"], row["packets"]) for row in tables["services"].rows()}
    assert found["*:8080"] == ("172.17.0.2:80", 1)
    assert found["127.0.0.1:5432"] == ("172.18.0.2:5432", 0)
    assert len(found) == 3


def test_every_rule_of_the_ruleset_that_a_packet_can_meet_is_in_the_view(tables):
    everywhere = {(row["table"], row["chain"], row["position"]) for row in rows(tables["netfilter"], "kind rule")}
    assert {(row["table"], row["chain"], row["position"]) for row in rows(tables["hooks"], "kind rule")} == everywhere


def test_every_endpoint_of_a_kubernetes_host_is_told_and_shares_add_up():
    with kubernetes_host(services=20, endpoints=3, services6=5) as host:
        table = sources.read(["services"], host.host).tables["services"]
    shares: dict[tuple[object, ...], float] = {}
    for row in table.rows():
        key = tuple(row.get(name) for name in ("family", "service", "kind", "address", "port", "proto"))
        shares[key] = shares.get(key, 0) + float(row["probability"])  # type: ignore[arg-type]
    assert len([key for key in shares if key[2] == "clusterIP"]) == 25
    assert list(shares.values()) == pytest.approx([1] * len(shares), abs=1e-5)


def test_the_chains_of_firewalld_are_unfolded():
    with firewalld_host() as host:
        table = sources.read(["hooks"], host.host).tables["hooks"]
    assert max(row["depth"] for row in table.rows()) >= 3  # type: ignore[type-var]
    assert {row.get("manager") for row in rows(table, "kind rule")} == {"firewalld"}
