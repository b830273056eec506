"""What belongs to the whole host: the table of neighbours, the CPUs' backlogs, the rings of devices."""

import socket
from pathlib import Path

import pytest

from nettui.findings.neighbour_table import NEIGHBOUR_TABLE
from nettui.findings.small_ring import SMALL_RING
from nettui.findings.softirq import SOFTIRQ
from tests.findings.hosts import docker, found, healthy, made_up, silent
from tests.lab import joined_pair, needs_root
from tests.loss import ways_neighbours
from tests.loss.traffic import script
from tests.loss.way import lab

LIMIT, BACKLOG = (Path("/proc/sys/net", path) for path in ("ipv4/neigh/default/gc_thresh3", "core/netdev_max_backlog"))


@needs_root
def test_a_full_table_of_neighbours_is_an_error():
    with lab() as built:
        lose = ways_neighbours.table_of_neighbours_full(built)
        told = found(NEIGHBOUR_TABLE, built.right, lose)
        [full] = [finding for finding in told if finding.subject == "IPv4 neighbours"]
        assert full.severity == "error"
        assert "were refused" in full.says


@needs_root
@pytest.mark.skipif(int(LIMIT.read_text()) > 4096, reason="this host's table of neighbours is too large to fill")
def test_a_table_of_neighbours_that_is_filling_is_a_warning_and_permanent_ones_do_not_count():
    count = int(0.9 * int(LIMIT.read_text()))
    entries = [f"10.7.{n >> 8}.{n & 255} lladdr 02:00:00:00:00:02 dev left0 nud" for n in range(2, count + 2)]
    for state in ("permanent", "reachable"):
        with joined_pair() as (left, _):
            left.ip("address add 10.7.0.1/16 dev left0", *(f"neighbour add {entry} {state}" for entry in entries))
            every = [told for told in found(NEIGHBOUR_TABLE, left) if told.subject == "IPv4 neighbours"]
            assert len(every) == (state == "reachable")
    [told] = every
    assert told.severity == "warning"
    assert any(line.startswith(f"neighbours: {count:,} in this namespace, 0 ") for line in told.evidence)


@needs_root
@pytest.mark.skipif(int(BACKLOG.read_text()) > 5000, reason="this host's backlog is too large to fill")
def test_a_backlog_that_overflows_is_an_error_that_names_the_cpu():
    """Rules copy each packet more often than the backlog has room, before the CPU may take the first from it."""
    copies = 'dup to "left1"\n' * (int(BACKLOG.read_text()) + 100)
    with joined_pair() as (left, right):
        left.ip(f"link add left1 type veth peer name right1 netns {right.name}", "link set left1 up")
        right.ip("link set right1 up")
        left.run("ping -c 1 10.9.0.2")
        chain = f'type filter hook egress device "left0" priority 0\n{copies}'
        script(left, f"table netdev copies {{\nchain egress {{\n{chain}\n}}\n}}\n")

        def burst() -> None:
            with left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as out:
                for _ in range(3):
                    out.sendto(b"x", ("10.9.0.2", 9))

        told = found(SOFTIRQ, left, burst)
        assert {finding.severity for finding in told if "drops" in finding.says} == {"error"}
        assert told[0].subject.startswith("CPU ")
        assert "as it is full" in told[0].says


BUSY = {"dropped": 0, "flow_limit": 0, "dropped_rate": 0.0, "flow_limit_rate": 0.0}
RATES = ("processed", "dropped", "flow_limit", "time_squeeze")


def softnet(squeezes, steered, other):
    """Two CPUs: how often the first stops with packets left, and what the second one takes; by hand."""
    first = {"cpu": 0, "processed_rate": 90_000.0, "time_squeeze_rate": squeezes, "received_rps": steered, **BUSY}
    second = {"cpu": 1, "processed_rate": other, "time_squeeze_rate": 0.0, "received_rps": 0, **BUSY}
    return {"softnet": made_up("softnet", first, second, rates=RATES)}


def test_a_cpu_that_does_the_work_of_all_and_does_not_keep_up_is_a_warning():
    """By hand: how much a CPU takes in one go is the host's setting, and the host is shared."""
    [told] = SOFTIRQ.find(softnet(50.0, 0, 10_000.0))
    assert told.severity == "warning"
    assert "it does 90% of the work of 2 CPUs, and RPS is off" in told.says
    assert any("rps_cpus" in remedy for remedy in told.remedies)
    [told] = SOFTIRQ.find(softnet(50.0, 23, 10_000.0))
    assert "RPS is off" not in told.says
    [told] = SOFTIRQ.find(softnet(50.0, 0, 90_000.0))
    assert told.severity == "note"
    assert list(SOFTIRQ.find(softnet(1.0, 0, 10_000.0))) == []


def rings(**row):
    return made_up("rings", {"ifindex": 2, "ifname": "eth0", **row})


def missing(frames, passing=0.0):
    rates = ("rx_missed_errors", "rx_fifo_errors", "rx_packets")
    row = {"ifindex": 2, "ifname": "eth0", "rx_missed_errors": 7, "rx_missed_errors_rate": frames}
    return made_up("links", {**row, "rx_fifo_errors_rate": 0.0, "rx_packets_rate": passing}, rates=rates)


def test_frames_missed_by_a_ring_that_could_be_larger_are_an_error():
    """By hand: devices of namespaces have no rings."""
    small = rings(rx=256, rx_max=4096)
    [told] = SMALL_RING.find({"links": missing(7.0), "rings": small})
    assert (told.severity, told.subject) == ("error", "eth0")
    assert "256 of 4,096 entries" in told.says
    assert told.remedies[-1].startswith("ethtool -G eth0 rx 4096  # ")
    [told] = SMALL_RING.find({"links": missing(7.0, 1e6), "rings": small})
    assert told.severity == "warning"
    assert list(SMALL_RING.find({"links": missing(0.0), "rings": small})) == []
    largest = rings(rx=4096, rx_max=4096)
    assert list(SMALL_RING.find({"links": missing(7.0), "rings": largest})) == []
    other = rings(rx=256, rx_max=4096, ifindex=3, ifname="eth1")
    assert list(SMALL_RING.find({"links": missing(7.0), "rings": other})) == []


@needs_root
@pytest.mark.parametrize("diagnosis", [NEIGHBOUR_TABLE, SOFTIRQ, SMALL_RING], ids=lambda each: each.name)
def test_healthy_hosts_have_no_such_finding(diagnosis):
    assert set(diagnosis.needs) <= set(healthy())
    assert set(diagnosis.needs) <= set(docker())
    assert silent(diagnosis)
