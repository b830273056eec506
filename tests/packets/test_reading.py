"""Capture files in batches: from a disk, compressed, from a pipe as they grow, cut off, corrupt, empty."""

from __future__ import annotations

import gzip
import os
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.table import Gap
from collectors.wire.netlink import DecodeError
from nettui.packets import reading
from nettui.packets.original import Original
from nettui.packets.reading import Batch, Found, batches, standing, streamed
from tests.loss import frames

HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def packet(port: int) -> bytes:
    inside = frames.udp("10.9.0.1", "10.9.0.2", port, b"x" * (port % 7))
    frame = frames.ethernet(bytes(6), bytes(6), frames.IPV4, frames.ipv4("10.9.0.1", "10.9.0.2", frames.UDP, inside))
    return struct.pack("<IIII", 1_700_000_000, port, len(frame), len(frame)) + frame


def capture(count: int) -> bytes:
    return HEAD + b"".join(map(packet, range(1, count + 1)))


def ports(path: str | Path) -> tuple[list[int], list[str]]:
    """Destination ports of the packets, and what the gaps say."""
    found: list[int] = []
    said = []
    for item in batches(str(path)):
        if isinstance(item, Gap):
            said.append(item.reason)
            continue
        assert item.table["number"].cells() == list(range(len(found) + 1, len(found) + 1 + len(item.table)))
        found += item.table.numbers("dport").numbers.tolist()
    return found, said


def test_a_file_is_read_batch_by_batch_and_window_by_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "AT_ONCE", 7)
    monkeypatch.setattr(reading, "WINDOW", 100)
    path = tmp_path / "file"
    path.write_bytes(capture(101))
    assert ports(path) == (list(range(1, 102)), [])
    assert max(len(batch.table) for batch in batches(str(path)) if isinstance(batch, Batch)) <= 7


def test_a_packet_larger_than_the_window_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "WINDOW", 8)
    path = tmp_path / "file"
    path.write_bytes(capture(3))
    assert ports(path) == ([1, 2, 3], [])


def test_a_compressed_file_is_read(tmp_path: Path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(capture(50)))
    assert ports(path) == (list(range(1, 51)), [])


def test_a_compressed_file_that_is_cut_off_gives_what_is_whole(tmp_path: Path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(capture(5000), 0)[:-3000])
    found, said = ports(path)
    assert found == list(range(1, len(found) + 1))
    assert 4000 < len(found) < 5000
    assert ["the last packet is cut off" in text for text in said] == [True]


def plain() -> Callable[[bytes], bytes]:
    return lambda octets: octets


def members() -> Callable[[bytes], bytes]:
    return gzip.compress


def packed() -> Callable[[bytes], bytes]:
    """What goes through a gzip that holds nothing back."""
    packer = zlib.compressobj(wbits=31)
    return lambda octets: packer.compress(octets) + packer.flush(zlib.Z_SYNC_FLUSH if octets else zlib.Z_FINISH)


@pytest.mark.parametrize("form", [plain, packed, members])
@pytest.mark.parametrize("named", [True, False])
def test_packets_of_a_pipe_are_there_as_soon_as_they_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Callable[[], Callable[[bytes], bytes]], named: bool
):
    path, through = tmp_path / "pipe", form()
    os.mkfifo(path)
    seen = threading.Event()

    def write() -> None:
        with path.open("wb", buffering=0) as out:
            data = capture(2)
            first = through(data[:30])
            out.write(first[:1])
            out.write(first[1:])
            out.write(through(data[30:]))
            assert seen.wait(10), "the first packets were not told while the pipe was open"
            third = packet(3)
            out.write(through(third[:20]))
            out.write(through(third[20:]))
            out.write(through(b""))

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    if not named:
        monkeypatch.setattr(sys, "stdin", path.open())
    found: list[int] = []
    for item in batches(str(path) if named else "-"):
        assert isinstance(item, Batch)
        found += item.table.numbers("dport").numbers.tolist()
        if len(found) == 2:
            seen.set()
    thread.join(10)
    assert found == [1, 2, 3]


