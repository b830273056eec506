"""One packet as tshark tells it, line by line the same tree, by a process that can do nothing else."""

from __future__ import annotations

import gzip
import os
import random
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

from nettui.packets import confined, dissect
from nettui.packets.dissect import Dissection, Dissector
from nettui.packets.pdml import NotPdml, parsed
from nettui.packets.tree import Node
from tests.lab import needs_root
from tests.packets import build

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="needs tshark")
TOLD = (
    "tcp: syn", "tcp: sack", "tcp: client hello", "tcp: dns", "tcp6: push with stamps", "udp: dns answer",
    "icmp: need-frag", "icmp6: unreachable", "arp request", "vlan", "qinq", "snap", "vxlan", "geneve", "sctp data",
    "gre with all", "ip options", "first fragment", "hop-by-hop", "padding", "unknown ethertype",
)  # fmt: skip


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy may take its time."""
    monkeypatch.setattr(dissect, "PATIENCE", 60)


# what is said of other packets, where there is only one
LEFT_OUT = re.compile(
    r" +\[?(Time delta from|Time since|Frame Number|Frame is|Stream index|Conversation completeness|Timestamps)"
)


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
        ["tshark", *dissect.ALONE, "-V", "-r", str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    lines = (line for line in said.stdout.splitlines() if line.strip())
    lines = (line.replace("Frame 1:", "Frame:", 1) for line in lines if not LEFT_OUT.match(line))
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
        monkeypatch.setattr(dissect, "tshark", lambda: str(path))
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
        ("kill -KILL $$", "SIGKILL"),
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
    assert time.monotonic() - began < 20
    deadline = time.monotonic() + 20
    while processes_with(marker):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_closing_ends_it_at_once(script: Path):
    written(script, "sleep 60")
    dissector, found = Dissector(), list[Dissection]()
    thread = threading.Thread(target=lambda: found.append(dissector.dissect(FRAME, 1, 0, len(FRAME))))
    thread.start()
    time.sleep(0.3)
    began = time.monotonic()
    dissector.close()
    thread.join(30)
    assert time.monotonic() - began < 20
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
    run._process.wait(60)
    said = dissect.content(run._complaint, 1 << 16).decode()
    run.end()
    status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
    assert set(status["Uid"].split()) == {str(dissect.unprivileged().uid)}
    assert "0" not in status["Uid"].split() + status["Gid"].split()
    assert not status["Groups"].strip()
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"


@pytest.mark.root
@needs_root
def test_it_is_the_caller_of_sudo_without_privileges(script: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "12346")
    written(script, "grep -E '^(Uid|Gid|CapEff)' /proc/self/status | tr '\\t\\n' '  ' >&2; exit 1")
    assert "Uid: 12345 12345 12345 12345 Gid: 12346 12346 12346 12346 CapEff: 0000000000000000" in reason(
        dissected(FRAME)
    )


@pytest.mark.root
@needs_root
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv")
def test_a_user_who_may_capture_hands_that_to_nobody(script: Path):
    shutil.copy(confined.__file__, script)  # nobody may not look into this folder everywhere
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+net_raw"]
    words += ["--ambient-caps=+net_raw", "/usr/bin/python3", "-I", "-S", str(script), "-1", "-1"]
    words += [str(os.getpid()), "5", "1000000", "/bin/cat", "/proc/self/status"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    assert re.search(r"Uid:\s65534\s", said)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert re.search(rf"{name}:\s0+\n", said)


@pytest.mark.root
@needs_root
@pytest.mark.parametrize(("uid", "gid"), [("4294967295", "1"), ("1", "4294967295"), ("99999999999999", "1")])
def test_a_caller_of_sudo_that_cannot_be_is_nobody_whom_it_runs_as(
    script: Path, monkeypatch: pytest.MonkeyPatch, uid: str, gid: str
):
    monkeypatch.setenv("SUDO_UID", uid)
    monkeypatch.setenv("SUDO_GID", gid)
    written(script, "echo it ran >&2; exit 1")
    assert "it ran" not in reason(dissected(FRAME))


def test_nothing_of_this_process_is_told_to_it(script: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/root")
    monkeypatch.setenv("SECRET", "told")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    written(script, "env | sort | tr '\\n' ' ' >&2; ls -C /proc/self/fd >&2; exit 1")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        run = dissect.Run([str(script)], b"")
        with pytest.raises(dissect.Failed):
            run.answer()
        said = dissect.content(run._complaint, 1 << 16).decode()
        run.end()
    finally:
        os.close(read)
        os.close(write)
    assert "HOME=/nonexistent" in said
    assert "TZ=Asia/Kolkata" in said
    assert "SECRET" not in said
    assert said.split()[-4:] == ["0", "1", "2", "3"]  # the last is the folder that is listed


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
        f"dissect.tshark = lambda: {str(script)!r}\n"
        "dissect.PATIENCE = 50\n"
        "dissect.Dissector().dissect(b'abc', 1, 0, 3)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        found = waited_for(process.pid)
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{found}").exists() and b"Z" not in Path(f"/proc/{found}/stat").read_bytes().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def waited_for(parent: int) -> int:
    """The process id of sleep, below a parent."""
    deadline = time.monotonic() + 60
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


def test_no_descriptor_thread_or_process_is_left(script: Path):
    written(script, "echo '<pdml creator=\"wireshark/9.9.0\"><packet></packet></pdml>'")
    dissected(FRAME)
    before = held()
    for _ in range(5):
        assert dissected(FRAME).gap is None
    written(script, "exit 1")
    assert dissected(FRAME).gap is not None
    assert held() == before


def held() -> tuple[int, int, str]:
    """Descriptors, threads and children of this process."""
    own = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), own


def test_a_missing_one_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dissect, "PLACES", "/nonexistent")
    assert "not installed" in reason(dissected(FRAME))


@pytest.mark.parametrize("creator", ["wireshark/1.12.1", "ethereal/0.10", "", "wireshark/9999999999999.1"])
def test_an_old_one_is_told(script: Path, creator: str):
    written(script, f"echo '<pdml creator=\"{creator}\"><packet></packet></pdml>'")
    assert "too old" in reason(dissected(FRAME))


# what PDML says, and what becomes of it


def nodes_of(text: str, packet: bytes = b"0123456789") -> tuple[Node, ...]:
    return parsed(f"<pdml><packet>{text}</packet></pdml>".encode(), packet).tree


def test_positions_beyond_the_packet_are_none():
    assert nodes_of('<proto name="x" showname="X" pos="3" size="90"/>') == (Node("X", 0, 0),)


def test_bytes_that_are_not_those_of_the_packet_have_no_place():
    line = '<field name="a" show="A" pos="0" size="2" value="6162"/>'
    assert nodes_of(f'<proto name="x" showname="X" pos="0" size="2">{line}</proto>') == (
        Node("X", 0, 0, (Node("A", 0, 0),)),
    )


def test_a_line_that_stands_before_the_one_above_it_has_its_own_place():
    line = '<field name="a" show="A" pos="6" size="2" value="3132"/>'  # 1 behind the beginning, and 5
    assert nodes_of(f'<proto name="x" showname="X" pos="5" size="2">{line}</proto>')[0].children == (Node("A", 1, 2),)


def test_hidden_lines_and_the_general_ones_are_left_out():
    hidden = '<field name="a" show="A" hide="yes"><field name="b" show="B"/></field>'
    general = '<proto name="geninfo" showname="G" pos="0" size="1"><field name="num" show="1"/></proto>'
    assert nodes_of(f'{general}<proto name="x" showname="X">{hidden}</proto>') == (Node("X", 0, 0),)


def test_a_field_without_a_protocol_and_one_without_a_line_are_told():
    field = '<field name="data.len" show="3"/><field name="odd"/>'
    assert nodes_of(f'<proto name="fake-field-wrapper">{field}</proto>') == (Node("3", 0, 0), Node("odd", 0, 0))


@pytest.mark.parametrize("octets", [b"a\x00b", b"a\x1b[31mb", b"a\xff\xfeb", b"a\xef\xbf\xbfb", b"a\xc3b"])
def test_bytes_that_xml_forbids_do_no_harm(octets: bytes):
    found = parsed(b'<pdml><packet><field name="a" show="' + octets + b'"/></packet></pdml>', b"").tree
    assert found[0].text.startswith("a")
    assert found[0].text.endswith("b")


@pytest.mark.parametrize(
    "text",
    [
        '<field name="a" show="a">' * 200,
        '<field name="a" show="a"/>' * 60_000,
        '<field name="a" pos="' + "9" * 5000 + '" size="-1"/><',
    ],
)
def test_a_tree_without_end_is_refused(text: str):
    with pytest.raises(NotPdml):
        nodes_of(text)


def test_entities_are_refused():
    with pytest.raises(NotPdml, match="document type"):
        parsed(b'<!DOCTYPE a [<!ENTITY b "bb">]><pdml><packet/></pdml>', b"")


@needs_tshark
def test_what_was_uncompressed_has_no_place_in_the_packet():
    text = b"<html>" + b"hello world " * 3
    body = gzip.compress(text, mtime=0)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    octets = build.over4(6, build.tcp(build.A, build.B, (80, 40000), build.ACK, data=head % len(body) + body))
    found = {node.text: node for node in every(dissected(octets).tree)}
    shown = [node for line, node in found.items() if line.startswith(("Line-based text data", "<html>", "File Data"))]
    assert len(shown) == 3
    assert {(node.start, node.length) for node in shown} == {(0, 0)}
    encoded = next(node for line, node in found.items() if line.startswith("Content-encoded entity body"))
    assert octets[encoded.start : encoded.start + encoded.length] == body


@needs_tshark
@pytest.mark.parametrize("port", [53, 80, 443, 161, 69, 5060, 389])
def test_whatever_the_bytes_there_is_a_tree(port: int):
    data = random.Random(port).randbytes(400)
    for segment in (build.udp(4000, port, data), build.dns(data)):
        octets = build.over4(17, segment)
        found = dissected(octets)
        assert found.gap is None
        assert all(0 <= node.start <= node.start + node.length <= len(octets) for node in every(found.tree))


@needs_tshark
@pytest.mark.parametrize(("time", "length"), [(-1, 0), (2**63 - 1, 2**40), (0, 3)])
def test_odd_times_and_lengths_do_no_harm(time: int, length: int):
    assert Dissector().dissect(FRAME, 1, time, length).gap is None


@pytest.mark.parametrize("link", [-1, 4711, 2**16])
def test_a_link_type_that_is_not_known_is_no_fault_of_ours(link: int):
    assert Dissector().dissect(FRAME, link, 0, 60).tree
