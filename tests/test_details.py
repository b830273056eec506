"""An opened row's further facts are true, and what cannot be had says why."""

import os
import subprocess

from collectors import Host
from collectors.table import Gap
from nettui.details import details
from tests.lab import joined_pair, needs_root


def test_the_process_behind_a_socket_is_told():
    (facts,) = details("sockets", {"pid": os.getpid()}, Host()).values()
    assert not isinstance(facts, Gap)
    assert facts["ppid"] == os.getppid()
    assert "pytest" in str(facts["cmdline"])


def test_a_process_that_has_ended_says_so():
    ended = subprocess.Popen(["true"])
    ended.wait()
    (facts,) = details("sockets", {"pid": ended.pid}, Host()).values()
    assert isinstance(facts, Gap)
    assert "has ended" in facts.reason


def test_a_socket_without_a_known_process_has_no_facts_of_one():
    assert details("sockets", {}, Host()) == {"process": {}}


def test_other_sections_read_nothing_more():
    assert details("routes", {"dst": "default"}, Host()) == {}


@needs_root
def test_a_device_tells_its_driver_and_the_drivers_counters_in_its_namespace():
    with joined_pair() as (left, _):
        found = details("links", {"ifname": "left0"}, left.host)
        assert found["ethtool"]["driver"] == "veth"  # type: ignore[index]
        assert "peer_ifindex" in found["ethtool -S"]  # type: ignore[operator]


@needs_root
def test_a_device_that_has_gone_is_a_gap():
    with joined_pair() as (left, _):
        assert all(isinstance(facts, Gap) for facts in details("links", {"ifname": "gone0"}, left.host).values())
