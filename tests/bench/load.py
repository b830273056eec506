"""The load that the benchmarks measure: built in a namespace of its own, by `ip -batch` and by sockets on loopback."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from collectors.wire.netlink import attribute
from tests.lab import Namespace, namespace

SETTLED = 8.0  # seconds in which IPv6 of 50 links that have come up looks for neighbours, routers and listeners
LIFETIME = 1500  # seconds after which a process that holds sockets ends by itself


def batch(inside: Namespace, commands: Iterator[str]) -> None:
    subprocess.run(
        ["ip", "-netns", inside.name, "-batch", "-"], input="\n".join(commands), text=True, check=True, timeout=600
    )


@contextmanager
def routes(count: int) -> Iterator[Namespace]:
    """``count`` IPv4 /24 routes by 200 gateways."""
    with namespace() as inside:
        inside.ip("link add v0 type veth peer name v1", "address add 10.0.0.1/8 dev v0")
        inside.ip("link set v0 up", "link set v1 up")
        batch(inside, (f"route add {prefix(i)} via 10.0.0.{2 + i % 200} dev v0" for i in range(count)))
        yield inside


def prefix(number: int) -> str:
    return f"{20 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.0/24"


@contextmanager
def links(count: int) -> Iterator[Namespace]:
    """A bridge with veth ports, and vxlan and macvlan devices: ``count`` links in all."""
    with namespace() as inside:
        inside.ip("link add br0 type bridge", "link add base type veth peer name base1", "link set base up")
        quarter = count // 8
        batch(inside, (f"link add p{i} master br0 type veth peer name q{i}" for i in range(quarter * 3)))
        batch(inside, (f"link add vx{i} type vxlan id {i} dstport 4789 local 10.0.0.1" for i in range(quarter)))
        batch(inside, (f"link add link base mv{i} type macvlan mode bridge" for i in range(quarter)))
        yield inside


@contextmanager
def neighbours(count: int) -> Iterator[Namespace]:
    """``count`` permanent IPv4 neighbours, which gc_thresh3 does not limit."""
    with namespace() as inside:
        inside.ip("link add v0 type veth peer name v1", "address add 10.0.0.1/8 dev v0", "link set v0 up")
        batch(inside, (f"neigh add {address(i)} lladdr {lladdr(i)} dev v0 nud permanent" for i in range(count)))
        yield inside


@contextmanager
def server() -> Iterator[Namespace]:
    """50 links, 2,000 sockets of which half listen, and 500 rules that count, half of which drop."""
    with namespace() as inside, ExitStack() as stack:
        batch(inside, (f"link add v{i} type veth peer name w{i}" for i in range(25)))
        batch(inside, (f"link set {end}{i} up" for i in range(25) for end in "vw"))
        rules = (f"add rule inet f i ip saddr 10.1.{i // 250}.{i % 250} tcp dport {1000 + i} counter "
                 f"{'drop' if i % 2 else 'accept'}" for i in range(500))  # fmt: skip
        chain = ["add table inet f", "add chain inet f i { type filter hook input priority 0; }"]
        listed = "\n".join([*chain, *rules])
        subprocess.run(["ip", "netns", "exec", inside.name, "nft", "-f", "-"], input=listed, text=True, check=True)
        for port in range(10_000, 11_000):
            datagrams = stack.enter_context(inside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
            datagrams.bind(("127.0.0.1", port))
            listener = stack.enter_context(inside.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET))
            listener.bind(("127.0.0.1", port))
            listener.listen(8)
        time.sleep(SETTLED)
        yield inside


def address(number: int) -> str:
    return f"10.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def lladdr(number: int) -> str:
    return f"02:00:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


HOLDER = """
import resource, socket, sys, threading, os
pairs = int(sys.argv[1])
threading.Timer(int(sys.argv[2]), os._exit, (0,)).start()
resource.setrlimit(resource.RLIMIT_NOFILE, (2 * pairs + 100, 2 * pairs + 100))
kept = []
for at in range(0, pairs, 20000):
    listener = socket.create_server(("127.1.%d.%d" % (os.getpid() % 250, at // 20000), 5000), backlog=4096)
    kept.append(listener)
    for _ in range(min(20000, pairs - at)):
        client = socket.create_connection(listener.getsockname())
        kept.extend((client, listener.accept()[0]))
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
"""


@contextmanager
def sockets(pairs: int, processes: int = 12) -> Iterator[Namespace]:
    """``pairs`` established TCP connections on loopback, both ends held by ``processes`` processes."""
    with namespace() as inside:
        command = ["ip", "netns", "exec", inside.name, sys.executable, "-c", HOLDER]
        arguments = [str(pairs // processes), str(LIFETIME)]
        holders = [
            subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(processes)
        ]
        try:
            for holder in holders:
                assert holder.stdout
                assert holder.stdout.readline() == b"ready\n"
            yield inside
        finally:
            for holder in holders:
                holder.communicate(timeout=120)


MAXIMUM = Path("/proc/sys/net/netfilter/nf_conntrack_max")
NEW = 1 << 8  # CTNETLINK, IPCTNL_MSG_CT_NEW
CREATE = 0x401  # NLM_F_REQUEST | NLM_F_CREATE
PACKED = 256 << 10  # bytes of requests in one send


@contextmanager
def flows(count: int) -> Iterator[Namespace]:
    """``count`` conntrack entries: TCP and UDP over IPv4, some with their destination changed, and a few over IPv6.

    The maximum can be set in the first namespace only; it is raised there if it must be, and put back at the end.
    """
    before = MAXIMUM.read_text()
    try:
        if int(before) < count + 1000:
            MAXIMUM.write_text(str(count + 1000))
        with namespace() as inside:
            with inside.host.socket(socket.SOCK_RAW, 12) as sock:
                sock.setsockopt(socket.SOL_SOCKET, 32, 16 * PACKED)  # SO_SNDBUFFORCE
                for kind, share in ((tcp, 0.7), (translated, 0.1), (udp, 0.17), (six, 0.03)):
                    send_all(sock, requests(kind, int(count * share)))
            made = int(inside.run("sysctl -n net.netfilter.nf_conntrack_count"))
            assert made >= 0.99 * count, f"{made} of {count} flows were made"
            yield inside
    finally:
        MAXIMUM.write_text(before)


def requests(kind: Callable[[int], bytes], count: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """One request a row: two samples of ``kind`` tell which bytes count up, and the numbers are written there."""
    zero, last = (np.frombuffer(kind(number), np.uint8) for number in (0, 0x7F7F7F))
    made = np.tile(zero, (count, 1))
    places = np.flatnonzero(zero != last)
    digits = np.arange(count, dtype=">u4").view(np.uint8).reshape(count, 4)[:, 1:]
    for number, place in enumerate(places.tolist()):
        made[:, place] = digits[:, number % 3]
    return made


def send_all(sock: socket.socket, messages: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> None:
    step = PACKED // messages.shape[1]
    for at in range(0, len(messages), step):
        sock.send(messages[at : at + step].tobytes())


def tcp(number: int) -> bytes:
    client = counted(number)
    return flow(2, 6, (client, b"\12\0\0\1"), (40000, 443), (b"\12\0\0\1", client), (443, 40000), established())


def translated(number: int) -> bytes:
    """To a published port: the destination becomes that of a container."""
    client, container = counted(number), b"\254\21\0\2"
    nat = attribute(13, attribute(1, container) + attribute(2, container) + attribute(3, ports((1, 8080), (2, 8080))))
    ends = (client, b"\12\0\0\1"), (40001, 80), (b"\12\0\0\1", client), (80, 40001)
    return flow(2, 6, *ends, established() + nat)  # the kernel makes the other reply tuple


def udp(number: int) -> bytes:
    client = counted(number)
    return flow(2, 17, (client, b"\12\0\0\1"), (40000, 53), (b"\12\0\0\1", client), (53, 40000), b"")


def six(number: int) -> bytes:
    client, server = b"\xfd" + bytes(12) + counted(number)[1:], b"\xfd" + bytes(14) + b"\1"
    return flow(10, 6, (client, server), (40000, 443), (server, client), (443, 40000), established())


def counted(number: int) -> bytes:
    return b"\13" + number.to_bytes(3, "big")


def established() -> bytes:
    """CTA_PROTOINFO { CTA_PROTOINFO_TCP { CTA_PROTOINFO_TCP_STATE } }"""
    return attribute(4, attribute(1, attribute(1, b"\3")))


def ports(*numbered: tuple[int, int]) -> bytes:
    return b"".join(attribute(number, port.to_bytes(2, "big")) for number, port in numbered)


def flow(
    family: int,
    protocol: int,
    first: tuple[bytes, bytes],
    first_ports: tuple[int, int],
    reply: tuple[bytes, bytes],
    reply_ports: tuple[int, int],
    rest: bytes,
) -> bytes:
    """A request for one entry: CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_TIMEOUT, CTA_STATUS, and what is in ``rest``."""
    source = 1 if family == 2 else 3

    def ends(number: int, addresses: tuple[bytes, bytes], of: tuple[int, int]) -> bytes:
        ip = attribute(1, attribute(source, addresses[0]) + attribute(source + 1, addresses[1]))
        proto = attribute(1, bytes([protocol])) + ports((2, of[0]), (3, of[1]))
        return attribute(number, ip + attribute(2, proto))

    body = bytes([family, 0, 0, 0]) + ends(1, first, first_ports) + ends(2, reply, reply_ports)
    body += attribute(7, struct.pack(">I", 36000)) + attribute(3, struct.pack(">I", 0x0E)) + rest
    return struct.pack("=IHHII", 16 + len(body), NEW, CREATE, 1, 0) + body
