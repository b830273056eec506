"""What goes wrong, as the line mode and a screen's session tell it: rights, devices, disks, files, hostile names."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.table import Gap
from collectors.wire.netlink import DecodeError
from nettui.packets.begin import of_device, of_file
from nettui.packets.reading import Batch, batches
from nettui.packets.saving import saved
from nettui.packets.session import Session
from tests.capture.test_recorder import ROOT
from tests.capture.traffic import PORT, datagrams, until
from tests.lab import Namespace, joined_pair, namespace, needs_root
from tests.packets import build
from tests.packets.test_capture_file import blocks
from tests.test_capture import Process, begun, ended, nettui

HOSTILE = b"\x1b]0;owned\x07\x1b[31m\x9b2J\r\n\xe2\x80\xae[red]"
CONTROL = {*map(chr, range(32)), *map(chr, range(127, 160)), "\u202e"} - {"\n"}
OPENING = (
    "from collectors import Host\nfrom nettui.packets.begin import of_device\n"
    "print(of_device(Host(), 'lo', 'udp'))"
)  # fmt: skip


# rights and devices


@pytest.mark.root
@needs_root
def test_a_session_without_the_capability_is_a_gap_that_names_it():
    words = ["setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all"]
    done = subprocess.run(
        [*words, sys.executable, "-c", OPENING], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    if "ermission denied" in done.stderr:
        pytest.skip("nobody cannot run this interpreter")
    assert done.stdout.startswith("Gap(reason='capturing on lo needs CAP_NET_RAW")


@pytest.mark.root
@needs_root
def test_a_device_that_is_down_is_told_with_what_brings_it_up():
    with namespace() as inside:
        inside.ip("link add v0 type veth peer name v1")
        done = nettui("--netns", inside.name, "-i", "v0")
        assert (done.returncode, done.stdout) == (1, "")
        assert "v0 is not up; `ip link set dev v0 up` brings it up" in done.stderr
        session = of_device(inside.host, "v0", "")
        assert isinstance(session, Gap)
        assert "v0 is not up" in session.reason


@contextmanager
def capturing(*arguments: str) -> Iterator[tuple[Process, Namespace, Namespace]]:
    """A capture on right0, with the namespaces of both ends."""
    with joined_pair() as (left, right):
        command = [sys.executable, "-m", "nettui", "capture", "--netns", right.name, "-i", "right0", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                begun(process, right)
                yield process, left, right
            finally:
                process.kill()


@pytest.mark.root
@needs_root
def test_a_device_that_goes_down_is_captured_on_when_it_is_up_again():
    with capturing(f"udp port {PORT}") as (process, left, right):
        datagrams(left, 3)
        right.ip("link set right0 down", "link set right0 up")
        left.run("ping -c 1 -W 3 10.9.0.2")
        datagrams(left, 4)
        time.sleep(0.7)
        out, errors = ended(process)
    assert (process.returncode, len(out.splitlines())) == (0, 7), errors


@pytest.mark.root
@needs_root
def test_a_device_that_stays_down_is_told_at_the_end():
    with capturing(f"udp port {PORT}") as (process, left, right):
        datagrams(left, 3)
        time.sleep(0.3)
        right.ip("link set right0 down")
        time.sleep(1.2)
        out, errors = ended(process)
    assert (process.returncode, len(out.splitlines())) == (1, 3)
    assert "right0 is down: nothing arrives; `ip link set dev right0 up`" in errors


@pytest.mark.root
@needs_root
def test_a_device_that_is_removed_ends_it_behind_what_it_had():
    with capturing(f"udp port {PORT}") as (process, left, right):
        datagrams(left, 3)
        time.sleep(0.5)
        right.ip("link del right0")
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, len(out.splitlines())) == (1, 3)
    assert "right0: The interface disappeared" in errors
    assert "3 captured; lost: 0 by the kernel" in errors


@pytest.mark.root
@needs_root
def test_a_wrong_filter_begins_no_session():
    with namespace() as inside:
        said = of_device(inside.host, "lo", "prot 53")
        assert isinstance(said, Gap)
        assert "syntax error" in said.reason


# disks


@pytest.mark.root
@needs_root
def test_a_full_disk_is_told_and_packets_are_printed_on(small_disk: Path):
    path = small_disk / "trace.pcap"
    with capturing("-w", str(path), "--print", f"udp port {PORT}") as (process, left, _):
        for _ in range(20):
            datagrams(left, 100, size=1000)
            time.sleep(0.05)
        datagrams(left, 7, size=23)
        time.sleep(0.5)
        out, errors = ended(process)
    assert process.returncode == 1
    assert len(out.splitlines()) == 2007
    assert out.splitlines()[-1].endswith("UDP, length 23")
    assert "No space left on device" in errors
    assert "the capture goes on in memory" in errors
    whole = nettui("-r", str(path))
    assert whole.returncode == 0, whole.stderr
    assert 500 < len(whole.stdout.splitlines()) < 2007
    assert out.startswith(whole.stdout)


def test_saving_on_a_full_disk_fails_and_what_is_whole_can_be_read(small_disk: Path):
    path, records = small_disk / "saved.pcap", build.records([(1, b"x" * 60_000, 60_000)] * 30)
    with pytest.raises(OSError, match="No space left") as caught:
        saved([(records, None)] * 2, path)
    assert caught.value.errno == errno.ENOSPC
    whole = [batch for batch in batches(str(path)) if isinstance(batch, Batch)]
    assert sum(len(batch.records) for batch in whole) > 10


def test_writing_what_passes_to_a_full_disk_is_one_sentence(small_disk: Path, tmp_path: Path):
    path = tmp_path / "large"
    build.write(path, 1, [(1, build.LARGE["tso"], len(build.LARGE["tso"]))] * 30)
    done = nettui("-r", str(path), "-w", str(small_disk / "other"))
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


# files


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
    assert [each.reason for each in session.gaps] == [said for said in told(path)[1] if "CRC check failed" in said]
    assert session.read.packets == len(build.FRAMES)
    session.close()


# names


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
