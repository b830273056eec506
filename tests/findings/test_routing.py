"""Default routes, gateways that do not answer, and secondary addresses."""

import socket
import time

from nettui.findings.default_route import DEFAULT_ROUTE
from nettui.findings.next_hop import NEXT_HOP
from nettui.findings.secondary_addresses import SECONDARY_ADDRESSES
from tests.findings.hosts import docker, found, healthy, silent
from tests.lab import joined_pair, namespace, needs_root


@needs_root
def test_a_missing_default_route_is_a_note_and_a_warning_while_packets_find_no_route():
    with joined_pair() as (left, _):
        [told] = found(DEFAULT_ROUTE, left)
        assert told.severity == "note"
        assert "there is no default route" in told.says

        def unreachable() -> None:
            for _ in range(3):
                try:
                    left.run("ping -c 1 -W 1 203.0.113.7")
                except AssertionError:
                    continue

        [told] = found(DEFAULT_ROUTE, left, unreachable)
        assert told.severity == "warning"
        assert "find no route" in told.says


@needs_root
def test_without_addresses_or_carrier_no_default_route_is_missed():
    with namespace() as inside:
        inside.ip("link add a0 type veth peer name b0", "address add 10.7.0.1/24 dev a0", "link set a0 up")
        assert found(DEFAULT_ROUTE, inside) == []


@needs_root
def test_a_default_route_by_a_link_without_carrier_is_an_error():
    with joined_pair() as (left, right):
        left.ip("route add default via 10.9.0.2")
        assert found(DEFAULT_ROUTE, left) == []
        right.ip("link set right0 down")
        time.sleep(1.3)
        [told] = found(DEFAULT_ROUTE, left)
        assert (told.severity, told.subject) == ("error", "IPv4 default route by left0")
        assert "has no carrier" in told.says
        assert "linkdown" in told.evidence[0]


@needs_root
def test_a_dead_default_behind_a_live_one_is_a_note_and_a_dead_way_of_several_a_warning():
    with joined_pair() as (left, right):
        left.ip(
            "link add a0 type veth peer name b0", "link set b0 up", "link set a0 up", "address add 10.7.0.1/24 dev a0",
            "route add default via 10.7.0.2", "route add default via 10.9.0.2 metric 600",
        )  # fmt: skip
        right.ip("link set right0 down")
        time.sleep(1.3)
        assert [told.severity for told in found(DEFAULT_ROUTE, left)] == ["note"]
        left.ip("route flush exact default", "route add default nexthop via 10.7.0.2 nexthop via 10.9.0.2")
        [told] = found(DEFAULT_ROUTE, left)
        assert told.severity == "warning"
        assert told.says.startswith("1 of 2 ways")


@needs_root
def test_hosts_with_a_default_route_are_well_and_a_lab_without_one_gets_a_note():
    assert list(DEFAULT_ROUTE.find(healthy())) == []
    assert [told.severity for told in DEFAULT_ROUTE.find(docker())] == ["note"]


@needs_root
def test_a_gateway_that_does_not_answer_is_an_error_with_the_number_of_its_routes():
    with joined_pair() as (left, _):
        left.ip(*(f"route add 10.{number}.0.0/16 via 10.9.0.9" for number in range(20, 43)))
        left.ip("route add default via 10.9.0.9", "route add 10.50.0.0/16 via 10.9.0.2")
        assert found(NEXT_HOP, left) == []
        left.host.inside(lambda: ask("10.20.0.1"))
        [told] = found(NEXT_HOP, left)
        assert told.severity == "warning"
        time.sleep(3.5)
        [told] = found(NEXT_HOP, left)
        assert (told.severity, told.subject) == ("error", "10.9.0.9 on left0")
        assert "the gateway of the default route and 23 more" in told.says


def ask(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"", (address, 9))


@needs_root
def test_gateways_of_multipath_routes_nexthop_objects_and_ipv6_are_found_and_hosts_that_are_no_gateway_are_not():
    with joined_pair() as (left, _):
        left.ip(
            "route add 10.20.0.0/16 nexthop via 10.9.0.8 nexthop via 10.9.0.2",
            "nexthop add id 7 via 10.9.0.7 dev left0", "route add 10.21.0.0/16 nhid 7",
            "route add fd21::/32 via fd09::9",
            *(f"neighbour add 10.9.0.{last} dev left0 nud failed" for last in (7, 8, 6)),
            "neighbour add fd09::9 dev left0 nud failed",
        )  # fmt: skip
        told = found(NEXT_HOP, left)
        assert {finding.subject for finding in told} == {
            "10.9.0.7 on left0", "10.9.0.8 on left0", "fd09::9 on left0",
        }  # fmt: skip


@needs_root
def test_gateways_that_answer_are_well():
    assert silent(NEXT_HOP)


@needs_root
def test_secondaries_that_would_go_with_their_primary_are_a_note_unless_they_are_promoted():
    with joined_pair() as (left, _):
        left.run("sysctl -qw net.ipv4.conf.all.promote_secondaries=0 net.ipv4.conf.left0.promote_secondaries=0")
        assert found(SECONDARY_ADDRESSES, left) == []
        left.ip("address add 10.9.0.3/24 dev left0", "address add 10.9.0.4/24 dev left0")
        [told] = found(SECONDARY_ADDRESSES, left)
        assert (told.severity, told.subject) == ("note", "10.9.0.1 on left0")
        assert "2 secondary addresses" in told.says
        left.run("sysctl -qw net.ipv4.conf.left0.promote_secondaries=1")
        assert found(SECONDARY_ADDRESSES, left) == []


@needs_root
def test_hosts_without_secondaries_are_well():
    assert silent(SECONDARY_ADDRESSES)