@pytest.mark.parametrize("form", [plain, members])
def test_a_file_may_be_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Callable[[], Callable[[bytes], bytes]]
):
    path = tmp_path / "file"
    path.write_bytes(form()(capture(5)))
    monkeypatch.setattr(sys, "stdin", path.open())
    assert ports("-") == ([1, 2, 3, 4, 5], [])


@pytest.mark.parametrize("left", [0, 10, 24, 300, 1000])
@pytest.mark.parametrize("expression", ["", "udp"])
def test_a_file_that_becomes_shorter_while_it_is_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int, expression: str
):
    monkeypatch.setattr(reading, "WINDOW", 200)
    path = tmp_path / "file"
    path.write_bytes(capture(101))
    found: list[int] = []
    said = []
    for item in batches(str(path), expression):
        if isinstance(item, Gap):
            said.append(item.reason)
            continue
        found += item.table.numbers("dport").numbers.tolist()
        os.truncate(path, left)
    assert found == list(range(1, len(found) + 1))
    assert 0 < len(found) <= max(3, left // 58)
    assert said == ["the file became shorter while it was read"]


@pytest.mark.parametrize("left", [0, 10, 30])
def test_a_file_that_was_emptied_before_it_is_read_says_so(tmp_path: Path, left: int):
    path = tmp_path / "file"
    path.write_bytes(capture(9))
    with path.open("rb") as file:
        original = Original(file)
    os.truncate(path, left)
    assert list(standing(original)) == [reading.SHORTER]


def test_a_packet_that_says_to_be_without_end_is_not_waited_for(tmp_path: Path):
    path = tmp_path / "file.gz"
    huge = struct.pack("<IIII", 1, 0, 0xC0000000, 0xC0000000) + bytes(1 << 20)
    for snaplen in (65535, 0xFFFFFFFF):
        path.write_bytes(gzip.compress(HEAD[:16] + struct.pack("<II", snaplen, 1) + packet(1) + huge, 1))
        assert ports(path) == ([1], [f"malformed at byte {24 + len(packet(1))}: a packet of 3,221,225,472 bytes"])


def test_a_large_packet_in_small_pieces_is_put_together_once():
    large = struct.pack("<IIII", 1, 0, 12 << 20, 12 << 20) + bytes(12 << 20)
    data = HEAD[:16] + struct.pack("<II", 16 << 20, 1) + large
    began = time.process_time()
    (found,) = streamed(data[at : at + 4096] for at in range(0, len(data), 4096))
    assert isinstance(found, Found)
    assert found.records.captured.tolist() == [12 << 20]
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("through_pipe", [False, True])
def test_a_file_that_is_cut_off_says_so_behind_what_is_whole(tmp_path: Path, through_pipe: bool):
    data, path = capture(9)[:-5], tmp_path / "file"
    if through_pipe:
        os.mkfifo(path)
        threading.Thread(target=path.write_bytes, args=(data,), daemon=True).start()
    else:
        path.write_bytes(data)
    found, said = ports(path)
    assert found == list(range(1, 9))
    assert said == [f"the last packet is cut off: {len(packet(9)) - 5} bytes of it are there"]


def test_a_corrupt_file_says_where_behind_what_is_whole(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(capture(4) + b"\xff" * 40)
    found, said = ports(path)
    assert found == [1, 2, 3, 4]
    assert said == [f"malformed at byte {len(capture(4))}: a packet of 4,294,967,295 bytes"]


def test_what_is_empty_or_no_capture_is_told(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert ports(path) == ([], ["an empty file: not even the header of a capture is there"])
    path.write_bytes(HEAD[:10])
    assert ports(path) == ([], ["the last packet is cut off: 10 bytes of it are there"])
    path.write_bytes(HEAD)
    assert ports(path) == ([], [])
    path.write_bytes(b"just some text\n")
    with pytest.raises(DecodeError):
        ports(path)
    with pytest.raises(IsADirectoryError):
        ports(tmp_path)
