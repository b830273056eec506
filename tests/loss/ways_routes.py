"""Ways of losing IPv4 packets to routes: none, one that refuses, another way back, addresses that may not come in."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.loss import frames
from tests.loss.way import Lab, adjust, way
from tests.loss.wire import BEYOND, COUNT, LEFT, NOWHERE, RIGHT, Wire, datagram, router


def refused_by(lab: Lab, kind: str) -> Callable[[], int]:
    wire = router(lab)
    lab.right.ip(f"route add {kind} {NOWHERE}")
    return wire.losing(lambda _: datagram(NOWHERE))


@way("route", "IpExt.InNoRoutes", reason="IP_INNOROUTES")
def route_missing(lab: Lab) -> Callable[[], int]:
    return router(lab).losing(lambda _: datagram(NOWHERE))


@way("route", None, reason="NOT_SPECIFIED")
def route_unreachable(lab: Lab) -> Callable[[], int]:
    return refused_by(lab, "unreachable")


@way("route", None, reason="NOT_SPECIFIED")
def route_prohibit(lab: Lab) -> Callable[[], int]:
    return refused_by(lab, "prohibit")


@way("route", None, reason="NOT_SPECIFIED")
def route_blackhole(lab: Lab) -> Callable[[], int]:
    return refused_by(lab, "blackhole")


@way("route", "IpExt.InNoRoutes", reason="IP_INNOROUTES")
def route_throw(lab: Lab) -> Callable[[], int]:
    return refused_by(lab, "throw")


@way("route", "IpExt.InNoRoutes", reason="IP_INNOROUTES")
def route_rule_unreachable(lab: Lab) -> Callable[[], int]:
    wire = router(lab)
    lab.right.ip(f"rule add to {BEYOND} unreachable")
    return wire.losing(lambda _: datagram(BEYOND))


@way("ip", "Ip.InAddrErrors", reason="IP_INADDRERRORS")
def forwarding_off(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/ip_forward": 0})
    return Wire(lab).losing(lambda _: datagram(NOWHERE))


@way("ip", "Ip.InHdrErrors", reason="IP_INHDR")
def ttl_used_up(lab: Lab) -> Callable[[], int]:
    return router(lab).losing(lambda _: datagram(BEYOND, ttl=1))


@way("ip", "Ip.FragFails", reason="PKT_TOO_BIG")
def mtu_with_dont_fragment(lab: Lab) -> Callable[[], int]:
    large = frames.udp(LEFT, BEYOND, 5353, bytes(1440))
    packet = frames.ipv4(LEFT, BEYOND, frames.UDP, large, fragment=frames.DONT_FRAGMENT)
    return router(lab, mtu=1400).losing(lambda _: packet)


@way("route", "TcpExt.IPReversePathFilter", reason="IP_RPFILTER")
def rp_filter_strict(lab: Lab) -> Callable[[], int]:
    wire = router(lab)
    adjust(lab.right, {"ipv4/conf/right0/rp_filter": 1})
    return wire.losing(lambda _: datagram(RIGHT, src=BEYOND))


@way("route", "TcpExt.IPReversePathFilter", reason="IP_RPFILTER")
def rp_filter_loose(lab: Lab) -> Callable[[], int]:
    wire = router(lab)
    adjust(lab.right, {"ipv4/conf/right0/rp_filter": 2})
    return wire.losing(lambda _: datagram(RIGHT, src=NOWHERE))


@way("route", "rt_cache.in_martian_src", at_least=True, reason="IP_LOCAL_SOURCE")
def martian_own_source(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram(RIGHT, src=RIGHT))


@way("route", "rt_cache.in_martian_src", at_least=True, reason="IP_INVALID_SOURCE")
def martian_multicast_source(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram(RIGHT, src="224.0.0.5"))


@way("route", "rt_cache.in_martian_src", at_least=True, reason="IP_LOCALNET")
def martian_loopback_source(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram(RIGHT, src="127.0.0.1"))


@way("route", "rt_cache.in_martian_dst", at_least=True, reason="IP_INVALID_DEST")
def martian_zero_destination(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram("0.0.0.0"))


@way("route", "rt_cache.in_martian_dst", at_least=True, reason="IP_LOCALNET")
def martian_loopback_destination(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram("127.0.0.1"))


@way("route", "Ip.OutNoRoutes")
def route_missing_for_own(lab: Lab) -> Callable[[], int]:
    out = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))

    def lose() -> int:
        refused = 0
        for _ in range(COUNT):
            try:
                out.sendto(b"lost", (NOWHERE, 5353))
            except OSError:
                refused += 1
        return refused

    return lose
