"""The load that the benchmarks measure: built in a namespace of its own, by `ip -batch` and by sockets on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab import Namespace, namespace

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
