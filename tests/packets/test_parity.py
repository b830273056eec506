"""The same fields of the same packets as tshark, of packets made by hand and of captured ones."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from collectors.table import Table, concatenate
from collectors.wire.packets.capture_file import opened
from collectors.wire.packets.columns import COLUMNS
from collectors.wire.packets.decode import decode
from tests.lab import Namespace, joined_pair, needs_root
from tests.packets import build, chance
from tests.packets.build import Captured
from tests.packets.mixed import traffic, until_written
from tests.packets.peer import contradictions, differences, tshark

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="needs tshark")
NOT_OF_A_FRAME = ("dev", "ifindex", "direction", "cut")
needs_tcpdump = pytest.mark.skipif(not shutil.which("tcpdump"), reason="needs tcpdump")


def read(path: Path) -> Table:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    file = opened(data)
    assert file is not None
    part = file.part(data, file.begin)
    assert (part.error, part.end) == (None, len(data))
    return concatenate(list(decode(part.records)))


def compared(path: Path, names: list[str] | None = None) -> Table:
    """The table of a file, after all that tshark tells of it too was the same."""
    table, fields = read(path), tshark(path)
    assert len(table) == len(fields) > 0
    found = [
        f"{names[number] if names else number + 1} ({theirs['frame.protocols'][0]}): {told}"
        for number, (row, theirs) in enumerate(zip(table.rows(), fields, strict=True))
        for told in differences(row, theirs)
    ]
    assert not found, "\n".join(found)
    return table


def test_frames_of_every_protocol(tmp_path: Path):
    path = tmp_path / "frames"
    build.write(path, 1, [(1, packet, len(packet)) for packet in build.FRAMES.values()])
    compared(path, list(build.FRAMES))


@pytest.mark.parametrize("link", sorted({link for link, _, _ in build.others()}))
def test_packets_of_other_link_layers(tmp_path: Path, link: int):
    path = tmp_path / "packets"
    build.write(path, link, [captured for captured in build.others() if captured[0] == link])
    compared(path)


@pytest.mark.parametrize("seed", range(3))
def test_packets_put_together_by_chance(tmp_path: Path, seed: int):
    path = tmp_path / "packets"
    build.write(path, 1, chance.packets(seed, 2000))
    table = compared(path)
    assert all(table[column.name].present().any() for column in COLUMNS if column.name not in NOT_OF_A_FRAME)


def test_packets_cut_anywhere_tell_nothing_else_than_tshark(tmp_path: Path):
    path, where = tmp_path / "cut", random.Random(5)
    packets = [*build.FRAMES.values(), *(packet for _, packet, _ in chance.packets(5, 3000))]
    build.write(path, 1, [(1, packet[: where.randrange(14, len(packet) + 1)], len(packet)) for packet in packets])
    fields = tshark(path)
    found = [
        told for row, theirs in zip(read(path).rows(), fields, strict=True) for told in contradictions(row, theirs)
    ]
    assert not found, "\n".join(found)


def cut(*names: str, size: int) -> list[Captured]:
    return [(1, build.FRAMES[name][:size], len(build.FRAMES[name])) for name in names]


def test_a_snaplen_leaves_the_lengths_as_they_were(tmp_path: Path):
    path = tmp_path / "cut"
    names = ("tcp: push with stamps", "tcp: client hello", "tcp: tls data")
    build.write(path, 1, cut(*names, size=54 + 12) + cut("udp: some", "icmp: echo", size=42))
    table = compared(path)
    assert table["payload"].cells()[:3] == [33, len(build.client_hello(b"www.example.com")), 21]


def test_what_tso_and_gro_made_is_as_large_as_it_is(tmp_path: Path):
    path = tmp_path / "large"
    build.write(path, 1, [(1, packet[:200], len(packet)) for packet in build.LARGE.values()])
    table = read(path)
    assert table["payload"].cells() == [70000, 33 + 70000, 70004]
    assert table["ip_length"].cells() == [0, 40, 40 + 8 + 8 + 70004]
    assert table["protocol"].cells() == ["TCP", "TCP", "UDP"]


@contextmanager
def recording(inside: Namespace, device: str, path: Path, *options: str) -> Iterator[None]:
    """tcpdump writes what passes ``device``."""
    command = ["ip", "netns", "exec", inside.name, "tcpdump", "-Z", "root", "-U", "-n"]
    command += ["-i", device, "-w", str(path)]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any("listening on" in line for line in process.stderr)
            yield
            until_written(path)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


@needs_root
@needs_tcpdump
@pytest.mark.parametrize(
    ("device", "options"), [("left0", ()), ("left0", ("-s", "128")), ("any", ()), ("any", ("-y", "LINUX_SLL"))]
)
def test_what_tcpdump_recorded(tmp_path: Path, device: str, options: tuple[str, ...]):
    path = tmp_path / "recorded"
    with joined_pair() as (left, right), recording(left, device, path, *options):
        traffic(left, right)
    table = read(path) if "-s" in options else compared(path)
    seen = set(table["protocol"].cells())
    assert {"TCP", "DNS", "UDP", "ICMP", "ICMPv6", "ARP"} <= seen
    assert set(table["vni"].cells()) == {None, 4242}
    assert {"inet", "inet6"} <= set(table["inner_family"].cells())
    assert 4 in table["icmp_code"].cells()


@needs_root
@pytest.mark.skipif(not shutil.which("dumpcap"), reason="needs dumpcap")
def test_what_dumpcap_recorded(tmp_path: Path):
    path = tmp_path / "recorded.pcapng"
    with joined_pair() as (left, right):
        command = ["ip", "netns", "exec", left.name, "dumpcap", "-q", "-i", "left0", "-i", "lo", "-w", str(path)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                assert any("File:" in line for line in process.stderr)
                traffic(left, right)
                until_written(path)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(20)
    table = compared(path)
    assert {"left0", "lo"} >= set(table["dev"].cells()) >= {"left0"}
    assert set(table["vni"].cells()) == {None, 4242}
