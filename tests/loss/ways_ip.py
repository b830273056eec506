"""Ways of losing IPv4 packets to their headers and options, and fragments that never become whole packets."""

from __future__ import annotations

from collections.abc import Callable

from tests.loss import frames
from tests.loss.frames import MORE_FRAGMENTS
from tests.loss.way import Lab, adjust, way
from tests.loss.wire import COUNT, LEFT, RIGHT, Wire, datagram

NOBODYS = 253  # for experiments (RFC 3692)
RECORD_ROUTE, LOOSE_ROUTE = 7, 131


def fragment(ident: int, offset: int, size: int = 64, last: bool = False) -> bytes:
    """``offset`` in bytes."""
    flags = 0 if last else MORE_FRAGMENTS
    return frames.ipv4(LEFT, RIGHT, frames.UDP, bytes(size), ident=ident, fragment=flags | offset // 8)


def both(wire: Wire, second: Callable[[int], bytes], ahead: int = 1) -> Callable[[], int]:
    """The first fragments of ``ahead`` packets, then the second one of each, and so on."""

    def lose() -> int:
        for start in range(1, COUNT + 1, ahead):
            idents = range(start, min(start + ahead, COUNT + 1))
            for ident in idents:
                wire.send(fragment(ident, 0))
            for ident in idents:
                wire.send(second(ident))
        return COUNT

    return lose


@way("ip", "Ip.InHdrErrors", reason="IP_INHDR")
def ip_wrong_version(lab: Lab) -> Callable[[], int]:
    wire = Wire(lab)

    def lose() -> int:
        for _ in range(COUNT):
            wire.frame(frames.IPV4, datagram(RIGHT, version=5))
        return COUNT

    return lose


@way("ip", "Ip.InHdrErrors", reason="IP_INHDR")
def ip_length_below_header(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram(RIGHT, length=19))


@way("ip", "IpExt.InCsumErrors", reason="IP_CSUM")
def ip_wrong_checksum(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram(RIGHT, wrong=1))


@way("ip", "IpExt.InTruncatedPkts", reason="PKT_TOO_SMALL")
def ip_cut_short(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram(RIGHT, length=1400))


@way("ip", "Ip.InHdrErrors", reason="IP_INHDR")
def ip_malformed_option(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: datagram(RIGHT, options=bytes((RECORD_ROUTE, 2, 0, 0))))


@way("ip", None, reason="NOT_SPECIFIED")
def ip_source_routed(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/conf/right0/accept_source_route": 0, "ipv4/conf/all/accept_source_route": 0})
    option = bytes((LOOSE_ROUTE, 7, 4, 10, 9, 0, 2, 0))
    return Wire(lab).losing(lambda _: datagram(RIGHT, options=option))


@way("ip", "Ip.InUnknownProtos", reason="IP_NOPROTO")
def ip_unknown_protocol(lab: Lab) -> Callable[[], int]:
    return Wire(lab).losing(lambda _: frames.ipv4(LEFT, RIGHT, NOBODYS, b"lost"))


@way("ip", "Ip.ReasmTimeout", reason="FRAG_REASM_TIMEOUT")
def ip_fragment_missing(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/ipfrag_time": 0})
    return Wire(lab).losing(lambda ident: fragment(ident, 0))


@way("ip", "IpExt.ReasmOverlaps", reason="NOT_SPECIFIED")
def ip_fragments_overlap(lab: Lab) -> Callable[[], int]:
    return both(Wire(lab), lambda ident: fragment(ident, 32, last=True))


@way("ip", "Ip.ReasmFails", reason="NOT_SPECIFIED")
def ip_fragments_too_many(lab: Lab) -> Callable[[], int]:
    """One waits, and takes all the memory that fragments may have."""
    adjust(lab.right, {"ipv4/ipfrag_low_thresh": 0, "ipv4/ipfrag_high_thresh": 1})
    wire = Wire(lab)
    wire.send(fragment(1000, 0))
    return wire.losing(lambda ident: fragment(ident, 0))


@way("ip", "Ip.ReasmFails")  # FRAG_TOO_FAR names no device: a fragment that waits has none
def ip_fragments_far_apart(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/ipfrag_max_dist": 1})
    return both(Wire(lab), lambda ident: fragment(ident, 64, last=True), ahead=COUNT)


@way("ip", "Ip.ReasmFails")  # no device in the drop reason here either
def ip_fragments_too_large(lab: Lab) -> Callable[[], int]:
    """All fragments come, and make more than the 65,535 bytes that a packet may have."""
    wire, size, number = Wire(lab), 1480, 45

    def lose() -> int:
        for ident in range(1, COUNT + 1):
            for index in range(number):
                wire.send(fragment(ident, index * size, size, last=index == number - 1))
        return COUNT

    return lose
