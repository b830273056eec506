"""Ports that run out, connections that are not closed, half open ones in masses; memory of sockets."""

import socket
import time

import pytest

from nettui.findings.close_wait import CLOSE_WAIT
from nettui.findings.ephemeral_ports import EPHEMERAL_PORTS
from nettui.findings.orphans import ORPHANS
from nettui.findings.socket_memory import SOCKET_MEMORY
from nettui.findings.syn_flood import SYN_FLOOD
from tests.findings.hosts import docker, found, healthy, made_up, settings, silent
from tests.lab import needs_root
from tests.loss import ways_tcp
from tests.loss.peer import Peer, connected, listener
from tests.loss.way import adjust, lab


def connections(built, number, address="10.9.0.2", port=80):
    """From the left namespace to a listener of the right one: pairs of the two ends."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    waiting = built.stack.enter_context(built.right.host.socket(socket.SOCK_STREAM, 0, family))
    waiting.bind((address, port))
    waiting.listen(1000)
    made = []
    for _ in range(number):
        client = built.stack.enter_context(built.left.host.socket(socket.SOCK_STREAM, 0, family))
        client.connect((address, port))
        made.append((client, built.stack.enter_context(waiting.accept()[0])))
    return made


@needs_root
@pytest.mark.parametrize("address", ["10.9.0.2", "fd09::2"])
def test_ports_toward_one_destination_are_a_warning_as_they_run_out_and_an_error_when_they_have(address):
    with lab() as built:
        adjust(built.left, {"ipv4/ip_local_port_range": "40000 40019"})
        connections(built, 15, address)
        connections(built, 15, address, 81)  # their ports are the same, and take none from the others
        assert found(EPHEMERAL_PORTS, built.left) == []
        for port in (80, 81):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            for _ in range(4 if port == 80 else 5):
                client = built.stack.enter_context(built.left.host.socket(socket.SOCK_STREAM, 0, family))
                client.connect((address, port))
        told = {finding.severity: finding for finding in found(EPHEMERAL_PORTS, built.left)}
        assert set(told) == {"warning", "error"}
        assert "19 of 20 local ports" in told["warning"].says
        assert "20 of 20 local ports" in told["error"].says
        assert "most of them held by py" in told["error"].says
        assert told["error"].subject.endswith(":81")
        with (
            built.left.host.socket(socket.SOCK_STREAM, 0, family) as one,
            pytest.raises(OSError, match="Cannot assign"),
        ):
            one.connect((address, 81))  # as the finding says
        assert found(EPHEMERAL_PORTS, built.right) == []


@needs_root
def test_connections_that_a_process_does_not_close_are_a_warning_with_the_process():
    with lab() as built:
        ends = connections(built, 100)
        assert found(CLOSE_WAIT, built.right) == []
        for client, _ in ends[1:]:
            client.close()
        assert found(CLOSE_WAIT, built.right, lambda: time.sleep(1.2)) == []
        ends[0][0].close()
        assert found(CLOSE_WAIT, built.right) == []  # the last one has its time yet
        time.sleep(1.2)
        [told] = found(CLOSE_WAIT, built.right)
        assert told.severity == "warning"
        assert told.subject.startswith("py")
        assert "has not closed 100 connections" in told.says


@needs_root
def test_connections_that_are_closed_before_they_are_accepted_are_told_by_the_port():
    with lab() as built:
        waiting = built.stack.enter_context(built.right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET))
        waiting.bind(("10.9.0.2", 80))
        waiting.listen(1000)
        for _ in range(100):
            with built.left.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as client:
                client.connect(("10.9.0.2", 80))
        time.sleep(1.2)
        [told] = found(CLOSE_WAIT, built.right)
        assert (told.severity, told.subject) == ("warning", "10.9.0.2:80")
        assert told.says.startswith("100 connections to 10.9.0.2:80 were closed")


@needs_root
def test_closed_connections_whose_peer_is_silent_are_a_warning_with_the_peer():
    with lab() as built:
        ends = connected(built, 200)
        for _, sock in ends[1:]:
            sock.close()
        assert found(ORPHANS, built.right) == []
        ends[0][1].close()
        [told] = found(ORPHANS, built.right)
        assert told.severity == "warning"
        assert told.says.startswith("200 closed connections")
        assert any("FIN-WAIT-1" in line for line in told.evidence)


def test_as_many_orphans_as_the_host_allows_are_an_error():
    """By hand: the limit is the whole host's."""
    none = healthy()["sockets"]
    limits = made_up("limits", {"name": "TCP orphans", "used": 4096, "limit": 4096})
    [told] = ORPHANS.find({"sockets": none, "limits": limits})
    assert told.severity == "error"
    assert "4,096 of at most 4,096" in told.says
    limits = made_up("limits", {"name": "TCP orphans", "used": 1000, "limit": 4096})
    assert list(ORPHANS.find({"sockets": none, "limits": limits})) == []


