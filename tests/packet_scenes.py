"""A server and its clients that talk all the time: pages, names that there are not, pings, a shut port; and losses."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.incident import again
from tests.lab import Namespace, joined_pair
from tests.packets import build

NAME = "front"
CLIENT, SERVER = "10.9.0.1", "10.9.0.2"
WEB, NAMES, SECURE, SHUT = 8080, 53, 443, 5432
# every fifteenth packet to the pages is lost behind the capture
LOSING = (
    f"table ip t {{ chain c {{ type filter hook input priority 0; tcp dport {WEB} numgen inc mod 15 == 9 drop\n}}\n}}\n"
)
HELLO = build.client_hello(b"shop.example.com")
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"


@contextlib.contextmanager
def talking() -> Iterator[Namespace]:
    """The server's namespace, which bears a name of its own for as long."""
    link = Path("/run/netns", NAME)
    with joined_pair() as (clients, server), contextlib.ExitStack() as stack:
        subprocess.run(["ip", "netns", "exec", server.name, "nft", "-f", "-"], input=LOSING, text=True, check=True)
        link.symlink_to(link.with_name(server.name))
        stack.callback(link.unlink)
        stopped = threading.Event()
        web = listening(server, WEB, stack)
        secure = listening(server, SECURE, stack)
        names = stack.enter_context(server.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET))
        names.bind((SERVER, NAMES))
        threads = [
            threading.Thread(target=again, args=(stopped, pause, what), daemon=True)
            for pause, what in (
                (0.3, lambda: fetched(clients, web)),
                (0.7, lambda: greeted(clients, secure)),
                (0.4, lambda: asked(clients, names)),
                (1.5, lambda: refused(clients)),
                (1.0, lambda: clients.run(f"ping -n -q -c 1 {SERVER}")),
            )
        ]
        for thread in threads:
            thread.start()
        try:
            yield server
        finally:
            stopped.set()
            for thread in threads:
                thread.join()


def listening(server: Namespace, port: int, stack: contextlib.ExitStack) -> socket.socket:
    found = stack.enter_context(server.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET))
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind((SERVER, port))
    found.listen(8)
    return found


@contextlib.contextmanager
def connected(clients: Namespace, server: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    with clients.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as client:
        client.settimeout(5)
        client.connect(server.getsockname())
        other, _ = server.accept()
        with other:
            yield client, other


def fetched(clients: Namespace, server: socket.socket) -> None:
    with connected(clients, server) as (client, other):
        client.sendall(b"GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
        other.recv(100)
        other.sendall(PAGE)
        client.recv(len(PAGE))


def greeted(clients: Namespace, server: socket.socket) -> None:
    with connected(clients, server) as (client, other):
        client.sendall(HELLO)
        other.recv(len(HELLO))


def asked(clients: Namespace, names: socket.socket) -> None:
    """A name that there is not."""
    with clients.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as client:
        client.settimeout(1)
        question = build.dns(build.name(b"db", b"example", b"com"))
        client.sendto(question, (SERVER, NAMES))
        _, back = names.recvfrom(512)
        names.sendto(question[:2] + b"\x81\x83" + question[4:], back)
        client.recv(512)


def refused(clients: Namespace) -> None:
    with clients.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as client, contextlib.suppress(OSError):
        client.connect((SERVER, SHUT))
