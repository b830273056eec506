"""Services are told from chains that follow their program's pattern, with each endpoint's real share; others not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from collectors.draft import Draft
from collectors.netfilter.ruleset_columns import COLUMNS
from collectors.table import Table
from nettui.netfilter.services import services
from tests.ruleset_by_hand import At, ruleset

WEB = '-m comment --comment "shop/web:http'
THIRD, HALF = (f"-m statistic --mode random --probability {p}" for p in ("0.33333333349", "0.50000000000"))


def nat(name: str, *rules: str, counts: Sequence[int] | None = None) -> At:
    return At(name, [f"-A {name} {rule}" for rule in rules], table="nat", counts=counts)


def endpoint(name: str, address: str, packets: int = 0) -> At:
    rules = (
        f'-s {address}/32 {WEB}" -j KUBE-MARK-MASQ',
        f'-p tcp {WEB}" -m tcp -j DNAT --to-destination {address}:8080',
    )
    return nat(f"KUBE-SEP-{name}", *rules, counts=[0, packets])


def cluster(*more: At, balanced: Sequence[str] | None = None) -> list[At]:
    jumps = (
        f'! -s 10.244.0.0/16 -d 10.96.7.7/32 -p tcp {WEB} cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ',
        f'{WEB} -> 10.244.1.5:8080" {THIRD} -j KUBE-SEP-A',
        f'{WEB} -> 10.244.1.6:8080" {HALF} -j KUBE-SEP-B',
        f'{WEB} -> 10.244.1.7:8080" -j KUBE-SEP-C',
    )
    return [
        nat(
            "KUBE-SERVICES",
            f'-d 10.96.7.7/32 -p tcp {WEB} cluster IP" -m tcp --dport 80 -j KUBE-SVC-X',
            f'-d 192.0.2.9/32 -p tcp {WEB} external IP" -m tcp --dport 80 -j KUBE-EXT-X',
            '-m comment --comment "kubernetes service nodeports" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
        ),
        nat("KUBE-NODEPORTS", f'-p tcp {WEB}" -m tcp --dport 30080 -j KUBE-EXT-X'),
        nat(
            "KUBE-EXT-X",
            '-m comment --comment "masquerade traffic for shop/web:http external destinations" -j KUBE-MARK-MASQ',
            "-j KUBE-SVC-X",
        ),
        nat("KUBE-SVC-X", *(jumps if balanced is None else balanced)),
        endpoint("A", "10.244.1.5", 23),
        endpoint("B", "10.244.1.6", 17),
        endpoint("C", "10.244.1.7", 19),
        *more,
    ]


def told(*chains: At) -> list[dict[str, object]]:
    return list(services({"netfilter": ruleset(*chains)}).rows())


def test_a_service_is_told_at_each_of_its_entries_with_every_endpoint():
    rows = told(*cluster())
    assert [(row["kind"], row.get("address"), row["port"]) for row in rows[::3]] == [
        ("clusterIP", "10.96.7.7", 80),
        ("external", "192.0.2.9", 80),
        ("nodePort", None, 30080),
    ]
    assert {(row["manager"], row["service"], row["proto"]) for row in rows} == {("kubernetes", "shop/web:http", "tcp")}
    assert [row["endpoint"] for row in rows[:3]] == ["10.244.1.5:8080", "10.244.1.6:8080", "10.244.1.7:8080"]
    assert [row["packets"] for row in rows[:3]] == [23, 17, 19]
    assert rows[0]["chain"] == "KUBE-SEP-A"


def test_the_share_of_each_endpoint_is_what_the_cascade_leaves_it():
    assert [row["probability"] for row in told(*cluster())[:3]] == pytest.approx([1 / 3] * 3, abs=1e-6)


def test_flows_that_stay_with_their_endpoint_do_not_change_the_shares():
    sticky = f'{WEB} -> 10.244.1.5:8080" -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-A -j KUBE-SEP-A'
    rows = told(*cluster(balanced=[sticky, f'{WEB}" {HALF} -j KUBE-SEP-A', f'{WEB}" -j KUBE-SEP-B']))
    assert [(row["endpoint"], row["probability"]) for row in rows[:2]] == [
        ("10.244.1.5:8080", 0.5),
        ("10.244.1.6:8080", 0.5),
    ]


@pytest.mark.parametrize(
    "balanced",
    [
        [f'{WEB}" -m mark --mark 1 -j KUBE-SEP-A'],
        ["-s 10.0.0.0/8 -j KUBE-SEP-A"],
        ["-m statistic --mode nth --every 2 -j KUBE-SEP-A"],
        ["-m statistic --mode random ! --probability 0.5 -j KUBE-SEP-A"],
        ["-j KUBE-SEP-NOWHERE"],
        ["-m statistic --mode random --probability 7 -j KUBE-SEP-A"],
        ["-m statistic --mode random --probability x -j KUBE-SEP-A"],
        [],
    ],
)
def test_a_chain_that_does_not_follow_the_pattern_is_left_out(balanced: list[str]):
    assert told(*cluster(balanced=balanced)) == []


def test_an_entry_without_a_port_or_a_name_is_left_out():
    chains = cluster()
    for entry in ("-j KUBE-SVC-X", f'-d 10.96.7.7/32 -p tcp {WEB} odd" -m tcp --dport 80 -j KUBE-SVC-X'):
        assert told(nat("KUBE-SERVICES", entry), *chains[3:]) == []


def test_chains_that_lead_to_each_other_end():
    chains = cluster()
    loop = replace(chains[2], rules=["-A KUBE-EXT-X -j KUBE-FW-X"])
    assert {row["kind"] for row in told(*chains[:2], loop, nat("KUBE-FW-X", "-j KUBE-EXT-X"), *chains[3:])} == {
        "clusterIP"
    }


def test_published_ports_of_containers_are_told():
    rows = told(
        nat(
            "DOCKER",
            "-i docker0 -j RETURN",
            "! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
            "-d 127.0.0.1/32 ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination 172.17.0.3:53",
            "-p tcp -m tcp --dport 100:200 -j DNAT --to-destination 172.17.0.4:100-200",
            counts=[0, 23, 5, 0],
        ),
        nat("NETAVARK-DN-1D8721804F16F", "-p tcp -m tcp --dport 81 -j DNAT --to-destination 10.88.0.2:80"),
        nat("MINE", "-p tcp -m tcp --dport 82 -j DNAT --to-destination 10.88.0.3:80"),
    )
    assert [(row["manager"], row["service"], row["endpoint"], row.get("packets")) for row in rows] == [
        ("docker", "*:8080", "172.17.0.2:80", 23),
        ("docker", "127.0.0.1:53", "172.17.0.3:53", 5),
        ("podman", "*:81", "10.88.0.2:80", None),
    ]
    assert {row["kind"] for row in rows} == {"published"}


def test_no_rules_give_no_services_and_the_same_columns():
    empty: Table = services({"netfilter": Draft(COLUMNS, 0).table()})
    assert len(empty) == 0
    assert [column.name for column in empty.columns][:3] == ["manager", "service", "kind"]


def test_500_services_are_told_in_time():
    chains = []
    for n in range(500):
        one = [
            replace(
                chain, name=chain.name.replace("-X", f"-{n}X"), rules=[r.replace("-X", f"-{n}X") for r in chain.rules]
            )
            for chain in cluster()[:4]
        ]
        chains += one[2:]
        chains.append(At("KUBE-SERVICES", one[0].rules[:1], table="nat"))
    table = ruleset(*chains, *cluster()[4:])
    services({"netfilter": table})
    started = time.process_time()
    assert len(services({"netfilter": table})) == 1500
    assert time.process_time() - started < 0.25
