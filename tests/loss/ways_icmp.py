"""Ways of losing ICMP, ICMPv6 and IGMP messages: checksums, unknown types, limits; and what they tell of."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.loss import frames
from tests.loss.way import Lab, adjust, way
from tests.loss.wire import COUNT, LEFT, LEFT6, RIGHT, RIGHT6, Wire, router

ECHO, ECHO6, UNREACHABLE, NEED_FRAGMENTS = 8, 128, 3, 4
REPORTED, IGMP = 0x16, 2  # IGMPv2 membership report
CLOSED = 7777
BROADCAST, BROADCAST_MAC = "10.9.0.255", b"\xff" * 6


def message(lab: Lab, kind: int, code: int = 0, rest: bytes = b"\0\1\0\1", *, wrong: int = 0) -> Callable[[], int]:
    packet = frames.ipv4(LEFT, RIGHT, frames.ICMP, frames.icmp(kind, code, rest, wrong=wrong))
    return Wire(lab).losing(lambda _: packet)


def message6(lab: Lab, kind: int, code: int = 0, rest: bytes = b"\0\1\0\1", *, wrong: int = 0) -> Callable[[], int]:
    body = frames.icmp6(LEFT6, RIGHT6, kind, code, rest, wrong=wrong)
    return Wire(lab).losing(lambda _: frames.ipv6(LEFT6, RIGHT6, frames.ICMPV6, body))


def to_closed_port(lab: Lab) -> Callable[[], int]:
    packet = frames.ipv4(LEFT, RIGHT, frames.UDP, frames.udp(LEFT, RIGHT, CLOSED))
    return Wire(lab).losing(lambda _: packet)


def after_burst(lose: Callable[[], int]) -> Callable[[], int]:
    """Once the few errors that a host is sent at once (XRLIM_BURST_FACTOR) have been sent."""
    lose()
    return lose


@way("icmp", "Icmp.InCsumErrors", reason="ICMP_CSUM")
def icmp_wrong_checksum(lab: Lab) -> Callable[[], int]:
    return message(lab, ECHO, wrong=1)


@way("icmp", "Icmp6.InCsumErrors", reason="ICMP_CSUM")
def icmp6_wrong_checksum(lab: Lab) -> Callable[[], int]:
    return message6(lab, ECHO6, wrong=1)


@way("icmp", "Icmp.InErrors", reason="UNHANDLED_PROTO")
def icmp_unknown_type(lab: Lab) -> Callable[[], int]:
    return message(lab, 200)


@way("icmp", "Icmp.InErrors")
def icmp_error_of_nothing_sent(lab: Lab) -> Callable[[], int]:
    """About a datagram of which no socket here knows."""
    inside = frames.ipv4(RIGHT, LEFT, frames.UDP, frames.udp(RIGHT, LEFT, 5353))
    return message(lab, UNREACHABLE, 3, bytes(4) + inside)


@way("icmp", "Icmp.InErrors", reason="NOT_SPECIFIED")
def icmp_cut_short(lab: Lab) -> Callable[[], int]:
    return message(lab, UNREACHABLE, 3, bytes(4) + b"too short")


@way("icmp", "Icmp.InErrors", reason="INVALID_PROTO")
def icmp_ping_to_broadcast(lab: Lab) -> Callable[[], int]:
    packet = frames.ipv4(LEFT, BROADCAST, frames.ICMP, frames.icmp(ECHO, 0))
    return Wire(lab).losing(lambda _: packet, to=BROADCAST_MAC)


@way("icmp", None, reason="NOT_SPECIFIED")
def igmp_wrong_checksum(lab: Lab) -> Callable[[], int]:
    report = frames.icmp(REPORTED, 0, socket.inet_aton("225.1.1.1"), wrong=1)
    return Wire(lab).losing(lambda _: frames.ipv4(LEFT, RIGHT, IGMP, report))


@way("icmp", "Icmp.OutRateLimitHost")
def icmp_limit_of_one_host(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/icmp_ratelimit": 10000})
    return after_burst(to_closed_port(lab))


@way("icmp", "Icmp.OutRateLimitGlobal")
def icmp_limit_of_all_hosts(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/icmp_msgs_per_sec": 0, "ipv4/icmp_msgs_burst": 0})
    return to_closed_port(lab)


@way("icmp", "Icmp6.OutRateLimitHost")
def icmp6_limit_of_one_host(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv6/icmp/ratelimit": 10000})
    packet = frames.ipv6(LEFT6, RIGHT6, frames.UDP, frames.udp(LEFT6, RIGHT6, CLOSED))
    return after_burst(Wire(lab).losing(lambda _: packet))


@way("icmp", "Icmp.OutDestUnreachs", also=("Udp.NoPorts",))
def icmp_tells_of_closed_port(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/icmp_ratelimit": 0})
    return to_closed_port(lab)


@way("icmp", "Icmp.InDestUnreachs", side="left")
def icmp_told_of_closed_port(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/icmp_ratelimit": 0})
    Wire(lab)
    out = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))

    def lose() -> int:
        for _ in range(COUNT):
            out.sendto(b"lost", (RIGHT, CLOSED))
        return COUNT

    return lose


@way("icmp", "Icmp.InTimeExcds", side="left")
def icmp_told_of_ttl(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/icmp_ratelimit": 0})
    router(lab)
    lab.left.ip(f"route add 10.8.0.0/24 via {RIGHT}")
    out = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
    out.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)

    def lose() -> int:
        for _ in range(COUNT):
            out.sendto(b"lost", ("10.8.0.9", CLOSED))
        return COUNT

    return lose
