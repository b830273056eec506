"""Addresses that another host has too."""

import socket
import time

from nettui.findings.duplicate_address import DUPLICATE_ADDRESS
from tests.findings.hosts import found, silent
from tests.lab import joined_pair, needs_root


@needs_root
def test_an_address_that_another_host_has_fails_detection():
    with joined_pair() as (left, right):
        right.ip("address add fd09::23/64 dev right0 nodad")
        left.ip("address add fd09::23/64 dev left0")
        running = [told for told in found(DUPLICATE_ADDRESS, left) if "fd09::23" in told.says]
        time.sleep(2.5)
        failed = [told for told in found(DUPLICATE_ADDRESS, left) if "fd09::23" in told.says]
        assert [told.severity for told in running] in (["note"], ["error"])
        assert [told.severity for told in failed] == ["error"]
        assert failed[0].subject == "fd09::23 on left0"


@needs_root
def test_a_neighbour_that_asks_from_an_address_of_ours_is_told_with_its_mac():
    with joined_pair() as (left, right):
        left.ip("address add fd09::7/64 dev left0 nodad")
        right.ip("address add fd09::1/64 dev right0 nodad")
        mac = right.json("ip -j link show right0")[0]["address"]
        with right.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET6) as asking:
            asking.bind(("fd09::1", 0))
            asking.sendto(b"", ("fd09::7", 9))
        time.sleep(0.3)
        [told] = [told for told in found(DUPLICATE_ADDRESS, left) if told.severity == "warning"]
        assert told.subject == "fd09::1 on left0"
        assert mac in told.says


@needs_root
def test_healthy_hosts_have_no_such_finding():
    assert silent(DUPLICATE_ADDRESS)
