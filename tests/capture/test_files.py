"""Files of a capture: readable by tcpdump and tshark at every moment, rotated, compressed, and on a full disk."""

from __future__ import annotations

import gzip
import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from collectors.capture.created import created
from collectors.capture.files import Target, Writer
from collectors.capture.ring import HEADER, Ring
from tests.capture.traffic import (
    PORT,
    datagrams,
    flood,
    needs_tcpdump,
    needs_trafgen,
    needs_tshark,
    recording,
    tcpdump,
    tshark,
    until,
)  # fmt: skip
from tests.lab import joined_pair, needs_root

ROOT = Path(__file__).parents[2]
RECORD = 16 + 142  # bytes of a datagram of 100 bytes in a file


def pcap(ring: Ring, sizes: list[int]) -> None:
    """Packets of these sizes, in segments as they are filled."""
    header = bytes.fromhex("4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000")
    segment = ring.segments()[-1] if ring.segments() else None
    for size in sizes:
        if segment is None or segment.extent.size >= ring.segment_size:
            segment = ring.begin()
            os.write(segment.descriptor, header)
            ring.publish(0, HEADER)
        stamp = (1_700_000_000).to_bytes(4, "little") + bytes(4)
        os.write(segment.descriptor, stamp + size.to_bytes(4, "little") * 2 + bytes(size))
        ring.publish(1, segment.extent.size + 16 + size)


def written(ring: Ring, target: Target) -> Writer:
    """A writer that has written all of a ring that has ended."""
    ring.end()
    writer = Writer(ring, target)
    writer.start()
    assert writer.join(30)
    return writer


def packets(data: bytes) -> list[int]:
    """The sizes of the packets of a pcap file, which must end with a whole one."""
    assert data[:4] == bytes.fromhex("4d3cb2a1")
    at, found = HEADER, []
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little")
        found.append(size)
        at += 16 + size
    assert at == len(data)
    return found


def all_packets(files: Iterable[bytes]) -> list[int]:
    return [size for data in files for size in packets(data)]


SIZES = [60, 1514, 60, 60, 9000, 1, 0, 1514] * 53


def test_one_file_has_every_packet_once_whatever_the_segments(tmp_path: Path):
    ring = Ring(32 << 20)
    pcap(ring, SIZES)
    assert len(ring.segments()) == 1
    small = Ring(1 << 20)
    pcap(small, SIZES)
    assert len(small.segments()) > 8
    for number, filled in enumerate((ring, small)):
        path = tmp_path / f"{number}.pcap"
        writer = written(filled, Target(str(path)))
        assert packets(path.read_bytes()) == SIZES
        assert (writer.packets, writer.skipped, writer.error) == (len(SIZES), 0, None)


@pytest.mark.parametrize("size", [100, 20_000, 100_000])
def test_files_by_size_are_not_larger_and_lose_no_packet(tmp_path: Path, size: int):
    ring = Ring(16 << 20)
    pcap(ring, SIZES)
    writer = written(ring, Target(str(tmp_path / "trace.pcap"), size=size))
    files = sorted(tmp_path.iterdir())
    assert files[0].name == "trace_00001.pcap"
    assert all_packets(file.read_bytes() for file in files) == SIZES
    assert writer.packets == len(SIZES)
    for file in files:
        assert file.stat().st_size <= size or len(packets(file.read_bytes())) == 1


def test_of_several_files_the_newest_are_kept(tmp_path: Path):
    ring = Ring(16 << 20)
    pcap(ring, SIZES)
    written(ring, Target(str(tmp_path / "trace.pcap"), size=20_000, files=3))
    kept = all_packets(file.read_bytes() for file in sorted(tmp_path.iterdir()))
    assert len(list(tmp_path.iterdir())) == 3
    assert kept == SIZES[-len(kept) :]


def test_files_by_time_follow_each_other(tmp_path: Path):
    ring = Ring(16 << 20)
    writer = Writer(ring, Target(str(tmp_path / "trace.pcap"), seconds=0.2))
    writer.start()
    for number in range(3):
        pcap(ring, [60] * 7)
        assert until(lambda most=(number + 1) * 7: writer.packets == most)
        threading.Event().wait(0.25)
    ring.end()
    assert writer.join(5)
    assert [len(packets(file.read_bytes())) for file in sorted(tmp_path.iterdir())] == [7, 7, 7]


