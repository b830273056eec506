"""Ways of losing packets at raw, ping, packet and netlink sockets that are not read."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.loss import frames
from tests.loss.peer import packet_socket
from tests.loss.way import Lab, adjust, way
from tests.loss.ways_tcp_checks import refusing

LEFT, RIGHT = "10.9.0.1", "10.9.0.2"
SENT = 211
RTMGRP_IPV4_IFADDR = 0x10


def unread(lab: Lab, family: int, kind: int, protocol: int) -> socket.socket:
    """A socket of the right namespace with the smallest buffer."""
    sock = lab.stack.enter_context(lab.right.host.socket(kind, protocol, family))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    sock.setblocking(False)
    return sock


def kept(sock: socket.socket, size: int = 4000) -> int:
    """How many messages wait in it."""
    number = 0
    while True:
        try:
            sock.recv(size)
        except BlockingIOError:
            return number
        except OSError:  # ENOBUFS: netlink tells that something was lost
            continue
        number += 1


@way("socket", "socket.drops", scope="raw")
def raw_socket_unread(lab: Lab) -> Callable[[], int]:
    """No reason is told: a full one is left out before the packet is copied."""
    adjust(lab.right, {"ipv4/icmp_echo_ignore_all": 1})
    sock = unread(lab, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    out = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_RAW, socket.IPPROTO_ICMP, socket.AF_INET))

    def lose() -> int:
        for _ in range(SENT):
            out.sendto(frames.icmp(8, 0), (RIGHT, 0))
        return SENT - kept(sock)

    return lose


@way("socket", "socket.drops", scope="p_raw", reason="PACKET_SOCK_ERROR")
def packet_socket_unread(lab: Lab) -> Callable[[], int]:
    sock = unread(lab, socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind(("right0", 0x88B5))
    out = packet_socket(lab)

    def lose() -> int:
        for _ in range(SENT):
            out.send(frames.ethernet(b"\xff" * 6, out.getsockname()[4], 0x88B5, b"experimental"))
        return SENT - kept(sock)

    return lose


@way("socket", "socket.drops", scope="nl")
def netlink_socket_unread(lab: Lab) -> Callable[[], int]:
    sock = unread(lab, socket.AF_NETLINK, socket.SOCK_RAW, 0)
    sock.bind((0, RTMGRP_IPV4_IFADDR))
    number = 61

    def lose() -> int:
        lab.right.ip(*(f"address add 10.10.0.{at}/32 dev lo" for at in range(1, number + 1)))
        return number - kept(sock)

    return lose


@way("socket", None, reason="SOCKET_FILTER")
def raw_socket_with_a_filter(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/icmp_echo_ignore_all": 1})
    refusing(unread(lab, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
    out = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_RAW, socket.IPPROTO_ICMP, socket.AF_INET))
    return lambda: sum(out.sendto(frames.icmp(8, 0), (RIGHT, 0)) > 0 for _ in range(SENT))
