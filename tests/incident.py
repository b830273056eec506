"""A shop server that loses packets in five ways: `python -m tests.incident` (as root) loses them for a minute.

The namespace `shop` is made, with its clients in another one; `nettui drops --netns shop --reasons` watches.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.lab import Namespace, joined_pair

NAME = "shop"
CLIENT, SERVER = "10.9.0.1", "10.9.0.2"
FORGOTTEN, SHUT = 6666, 7777  # a port that a rule drops, one on which nothing listens
STATSD, SHOP = 8125, 8080
LASTS = 60.0  # seconds
RULES = f"""
add table inet filter
add chain inet filter input {{ type filter hook input priority 0; }}
add rule inet filter input udp dport {FORGOTTEN} counter drop
"""


@contextlib.contextmanager
def shop() -> Iterator[tuple[Namespace, Namespace]]:
    """Clients and server; the server's namespace bears a name of its own for as long."""
    link = Path("/run/netns", NAME)
    with joined_pair() as (clients, server):
        subprocess.run(["ip", "netns", "exec", server.name, "nft", "-f", "-"], input=RULES, text=True, check=True)
        server.run("sysctl -qw net.ipv4.ip_forward=1")
        clients.ip("route add 203.0.113.0/24 via 10.9.0.2")
        link.symlink_to(link.with_name(server.name))
        try:
            yield clients, server
        finally:
            link.unlink()


@contextlib.contextmanager
def losing(clients: Namespace, server: Namespace) -> Iterator[None]:
    """Loses packets in each of the ways, all the time."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(server.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
        full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
        full.bind((SERVER, STATSD))
        slow = stack.enter_context(server.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET))
        slow.bind((SERVER, SHOP))
        slow.listen(4)
        out = stack.enter_context(clients.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
        stopped = threading.Event()
        threads = [
            threading.Thread(target=again, args=(stopped, pause, what), daemon=True)
            for pause, what in (
                (0.01, lambda: out.sendto(b"metric:1|c" * 9, (SERVER, STATSD))),
                (0.05, lambda: out.sendto(b"hello?", (SERVER, SHUT))),
                (0.03, lambda: out.sendto(b"hello?", (SERVER, FORGOTTEN))),
                (0.1, lambda: out.sendto(b"hello?", ("203.0.113.9", 9))),
                (0.3, lambda: customer(clients, stack)),
            )
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopped.set()
            for thread in threads:
                thread.join()


def again(stopped: threading.Event, pause: float, what: Callable[[], object]) -> None:
    while not stopped.wait(pause):
        with contextlib.suppress(OSError):
            what()


def customer(clients: Namespace, stack: contextlib.ExitStack) -> None:
    """Connects, and waits for a server that accepts nobody."""
    sock = stack.enter_context(clients.host.socket(socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0, socket.AF_INET))
    sock.connect_ex((SERVER, SHOP))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with shop() as (outside, inside), losing(outside, inside):
        time.sleep(LASTS)