@needs_root
def test_syns_that_a_full_queue_drops_are_an_error_and_cookies_a_warning():
    with lab() as built:
        lose = ways_tcp.tcp_syn_queue_full(built)
        [told] = found(SYN_FLOOD, built.right, lose)
        assert told.severity == "error"
        assert "5 connections from 1 address to 10.9.0.2:80 of py" in told.says
        assert "SYNs/s are dropped" in told.says
        adjust(built.right, {"ipv4/tcp_syncookies": 1})
        [told] = found(SYN_FLOOD, built.right, lose)
        assert told.severity == "warning"
        assert "answered with cookies" in told.says


@needs_root
def test_syns_dropped_in_the_last_quarter_of_the_queue_are_an_error_by_the_counter():
    with lab() as built:
        lose = ways_tcp.tcp_last_quarter_of_syn_queue(built)
        [told] = found(SYN_FLOOD, built.right, lose)
        assert (told.severity, told.subject) == ("error", "listeners")


@needs_root
def test_many_half_open_connections_are_a_warning_though_the_queue_has_room():
    with lab() as built:
        peer = Peer(built)
        listener(built, backlog=4000)
        for _ in range(255):
            peer.flow().half_open()
        assert found(SYN_FLOOD, built.right) == []
        peer.flow().half_open()
        [told] = found(SYN_FLOOD, built.right)
        assert told.severity == "warning"
        assert told.says.startswith("256 connections")


def protocols(*moving):
    return made_up("protocols", *({"counter": name, "value": 23, "value_rate": 7.0} for name in moving),
                   rates=("value",))  # fmt: skip


@pytest.mark.parametrize(
    ("used", "moving", "severity"),
    [
        (999, (), None),
        (1000, (), "warning"),
        (2000, (), "error"),
        (1, ("TcpExt.TCPMemoryPressures",), "warning"),
        (1, ("TcpExt.TCPMemoryPressures", "TcpExt.TCPAbortOnMemory"), "error"),
        (1, ("TcpExt.PruneCalled",), None),
    ],
)
def test_memory_of_tcp_by_fill_and_counters(used, moving, severity):
    """By hand: the memory is the whole host's, and its limits show in the first namespace alone."""
    tables = {
        "protocols": protocols(*moving),
        "limits": made_up("limits", {"name": "TCP memory", "used": used, "limit": 2000}),
        "settings": settings(("net.ipv4.tcp_mem", "500\t1000\t2000")),
    }
    assert [told.severity for told in SOCKET_MEMORY.find(tables)] == ([severity] if severity else [])


def test_memory_of_udp_without_settings_and_counters():
    limits = made_up("limits", {"name": "UDP memory", "used": 1900, "limit": 2000})
    [told] = SOCKET_MEMORY.find({"protocols": protocols(), "limits": limits})
    assert (told.severity, told.subject) == ("warning", "UDP memory")
    [told] = SOCKET_MEMORY.find({"protocols": protocols("Udp.MemErrors")})
    assert told.severity == "error"


@needs_root
@pytest.mark.parametrize(
    "diagnosis", [EPHEMERAL_PORTS, CLOSE_WAIT, ORPHANS, SYN_FLOOD, SOCKET_MEMORY], ids=lambda each: each.name
)
def test_healthy_hosts_have_no_such_finding(diagnosis):
    assert set(diagnosis.needs) <= set(healthy())
    assert set(diagnosis.needs) <= set(docker())
    assert silent(diagnosis)
