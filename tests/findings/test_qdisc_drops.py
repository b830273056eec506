"""Queueing disciplines that drop, or let nothing go."""

import socket
import subprocess
from collections.abc import Callable

from nettui.findings.qdisc_drops import QDISC_DROPS
from tests.findings.hosts import found, silent
from tests.lab import Namespace, joined_pair, needs_root


def sender(inside: Namespace, count: int, size: int = 1000) -> Callable[[], None]:
    def send() -> None:
        with inside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as out:
            for _ in range(count):
                try:
                    out.sendto(bytes(size), ("10.9.0.2", 9))
                except OSError:  # the queue's refusal reaches the sender
                    continue

    return send


@needs_root
def test_a_full_queue_is_an_error_with_device_rate_and_backlog():
    with joined_pair() as (left, _):
        left.run("ping -c 1 10.9.0.2", "tc qdisc add dev left0 root tbf rate 8kbit burst 2k limit 5k")
        [told] = found(QDISC_DROPS, left, sender(left, 113))
        assert (told.severity, told.subject) == ("error", "tbf on left0")
        assert "drops" in told.says
        assert any("backlog" in line for line in told.evidence)


@needs_root
def test_of_nested_disciplines_only_the_undermost_that_drops_is_told():
    with joined_pair() as (left, _):
        left.run(
            "ping -c 1 10.9.0.2",
            "tc qdisc add dev left0 root handle 1: htb default 10",
            "tc class add dev left0 parent 1: classid 1:10 htb rate 8kbit burst 2k",
            "tc qdisc add dev left0 parent 1:10 handle 20: pfifo limit 3",
        )
        told = found(QDISC_DROPS, left, sender(left, 113))
        assert [finding.subject for finding in told if "drops" in finding.says] == ["pfifo on left0"]


@needs_root
def test_packets_that_wait_while_none_leaves_are_an_error():
    with joined_pair() as (left, _):
        left.run(
            "ping -c 1 10.9.0.2",
            "tc qdisc add dev left0 root handle 1: htb default 10",
            "tc class add dev left0 parent 1: classid 1:10 htb rate 8bit burst 1 cburst 1",
            "tc qdisc add dev left0 parent 1:10 handle 20: pfifo limit 300",
        )
        sender(left, 23)()
        [told] = found(QDISC_DROPS, left, lambda: None)
        assert (told.severity, told.subject) == ("error", "pfifo on left0")
        assert "none left while it was watched" in told.says


def drop_every_packet(inside: Namespace) -> None:
    """A classic BPF program of one instruction: return TC_ACT_SHOT."""
    program = ["bpf", "bytecode", "1,6 0 0 2,", "direct-action"]
    tc = ["ip", "netns", "exec", inside.name, "tc", "filter", "add", "dev", "right0", "ingress", "protocol", "ip"]
    subprocess.run([*tc, *program], check=True, timeout=60)


@needs_root
def test_what_a_filter_drops_at_ingress_is_a_warning_that_says_so():
    with joined_pair() as (left, right):
        left.run("ping -c 1 10.9.0.2")
        right.run("tc qdisc add dev right0 ingress")
        drop_every_packet(right)
        [told] = found(QDISC_DROPS, right, sender(left, 23))
        assert (told.severity, told.subject) == ("warning", "ingress on right0")
        assert "filters or actions" in told.says


@needs_root
def test_healthy_hosts_have_no_such_finding():
    assert silent(QDISC_DROPS)
