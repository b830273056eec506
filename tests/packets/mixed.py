"""Traffic of many protocols between two namespaces (tests.lab.joined_pair), and a last packet that ends it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

from tests.lab import Namespace
from tests.packets import build

LARGEST = 1514  # bytes of a frame that goes through
LAST = b"last of all 10"  # of IPv6, behind all other traffic; what refuses it quotes it too
SERVER = """
import socket
family = socket.AF_INET6 if ":" in "{to}" else socket.AF_INET
listener = socket.create_server(("{to}", 7001), family=family)
print("ready", flush=True)
connection, _ = listener.accept()
while connection.recv(65536):
    pass
connection.sendall(b"z" * 5000)
"""
CLIENT = """
import socket
client = socket.create_connection(("{to}", 7001), 5)
client.sendall(b"y" * 100000)
client.shutdown(socket.SHUT_WR)
while client.recv(65536):
    pass
"""
REFUSED = f"""
import socket
question = bytes.fromhex("123401000001000000000000036e6f77076e6f776865726500001c0001")
for family, to in ((socket.AF_INET, "{build.B}"), (socket.AF_INET6, "{build.B6}")):
    for port in (8080, 53):
        socket.socket(family, socket.SOCK_STREAM).connect_ex((to, port))
    for port, data in ((9999, b"some" * 1000), (53, question)):
        socket.socket(family, socket.SOCK_DGRAM).sendto(data, (to, port))
    socket.socket(family, socket.SOCK_DGRAM).sendto(b"last of all %d" % family, (to, 9998))
"""


def until_written(path: Path) -> None:
    """Until the last datagram is in a file that is being recorded."""
    end = time.monotonic() + 20
    while LAST not in path.read_bytes():
        assert time.monotonic() < end, "the last packet never came"
        time.sleep(0.05)


def connection(left: Namespace, right: Namespace, to: str) -> None:
    """Data from left to right and back."""
    server = ["ip", "netns", "exec", right.name, "python3", "-c", SERVER.format(to=to)]
    with subprocess.Popen(server, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            python(left, CLIENT.format(to=to))
            process.wait(20)
        finally:
            process.kill()


def python(inside: Namespace, program: str) -> None:
    subprocess.run(["ip", "netns", "exec", inside.name, "python3", "-c", program], check=True, timeout=60)


def ping(inside: Namespace, *options: str) -> None:
    """Answered or not."""
    subprocess.run(
        ["ip", "netns", "exec", inside.name, "ping", "-c", "3", "-i", "0.02", "-W", "1", *options],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip


def frames(sender: Namespace, device: str = "left0", without: Collection[str] = ()) -> int:
    """Every frame that is made by hand and fits, as it is: tunnels, VLANs, SCTP, DNS, TLS; how many they were."""
    fitting = [packet for name, packet in build.FRAMES.items() if len(packet) <= LARGEST and name not in without]
    with sender.host.socket(socket.SOCK_RAW, 0, socket.AF_PACKET) as sock:
        sock.bind((device, 0))
        for packet in fitting:
            sock.send(packet)
    return len(fitting)


def traffic(left: Namespace, right: Namespace) -> None:
    """Pings, fragments, refused and answered connections, questions to nothing, a tunnel."""
    right.run("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0")  # each refusal is answered
    for own, to, inner in ((build.A, build.B, "172.30.0"), (build.A6, build.B6, "fd30:")):
        ping(left, to)
        ping(left, "-s", "4000", to)
        connection(left, right, to)
        bits = (24, 120)[":" in own]
        last = (".", ":")[":" in own]
        for inside, here, there, number in ((left, own, to, 1), (right, to, own, 2)):
            inside.ip(
                f"link add vx type vxlan id 4242 local {here} remote {there} dstport 4789",
                f"address add {inner}{last}{number}/{bits} dev vx" + (" nodad" if last == ":" else ""),
                "link set vx up",
            )
        ping(left, f"{inner}{last}2")
        connection(left, right, f"{inner}{last}2")
        left.ip("link del vx")
        right.ip("link del vx")
    python(left, REFUSED)
