"""conntrack and queues to programs that drop packets."""

import socket
import struct
from contextlib import contextmanager

from collectors.wire.netlink import attribute, request
from nettui.findings.conntrack_drops import CONNTRACK_DROPS
from nettui.findings.nfqueue_drops import NFQUEUE_DROPS
from tests.findings.hosts import docker, found, healthy, made_up, silent
from tests.lab import joined_pair, needs_root
from tests.loss import ways_netfilter
from tests.loss.way import lab

NETLINK_NETFILTER, NFQNL_MSG_CONFIG = 12, 3 << 8 | 2


@needs_root
def test_flows_that_translation_has_no_port_for_are_an_error_told_by_their_cause():
    with lab() as built:
        lose = ways_netfilter.ports_for_translation_used_up(built)
        [told] = found(CONNTRACK_DROPS, built.left, lose)
        assert (told.severity, told.subject) == ("error", "conntrack insert_failed")
        assert told.evidence[0].startswith("conntrack_statistics: insert_failed 23 ")
        assert found(CONNTRACK_DROPS, built.left) == []


@needs_root
def test_packets_of_no_flow_are_a_note():
    with lab() as built:
        lose = ways_netfilter.packets_of_no_connection(built)
        [told] = found(CONNTRACK_DROPS, built.right, lose)
        assert (told.severity, told.subject) == ("note", "conntrack invalid")


def test_a_full_table_is_an_error_and_what_it_throws_out_a_warning():
    """By hand: a full table's limit belongs to the whole host."""
    rows = [{"cpu": cpu, "drop": 7, "early_drop": 5, "insert_failed": 0, "drop_rate": 7.0, "early_drop_rate": 5.0}
            for cpu in range(2)]  # fmt: skip
    table = made_up("conntrack_statistics", *rows, rates=("drop", "early_drop"))
    told = {finding.subject: finding for finding in CONNTRACK_DROPS.find({"conntrack_statistics": table})}
    assert {subject: finding.severity for subject, finding in told.items()} == {
        "conntrack drop": "error", "conntrack early_drop": "warning",
    }  # fmt: skip
    assert told["conntrack drop"].says.startswith("14 packets/s")


@needs_root
def test_hosts_whose_conntrack_drops_nothing_are_well():
    assert "conntrack_statistics" in docker()
    assert "conntrack_statistics" in healthy()
    assert silent(CONNTRACK_DROPS)


@contextmanager
def reader(inside, queue, longest):
    """A process that binds a queue and gives no verdict."""
    with inside.host.socket(socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
        head = struct.pack("!BBH", 0, 0, queue)
        settings = (
            attribute(1, struct.pack("!BBH", 1, 0, 0)),  # NFQA_CFG_CMD: NFQNL_CFG_CMD_BIND
            attribute(2, struct.pack("!IB", 64, 2)),  # NFQA_CFG_PARAMS: copy range, NFQNL_COPY_PACKET
            attribute(3, struct.pack("!I", longest)),  # NFQA_CFG_QUEUE_MAXLEN
        )
        for number, setting in enumerate(settings, 1):
            sock.send(request(NFQNL_MSG_CONFIG, 4, number, head + setting))
            assert struct.unpack_from("=i", sock.recv(4096), 16) == (0,)
        yield sock


@needs_root
def test_a_full_queue_to_a_program_is_an_error_with_the_program():
    with joined_pair() as (left, right), reader(left, 7, 5):
        left.run("iptables -A INPUT -p udp --dport 99 -j NFQUEUE --queue-num 7")
        assert found(NFQUEUE_DROPS, left) == []
        [told] = found(NFQUEUE_DROPS, left, lambda: send(right, 23))
        assert (told.severity, told.subject) == ("error", "NFQUEUE 7")
        assert "the queue is full: py" in told.says
        assert told.evidence[0] == "nfqueues: queue 7 queue_dropped 18, user_dropped 0"


@needs_root
def test_a_queue_in_which_many_wait_is_a_warning():
    with joined_pair() as (left, right), reader(left, 7, 1000):
        left.run("iptables -A INPUT -p udp --dport 99 -j NFQUEUE --queue-num 7")
        [told] = found(NFQUEUE_DROPS, left, lambda: send(right, 601))
        assert told.severity == "warning"
        assert "holds " in told.says


def send(inside, count):
    with inside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as out:
        for _ in range(count):
            out.sendto(b"x", ("10.9.0.1", 99))


@needs_root
def test_hosts_without_a_slow_queue_are_well():
    assert "nfqueues" in healthy()
    assert silent(NFQUEUE_DROPS)
