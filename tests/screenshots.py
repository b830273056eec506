"""Draw screenshots/ from a lab of namespaces: python -m tests.screenshots (as root). Never drawn by hand.

The app runs headless on the lab's kernel state; only host name and kernel release are neutral words.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import resvg_py

from collectors import Host
from nettui.live import Live
from nettui.tui.app import Nettui
from tests import netfilter_scenes, packet_scenes
from tests.incident import NAME, losing, shop
from tests.lab import Namespace, run

FOLDER = Path(__file__).parents[1] / "screenshots"
WIDE, NARROW = (120, 36), (80, 24)
EDGE, WEB = Namespace("edge"), Namespace("web")
DOCKER = "docker1"
WAIT = "wait"  # among the keys: four seconds, in which counters move
Shots = tuple[tuple[str, tuple[int, int], str, Sequence[str]], ...]
UNAME = SimpleNamespace(nodename="edge1", release="6.12.0", sysname="Linux", version="", machine="x86_64")

# name, size, panel, keys pressed there; first of the host at the edge
SHOTS: Shots = (
    ("overview", WIDE, "overview", (WAIT,)),
    ("overview-80x24", NARROW, "overview", (WAIT,)),
    ("links", WIDE, "links", ()),
    ("link-detail", WIDE, "links", ("down", "enter")),
    ("addresses", WIDE, "addresses", ()),
    ("routes", WIDE, "routes", ()),
    ("routes-filter", WIDE, "routes", ("slash", *"dst", "space", *"in", "space", *"198.51.100.300")),
    ("neighbours", WIDE, "neighbours", ()),
    ("qdiscs", WIDE, "qdiscs", ()),
    ("protocols", WIDE, "protocols", ("s", "down", "down", "enter")),
    ("rules", WIDE, "rules", ()),
    ("softnet", WIDE, "softnet", ()),
    ("nexthops", WIDE, "nexthops", ()),
    ("classes", WIDE, "classes", ()),
    ("sockets", WIDE, "sockets", ()),
    ("socket-pivot", WIDE, "sockets", ("down", "down", "p")),
    ("help", WIDE, "links", ("question_mark",)),
)
# then of the host with containers
DOCKER_SHOTS: Shots = (
    ("netfilter", WIDE, "netfilter", ()),
    ("netfilter-80x24", NARROW, "netfilter", ()),
    ("netfilter-filter", WIDE, "netfilter", ("slash", *"verdict", "space", *"drop", "enter", "p")),
    ("hooks", (140, 44), "hooks", ("slash", *"way", "space", *"through", "enter")),
    ("services", WIDE, "services", ()),
    ("conntrack", WIDE, "conntrack", ()),
    ("conntrack-80x24", NARROW, "conntrack", ()),
    ("conntrack-pivot", WIDE, "conntrack", ("down", "p")),
)
# of a server that loses packets in five ways
INCIDENT_SHOTS: Shots = (
    ("drops", WIDE, "drops", ("t", "m", WAIT)),
    ("drops-80x24", NARROW, "drops", ("t", "m", WAIT)),
    ("drops-explain", WIDE, "drops", ("t", "m", WAIT, "down", "down", "down", "e", WAIT)),
)
# of packets of a server that is asked for pages and names
CAPTURED = ("down", "down", "enter", "enter", WAIT)  # the third device
PACKET_SHOTS: Shots = (
    ("capture", WIDE, "capture", (*CAPTURED, "slash", *"port", "space", *"8080", "enter", WAIT)),
    ("capture-80x24", NARROW, "capture", CAPTURED),
    (
        "capture-packet",
        (120, 44),
        "capture",
        (*CAPTURED, "slash", *"sni", "space", *"~", "space", *"shop", "enter", WAIT, "enter", *["down"] * 3, "enter"),
    ),
    ("capture-flows", WIDE, "capture", (*CAPTURED, "v", WAIT)),
    ("capture-stream", WIDE, "capture", (*CAPTURED, "slash", *"port", "space", *"8080", "enter", WAIT, "f", WAIT)),
)
EDGE_BATCH = """
link add web0 type veth peer name up0 netns web
link add br0 type bridge
link add uplink type veth peer name wan0 netns web
link add transit type veth peer name wan1 netns web
link add vx42 type vxlan id 42 dstport 4789 local 192.0.2.10
link set web0 master br0
link set vx42 master br0
link set web0 alias "to the web servers"
address add 192.0.2.10/24 dev uplink
address add 192.0.2.11/24 dev uplink
address add 2001:db8::10/64 dev uplink nodad
address add 198.51.100.1/24 dev br0
address add 2001:db8:1::1/64 dev br0 nodad
address add 203.0.113.5/30 dev transit
link set uplink up
link set transit up
link set br0 up
link set vx42 up
link set web0 up
route add default via 192.0.2.1
route add 10.20.0.0/16 via 203.0.113.6 metric 50
route add 10.30.0.0/16 nexthop via 192.0.2.1 weight 3 nexthop via 203.0.113.6 weight 1
route add blackhole 10.99.0.0/16
route add default via 203.0.113.6 table 100
rule add from 10.77.0.0/16 lookup 100 priority 100
rule add fwmark 0x2a lookup 100 priority 200
neigh add 192.0.2.1 lladdr 02:00:5e:00:01:01 dev uplink
neigh add 203.0.113.6 lladdr 02:00:5e:00:01:02 dev transit
link set uplink alias "to the provider"
"""


@contextlib.contextmanager
def lab() -> Iterator[None]:
    """Two namespaces joined by a bridge, with a queue that is too short for its traffic."""
    made = []
    try:
        for space in (EDGE, WEB):
            run(f"ip netns add {space.name}")
            made.append(space)
            space.ip("link set lo up")
        EDGE.ip(*EDGE_BATCH.strip().splitlines())
        WEB.ip(
            "address add 198.51.100.20/24 dev up0", "address add 2001:db8:1::20/64 dev up0 nodad", "link set up0 up",
            "link set wan0 up", "link set wan1 up",
            "route add default via 198.51.100.1",
        )  # fmt: skip
        run("tc -netns edge qdisc add dev web0 root tbf rate 2mbit burst 4kb limit 6kb")
        EDGE.run("bridge fdb append 00:00:00:00:00:00 dev vx42 dst 192.0.2.77")
        yield
    finally:
        for space in made:
            subprocess.run(["ip", "netns", "del", space.name], check=False)


@contextlib.contextmanager
def traffic() -> Iterator[None]:
    """Connections to a server in the web namespace, and more datagrams than the queue takes."""
    stopped = threading.Event()
    server = WEB.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
    server.bind(("198.51.100.20", 8080))
    server.listen(8)
    clients = []
    for _ in range(5):
        client = EDGE.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
        client.settimeout(5)
        client.connect(("198.51.100.20", 8080))
        clients += [client, server.accept()[0]]
    listener = EDGE.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET6)
    listener.bind(("::", 443))
    listener.listen(511)
    sender = EDGE.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET)

    def send() -> None:
        while not stopped.wait(0.01):
            for _ in range(5):
                with contextlib.suppress(OSError):
                    sender.sendto(b"x" * 900, ("198.51.100.20", 9))
            clients[0].send(b"GET / HTTP/1.1\r\n\r\n")

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        for each in (server, listener, sender, *clients):
            each.close()


@contextlib.contextmanager
def containers() -> Iterator[None]:
    """The host with containers, under a name of its own, while one address that is shut out goes on asking."""
    stopped = threading.Event()
    link = Path("/run/netns") / DOCKER
    with netfilter_scenes.docker_host() as host:
        sender = host.outside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET)
        sender.bind((netfilter_scenes.SHUT_OUT, 0))

        def ask() -> None:
            while not stopped.wait(0.05):
                sender.sendto(b"who is it?", ("198.51.100.1", 5353))

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        link.symlink_to(link.with_name(host.name))
        try:
            yield
        finally:
            link.unlink()
            stopped.set()
            thread.join()
            sender.close()


@contextlib.contextmanager
def incident() -> Iterator[None]:
    with shop() as (clients, server), losing(clients, server):
        yield


@contextlib.contextmanager
def edge() -> Iterator[None]:
    with lab(), traffic():
        yield


SCENES = (
    (EDGE.name, edge, SHOTS),
    (DOCKER, containers, DOCKER_SHOTS),
    (NAME, incident, INCIDENT_SHOTS),
    (packet_scenes.NAME, packet_scenes.talking, PACKET_SHOTS),
)


async def draw(netns: str, name: str, size: tuple[int, int], panel: str, keys: Sequence[str]) -> None:
    app = Nettui(Host(netns=netns), Live, first=panel)
    async with app.run_test(size=size) as pilot:
        deadline = time.monotonic() + 10
        while (pane := app.pane()) is None or pane.pace is None:
            if time.monotonic() > deadline:
                break  # a table that is followed and does not change is read once
            await pilot.pause(0.1)
            if pane is not None and pane.shown is not None and time.monotonic() > deadline - 6:
                break
        for key in keys:
            await (pilot.pause(4) if key == WAIT else pilot.press(key))
        await pilot.pause(0.3)
        svg = app.export_screenshot(title="nettui")
    (FOLDER / f"{name}.svg").write_text(svg)
    png = resvg_py.svg_to_bytes(svg_string=svg, monospace_family="DejaVu Sans Mono", font_family="DejaVu Sans Mono")
    (FOLDER / f"{name}.png").write_bytes(bytes(png))
    print(name, flush=True)


def main(wanted: Sequence[str]) -> int:
    if os.geteuid() != 0:
        print("needs root: makes network namespaces", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    for netns, state, shots in SCENES:
        chosen = [shot for shot in shots if not wanted or shot[0] in wanted]
        if chosen:
            with state(), mock.patch("nettui.tui.app.os.uname", return_value=UNAME):
                time.sleep(1)
                for shot in chosen:
                    asyncio.run(draw(netns, *shot))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
