"""One packet as tshark tells it, line by line the same tree, by a process that can do nothing else."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nettui.packets import dissect
from nettui.packets.dissect import Dissection, Dissector, Tool
from nettui.packets.pdml import NotPdml, parsed
from nettui.packets.tree import Node
from tests.lab import needs_root
from tests.packets import build

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="needs tshark")
TOLD = (
    "tcp: syn", "tcp: client hello", "tcp6: push with stamps", "udp: dns answer", "icmp: need-frag",
    "icmp6: unreachable", "arp request", "qinq", "vxlan", "sctp data", "gre with all", "first fragment",
    "hop-by-hop", "unknown ethertype",
)  # fmt: skip


def dissected(octets: bytes, link: int = 1) -> Dissection:
    return Dissector().dissect(octets, link, 1_700_000_000_123_456_789, len(octets))


def told(nodes: tuple[Node, ...], depth: int = 0) -> Iterator[str]:
    """As `tshark -V` writes a tree."""
    for node in nodes:
        yield "    " * depth + node.text
        yield from told(node.children, depth + 1)


def every(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from every(node.children)


def verbose(octets: bytes, link: int, path: Path) -> list[str]:
    path.write_bytes(dissect.one_packet(octets, link, 1_700_000_000_123_456_789, len(octets)))
    said = subprocess.run(
        ["tshark", "-n", "-V", "-r", str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    lines = (line for line in said.stdout.splitlines() if line.strip())
    return [plain(line) for line in lines if not re.match("[0-9a-f]{4}  ", line)]  # the bytes of data


def plain(line: str) -> str:
    """Without the brackets around what is not in the packet, which PDML leaves out."""
    text = line.strip()
    text = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return line[: len(line) - len(line.lstrip())] + text


@needs_tshark
@pytest.mark.parametrize("name", TOLD)
def test_the_tree_is_that_of_tshark(name: str, tmp_path: Path):
    octets = build.FRAMES[name]
    found = dissected(octets)
    assert found.gap is None
    assert found.by.startswith("tshark ")
    assert [plain(line) for line in told(found.tree)] == verbose(octets, 1, tmp_path / "one.pcap")
    assert all(node.start + node.length <= len(octets) for node in every(found.tree))


@needs_tshark
@pytest.mark.parametrize("link", sorted({link for link, _, _ in build.others()}))
def test_other_link_layers_too(link: int, tmp_path: Path):
    octets = next(packet for kind, packet, _ in build.others() if kind == link)
    assert [plain(line) for line in told(dissected(octets, link).tree)] == verbose(octets, link, tmp_path / "one.pcap")


@needs_tshark
def test_the_bytes_of_a_line_are_those_of_its_field():
    octets = build.FRAMES["udp: some"]
    nodes = {node.text: node for node in every(dissected(octets).tree)}
    source = nodes[f"Source Address: {build.A}"]
    assert octets[source.start : source.start + source.length] == bytes([10, 9, 0, 1])
    port = nodes["Destination Port: 9"]
    assert octets[port.start : port.start + port.length] == b"\0\x09"


@needs_tshark
def test_a_packet_that_was_cut_says_so():
    octets = build.FRAMES["tcp: client hello"][:60]
    found = Dissector().dissect(octets, 1, 0, 200)
    assert "200 bytes on wire (1600 bits), 60 bytes captured" in found.tree[0].text


# what becomes of a tshark that does something else


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A program in the place of tshark, that anybody may run."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "tshark"
        monkeypatch.setattr(dissect, "tshark", lambda: Tool(str(path), "9.9"))
        yield path


def written(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def reason(found: Dissection) -> str:
    assert found.by == "nettui"
    assert found.tree
    assert found.gap is not None
    return found.gap.reason


FRAME = build.FRAMES["udp: some"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("echo nothing to see; exit 3", "it ended with 3"),
        ("echo 'cannot do that' >&2; exit 1", "cannot do that"),
        ("kill -SEGV $$", "SIGSEGV"),
        ("echo '<pdml><packet>'", "cannot be read"),
        ("echo not xml", "cannot be read"),
        ("echo '<pdml></pdml>'", "no packet"),
        ("exec cat /dev/zero", "more than 16 MiB"),
    ],
)  # fmt: skip
def test_another_answer_is_told_and_the_headers_are_ours(script: Path, text: str, why: str):
    written(script, text)
    assert why in reason(dissected(FRAME))


def test_one_that_hangs_is_ended_with_its_children(script: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dissect, "PATIENCE", 0.5)
    marker = f"/nonexistent/{os.getpid()}-{time.monotonic_ns()}"
    written(script, f"sh -c 'sleep 60; : {marker}' & sleep 60")
    began = time.monotonic()
    assert "longer than" in reason(dissected(FRAME))
    assert time.monotonic() - began < 3
    time.sleep(0.2)
    assert not processes_with(marker)


def test_closing_ends_it_at_once(script: Path):
    written(script, "sleep 60")
    dissector, found = Dissector(), list[Dissection]()
    thread = threading.Thread(target=lambda: found.append(dissector.dissect(FRAME, 1, 0, len(FRAME))))
    thread.start()
    time.sleep(0.3)
    began = time.monotonic()
    dissector.close()
    thread.join(5)
    assert time.monotonic() - began < 1
    assert "SIGKILL" in reason(found[0])
    assert "ended" in reason(dissector.dissect(FRAME, 1, 0, len(FRAME)))


def test_one_that_cannot_be_run_is_told(script: Path):
    script.write_text("nothing")
    script.chmod(0o644)
    assert reason(dissected(FRAME))


@pytest.mark.root
@needs_root
def test_it_is_nobody_without_privileges(script: Path):
    written(script, "cat /proc/self/status >&2; id -G >&2; ulimit -a >&2; echo; exit 1")
    run = dissect.Run([str(script)], b"")
    run._process.wait(10)
    said = dissect.content(run._complaint, 1 << 16).decode()
    run.end()
    status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
    assert set(status["Uid"].split()) == {str(dissect.unprivileged().uid)}
    assert "0" not in status["Uid"].split() + status["Gid"].split()
    assert not status["Groups"].strip()
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"


@pytest.mark.root
@needs_root
def test_it_is_the_caller_of_sudo_where_there_is_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "12346")
    assert dissect.unprivileged() == (12345, 12346)
    monkeypatch.setenv("SUDO_UID", "0")
    assert dissect.unprivileged().uid > 0


def test_it_ends_with_the_program_that_asked(script: Path):
    marker = f"/nonexistent/{os.getpid()}-{time.monotonic_ns()}"
    written(script, f"exec sleep 60 # {marker}")
    code = (
        "from nettui.packets import dissect\n"
        f"dissect.tshark = lambda: dissect.Tool({str(script)!r}, '1')\n"
        "dissect.PATIENCE = 50\n"
        "dissect.Dissector().dissect(b'abc', 1, 0, 3)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        found = waited_for(process.pid)
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{found}").exists() and b"Z" not in Path(f"/proc/{found}/stat").read_bytes().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def waited_for(parent: int) -> int:
    """The process id of sleep, below a parent."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "sleep":
                return int(child)
        time.sleep(0.05)
    raise AssertionError("it did not begin")


def processes_with(words: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_no_descriptor_is_left_open(script: Path):
    written(script, "echo '<pdml><packet></packet></pdml>'")
    dissected(FRAME)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        assert dissected(FRAME).gap is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_missing_and_old_ones_are_told(monkeypatch: pytest.MonkeyPatch):
    dissect.tshark.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda name, path="": None)
    assert "not installed" in reason(dissected(FRAME))
    monkeypatch.setattr(shutil, "which", lambda name, path="": "/bin/echo")
    monkeypatch.setattr(dissect.Run, "answer", lambda self: b"TShark (Wireshark) 1.12.1")
    assert "too old" in reason(dissected(FRAME))
    dissect.tshark.cache_clear()


def test_positions_beyond_the_packet_are_none():
    text = b'<pdml><packet><proto name="x" showname="X" pos="3" size="90"/></packet></pdml>'
    assert parsed(text, 10) == (Node("X", 0, 0),)


def test_a_tree_without_end_is_refused():
    with pytest.raises(NotPdml):
        parsed(b"<pdml><packet>" + b'<field name="a" show="a">' * 200, 10)
