"""One traffic, captured at once: by the panel's session, by the line mode into a file and as text, by tcpdump, dumpcap.

A socket that asks for stamps makes the kernel stamp most packets once, so that all captures have the same time of them.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from collectors.wire.packets.records import Records
from nettui.packets.begin import of_device
from nettui.packets.reading import Batch, batches
from nettui.packets.session import Session
from tests.capture.traffic import until
from tests.lab import Namespace, joined_pair
from tests.packets import mixed

SO_TIMESTAMPNS = 35  # uapi asm-generic/socket.h
FIRST = b"first of all"
FIRST_PORT, LAST_PORT = 9997, 9998
FILES = ("own.pcap", "dumped", "dumpcap")
# of two VLANs the kernel removes one, and cooked captures have the other where their protocol should begin
TWICE_TAGGED = ("qinq", "three vlans")
Row = dict[str, object]
Window = tuple[int, int]
Packet = tuple[int, int, bytes]  # nanoseconds since 1970, bytes on the wire, those that were kept


@dataclass(frozen=True)
class Captures:
    """What each made of them; files are in ``folder``."""

    on: str
    session: Session
    ndjson: list[Row]
    text: list[str]
    folder: Path

    def file(self, name: str) -> Path:
        return self.folder / name


@contextmanager
def captured(folder: Path, on: str) -> Iterator[Captures]:
    """On a device of the right namespace, or on "any" there."""
    with joined_pair() as (left, right), stamping(right), ExitStack() as stack:
        session = of_device(right.host, on, "")
        assert isinstance(session, Session), session
        stack.callback(session.close)
        own = [sys.executable, "-m", "nettui", "capture", "--netns", right.name, "-i", on]
        inside = ["ip", "netns", "exec", right.name]
        cooked = ["-y", "LINUX_SLL2"] if on == "any" else []
        running = [
            stack.enter_context(process([*own, "--format", "ndjson", "--print", "-w", folder / "own.pcap"], folder)),
            stack.enter_context(process(own, folder)),
            stack.enter_context(
                process([*inside, "tcpdump", "-Z", "root", "-nU", "--nano", "-i", on, "-w", folder / "dumped"], folder)
            ),
            stack.enter_context(
                process([*inside, "dumpcap", "-q", "-i", on, *cooked, "-w", folder / "dumpcap"], folder)
            ),
        ]
        listening(right, 1 + len(running))
        first(left)
        mixed.frames(left, without=TWICE_TAGGED if on == "any" else ())
        mixed.traffic(left, right)
        for name in FILES:
            mixed.until_written(folder / name)
        for one in running:
            one.send_signal(signal.SIGINT)
            assert one.wait(30) == 0, (folder / f"{one.pid}.err").read_text()
        session.stop()
        assert until(lambda: session.ended and session.listing.total == session.read.packets)
        printed = [(folder / f"{one.pid}.out").read_text().splitlines() for one in running[:2]]
        yield Captures(on, session, [json.loads(line) for line in printed[0]], printed[1], folder)


@contextmanager
def stamping(inside: Namespace) -> Iterator[None]:
    with inside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        time.sleep(0.1)  # the kernel begins to stamp a little later
        yield


@contextmanager
def process(command: list[object], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """What it prints is in PID.out and PID.err."""
    words = [str(word) for word in command]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as errors:
        running = subprocess.Popen(words, stdout=out, stderr=errors, stdin=subprocess.DEVNULL)
    for name in ("out", "err"):
        (folder / name).rename(folder / f"{running.pid}.{name}")
    try:
        yield running
    finally:
        running.kill()
        running.wait(10)


def listening(inside: Namespace, count: int) -> None:
    """Until so many packet sockets are open, which /proc/net/packet lists below a heading."""
    assert until(lambda: len(inside.run("cat /proc/net/packet").splitlines()) > count, 30)
    time.sleep(0.5)


def first(sender: Namespace) -> None:
    with sender.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
        sock.sendto(FIRST, ("10.9.0.2", FIRST_PORT))
    time.sleep(0.1)


def packets(parts: list[Records]) -> list[Packet]:
    """From the first datagram to the last one, in the order of capture."""
    found = [
        (when, length, meant(link, part.data[at : at + size].tobytes()))
        for part in parts
        for when, length, at, size, link in zip(
            part.times.tolist(),
            part.lengths.tolist(),
            part.at.tolist(),
            part.captured.tolist(),
            part.links.tolist(),
            strict=True,
        )
    ]
    begin, end = window(found)
    return [packet for packet in found if begin <= packet[0] <= end]


def meant(link: int, octets: bytes) -> bytes:
    """Of eight bytes for an address in LINUX_SLL2 the kernel leaves the last two as they were."""
    return octets[:18] + bytes(2) + octets[20:] if link == 276 else octets


def window(found: list[Packet]) -> Window:
    """Stamps of the markers."""
    return min(when for when, _, octets in found if FIRST in octets), min(w for w, _, o in found if mixed.LAST in o)


def in_order(found: list[Packet]) -> list[Packet]:
    """One that is the same for all captures: to which two packets at once may come in either order."""
    return sorted(found, key=lambda packet: (packet[2], packet[0]))


def of_file(path: Path) -> list[Batch]:
    found = list(batches(str(path)))
    assert all(isinstance(batch, Batch) for batch in found), found
    return [batch for batch in found if isinstance(batch, Batch)]


def of_session(session: Session) -> list[Records]:
    return [records.take(slice(None) if rows is None else rows) for records, rows in session.listing.chosen()]
