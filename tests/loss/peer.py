"""Peer: the other end of TCP connections, made by hand, that sends whatever a way wants and answers nothing itself."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from tests.loss import frames
from tests.loss.frames import ACK, SYN
from tests.loss.way import Lab

RIGHT, PEER = "10.9.0.2", "10.9.0.77"  # the peer's address is no address of the left namespace: its kernel is silent
AWAY = "02:00:00:00:00:77"  # of nobody: what is sent there is seen at left0, and goes no further
PORT = 80
FIRST = 1000  # sequence number of the peer's SYN
Prepare = Callable[[socket.socket], object]


@dataclass(frozen=True)
class Segment:
    """A TCP segment that came to the peer."""

    to: int
    seq: int
    ack: int
    flags: int
    source: int
    options: bytes


class Peer:
    """Sends and reads frames at left0; the right namespace knows it as a neighbour."""

    def __init__(self, lab: Lab) -> None:
        self.wire = packet_socket(lab, frames.IPV4)
        self.wire.settimeout(3)
        self.own: bytes = self.wire.getsockname()[4]
        there = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_RAW, 0, socket.AF_PACKET))
        there.bind(("right0", 0))
        self.other: bytes = there.getsockname()[4]
        lab.right.ip(f"neighbour replace {PEER} lladdr {AWAY} dev right0 nud permanent")
        self._ports = count(20001)

    def send(self, segment: bytes, ttl: int = 64, src: str = PEER) -> None:
        packet = frames.ipv4(src, RIGHT, frames.TCP, segment, ttl=ttl)
        self.wire.send(frames.ethernet(self.other, self.own, frames.IPV4, packet))

    def receive(self, port: int) -> Segment:
        """The next segment that comes to a port of the peer's."""
        while True:
            packet = self.wire.recv(4000)[14:]
            if packet[9] == frames.TCP and packet[16:20] == socket.inet_aton(PEER):
                segment = packet[(packet[0] & 15) * 4 :]
                source, to, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", segment)
                if to == port:
                    return Segment(to, seq, ack, flags, source, segment[20 : offset >> 2])

    def flow(self, port: int = PORT) -> Flow:
        """A connection that does not exist yet, from a port of its own."""
        return Flow(self, next(self._ports), port)


@dataclass
class Flow:
    """One connection as the peer sees it; ``seq`` and ``ack`` are what a right segment has next."""

    peer: Peer
    own: int
    other: int
    seq: int = FIRST
    ack: int = 0
    options: bytes = field(default=b"")

    def send(
        self, flags: int = ACK, data: bytes = b"", *, seq: int = 0, ack: int = 0, options: bytes | None = None,
        ttl: int = 64, wrong: int = 0,
    ) -> None:  # fmt: skip
        """A segment, so far from the right sequence number and acknowledgement as ``seq`` and ``ack`` say."""
        segment = frames.tcp(
            PEER, RIGHT, (self.own, self.other), flags, seq=self.seq + seq, ack=self.ack + ack if flags & ACK else 0,
            options=self.options if options is None else options, data=data, wrong=wrong,
        )  # fmt: skip
        self.peer.send(segment, ttl)

    def half_open(self, options: bytes = b"") -> Flow:
        """SYN sent, SYN-ACK received."""
        self.send(SYN, options=options)
        return self.take(self.peer.receive(self.own))

    def open(self, options: bytes = b"") -> Flow:
        self.half_open(options).send()
        return self

    def take(self, synack: Segment) -> Flow:
        self.seq, self.ack = synack.ack, synack.seq + 1
        return self


def packet_socket(lab: Lab, protocol: int = 0) -> socket.socket:
    """A packet socket at left0; it sees nothing without a protocol."""
    sock = lab.stack.enter_context(lab.left.host.socket(socket.SOCK_RAW, 0, socket.AF_PACKET))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind(("left0", protocol))
    return sock


def nothing(_: socket.socket) -> None:
    return None


def listener(lab: Lab, backlog: int = 64, prepare: Prepare = nothing, port: int = PORT) -> socket.socket:
    """A listener of the right namespace."""
    sock = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET))
    sock.settimeout(3)
    prepare(sock)
    sock.bind((RIGHT, port))
    sock.listen(backlog)
    return sock


def connected(
    lab: Lab, number: int = 1, prepare: Prepare = nothing, options: bytes = b"", then: bytes = b""
) -> list[tuple[Flow, socket.socket]]:
    """Connections from the peer to the right namespace, both ends of each. ``options``: of the SYN; ``then``: after."""
    peer, waiting = Peer(lab), listener(lab, prepare=prepare)
    made = []
    for _ in range(number):
        flow = peer.flow()
        flow.half_open(options).options = then
        flow.send()
        made.append((flow, lab.stack.enter_context(waiting.accept()[0])))
    return made


def timestamps(value: int, echo: int = 0) -> bytes:
    """The option, padded."""
    return struct.pack("!BBBBII", 1, 1, 8, 10, value, echo)
