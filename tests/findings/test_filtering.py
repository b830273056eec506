"""Rules that drop, rules of two worlds, forwarding that is off, reverse path filters, losses that nothing counts."""

import socket
import time

from nettui.findings.dropping_rules import DROPPING_RULES
from nettui.findings.forwarding_off import FORWARDING_OFF
from nettui.findings.rp_filter import RP_FILTER
from nettui.findings.silent_drops import SILENT_DROPS
from nettui.findings.two_rulesets import TWO_RULESETS
from tests.findings.hosts import docker, found, healthy, made_up, silent
from tests.lab import Namespace, joined_pair, namespace, needs_root
from tests.netfilter_scenes import both_worlds, kubernetes_host, load


def send(inside: Namespace, address: str, count: int) -> None:
    with inside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as out:
        for _ in range(count):
            try:
                out.sendto(b"23", (address, 9))
            except PermissionError:
                continue


RULES = """
table inet lab {
    chain input { type filter hook input priority 0; policy accept;
        udp dport 9 counter drop
        tcp dport 9 counter drop
    }
    chain output { type filter hook output priority 0; policy accept;
        udp dport 9 ip daddr 10.9.0.77 counter reject
    }
}
"""


@needs_root
def test_a_rule_whose_drops_move_is_a_note_and_one_that_meets_own_packets_a_warning():
    with joined_pair() as (left, right):
        load(left, "nft -f -", RULES)
        left.ip("neighbour add 10.9.0.77 lladdr 02:00:00:00:00:77 dev left0")

        def traffic() -> None:
            send(right, "10.9.0.1", 23)
            send(left, "10.9.0.77", 7)

        told = {finding.subject: finding for finding in found(DROPPING_RULES, left, traffic)}
        assert {subject: finding.severity for subject, finding in told.items()} == {
            "inet lab input #1": "note", "inet lab output #1": "warning",
        }  # fmt: skip
        assert "23 since it is there" in told["inet lab input #1"].says
        assert found(DROPPING_RULES, left) == []


