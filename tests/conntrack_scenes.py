"""A router between a client and a server that tracks and rewrites their flows, of every kind that can be made."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.lab import Namespace, namespace

CLIENT, ROUTER, INSIDE, SERVER = "10.1.0.2", "10.1.0.1", "10.2.0.1", "10.2.0.2"
CLIENT6, ROUTER6, INSIDE6, SERVER6 = "fd01::2", "fd01::1", "fd02::1", "fd02::2"
SYSCTLS = ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.netfilter.nf_conntrack_acct=1",
           "net.netfilter.nf_conntrack_timestamp=1")  # fmt: skip
RULES = """
table inet marks {
    ct helper ftp-standard { type "ftp" protocol tcp; }
    chain zones { type filter hook prerouting priority raw;
        udp dport 5353 ct zone set 7
        udp dport 5354 ct original zone set 9
    }
    chain marks { type filter hook prerouting priority mangle;
        tcp dport 9100 ct mark set 0x2a ct label set 5
        tcp dport { 21, 2121 } ct helper set "ftp-standard"
    }
}
table ip nat4 {
    chain pre { type nat hook prerouting priority dstnat;
        tcp dport 80 dnat to 10.2.0.2:8080
        tcp dport 81 redirect to :8081
        tcp dport 82 dnat to 10.2.0.2:8080
        tcp dport 2121 dnat to 10.2.0.2:21
    }
    chain post { type nat hook postrouting priority srcnat;
        tcp dport 9001 snat to 10.2.0.1:50000-50100
        udp dport 9002 masquerade
        ip daddr 10.2.0.2 tcp dport 8080 ct original proto-dst 82 masquerade
        icmp type echo-request masquerade
    }
}
table ip6 nat6 {
    chain pre { type nat hook prerouting priority dstnat; tcp dport 80 dnat to [fd02::2]:8080; }
}
"""
MADE_BY_HAND = (
    "-p sctp -s 10.9.0.1 -d 10.9.0.2 --sport 1000 --dport 80 --state ESTABLISHED -t 3000 --orig-vtag 1 --reply-vtag 2",
    "-p gre -s 10.9.0.1 -d 10.9.0.2 --srckey 7 --dstkey 8 -t 3000",
    "-p gre -s fd09::1 -d fd09::2 --srckey 7 --dstkey 8 -t 3000",
    "-p dccp -s 10.9.0.1 -d 10.9.0.2 --sport 1000 --dport 80 --state OPEN -t 3000 --role client",
    "-p udplite -s 10.9.0.1 -d 10.9.0.2 --sport 1000 --dport 80 -t 3000 -w 3 -m 23",
    "-p 99 -s 10.9.0.1 -d 10.9.0.2 -t 3000 -u ASSURED",
    "-p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1001 --dport 80 --state CLOSE_WAIT -t 3000 --reply-zone 4",
    "-p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1002 --dport 80 --state LAST_ACK -t 3000 --src-nat 10.9.0.9:77",
)


@dataclass
class Lab:
    """``router`` tracks; sockets that must stay open are kept."""

    client: Namespace
    router: Namespace
    server: Namespace
    kept: ExitStack = field(default_factory=ExitStack)

    def keep(self, sock: socket.socket) -> socket.socket:
        return self.kept.enter_context(sock)

    def listen(self, where: Namespace, port: int, family: int = socket.AF_INET) -> socket.socket:
        sock = self.bound(where, socket.SOCK_STREAM, port, family)
        sock.listen()
        return sock

    def bound(self, where: Namespace, kind: int, port: int, family: int) -> socket.socket:
        sock = self.keep(where.host.socket(kind, 0, family))
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("", port))
        sock.settimeout(10)
        return sock

    def connect(self, address: str, port: int, listener: socket.socket) -> tuple[socket.socket, socket.socket]:
        """Both ends of a TCP connection from the client to wherever the router takes it; 23 bytes have gone over it."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        near = self.keep(self.client.host.socket(socket.SOCK_STREAM, 0, family))
        near.settimeout(10)
        near.connect((address, port))
        far = self.keep(listener.accept()[0])
        near.sendall(b"x" * 23)
        assert far.recv(100) == b"x" * 23
        return near, far

    def send(self, address: str, port: int, answered: bool) -> None:
        """A UDP packet from the client to the server, and one back."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        far = self.bound(self.server, socket.SOCK_DGRAM, port, family)
        near = self.keep(self.client.host.socket(socket.SOCK_DGRAM, 0, family))
        near.settimeout(10)
        near.sendto(b"x" * 23, (address, port))
        peer = far.recvfrom(100)[1]
        if answered:
            far.sendto(b"y" * 23, peer)
            near.recv(100)


@contextmanager
def routed() -> Iterator[Lab]:
    """A client, a router with its rules, and a server."""
    with namespace() as client, namespace() as router, namespace() as server:
        client.ip(f"link add c0 type veth peer name r0 netns {router.name}")
        server.ip(f"link add s0 type veth peer name r1 netns {router.name}")
        for where, device, address, address6, gateway, gateway6 in (
            (client, "c0", CLIENT, CLIENT6, ROUTER, ROUTER6),
            (server, "s0", SERVER, SERVER6, INSIDE, INSIDE6),
        ):
            where.ip(f"address add {address}/24 dev {device}", f"address add {address6}/64 dev {device} nodad")
            where.ip(f"link set {device} up")
            where.ip(f"route add default via {gateway}", f"route add default via {gateway6}")
        router.ip(f"address add {ROUTER}/24 dev r0", f"address add {ROUTER6}/64 dev r0 nodad", "link set r0 up")
        router.ip(f"address add {INSIDE}/24 dev r1", f"address add {INSIDE6}/64 dev r1 nodad", "link set r1 up")
        router.run(*(f"sysctl -qw {setting}" for setting in SYSCTLS))
        subprocess.run(["ip", "netns", "exec", router.name, "nft", "-f", "-"], input=RULES, text=True, check=True)
        lab = Lab(client, router, server)
        with lab.kept:
            yield lab


@contextmanager
def flows() -> Iterator[Namespace]:
    """The router's table: every kind of NAT by real traffic, every protocol, zones, marks, labels and a helper."""
    with busy() as lab:
        yield lab.router


