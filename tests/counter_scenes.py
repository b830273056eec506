"""A namespace in which every smaller counter has counted 23: bridge, VXLAN network, XFRM, NFQUEUE, sockets, veth."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from collectors.wire.netlink import attribute, request
from tests.lab import Namespace, joined_pair

LOST = 23
WAITING = 3  # what the queue to user space holds
QUEUE, NETLINK_NETFILTER, NFQNL_MSG_CONFIG = 7, 12, 3 << 8 | 2
BROADCAST = b"\xff" * 6


@contextmanager
def counted() -> Iterator[Namespace]:
    with joined_pair() as (left, right), ExitStack() as stack:
        left.ip(
            "link add br0 type bridge mcast_stats_enabled 1",
            "link add port0 type veth peer name port1",
            "link set port0 master br0",
            "link set br0 up",
            "link set port0 up",
            "link set port1 up",
            "link add vx0 type vxlan external vnifilter dstport 4789",
            "link set vx0 up",
            "address add 10.8.0.1/24 dev br0",
            "neighbour add 10.8.0.2 lladdr 02:00:00:00:00:02 dev br0",
            "xfrm policy add dst 10.9.0.99 dir out action block",
        )
        left.run(
            "bridge vni add vni 10-11 dev vx0", f"iptables -A INPUT -p udp --dport 99 -j NFQUEUE --queue-num {QUEUE}"
        )
        spoil_igmp(left)
        spoil_vxlan(right)
        be_blocked(left)
        stack.enter_context(reader(left))
        send(right, 99, LOST + WAITING)
        for sock in sockets(left, right):
            stack.enter_context(sock)
        yield left


def send(sender: Namespace, port: int, count: int, payload: bytes = b"x", tos: int = 0) -> None:
    with sender.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
        for _ in range(count):
            sock.sendto(payload, ("10.9.0.1", port))


def ipv4(protocol: int, payload: bytes, destination: str) -> bytes:
    """A frame to everybody, its IPv4 header with a right checksum and all else in it."""
    addresses = socket.inet_aton("10.8.0.9") + socket.inet_aton(destination)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 1, protocol, 0) + addresses
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    header = header[:10] + struct.pack("!H", ~total & 0xFFFF) + header[12:]
    return BROADCAST + b"\x02\0\0\0\0\x09" + b"\x08\0" + header + payload


def spoil_igmp(inside: Namespace) -> None:
    """Reports whose checksum is wrong, to the bridge's port."""
    frame = b"\x01\0\x5e\0\0\x16" + ipv4(2, struct.pack("!BBH4s", 0x16, 0, 0, bytes(4)), "224.0.0.22")[6:]
    with inside.host.socket(socket.SOCK_RAW, 0, socket.AF_PACKET) as sock:
        sock.bind(("port1", 0))
        for _ in range(LOST):
            sock.send(frame)


def spoil_vxlan(sender: Namespace) -> None:
    """Outer packets that say congestion was met, around inner ones whose sender cannot be told (RFC 6040)."""
    inner = ipv4(17, struct.pack("!4H", 1, 2, 8, 0), "10.8.0.1")
    send(sender, 4789, LOST, struct.pack("!II", 0x08000000, 10 << 8) + inner, tos=3)


def be_blocked(inside: Namespace) -> None:
    """Packets for an address that an XFRM policy blocks."""
    with inside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
        for _ in range(LOST):
            try:
                sock.sendto(b"x", ("10.9.0.99", 9))
            except PermissionError:
                continue


def reader(inside: Namespace) -> socket.socket:
    """Of the queue to user space: it is bound, and never reads what it is told of."""
    sock = inside.host.socket(socket.SOCK_RAW, NETLINK_NETFILTER)
    head = struct.pack("!BBH", 0, 0, QUEUE)
    settings = (
        attribute(1, struct.pack("!BBH", 1, 0, 0)),  # NFQA_CFG_CMD: NFQNL_CFG_CMD_BIND
        attribute(2, struct.pack("!IB", 64, 2)),  # NFQA_CFG_PARAMS: copy range, NFQNL_COPY_PACKET
        attribute(3, struct.pack("!I", WAITING)),  # NFQA_CFG_QUEUE_MAXLEN
    )
    for number, setting in enumerate(settings, 1):
        sock.send(request(NFQNL_MSG_CONFIG, 4, number, head + setting))
        answer = sock.recv(4096)
        assert struct.unpack_from("=i", answer, 16) == (0,), answer
    return sock


def sockets(inside: Namespace, other: Namespace) -> Iterator[socket.socket]:
    """A UDP socket that lost 23 of what came, and one that lost none; a listener with three connections waiting."""
    full = bound(inside, socket.SOCK_DGRAM, 5000)
    yield full
    full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    while drops(inside, 5000) < LOST:
        send(other, 5000, 1)
    yield bound(inside, socket.SOCK_DGRAM, 5001)
    listener = bound(inside, socket.SOCK_STREAM, 5000)
    listener.listen(7)
    yield listener
    yield bound(inside, socket.SOCK_STREAM, 5001)
    for _ in range(3):
        client = other.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
        client.connect(("10.9.0.1", 5000))
        yield client


def bound(inside: Namespace, kind: int, port: int) -> socket.socket:
    sock = inside.host.socket(kind, 0, socket.AF_INET)
    sock.bind(("10.9.0.1", port))
    return sock


def drops(inside: Namespace, port: int) -> int:
    """Of the UDP socket with that port, as /proc/net/udp tells it."""
    lines = inside.host.read("net/udp").decode().splitlines()[1:]
    return next(int(line.split()[-1]) for line in lines if line.split()[1].endswith(f":{port:04X}"))
