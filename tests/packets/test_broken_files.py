"""Files that are cut, corrupt, or of nothing that is known, and names that would control a terminal."""

from __future__ import annotations

import csv
import gzip
import json
import random
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.table import Gap
from collectors.wire.netlink import DecodeError
from nettui.packets.begin import of_file
from nettui.packets.reading import Batch, batches
from nettui.packets.session import Session
from tests.capture.traffic import until
from tests.packets import build
from tests.packets.test_capture_file import blocks
from tests.test_capture import nettui

HOSTILE = b"\x1b]0;owned\x07\x1b[31m\x9b2J\r\n\xe2\x80\xae[red]"
CONTROL = {*map(chr, range(32)), *map(chr, range(127, 160)), "\u202e"} - {"\n"}


def told(path: Path) -> tuple[int, list[str]]:
    """Packets, and what is wrong."""
    found = list(batches(str(path)))
    return sum(len(b.records) for b in found if isinstance(b, Batch)), [g.reason for g in found if isinstance(g, Gap)]


def test_packets_of_a_link_type_that_nothing_decodes_are_counted_and_said_to_be(tmp_path: Path):
    path = tmp_path / "unknown"
    build.write(path, 4711, [(1, b"x" * 50, 60)] * 3)
    assert told(path) == (3, ["packets of link type 4711 are not decoded"])
    done = nettui("-r", str(path), "--format", "ndjson")
    assert done.returncode == 1
    assert [json.loads(line)["length"] for line in done.stdout.splitlines()] == [60, 60, 60]
    assert "link type 4711" in done.stderr


FORMS: dict[str, Callable[[], bytes]] = {
    "pcap": lambda: whole_file(),
    "pcapng": lambda: b"".join(blocks()) * 3,
    "gzip": lambda: gzip.compress(whole_file(), 9),
    "gzip of pcapng": lambda: gzip.compress(b"".join(blocks()) * 3, 9),
}


def whole_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        build.write(path, 1, [(1, packet, len(packet)) for packet in build.FRAMES.values()])
        return path.read_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_a_file_cut_anywhere_shows_what_is_whole_and_says_so(form: str, tmp_path: Path):
    path, data = tmp_path / "file", FORMS[form]()
    path.write_bytes(data)
    (count, said), before = told(path), 0
    assert count > 8
    assert not said
    for size in range(1, len(data), max(1, len(data) // 120)):
        path.write_bytes(data[:size])
        if size < 4:
            continue
        found, said = told(path)
        assert before <= found <= count
        assert len(said) == 1 or (found < count and form == "pcapng"), (size, said)  # a cut between two blocks
        before = found


@pytest.mark.parametrize("form", FORMS)
def test_a_corrupt_file_shows_packets_and_says_what_is_wrong_or_shows_all(form: str, tmp_path: Path):
    path, data, chance = tmp_path / "file", FORMS[form](), random.Random(3)
    for _ in range(150):
        octets = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            octets[chance.randrange(len(octets))] ^= chance.randrange(1, 256)
        path.write_bytes(octets)
        try:
            told(path)
        except (DecodeError, OSError):  # not even the beginning can be read
            continue


def test_a_session_of_a_corrupt_file_ends_with_its_gap(tmp_path: Path):
    path, data = tmp_path / "file", bytearray(gzip.compress(whole_file()))
    data[-6] ^= 1
    path.write_bytes(data)
    session = of_file(str(path))
    assert isinstance(session, Session)
    assert until(lambda: session.ended)
    assert [each.reason for each in session.gaps] == ["the compressed file is corrupt: incorrect data check"]
    assert session.read.packets == len(build.FRAMES)
    session.close()


def hostile(path: Path) -> None:
    """In names of DNS, of servers, of the interface, and in what TCP and UDP carry."""
    packets = [
        build.over4(17, build.udp(4000, 53, build.dns(build.name(HOSTILE)))),
        build.over4(6, build.tcp(build.A, build.B, (4000, 443), build.ACK, data=build.client_hello(HOSTILE))),
        build.over4(17, build.udp(4000, 9, HOSTILE)),
        build.over4(6, build.tcp(build.A, build.B, (4000, 80), build.ACK, data=HOSTILE)),
    ]
    section, interface = blocks(name=HOSTILE)[:2]
    interface = interface[:8] + struct.pack("<H", 1) + interface[10:]  # Ethernet
    interface = interface[:12] + struct.pack("<I", 65535) + interface[16:]
    path.write_bytes(section + interface + b"".join(map(enhanced, packets)))


def enhanced(packet: bytes) -> bytes:
    body = struct.pack("<IIIII", 0, 0, 0, len(packet), len(packet)) + packet + bytes(-len(packet) % 4)
    return struct.pack("<II", 6, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


@pytest.mark.parametrize("form", ["text", "ndjson", "csv"])
def test_no_name_and_no_payload_controls_the_terminal(form: str, tmp_path: Path):
    path = tmp_path / "hostile"
    hostile(path)
    done = nettui("-r", str(path), "--format", form)
    assert done.returncode == 0, done.stderr
    assert not CONTROL & {*done.stdout, *done.stderr}
    assert "owned" in done.stdout
    if form == "ndjson":
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert [("dns_name" in row, "sni" in row) for row in rows] == [
            (True, False), (False, True), (False, False), (False, False),
        ]  # fmt: skip
    if form == "csv":
        assert len(list(csv.DictReader(done.stdout.splitlines()))) == 4
