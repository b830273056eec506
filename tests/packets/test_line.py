"""Lines beside `tcpdump -nS`: a ping and its answer; TCP with options and data; DNS without a question."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.wire.packets.decode import decoded
from nettui.packets.line import NANO, clock, ends, ends_each, lines
from nettui.packets.reading import Batch, batches
from tests.loss import frames
from tests.packets import build

ONE, TWO = "10.9.0.1", "10.9.0.2"
HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def packet(protocol: int, payload: bytes) -> bytes:
    frame = frames.ethernet(bytes(6), bytes(6), frames.IPV4, frames.ipv4(ONE, TWO, protocol, payload))
    return struct.pack("<IIII", 1_700_000_000, 5, len(frame), len(frame)) + frame


def told(path: Path, *packets: bytes) -> list[str]:
    path.write_bytes(HEAD + b"".join(packets))
    return [line for batch in batches(str(path)) if isinstance(batch, Batch) for line in lines(batch.table)]


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="tcpdump is not installed")
def test_lines_are_those_of_tcpdump(tmp_path: Path):
    path = tmp_path / "file"
    ours = told(
        path,
        packet(frames.ICMP, frames.icmp(8, 0, b"\0\1\0\2" + bytes(48))),
        packet(frames.ICMP, frames.icmp(0, 0, b"\0\1\0\2" + bytes(48))),
        packet(frames.TCP, frames.tcp(ONE, TWO, (4000, 5000), frames.SYN, options=struct.pack("!BBH", 2, 4, 1460))),
        packet(frames.TCP, frames.tcp(ONE, TWO, (4000, 5000), frames.ACK | frames.PSH, ack=3, data=b"x" * 23)),
        packet(frames.UDP, frames.udp(ONE, TWO, 30009, b"y" * 5)),
    )
    done = subprocess.run(["tcpdump", "-nSr", path], capture_output=True, text=True, check=True)
    assert ours == done.stdout.splitlines()


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="tcpdump is not installed")
def test_lines_of_arp_and_dns_questions_are_those_of_tcpdump(tmp_path: Path):
    path = tmp_path / "file"
    asked = build.name(b"www", b"test")
    found = [build.ethernet(0x0806, resolution(operation)) for operation in (1, 2, 3, 4, 8, 9)]
    found += [build.ethernet(0x8035, resolution(operation)) for operation in (3, 4)]
    found += [build.ethernet(build.ARP, build.arp(1))]  # whose target is not known
    found += [
        build.over4(17, build.udp(40000, 53, build.dns(asked, flags=flags))) for flags in (0, 0x100, 0x10, 0x110, 0x120)
    ]
    captured = [(1, frame, len(frame)) for frame in found]
    captured += [(1, build.ethernet(build.ARP, build.arp(2))[:size], 42) for size in (41, 30, 24, 18)]
    build.write(path, 1, captured)
    ours = [line for batch in batches(str(path)) if isinstance(batch, Batch) for line in lines(batch.table)]
    done = subprocess.run(["tcpdump", "-nSr", path], capture_output=True, text=True, check=True)
    theirs = [line.replace("  [|arp]", " [|arp]") for line in done.stdout.splitlines()]
    assert ours == theirs


def resolution(operation: int) -> bytes:
    """ARP whose hardware addresses are not the frame's."""
    ends = bytes.fromhex("0a0b0c0d0e0f 0a090001 020304050607 0a090002")
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + ends


def test_an_answer_tells_what_its_flags_say(tmp_path: Path):
    path, asked = tmp_path / "file", build.name(b"www", b"test")
    frames = [build.over4(17, build.udp(53, 9, build.dns(asked, flags=flags))) for flags in (0x8183, 0x86A0, 0x8000)]
    build.write(path, 1, [(1, frame, len(frame)) for frame in frames])
    found = [line for batch in batches(str(path)) if isinstance(batch, Batch) for line in lines(batch.table)]
    assert [line.split(": ")[1].split("/")[0] for line in found] == ["48879 NXDOMAIN 0", "48879*|$ 0", "48879- 0"]


def test_addresses_of_other_networks_are_not_told(tmp_path: Path):
    path = tmp_path / "file"
    frame = build.ethernet(build.ARP, struct.pack("!HHBBH", 32, 0x0800, 20, 4, 1) + bytes(48))
    build.write(path, 1, [(1, frame, len(frame))])
    (line,) = (line for batch in batches(str(path)) if isinstance(batch, Batch) for line in lines(batch.table))
    assert line.endswith("ARP, operation 1 on other addresses than IPv4's, length 56")


def test_a_dns_message_without_a_question_names_none(tmp_path: Path):
    (line,) = told(
        tmp_path / "file", packet(frames.UDP, frames.udp(ONE, TWO, 53, struct.pack("!6H", 7, 0, 0, 0, 0, 0)))
    )
    assert "None" not in line
    assert line.endswith(" 7 (12)")


def test_words_that_are_made_once_for_a_flow_are_those_of_each_packet():
    table = decoded(build.records(build.everything() * 2))
    assert ends(table) == ends_each(table)
    assert ends(table.take(np.arange(0))) == []


@given(st.lists(st.integers(-(2**60), 2**62), max_size=20))
def test_stamps_are_the_local_time_of_day(stamps: list[int]):
    told = [(time.strftime("%H:%M:%S", time.localtime(at // NANO)), at % NANO // 1000) for at in stamps]
    assert clock(np.array(stamps, np.int64)) == [f"{second}.{micro:06d}" for second, micro in told]