@pytest.mark.parametrize("files", [0, 2])
def test_finished_files_are_compressed_and_nothing_else_stays(tmp_path: Path, files: int):
    ring = Ring(16 << 20)
    pcap(ring, SIZES)
    writer = written(ring, Target(str(tmp_path / "trace.pcap"), size=100_000, files=files, compress=True))
    names = sorted(file.name for file in tmp_path.iterdir())
    assert all(name.endswith(".pcap.gz") for name in names)
    assert len(names) == files or not files
    kept = all_packets(gzip.decompress((tmp_path / name).read_bytes()) for name in names)
    assert kept == SIZES[-len(kept) :]
    assert (writer.gaps, kept == SIZES) == ((), not files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_what_a_capture_that_was_killed_left_of_a_compressed_file_is_not_followed(tmp_path: Path):
    other = tmp_path / "other"
    other.write_bytes(b"of someone else")
    (tmp_path / "trace.pcap.gz.part").symlink_to(other)
    ring = Ring(16 << 20)
    pcap(ring, SIZES)
    written(ring, Target(str(tmp_path / "trace.pcap"), compress=True))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["other", "trace.pcap.gz"]
    assert other.read_bytes() == b"of someone else"
    assert packets(gzip.decompress((tmp_path / "trace.pcap.gz").read_bytes())) == SIZES


def test_a_capture_of_no_packets_is_a_file_all_the_same(tmp_path: Path):
    ring = Ring(1 << 20)
    pcap(ring, [])
    segment = ring.begin()
    os.write(segment.descriptor, bytes.fromhex("4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000"))
    ring.publish(0, HEADER)
    written(ring, Target(str(tmp_path / "empty.pcap")))
    assert packets((tmp_path / "empty.pcap").read_bytes()) == []


def test_packets_that_left_the_ring_before_they_were_written_are_counted(tmp_path: Path):
    ring = Ring(1 << 20)
    pcap(ring, [9000] * 1009)
    writer = written(ring, Target(str(tmp_path / "late.pcap")))
    assert writer.skipped == ring.dropped.packets > 0
    assert writer.packets + writer.skipped == 1009
    assert len(packets((tmp_path / "late.pcap").read_bytes())) == writer.packets


def test_a_new_file_is_its_owners_alone_and_one_that_is_there_keeps_its_mode(tmp_path: Path):
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_text("before")
    old.chmod(0o640)
    for path in (new, old):
        os.close(created(path))
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert (stat.S_IMODE(old.stat().st_mode), old.read_text()) == (0o640, "")


@pytest.mark.root
@needs_root
def test_under_sudo_a_file_in_a_folder_of_the_user_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUDO_UID", "65534")
    monkeypatch.setenv("SUDO_GID", "65534")
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    ours.mkdir()
    for folder in (theirs, ours):
        os.close(created(folder / "trace"))
    assert (theirs / "trace").stat().st_uid == 65534
    assert (ours / "trace").stat().st_uid == 0


def test_a_folder_that_is_not_there_is_told_before_the_capture_begins(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        Writer(Ring(1 << 20), Target(str(tmp_path / "nowhere" / "trace.pcap")))


def full(writer: Writer, ring: Ring, file: Path) -> list[int]:
    """Packets until the writer gives up: it says why, and the file ends with a whole packet."""
    writer.start()
    for _ in range(40):
        pcap(ring, [60, 1514, 9000, 61] * 10)
        threading.Event().wait(0.01)
    ring.end()
    assert writer.join(10)
    assert writer.error is not None
    assert writer.error.remedy.startswith(f"the {writer.packets:,} packets before that are in it")
    assert "the capture goes on in memory" in writer.error.remedy
    kept = packets(file.read_bytes())
    assert len(kept) == writer.packets > 0
    assert ring.held().packets == 1600
    return kept


def test_a_full_disk_is_told_and_what_is_whole_is_kept(small_disk: Path):
    ring, path = Ring(16 << 20), small_disk / "trace.pcap"
    writer = Writer(ring, Target(str(path)))
    kept = full(writer, ring, path)
    assert writer.error
    assert "No space left on device" in writer.error.reason
    assert sum(kept) > 900_000


def test_a_limit_on_the_size_of_files_is_told_like_a_full_disk(tmp_path: Path):
    ring, path = Ring(16 << 20), tmp_path / "trace.pcap"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, before[1]))
    try:
        kept = full(Writer(ring, Target(str(path))), ring, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sum(kept) + 16 * len(kept) + HEADER <= 1_500_000


def test_a_reader_of_standard_output_that_leaves_ends_the_writing(monkeypatch: pytest.MonkeyPatch):
    reading, writing = os.pipe()
    monkeypatch.setattr(os, "dup", lambda _: writing)
    ring = Ring(1 << 20)
    writer = Writer(ring, Target("-"))
    monkeypatch.undo()
    writer.start()
    pcap(ring, [60])
    assert until(lambda: writer.packets == 1)
    assert packets(os.read(reading, 65536)) == [60]
    os.close(reading)
    pcap(ring, [60])
    assert writer.join(5)
    assert writer.error is not None
    assert "Broken pipe" in writer.error.reason


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A live capture of 1009 datagrams, written beside the ring."""
    path = tmp_path / "live.pcap"
    with joined_pair() as (left, right):
        ring = Ring(16 << 20)
        writer = Writer(ring, Target(str(path)))
        writer.start()
        with recording(right, ring=ring):
            datagrams(left, 1009)
        assert writer.join(10)
        assert (writer.packets, writer.error) == (1009, None)
        yield path, 1009


@pytest.mark.root
@needs_root
@needs_tcpdump
@needs_tshark
def test_tcpdump_and_tshark_read_what_was_written(recorded: tuple[Path, int]):
    path, count = recorded
    assert path.stat().st_size == HEADER + count * RECORD
    assert tcpdump(path) == tshark(path) == count


@pytest.mark.root
@needs_root
@needs_tcpdump
@needs_trafgen
def test_the_file_is_whole_at_every_moment_of_a_capture_at_full_rate(tmp_path: Path):
    path = tmp_path / "live.pcap"
    with joined_pair() as (left, right):
        ring = Ring(16 << 20)
        writer = Writer(ring, Target(str(path)))
        writer.start()
        with recording(right, ring=ring, snaplen=128) as recorder:
            datagrams(left, 3)
            assert until(lambda: path.stat().st_size == HEADER + 3 * (16 + 128), 1.5)  # within about a second
            sender = threading.Thread(target=flood, args=(left, 300_007, tmp_path))
            sender.start()
            seen = [tcpdump(path) for _ in range(3)]
            sender.join()
        assert writer.join(20)
        assert seen == sorted(seen)
        assert recorder.counts.captured + recorder.counts.kernel_drops == 300_010
        assert recorder.counts.kernel_drops == 0
        assert writer.packets + writer.skipped == 300_010
        assert tcpdump(path) == writer.packets


@pytest.mark.root
@needs_root
@needs_tcpdump
def test_a_frozen_ring_written_to_a_file_is_what_was_there(tmp_path: Path):
    with joined_pair() as (left, right), recording(right) as recorder:
        datagrams(left, 211)
        assert until(lambda: recorder.counts.captured == 211)
        frozen = recorder.ring.freeze()
        datagrams(left, 10)
        parts = list(frozen.parts())
        path = tmp_path / "frozen.pcap"
        path.write_bytes(b"".join([parts[0].tobytes(), *(part[HEADER:].tobytes() for part in parts[1:])]))
        assert tcpdump(path) == 211


COMMAND = f"""
import sys
from collectors.capture.device import opened
from collectors.capture.files import Target, Writer
from collectors.capture.recorder import Recorder
from collectors.capture.ring import Ring
from collectors.host import Host
ring = Ring(1 << 20)
writer = Writer(ring, Target("-"))
recorder = Recorder(opened(Host(sys.argv[1]), "right0", "udp port {PORT}"), ring, 23)
writer.start()
recorder.start()
print("ready", file=sys.stderr, flush=True)
recorder.join(20)
writer.join(20)
"""


@pytest.mark.root
@needs_root
@needs_tcpdump
def test_standard_output_goes_into_tcpdump():
    with joined_pair() as (left, right):
        command = [sys.executable, "-c", COMMAND, right.name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as capture:
            assert capture.stderr
            assert capture.stderr.readline() == b"ready\n"
            datagrams(left, 30)
            done = subprocess.run(
                ["tcpdump", "-n", "-Z", "root", "-r", "-"], stdin=capture.stdout, capture_output=True, timeout=30,
                check=True,
            )  # fmt: skip
        assert len(done.stdout.splitlines()) == 23