@contextmanager
def busy() -> Iterator[Lab]:
    with routed() as lab:
        server, router = lab.server, lab.router
        for address, port, where, heard, family in (
            (SERVER, 9100, server, 9100, socket.AF_INET),
            (ROUTER, 80, server, 8080, socket.AF_INET),
            (SERVER, 81, router, 8081, socket.AF_INET),
            (SERVER, 9001, server, 9001, socket.AF_INET),
            (ROUTER6, 80, server, 8080, socket.AF_INET6),
        ):
            listener = lab.listen(where, heard, family)
            lab.connect(address, port, listener)
            if port == 80 and family == socket.AF_INET:
                lab.connect(ROUTER, 82, listener)
        for ended in lab.connect(SERVER, 9101, lab.listen(server, 9101)):
            ended.close()
        unanswered = lab.keep(lab.client.host.socket(socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0, socket.AF_INET))
        unanswered.connect_ex(("10.2.0.99", 7))
        for port, answered in ((9003, True), (9004, False), (9002, True), (5353, True), (5354, False)):
            lab.send(SERVER, port, answered)
        lab.send(SERVER6, 9003, answered=True)
        echo(lab, SERVER, 8)
        echo(lab, SERVER6, 128)
        expect(lab)
        for arguments in MADE_BY_HAND:
            with contextlib.suppress(AssertionError):  # a protocol that this kernel does not track
                router.run(f"conntrack -I {arguments}")
        yield lab


def echo(lab: Lab, address: str, kind: int) -> None:
    """An ICMP or ICMPv6 echo request from the client, number 77, and its answer."""
    six = ":" in address
    protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    sock = lab.keep(lab.client.host.socket(socket.SOCK_RAW, protocol, socket.AF_INET6 if six else socket.AF_INET))
    body = struct.pack(">BBHHH", kind, 0, 0, 77, 1)
    if not six:  # of ICMPv6 the kernel makes the checksum
        total = sum(struct.unpack(">4H", body))
        body = body[:2] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + body[4:]
    sock.settimeout(10)
    sock.sendto(body, (address, 0))
    sock.recv(1000)


def expect(lab: Lab) -> None:
    """An FTP server that announces where data will be waited for, which the helper hears: through NAT, which makes the
    line shorter; plainly; and once more with the expected connection made.
    """
    listener, data = lab.listen(lab.server, 21), lab.listen(lab.server, 30002)
    for address, port, place in ((ROUTER, 2121, "10,2,0,02,117,49"), (SERVER, 21, "10,2,0,2,117,48"),
                                 (SERVER, 21, "10,2,0,2,117,50")):  # fmt: skip
        near, far = lab.connect(address, port, listener)
        for line in ("220 ready", f"227 Entering Passive Mode ({place})"):
            far.sendall(f"{line}\r\n".encode())
            assert near.recv(1000)
    lab.connect(SERVER, 30002, data)
