"""Ways of losing packets in queueing disciplines, their classes, and tc's filters and programs."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable

from tests.lab import Namespace
from tests.loss.programs import AT_EGRESS, AT_INGRESS, TC_ACT_SHOT, attach
from tests.loss.traffic import (
    COUNT,
    IP_RECVERR,
    catcher,
    caught,
    datagrams,
    neighbours,
    none_comes,
    sender,
)
from tests.loss.way import Lab, way

SHOT = "1,6 0 0 2"  # classic BPF: return TC_ACT_SHOT
TIGHT = "rate 8kbit burst 2000"


def told_by_the_sender(lab: Lab, number: int = 60, size: int = 500) -> Callable[[], int]:
    """Sends; sendto() tells how many of the datagrams the queue dropped. None of these is caught."""
    out, end = sender(lab), catcher(lab)
    out.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)

    def lose() -> int:
        lost = datagrams(out, number, size=size)
        assert lost > 0
        assert caught(end) <= number - lost
        return lost

    return lose


@way("qdisc", "qdisc.drops", scope="tbf", reason="QDISC_DROP", side="left")
def queue_behind_a_rate_full(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.left.run(f"tc qdisc add dev left0 root handle 1: tbf {TIGHT} limit 3000")
    return told_by_the_sender(lab)


@way("qdisc", "qdisc.drops", scope="tbf", reason="QDISC_DROP", side="left")
def packet_larger_than_the_burst(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.left.run("tc qdisc add dev left0 root handle 1: tbf rate 80mbit burst 1000 limit 30000 mtu 1000")
    return none_comes(lab, size=1200)


@way("qdisc", "qdisc.drops", scope="pfifo", reason="QDISC_DROP", side="left")
def queue_of_packets_full(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.left.run(
        f"tc qdisc add dev left0 root handle 1: tbf {TIGHT} limit 30000",
        "tc qdisc add dev left0 parent 1:1 handle 2: pfifo limit 7",
    )
    return told_by_the_sender(lab)


@way("qdisc", "qdisc.drops", scope="bfifo", reason="QDISC_DROP", side="left")
def queue_of_bytes_full(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.left.run(
        f"tc qdisc add dev left0 root handle 1: tbf {TIGHT} limit 30000",
        "tc qdisc add dev left0 parent 1:1 handle 2: bfifo limit 4000",
    )
    return told_by_the_sender(lab)


@way("qdisc", "class.drops", scope="htb", reason="QDISC_DROP", side="left")
def class_over_its_rate(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.left.run(
        "tc qdisc add dev left0 root handle 1: htb default 10",
        "tc class add dev left0 parent 1: classid 1:10 htb rate 8kbit burst 2000 cburst 2000",
        "tc qdisc add dev left0 parent 1:10 handle 20: pfifo limit 5",
    )
    return told_by_the_sender(lab)


@way("device", "rtnl_link_stats64.tx_dropped", scope="dark0", reason="QDISC_DROP", side="left")
def no_carrier(lab: Lab) -> Callable[[], int]:
    lab.left.ip(
        "link add dark0 type veth peer name dark1",
        "address add 10.8.0.1/24 dev dark0",
        "link set dark0 up",
        "neighbour add 10.8.0.2 lladdr 02:00:00:00:00:01 dev dark0 nud permanent",
    )
    out = sender(lab, "10.8.0.1")

    def lose() -> int:
        datagrams(out, to="10.8.0.2")
        return COUNT

    return lose


def dropping_filter(place: Namespace, dev: str, parent: str) -> None:
    """A filter of classic BPF that says drop; its text is one argument and has blanks."""
    command = ["tc", "filter", "add", "dev", dev, *parent.split(), "bpf", "da", "bytecode", SHOT]
    place.host.inside(lambda: subprocess.run(command, check=True, timeout=60))


@way("tc", "clsact.drops", scope="clsact", reason="TC_INGRESS")
def filter_at_clsact_ingress(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.right.run("tc qdisc add dev right0 clsact")
    dropping_filter(lab.right, "right0", "ingress")
    return none_comes(lab)


@way("tc", "clsact.drops", scope="clsact", reason="TC_EGRESS", side="left")
def filter_at_clsact_egress(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.left.run("tc qdisc add dev left0 clsact")
    dropping_filter(lab.left, "left0", "egress")
    return none_comes(lab)


@way("qdisc", "qdisc.drops", scope="htb", reason="QDISC_DROP", side="left")
def filter_of_a_discipline(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.left.run("tc qdisc add dev left0 root handle 1: htb")
    dropping_filter(lab.left, "left0", "parent 1:")
    return none_comes(lab)


@way("tc", None, reason="TC_EGRESS", side="left", also=("Ip.OutDiscards", "Udp.SndbufErrors"))
def program_without_a_qdisc_egress(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    attach(lab, lab.left, "left0", AT_EGRESS, TC_ACT_SHOT)
    return none_comes(lab)


@way("tc", None, reason="TC_INGRESS")
def program_without_a_qdisc(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    attach(lab, lab.right, "right0", AT_INGRESS, TC_ACT_SHOT)
    return none_comes(lab)


@way("tc", "clsact.drops", scope="ingress", reason="TC_INGRESS")
def redirected_to_a_device_that_is_down(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.right.ip("link add down0 type veth peer name down1")
    lab.right.run(
        "tc qdisc add dev right0 handle ffff: ingress",
        "tc filter add dev right0 parent ffff: protocol ip u32 match ip dport 5353 0xffff "
        "action mirred egress redirect dev down0",
    )
    return none_comes(lab)
