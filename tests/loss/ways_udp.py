"""Ways of losing UDP datagrams, over IPv4 and IPv6: closed ports, bad checksums and lengths, full buffers, filters."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Callable

from tests.loss import frames
from tests.loss.way import Lab, way
from tests.loss.wire import COUNT, LEFT, LEFT6, RIGHT, RIGHT6, Wire

PORT, CLOSED = 5353, 7777
FAMILIES = {4: (socket.AF_INET, LEFT, RIGHT), 6: (socket.AF_INET6, LEFT6, RIGHT6)}
SO_ATTACH_FILTER = 26
MULTICAST_MAC = bytes.fromhex("01005e010101")


def open_port(lab: Lab, version: int = 4, protocol: int = socket.IPPROTO_UDP) -> socket.socket:
    family, _, address = FAMILIES[version]
    sock = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_DGRAM, protocol, family))
    sock.bind((address, PORT))
    sock.setblocking(False)
    return sock


def sending(
    lab: Lab, version: int, port: int, data: bytes = b"lost", number: int = COUNT, **wrong: int
) -> Callable[[], int]:
    """Datagrams made by hand, with a ``wrong`` checksum or ``length``."""
    _, src, dst = FAMILIES[version]
    make = frames.ipv4 if version == 4 else frames.ipv6
    packet = make(src, dst, frames.UDP, frames.udp(src, dst, port, data, **wrong))
    return Wire(lab).losing(lambda _: packet, number=number)


def waiting(sock: socket.socket) -> int:
    """How many datagrams a socket had taken."""
    taken = 0
    try:
        while True:
            sock.recv(2000)
            taken += 1
    except BlockingIOError:
        return taken


def overflowing(lab: Lab, version: int) -> Callable[[], int]:
    receiver, sent = open_port(lab, version), 199
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    send = sending(lab, version, PORT, bytes(100), sent)
    return lambda: send() - waiting(receiver)


def filtered(lab: Lab, version: int) -> Callable[[], int]:
    """A filter of one instruction, that takes nothing (struct sock_fprog)."""
    program = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0), 8)
    fprog = struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
    open_port(lab, version).setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, fprog)
    return sending(lab, version, PORT)


@way("udp", "Udp.NoPorts", reason="NO_SOCKET")
def udp_closed_port(lab: Lab) -> Callable[[], int]:
    return sending(lab, 4, CLOSED)


@way("udp", "Udp6.NoPorts", reason="NO_SOCKET")
def udp6_closed_port(lab: Lab) -> Callable[[], int]:
    return sending(lab, 6, CLOSED)


@way("udp", "Udp.NoPorts", reason="NO_SOCKET")
def udp_connected_elsewhere(lab: Lab) -> Callable[[], int]:
    open_port(lab).connect((LEFT, 4001))  # datagrams come from port 4000
    return sending(lab, 4, PORT)


@way("udp", "Udp.InCsumErrors", reason="UDP_CSUM")
def udp_wrong_checksum(lab: Lab) -> Callable[[], int]:
    receiver, send = open_port(lab), sending(lab, 4, PORT, wrong=1)
    return lambda: send() - waiting(receiver)


@way("udp", "Udp6.InCsumErrors", reason="UDP_CSUM")
def udp6_wrong_checksum(lab: Lab) -> Callable[[], int]:
    receiver, send = open_port(lab, 6), sending(lab, 6, PORT, wrong=1)
    return lambda: send() - waiting(receiver)


@way("udp", "Udp6.InCsumErrors", reason="UDP_CSUM")
def udp6_without_checksum(lab: Lab) -> Callable[[], int]:
    receiver = open_port(lab, 6)
    segment = struct.pack("!HHHH", 4000, PORT, 12, 0) + b"lost"
    send = Wire(lab).losing(lambda _: frames.ipv6(LEFT6, RIGHT6, frames.UDP, segment))
    return lambda: send() - waiting(receiver)


@way("udp", "Udp.InErrors", reason="PKT_TOO_SMALL")
def udp_longer_than_packet(lab: Lab) -> Callable[[], int]:
    receiver, send = open_port(lab), sending(lab, 4, PORT, length=400)
    return lambda: send() - waiting(receiver)


@way("udp", "Udp6.InErrors", reason="PKT_TOO_SMALL")
def udp6_longer_than_packet(lab: Lab) -> Callable[[], int]:
    receiver, send = open_port(lab, 6), sending(lab, 6, PORT, length=400)
    return lambda: send() - waiting(receiver)


@way("udp", "Udp6.RcvbufErrors", reason="SOCKET_RCVBUFF", also=("socket.drops",))
def udp6_receive_buffer_full(lab: Lab) -> Callable[[], int]:
    return overflowing(lab, 6)


@way("socket", "socket.drops", scope="5353", reason="SOCKET_RCVBUFF", also=("Udp.RcvbufErrors", "Udp.InErrors"))
def udp_socket_counts_its_own(lab: Lab) -> Callable[[], int]:
    return overflowing(lab, 4)


@way("udp", "Udp.InErrors", reason="SOCKET_FILTER")
def udp_socket_filter(lab: Lab) -> Callable[[], int]:
    return filtered(lab, 4)


@way("udp", "Udp6.InErrors", reason="SOCKET_FILTER")
def udp6_socket_filter(lab: Lab) -> Callable[[], int]:
    return filtered(lab, 6)


@way("udp", "Udp.IgnoredMulti", reason="NOT_SPECIFIED")
def udp_multicast_without_port(lab: Lab) -> Callable[[], int]:
    """The group is joined, on another port."""
    member = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
    member.bind(("", CLOSED))
    joined = socket.inet_aton("225.1.1.1") + socket.inet_aton(RIGHT)
    member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
    packet = frames.ipv4(LEFT, "225.1.1.1", frames.UDP, frames.udp(LEFT, "225.1.1.1", PORT))
    return Wire(lab).losing(lambda _: packet, to=MULTICAST_MAC)


@way("udp", "Udp.SndbufErrors", also=("Ip.OutDiscards",))
def udp_send_buffer_full(lab: Lab) -> Callable[[], int]:
    return blocked(lab, 4)


@way("udp", "Udp6.SndbufErrors", also=("Ip6.OutDiscards",))
def udp6_send_buffer_full(lab: Lab) -> Callable[[], int]:
    return blocked(lab, 6)


def blocked(lab: Lab, version: int) -> Callable[[], int]:
    """A qdisc that lets next to nothing out holds all that the send buffer may."""
    Wire(lab)
    lab.right.run("tc qdisc add dev right0 root tbf rate 1kbit burst 1600 limit 1000000")
    family, to, _ = FAMILIES[version]
    there = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_DGRAM, 0, family))
    there.bind((to, PORT))  # takes what comes out: nothing is answered
    out = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_DGRAM, 0, family))
    out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    out.setblocking(False)

    def lose() -> int:
        refused = 0
        for _ in range(101):
            try:
                out.sendto(bytes(400), (to, PORT))
            except BlockingIOError:
                refused += 1
        return refused

    return lose
