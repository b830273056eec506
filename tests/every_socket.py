"""Makes a socket of every kind in the present network namespace, says so in JSON, and holds them until stdin closes.

Run as a program in a namespace of a test's own: ``python tests/every_socket.py FOLDER``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path

IPPROTO_UDPLITE, IPPROTO_MPTCP = 136, 262
PF_PACKET, ETH_P_ALL, ETH_P_ARP = 17, 0x0003, 0x0806
HOSTILE = b"\xff\x1b]0;x\x07 name"
LIFETIME = 120  # seconds after which it ends by itself

kept: list[socket.socket] = []


def new(*kind: int) -> socket.socket:
    made = socket.socket(*kind)
    kept.append(made)
    return made


def listener(family: int, address: str, port: int, protocol: int = 0, backlog: int = 7) -> socket.socket:
    made = new(family, socket.SOCK_STREAM, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
    made.bind((address, port))
    made.listen(backlog)
    return made


def connected(
    server: socket.socket, family: int, address: str, protocol: int = 0
) -> tuple[socket.socket, socket.socket]:
    client = new(family, socket.SOCK_STREAM, protocol)
    client.connect((address, server.getsockname()[1]))
    accepted, _ = server.accept()
    kept.append(accepted)
    return client, accepted


def make_tcp() -> None:
    server = listener(socket.AF_INET, "127.0.0.1", 7001)
    client, accepted = connected(server, socket.AF_INET, "127.0.0.1")
    client.send(b"x" * 1009)  # unread: stands in the receive queue
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 23)
    client.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x10)
    accepted.send(b"y" * 11)
    client.recv(11)
    for _ in range(3):  # in the accept queue
        new(socket.AF_INET, socket.SOCK_STREAM).connect(("127.0.0.1", 7001))
    client, accepted = connected(server_six := listener(socket.AF_INET6, "::1", 7002), socket.AF_INET6, "::1")
    accepted.shutdown(socket.SHUT_RD)
    connected(listener(socket.AF_INET6, "::", 7003), socket.AF_INET, "127.0.0.1")  # accepted as ::ffff:127.0.0.1
    client, accepted = connected(server_six, socket.AF_INET6, "::1")
    client.shutdown(socket.SHUT_WR)  # FIN-WAIT-2 and CLOSE-WAIT
    gone, accepted = connected(listener(socket.AF_INET, "127.0.0.1", 7004), socket.AF_INET, "127.0.0.1")
    gone.close()
    accepted.close()  # TIME-WAIT
    waiting = new(socket.AF_INET, socket.SOCK_STREAM)
    waiting.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"d0")
    waiting.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        waiting.connect(("10.9.9.2", 7005))  # SYN-SENT: nobody answers
    new(socket.AF_INET, socket.SOCK_STREAM).bind(("127.0.0.1", 7006))  # bound, not connected


def make_mptcp() -> bool:
    try:
        client, _ = connected(
            listener(socket.AF_INET, "127.0.0.1", 7010, IPPROTO_MPTCP), socket.AF_INET, "127.0.0.1", IPPROTO_MPTCP
        )
    except OSError:
        return False
    client.send(b"z" * 101)
    return True


def make_datagram() -> None:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        bound = new(family, socket.SOCK_DGRAM)
        bound.bind((address, 7020))
        sender = new(family, socket.SOCK_DGRAM)
        sender.connect((address, 7020))
        sender.send(b"u" * 77)
        with contextlib.suppress(OSError):
            new(family, socket.SOCK_DGRAM, IPPROTO_UDPLITE).bind((address, 7021))
    new(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).bind(("127.0.0.1", 0))
    new(socket.AF_INET, socket.SOCK_RAW, 112)
    new(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    new(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).bind(("127.0.0.1", 4242))
    new(socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6).bind(("::1", 4243))


def make_packet() -> None:
    bound = new(PF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    bound.bind(("lo", ETH_P_ALL))
    new(PF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ARP)).setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA
    ring = new(PF_PACKET, socket.SOCK_RAW, 0)
    ring.setsockopt(263, 5, struct.pack("4I", 4096, 4, 2048, 8))  # PACKET_RX_RING


def make_unix(folder: Path) -> None:
    server = new(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(bytes(folder / "stream"))
    server.listen(5)
    for _ in range(2):
        new(socket.AF_UNIX, socket.SOCK_STREAM).connect(server.getsockname())
    server.accept()
    new(socket.AF_UNIX, socket.SOCK_DGRAM).bind(bytes(folder) + b"/" + HOSTILE)
    new(socket.AF_UNIX, socket.SOCK_STREAM).bind(b"\0abstract\0\x1b[31m name")
    seqpacket = new(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    seqpacket.bind(b"\0seq%d" % os.getpid())
    seqpacket.listen()
    kept.extend(left_right := socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
    left_right[0].send(b"waiting")
    left_right[1].shutdown(socket.SHUT_WR)


def make_netlink() -> None:
    new(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0x1 | 0x40))  # RTMGRP_LINK, RTMGRP_IPV4_ROUTE
    generic = new(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    generic.bind((0, 0))
    generic.setsockopt(270, 3, 1)  # SOL_NETLINK, NETLINK_PKTINFO


def main(folder: Path) -> None:
    signal.alarm(LIFETIME)
    Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647", "ascii")
    make_tcp()
    mptcp = make_mptcp()
    make_datagram()
    make_packet()
    make_unix(folder)
    make_netlink()
    held = {str(made.fileno()): os.fstat(made.fileno()).st_ino for made in kept if made.fileno() >= 0}
    print(json.dumps({"pid": os.getpid(), "mptcp": mptcp, "held": held}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
