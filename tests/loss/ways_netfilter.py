"""Ways of losing packets in Netfilter: nftables, iptables, queues to programs, connection tracking, SYNPROXY."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.loss import frames
from tests.loss.traffic import (
    COUNT,
    LEFT,
    LEFT6,
    RIGHT,
    RIGHT6,
    address,
    catcher,
    caught,
    datagrams,
    neighbours,
    none_comes,
    packet_socket,
    script,
    sender,
)
from tests.loss.way import Lab, adjust, way

NETFILTER, DROPPED, SENT = "netfilter", "NETFILTER_DROP", ("Ip.OutDiscards", "Udp.SndbufErrors")
MEANT = "udp dport 5353"


def chain(hook: str, rule: str, family: str = "ip", kind: str = "filter", more: str = "") -> str:
    """A table with one base chain of one rule."""
    base = f"add chain {family} lost {hook.split()[0]} {{ type {kind} hook {hook} priority 0; {more} }}"
    own = f"add rule {family} lost {hook.split()[0]} {rule}" if rule else ""
    return f"add table {family} lost\n{base}\n{own}\n"


@way(NETFILTER, "rule.drop", scope="ip lost prerouting", reason=DROPPED)
def nft_prerouting(lab: Lab) -> Callable[[], int]:
    return received_with(lab, chain("prerouting", f"{MEANT} counter drop"))


@way(NETFILTER, "rule.drop", scope="inet lost input", reason=DROPPED)
def nft_input(lab: Lab) -> Callable[[], int]:
    return received_with(lab, chain("input", f"{MEANT} counter drop", "inet"))


@way(NETFILTER, "rule.drop", scope="ip6 lost input", reason=DROPPED)
def nft_input_ip6(lab: Lab) -> Callable[[], int]:
    script(lab.right, chain("input", f"{MEANT} counter drop", "ip6"))
    neighbours(lab)
    return none_comes(lab, out=LEFT6, to=RIGHT6)


@way(NETFILTER, "rule.drop", scope="netdev lost ingress", reason=DROPPED)
def nft_ingress(lab: Lab) -> Callable[[], int]:
    return received_with(lab, chain("ingress device right0", f"{MEANT} counter drop", "netdev"))


@way(NETFILTER, "rule.drop", scope="netdev lost egress", reason=DROPPED, side="left", also=SENT)
def nft_egress(lab: Lab) -> Callable[[], int]:
    return sent_with(lab, chain("egress device left0", f"{MEANT} counter drop", "netdev"))


@way(NETFILTER, "rule.drop", scope="ip lost output", reason=DROPPED, side="left", also=SENT)
def nft_output(lab: Lab) -> Callable[[], int]:
    return sent_with(lab, chain("output", f"{MEANT} counter drop"))


@way(NETFILTER, "rule.drop", scope="ip lost postrouting", reason=DROPPED, side="left", also=SENT)
def nft_postrouting(lab: Lab) -> Callable[[], int]:
    return sent_with(lab, chain("postrouting", f"{MEANT} counter drop"))


@way(NETFILTER, "rule.drop", scope="ip lost forward", reason=DROPPED)
def nft_forward(lab: Lab) -> Callable[[], int]:
    """The right namespace is a router between two devices of the left one."""
    neighbours(lab)
    script(lab.right, chain("forward", f"{MEANT} counter drop"))
    adjust(lab.right, {"ipv4/ip_forward": 1})
    lab.right.ip(
        f"link add far1 type veth peer name far0 netns {lab.left.name}",
        "address add 10.6.0.1/24 dev far1",
        "link set far1 up",
    )
    lab.left.ip("link set far0 up", f"route add 10.6.0.0/24 via {RIGHT}")
    out = sender(lab)

    def lose() -> int:
        datagrams(out, to="10.6.0.2")
        return COUNT

    return lose


@way(NETFILTER, None, reason=DROPPED)
def nft_rule_without_a_counter(lab: Lab) -> Callable[[], int]:
    return received_with(lab, chain("input", f"{MEANT} drop"))


@way(NETFILTER, None, reason=DROPPED)
def nft_policy(lab: Lab) -> Callable[[], int]:
    return received_with(lab, chain("input", "", more="policy drop;"))


@way(NETFILTER, "rule.reject", scope="ip lost input", reason=DROPPED)
def nft_reject(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/icmp_ratemask": 0})
    return received_with(lab, chain("input", f"{MEANT} counter reject"))


@way(NETFILTER, "rule.drop", scope="ip lost input", reason=DROPPED)
def nft_over_a_rate(lab: Lab) -> Callable[[], int]:
    room = 5
    return some_come(lab, chain("input", f"{MEANT} limit rate over 1/hour burst {room} packets counter drop"), room)


@way(NETFILTER, "rule.drop", scope="ip lost input", reason=DROPPED)
def nft_over_a_quota(lab: Lab) -> Callable[[], int]:
    room = 5  # packets of 128 bytes
    return some_come(lab, chain("input", f"{MEANT} quota over {room * 128} bytes counter drop"), room)


@way(NETFILTER, "rule.drop", scope="ip lost input", reason=DROPPED)
def nft_over_a_number_of_flows(lab: Lab) -> Callable[[], int]:
    """Each datagram comes from a port of its own."""
    neighbours(lab)
    script(lab.right, chain("input", f"{MEANT} ct state new ct count over 5 counter drop"))
    return flows(lab, 5)


@way(NETFILTER, "rule.drop", scope="arp lost input", reason=DROPPED)
def nft_arp(lab: Lab) -> Callable[[], int]:
    script(lab.right, chain("input", "counter drop", "arp"))
    own = address(lab.left, "left0")
    request = b"\0\1\x08\0\6\4\0\1" + own + socket.inet_aton(LEFT) + bytes(6) + socket.inet_aton(RIGHT)
    wire = packet_socket(lab, lab.left, "left0", frames.ARP)

    def lose() -> int:
        for _ in range(COUNT):
            wire.send(frames.ethernet(b"\xff" * 6, own, frames.ARP, request))
        assert caught(wire) == 0  # no answer
        return COUNT

    return lose


@way(NETFILTER, None, reason="NOT_SPECIFIED")
def nobody_reads_the_queue(lab: Lab) -> Callable[[], int]:
    return received_under(lab, "iptables-legacy -A INPUT -p udp --dport 5353 -j NFQUEUE --queue-num 7")


@way(NETFILTER, "rule.drop", scope="INPUT", reason=DROPPED)
def iptables_legacy_rule(lab: Lab) -> Callable[[], int]:
    return received_under(lab, "iptables-legacy -A INPUT -p udp --dport 5353 -j DROP")


@way(NETFILTER, "rule.drop", scope="PREROUTING", reason=DROPPED)
def iptables_legacy_raw_rule(lab: Lab) -> Callable[[], int]:
    return received_under(lab, "iptables-legacy -t raw -A PREROUTING -p udp --dport 5353 -j DROP")


@way(NETFILTER, "policy.drop", scope="INPUT", reason=DROPPED)
def iptables_legacy_policy(lab: Lab) -> Callable[[], int]:
    return received_under(lab, "iptables-legacy -P INPUT DROP")


@way(NETFILTER, "rule.reject", scope="INPUT", reason=DROPPED)
def iptables_legacy_reject(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/icmp_ratemask": 0})
    return received_under(lab, "iptables-legacy -A INPUT -p udp --dport 5353 -j REJECT")


@way(NETFILTER, None, reason=DROPPED)
def iptables_legacy_tproxy_without_a_socket(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.right.run("iptables-legacy -t mangle -A PREROUTING -p udp --dport 5353 -j TPROXY --on-port 7 --on-ip 10.9.0.2")
    out = sender(lab)

    def lose() -> int:
        datagrams(out)
        return COUNT

    return lose


@way(NETFILTER, "rule.drop", scope="INPUT", reason=DROPPED)
def iptables_nft_rule(lab: Lab) -> Callable[[], int]:
    return received_under(lab, "iptables-nft -A INPUT -p udp --dport 5353 -j DROP")


@way(NETFILTER, "policy.drop", scope="INPUT", reason=DROPPED)
def iptables_nft_policy(lab: Lab) -> Callable[[], int]:
    return received_under(lab, "iptables-nft -P INPUT DROP")


@way(NETFILTER, "rule.drop", scope="INPUT", reason=DROPPED)
def ip6tables_rule(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    lab.right.run("ip6tables-legacy -A INPUT -p udp --dport 5353 -j DROP")
    return none_comes(lab, out=LEFT6, to=RIGHT6)


@way(NETFILTER, "synproxy.cookie_invalid", reason=DROPPED)
def wrong_cookie(lab: Lab) -> Callable[[], int]:
    """ACKs that no SYN went before."""
    neighbours(lab)
    tracked = "add chain ip lost raw { type filter hook prerouting priority -300; }\n"
    tracked += "add rule ip lost raw tcp dport 80 tcp flags syn notrack\n"
    rule = "tcp dport 80 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm"
    script(lab.right, chain("input", rule) + tracked)
    adjust(lab.right, {"netfilter/nf_conntrack_tcp_loose": 0})
    return acknowledgements(lab)


@way("conntrack", "nf_conntrack.invalid", reason=DROPPED)
def packets_of_no_connection(lab: Lab) -> Callable[[], int]:
    neighbours(lab)
    script(lab.right, chain("input", "ct state invalid counter drop"))
    adjust(lab.right, {"netfilter/nf_conntrack_tcp_loose": 0})
    return acknowledgements(lab)


@way("conntrack", "nf_conntrack.insert_failed", reason=DROPPED, side="left", also=SENT)
def ports_for_translation_used_up(lab: Lab) -> Callable[[], int]:
    """Source NAT to one port only: the second flow has none."""
    neighbours(lab)
    script(lab.left, chain("postrouting", f"{MEANT} snat to {LEFT}:4000", kind="nat"))
    return flows(lab, 1)


def acknowledgements(lab: Lab) -> Callable[[], int]:
    """TCP ACKs from ports that no connection has."""
    wire = packet_socket(lab, lab.left, "left0", frames.IPV4)
    to, of = address(lab.right, "right0"), address(lab.left, "left0")

    def lose() -> int:
        for port in range(COUNT):
            segment = frames.tcp(LEFT, RIGHT, (3000 + port, 80), frames.ACK, seq=7, ack=9)
            wire.send(frames.ethernet(to, of, frames.IPV4, frames.ipv4(LEFT, RIGHT, frames.TCP, segment)))
        assert caught(wire) == 0  # no reset comes back
        return COUNT

    return lose


def flows(lab: Lab, room: int) -> Callable[[], int]:
    """Datagrams, each from a port of its own, of which the first ``room`` come through."""
    outs, end = [sender(lab) for _ in range(COUNT + room)], catcher(lab)

    def lose() -> int:
        for out in outs:
            datagrams(out, 1)
        assert caught(end) == room
        return COUNT

    return lose


def received_with(lab: Lab, rules: str) -> Callable[[], int]:
    neighbours(lab)
    script(lab.right, rules)
    return none_comes(lab)


def sent_with(lab: Lab, rules: str) -> Callable[[], int]:
    neighbours(lab)
    script(lab.left, rules)
    return none_comes(lab)


def received_under(lab: Lab, command: str) -> Callable[[], int]:
    neighbours(lab)
    lab.right.run(command)
    return none_comes(lab)


def some_come(lab: Lab, rules: str, room: int) -> Callable[[], int]:
    neighbours(lab)
    script(lab.right, rules)
    out, end = sender(lab), catcher(lab)

    def lose() -> int:
        datagrams(out, COUNT + room)
        return COUNT + room - caught(end)

    return lose
