"""Ways of losing packets to neighbours: nobody answers, too much waits, the table is full, discovery is refused."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path

from tests.loss import frames
from tests.loss.way import Lab, adjust, way
from tests.loss.wire import COUNT, LEFT6, RIGHT6, Wire

ABSENT, ABSENT6 = "10.9.0.99", "fd09::99"
QUICK = {"retrans_time_ms": 10, "mcast_solicit": 1, "ucast_solicit": 1}  # an absent neighbour is given up soon
SO_SNDBUFFORCE, IP_RECVERR = 32, 11
SOLICITATION, ADVERTISEMENT = 135, 136
LIMIT = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")


def asking(lab: Lab, family: int, settings: dict[str, int]) -> socket.socket:
    """A socket of the right namespace, whose device asks for neighbours as ``settings`` say."""
    version = "ipv6" if family == socket.AF_INET6 else "ipv4"
    adjust(lab.right, {f"{version}/neigh/right0/{name}": value for name, value in settings.items()})
    return lab.stack.enter_context(lab.right.host.socket(socket.SOCK_DGRAM, 0, family))


def nobody_answers(lab: Lab, family: int, to: str) -> Callable[[], int]:
    out = asking(lab, family, QUICK)

    def lose() -> int:
        for _ in range(COUNT):
            out.sendto(b"lost", (to, 5353))
        return 1  # neighbour

    return lose


def too_much_waits(lab: Lab, family: int, to: str) -> Callable[[], int]:
    """The queue has room for one, that waits longer than the way lasts; each further one throws out the oldest."""
    out = asking(lab, family, {"unres_qlen_bytes": 1, "retrans_time_ms": 10000})
    out.sendto(bytes(1000), (to, 5353))

    def lose() -> int:
        for _ in range(COUNT):
            out.sendto(bytes(1000), (to, 5353))
        return COUNT

    return lose


@way("neighbour", "neigh.res_failed", at_least=True, reason="NEIGH_FAILED")
def nobody_answers_arp(lab: Lab) -> Callable[[], int]:
    return nobody_answers(lab, socket.AF_INET, ABSENT)


@way("neighbour", "neigh.res_failed", at_least=True, reason="NOT_SPECIFIED")
def nobody_answers_discovery(lab: Lab) -> Callable[[], int]:
    return nobody_answers(lab, socket.AF_INET6, ABSENT6)


# the count, neigh.unresolved_discards, is one of the whole host, and only its first namespace shows it
@way("neighbour", None, reason="NEIGH_QUEUEFULL")
def too_much_waits_for_arp(lab: Lab) -> Callable[[], int]:
    return too_much_waits(lab, socket.AF_INET, ABSENT)


@way("neighbour", None, reason="NEIGH_QUEUEFULL")
def too_much_waits_for_discovery(lab: Lab) -> Callable[[], int]:
    return too_much_waits(lab, socket.AF_INET6, ABSENT6)


@way("neighbour", "neigh.table_fulls", at_least=True, reason="NEIGH_CREATEFAIL", also=("Ip.OutDiscards",))
def table_of_neighbours_full(lab: Lab) -> Callable[[], int]:
    """The table is the whole host's: what fills it is thrown out at once."""
    lab.right.ip("address add 10.7.0.1/16 dev right0")
    out = asking(lab, socket.AF_INET, {"retrans_time_ms": 10000})
    out.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24)  # what waits for its neighbour stays in it
    out.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)  # the process is told
    out.setblocking(False)
    number = int(LIMIT.read_text()) + COUNT

    def lose() -> int:
        refused = 0
        for index in range(2, number + 2):
            try:
                out.sendto(b"lost", (f"10.7.{index >> 8}.{index & 255}", 5353))
            except OSError as error:
                refused += error.errno == errno.ENOBUFS
        lab.right.ip("address del 10.7.0.1/16 dev right0", "neighbour flush dev right0")
        assert refused >= COUNT
        return refused

    return lose


def discovery(lab: Lab, kind: int, *, hops: int = 255, code: int = 0, options: bytes = b"") -> Callable[[], int]:
    target = socket.inet_pton(socket.AF_INET6, RIGHT6)
    body = frames.icmp6(LEFT6, RIGHT6, kind, code, bytes(4) + target + options)
    return Wire(lab).losing(lambda _: frames.ipv6(LEFT6, RIGHT6, frames.ICMPV6, body, hops=hops))


@way("neighbour", None, reason="IPV6_NDISC_HOP_LIMIT")
def discovery_from_afar(lab: Lab) -> Callable[[], int]:
    return discovery(lab, SOLICITATION, hops=64)


@way("neighbour", None, reason="IPV6_NDISC_BAD_CODE")
def discovery_of_unknown_code(lab: Lab) -> Callable[[], int]:
    return discovery(lab, ADVERTISEMENT, code=1)


@way("neighbour", None, reason="IPV6_NDISC_BAD_OPTIONS")
def discovery_with_empty_option(lab: Lab) -> Callable[[], int]:
    return discovery(lab, SOLICITATION, options=bytes(8))
