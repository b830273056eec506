"""Ways of losing packets at sockets: UDP and TCP."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.loss.way import Lab, way

LEFT, RIGHT = "10.9.0.1", "10.9.0.2"
COUNT = 23


def sender(lab: Lab) -> socket.socket:
    sock = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
    sock.bind((LEFT, 0))
    return sock


@way("udp", "Udp.RcvbufErrors", reason="SOCKET_RCVBUFF", also=("socket.drops",))
def udp_receive_buffer_full(lab: Lab) -> Callable[[], int]:
    receiver = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    receiver.bind((RIGHT, 5353))
    out = sender(lab)
    receiver.setblocking(False)

    def lose() -> int:
        sent = 200
        for _ in range(sent):
            out.sendto(b"x" * 100, (RIGHT, 5353))
        taken = 0
        try:
            while True:
                receiver.recv(2000)
                taken += 1
        except BlockingIOError:
            return sent - taken

    return lose


@way("udp", "Udp.NoPorts", reason="NO_SOCKET")
def udp_no_port(lab: Lab) -> Callable[[], int]:
    out = sender(lab)

    def lose() -> int:
        for _ in range(COUNT):
            out.sendto(b"nobody", (RIGHT, 7777))
        return COUNT

    return lose