@needs_root
def test_a_policy_that_drops_is_told_as_the_policy():
    with joined_pair() as (left, right):
        load(left, "iptables-nft-restore", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n")
        [told] = found(DROPPING_RULES, left, lambda: send(right, "10.9.0.1", 23))
        assert told.subject == "ip filter INPUT policy"


@needs_root
def test_rules_that_do_not_move_are_no_news():
    assert silent(DROPPING_RULES)


@needs_root
def test_rules_of_both_worlds_at_once_are_a_note():
    with both_worlds() as inside:
        [told] = found(TWO_RULESETS, inside)
        assert told.severity == "note"
        assert "are in force at once" in told.says


@needs_root
def test_rules_of_one_world_are_well():
    assert silent(TWO_RULESETS)


@needs_root
def test_forwarding_that_is_off_is_an_error_where_containers_and_their_translations_need_it():
    with joined_pair() as (left, _):
        left.ip(
            "link add docker0 type bridge", "address add 172.17.0.1/16 dev docker0", "link set docker0 up",
            "link add veth0 type veth peer name eth9", "link set veth0 master docker0 up", "link set eth9 up",
        )  # fmt: skip
        left.run("sysctl -qw net.ipv4.ip_forward=0")
        [told] = found(FORWARDING_OFF, left)
        assert told.severity == "note"
        assert "docker0 (bridge)" in told.says
        load(left, "nft -f -", "table ip nat { chain p { type nat hook postrouting priority 100; masquerade\n}\n}\n")
        [told] = found(FORWARDING_OFF, left)
        assert told.severity == "error"
        assert "(1 rule)" in told.says
        left.run("sysctl -qw net.ipv4.ip_forward=1")
        assert found(FORWARDING_OFF, left) == []


@needs_root
def test_forwarding_that_is_off_on_a_kubernetes_node_is_told_by_its_chains():
    with kubernetes_host(services=7, services6=0) as inside:
        [told] = found(FORWARDING_OFF, inside)
        assert told.severity == "warning"
        assert "KUBE-" in told.evidence[-1]


@needs_root
def test_a_bridge_that_a_machine_shares_with_its_own_uplink_needs_no_forwarding():
    with joined_pair() as (left, _):
        left.run("sysctl -qw net.ipv4.ip_forward=0")
        left.ip(
            "link add br0 type bridge", "address add 10.7.0.1/24 dev br0", "link set br0 up",
            "link add dummy-uplink type vxlan id 7 remote 10.9.0.2 dstport 4789", "link set dummy-uplink master br0 up",
            "link add veth0 type veth peer name eth9", "link set veth0 master br0 up",
        )  # fmt: skip
        assert found(FORWARDING_OFF, left) == []


@needs_root
def test_hosts_that_forward_or_need_not_are_well():
    assert silent(FORWARDING_OFF)


@needs_root
def test_a_strict_reverse_path_filter_behind_another_default_route_is_told_with_what_it_drops():
    with joined_pair() as (left, right):
        left.ip(
            "link add a0 type veth peer name b0", "link set b0 up", "link set a0 up", "address add 10.7.0.1/24 dev a0"
        )
        left.ip("route add default via 10.7.0.2 metric 100", "route add default via 10.9.0.2 metric 600")
        left.run("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.left0.rp_filter=0")
        assert found(RP_FILTER, left) == []
        left.run("sysctl -qw net.ipv4.conf.left0.rp_filter=1")
        [told] = found(RP_FILTER, left)
        assert (told.severity, told.subject) == ("note", "left0")
        assert "the way back to default leads by a0" in told.says
        right.ip("address add 203.0.113.7/32 dev lo")

        def asymmetric() -> None:
            with right.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as out:
                out.bind(("203.0.113.7", 0))
                for _ in range(23):
                    out.sendto(b"23", ("10.9.0.1", 9))

        right.run("ping -c 1 10.9.0.1")  # so that no ARP request carries the other address
        [told] = found(RP_FILTER, left, asymmetric)
        assert told.severity == "error"
        assert "protocols: TcpExt.IPReversePathFilter 23" in told.evidence
        left.ip("route add default via 10.9.0.2 table 77", "rule add from 10.9.0.1 table 77")
        assert found(RP_FILTER, left) == []


@needs_root
def test_hosts_whose_ways_back_are_plain_are_well():
    assert silent(RP_FILTER)


SILENT = """
table inet lab {
    chain input { type filter hook input priority 0; policy drop;
        udp dport 11 drop
        accept
    }
}
"""

QUEUES = """*filter
-A INPUT -p udp --dport 9 -j NFQUEUE --queue-num 3
-A INPUT -p udp --dport 10 -j NFQUEUE --queue-num 4 --queue-bypass
COMMIT
"""


@needs_root
def test_each_kind_of_loss_that_nothing_counts_is_one_note():
    with joined_pair() as (left, _):
        left.ip(
            "route add blackhole 10.66.0.0/16", "route add prohibit 10.67.0.0/16",
            "link add br0 type bridge", "link set br0 up",
            *(f"link add p{number} type veth peer name q{number}" for number in range(3)),
            *(f"link set {end}{number} up" for number in range(3) for end in "pq"),
            *(f"link set p{number} master br0" for number in range(3)),
            "link set p0 type bridge_slave isolated on", "link set p1 type bridge_slave isolated on",
            "link set p2 type bridge_slave flood off",
        )  # fmt: skip
        load(left, "nft -f -", SILENT)
        load(left, "iptables-nft-restore", QUEUES)
        left.run("sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
        time.sleep(0.2)
        told = {finding.subject: finding for finding in found(SILENT_DROPS, left)}
        assert {finding.severity for finding in told.values()} == {"note"}
        assert set(told) == {
            "routes that discard", "bridge ports", "rules without a counter", "queues without a reader",
            "requests that are ignored",
        }  # fmt: skip
        assert "2 discarding IPv4 routes" in told["routes that discard"].says
        assert "p0, p1 (isolated from each other)" in told["bridge ports"].says
        assert "p2 (flood off)" in told["bridge ports"].says
        assert "ip filter INPUT #1 to queue 3" in told["queues without a reader"].says
        assert "2 of the rules and policies" in told["rules without a counter"].says


def test_a_program_in_generic_mode_is_a_note():
    """Made up of the link's own row: a program is loaded only by its author's tools."""
    links = made_up("links", {"ifindex": 2, "ifname": "eth0", "flags": ["UP"], "xdp": {"mode": 2, "prog": {"id": 7}}})
    assert [told.subject for told in SILENT_DROPS.find({"links": links})] == ["generic XDP"]
    links = made_up("links", {"ifindex": 2, "ifname": "eth0", "flags": ["UP"], "xdp": {"mode": 1, "prog": {"id": 7}}})
    assert list(SILENT_DROPS.find({"links": links})) == []


@needs_root
def test_a_host_with_nothing_of_the_kind_is_well():
    assert silent(SILENT_DROPS)
    assert len(healthy()["routes"]) > 3
    assert len(docker()["netfilter"]) > 30
    with namespace() as inside:
        assert found(SILENT_DROPS, inside) == []
