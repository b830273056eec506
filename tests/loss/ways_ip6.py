"""Ways of losing IPv6 packets: headers, extensions, fragments, routes that are missing or refuse, addresses."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.loss import frames
from tests.loss.way import Lab, adjust, way
from tests.loss.wire import BEYOND6, COUNT, LEFT6, NOWHERE6, RIGHT6, Wire, datagram6, router

HOP_BY_HOP, ROUTING = 0, 43
NOBODYS = 253  # for experiments (RFC 3692)


def options(following: int, kind: int, data: bytes) -> bytes:
    """A hop-by-hop or destination options header with one option."""
    body = bytes((kind, len(data))) + data
    padded = body + bytes(-(len(body) + 2) % 8)
    return bytes((following, (len(padded) + 2) // 8 - 1)) + padded


def fragment(ident: int, offset: int, size: int = 64, last: bool = False) -> bytes:
    header = struct.pack("!BBHI", frames.UDP, 0, offset | (not last), ident)
    return frames.ipv6(LEFT6, RIGHT6, frames.FRAGMENT, header + bytes(size))


def refused_by(lab: Lab, kind: str) -> Callable[[], int]:
    wire = router(lab)
    lab.right.ip(f"route add {kind} {NOWHERE6}")
    return wire.losing(lambda _: datagram6(NOWHERE6))


@way("ip", "Ip6.InHdrErrors", reason="UNHANDLED_PROTO")
def ip6_wrong_version(lab: Lab) -> Callable[[], int]:
    wire = Wire(lab)

    def lose() -> int:
        for _ in range(COUNT):
            wire.frame(frames.IPV6, datagram6(RIGHT6, version=5))
        return COUNT

    return lose


@way("ip", "Ip6.InHdrErrors", reason="IP_INHDR")
def ip6_loopback_source(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram6(RIGHT6, src="::1"))


@way("ip", "Ip6.InHdrErrors", reason="IP_INHDR")
def ip6_multicast_source(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram6(RIGHT6, src="ff02::1"))


@way("ip", "Ip6.InTruncatedPkts", reason="PKT_TOO_SMALL")
def ip6_cut_short(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram6(RIGHT6, length=1400))


@way("ip", "Ip6.InUnknownProtos", reason="IP_NOPROTO")
def ip6_unknown_next_header(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: frames.ipv6(LEFT6, RIGHT6, NOBODYS, b"lost"))


@way("ip", "Ip6.InHdrErrors", reason="UNHANDLED_PROTO")
def ip6_unknown_hop_by_hop_option(lab: Lab) -> Callable[[], int]:
    header = options(frames.UDP, 0x9E, bytes(4))  # to be dropped, and the sender told, where it is not known
    packet = frames.ipv6(LEFT6, RIGHT6, HOP_BY_HOP, header + frames.udp(LEFT6, RIGHT6, 5353))
    return Wire(lab).losing(lambda _: packet)


@way("ip", "Ip6.InHdrErrors", reason="NOT_SPECIFIED")
def ip6_options_longer_than_packet(lab: Lab) -> Callable[[], int]:
    packet = frames.ipv6(LEFT6, RIGHT6, frames.OPTIONS, bytes((frames.UDP, 40)) + bytes(14))
    return Wire(lab).losing(lambda _: packet)


@way("ip", "Ip6.InHdrErrors", reason="NOT_SPECIFIED")
def ip6_unknown_routing_header(lab: Lab) -> Callable[[], int]:
    header = bytes((frames.UDP, 0, 77, 1)) + bytes(4)
    return Wire(lab).losing(lambda _: frames.ipv6(LEFT6, RIGHT6, ROUTING, header + frames.udp(LEFT6, RIGHT6, 5353)))


@way("ip", "Ip6.InDiscards", reason="IPV6DISABLED")
def ip6_disabled_on_device(lab: Lab) -> Callable[[], int]:
    wire = Wire(lab)
    adjust(lab.right, {"ipv6/conf/right0/disable_ipv6": 1})
    return wire.losing(lambda _: datagram6(RIGHT6))


@way("ip", "Ip6.ReasmTimeout", reason="FRAG_REASM_TIMEOUT")
def ip6_fragment_missing(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv6/ip6frag_time": 0})
    return Wire(lab).losing(lambda ident: fragment(ident, 0))


@way("ip", "Ip6.ReasmFails", reason="NOT_SPECIFIED")
def ip6_fragments_overlap(lab: Lab) -> Callable[[], int]:
    wire = Wire(lab)

    def lose() -> int:
        for ident in range(1, COUNT + 1):
            wire.send(fragment(ident, 0))
            wire.send(fragment(ident, 32, last=True))
        return COUNT

    return lose


@way("ip", "Ip6.ReasmFails", reason="NOT_SPECIFIED")
def ip6_fragments_too_many(lab: Lab) -> Callable[[], int]:
    """One waits, and takes all the memory that fragments may have."""
    adjust(lab.right, {"ipv6/ip6frag_low_thresh": 0, "ipv6/ip6frag_high_thresh": 1})
    wire = Wire(lab)
    wire.send(fragment(1000, 0))
    return wire.losing(lambda ident: fragment(ident, 0))


@way("ip", "Ip6.InHdrErrors", reason="NOT_SPECIFIED")
def ip6_fragment_of_odd_length(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda ident: fragment(ident, 0, size=61))


@way("route", "Ip6.InNoRoutes", reason="IP_INNOROUTES")
def route6_missing(lab: Lab) -> Callable[[], int]:
    return router(lab).losing(lambda _: datagram6(NOWHERE6))


@way("route", "Ip6.InNoRoutes", reason="IP_INNOROUTES")
def route6_unreachable(lab: Lab) -> Callable[[], int]:
    return refused_by(lab, "unreachable")


@way("route", "Ip6.InNoRoutes", reason="IP_INNOROUTES")
def route6_prohibit(lab: Lab) -> Callable[[], int]:
    return refused_by(lab, "prohibit")


@way("route", None, reason="NOT_SPECIFIED")
def route6_blackhole(lab: Lab) -> Callable[[], int]:
    return refused_by(lab, "blackhole")


@way("ip", "Ip6.InAddrErrors", reason="IP_INADDRERRORS")
def forwarding6_off(lab: Lab) -> Callable[[], int]:
    wire = router(lab)
    adjust(lab.right, {"ipv6/conf/all/forwarding": 0})
    return wire.losing(lambda _: datagram6(BEYOND6))


@way("ip", "Ip6.InHdrErrors", reason="IP_INHDR")
def hop_limit_used_up(lab: Lab) -> Callable[[], int]:
    return router(lab).losing(lambda _: datagram6(BEYOND6, hops=1))


@way("ip", "Ip6.InTooBigErrors", reason="PKT_TOO_BIG")
def mtu6_too_small(lab: Lab) -> Callable[[], int]:
    packet = frames.ipv6(LEFT6, BEYOND6, frames.UDP, frames.udp(LEFT6, BEYOND6, 5353, bytes(1440)))
    return router(lab, mtu=1400).losing(lambda _: packet)


@way("ip", "Ip6.InAddrErrors", reason="IP_INADDRERRORS")
def scope_link_local_not_forwarded(lab: Lab) -> Callable[[], int]:
    wire = router(lab)
    lab.right.ip(
        "route add fe80::/64 dev right0",  # for the ICMPv6 that tells of it
        "neighbour replace fe80::77 lladdr 02:00:00:00:00:77 dev right0 nud permanent",
    )
    return wire.losing(lambda _: datagram6(BEYOND6, src="fe80::77"))
