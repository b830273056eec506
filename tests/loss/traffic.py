"""Datagrams of the lab, sent by the left namespace and caught where they come out; frames made by hand."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable

from tests.lab import Namespace
from tests.loss import frames
from tests.loss.way import Lab

LEFT, RIGHT = "10.9.0.1", "10.9.0.2"
LEFT6, RIGHT6 = "fd09::1", "fd09::2"
COUNT, PORT = 23, 5353
IP_RECVERR = 11  # uapi linux/in.h: sendto() tells of what the own host dropped
OTHER_MAC = bytes.fromhex("020000000099")


def sender(lab: Lab, address: str = LEFT, port: int = 0) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_DGRAM, 0, family))
    sock.bind((address, port))
    return sock


def catcher(lab: Lab, address: str = RIGHT, port: int = PORT, place: Namespace | None = None) -> socket.socket:
    """A socket of the right namespace (or of ``place``) with room for all that a way sends."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = lab.stack.enter_context((place or lab.right).host.socket(socket.SOCK_DGRAM, 0, family))
    sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
    sock.bind((address, port))
    return sock


def caught(sock: socket.socket, patience: float = 0.03) -> int:
    """How many packets wait at the socket; what is on its way has ``patience`` seconds."""
    time.sleep(patience)
    sock.setblocking(False)
    number = 0
    try:
        while True:
            sock.recv(65536)
            number += 1
    except BlockingIOError:
        return number


def datagrams(sock: socket.socket, number: int = COUNT, to: str = RIGHT, port: int = PORT, size: int = 100) -> int:
    """Sends; how many of them the own host refused to send."""
    refused = 0
    for _ in range(number):
        try:
            sock.sendto(b"x" * size, (to, port))
        except OSError:
            refused += 1
    return refused


def none_comes(
    lab: Lab, number: int = COUNT, size: int = 100, out: str = LEFT, to: str = RIGHT, prepared: bool = True
) -> Callable[[], int]:
    """Loses ``number`` datagrams: none of them is caught. ``prepared``: the way is open yet, for one of them."""
    sock, end = sender(lab, out), catcher(lab, to)

    def lose() -> int:
        datagrams(sock, number, to, size=size)
        assert caught(end) == 0
        return number

    return lose


def neighbours(lab: Lab) -> None:
    """Both ends know each other's address: nothing is asked while a way loses packets."""
    for place, dev, other in ((lab.left, "left0", 2), (lab.right, "right0", 1)):
        far, name = (lab.right, "right0") if place is lab.left else (lab.left, "left0")
        mac = address(far, name).hex(":")
        place.ip(
            f"neighbour replace 10.9.0.{other} lladdr {mac} dev {dev} nud permanent",
            f"neighbour replace fd09::{other} lladdr {mac} dev {dev} nud permanent",
        )


def address(place: Namespace, dev: str) -> bytes:
    """The MAC address of a device."""
    with place.host.socket(socket.SOCK_RAW, 0, socket.AF_PACKET) as sock:
        sock.bind((dev, 0))
        found: bytes = sock.getsockname()[4]
    return found


def packet_socket(lab: Lab, place: Namespace, dev: str, protocol: int = 0) -> socket.socket:
    """A packet socket at a device; it sees nothing without a protocol."""
    sock = lab.stack.enter_context(place.host.socket(socket.SOCK_RAW, 0, socket.AF_PACKET))
    sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)
    sock.bind((dev, protocol))
    return sock


def datagram_frame(to: bytes, of: bytes, *, size: int = 100, port: int = PORT, source: str = LEFT) -> bytes:
    """An Ethernet frame with a UDP datagram from the left to the right namespace."""
    segment = frames.udp(source, RIGHT, port, b"x" * size)
    return frames.ethernet(to, of, frames.IPV4, frames.ipv4(source, RIGHT, frames.UDP, segment))


def script(place: Namespace, rules: str) -> None:
    """A file of rules for nft, inside."""
    place.host.inside(lambda: subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, timeout=60))
