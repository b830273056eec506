"""Bytes that came again and bytes that were passed over: beside a loop over packets, and beside tshark."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettui.packets.flows import Flows
from nettui.packets.reading import Batch, batches
from nettui.packets.sequence import WINDOW, Segments, Sequences
from tests.capture.traffic import needs_tcpdump, needs_tshark
from tests.lab import Namespace, joined_pair, needs_root

Packet = tuple[int, int, int, str]  # direction, sequence number, bytes, flags
WAYS = 3
LOSING = "table ip t { chain c { type filter hook input priority 0; tcp dport 8080 numgen inc mod 20 == 7 drop\n}\n}\n"
EXPERT = ("retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order", "lost_segment")


def segments(packets: list[Packet]) -> Segments:
    way, seq, size, flags = zip(*packets, strict=True) if packets else ((), (), (), ())
    marks = (np.array([letter in each for each in flags], np.bool_) for letter in "SFRM")
    return Segments(np.array(way, np.intp), np.array(seq, np.uint32), np.array(size, np.int64), *marks)


def judged(packets: list[Packet], *cuts: int) -> list[tuple[bool, int]]:
    """In batches that end at ``cuts``."""
    sequences, found = Sequences(WAYS), []
    ends = sorted({0, *(cut % (len(packets) + 1) for cut in cuts), len(packets)})
    for start, stop in pairwise(ends):
        again, missing = sequences.judge(segments(packets[start:stop]))
        found += list(zip(again.tolist(), missing.tolist(), strict=True))
    return found


def plainly(packets: list[Packet]) -> list[tuple[bool, int]]:
    expected: dict[int, int] = {}
    began: dict[int, int] = {}
    found = []
    for way, seq, size, flags in packets:
        if "S" in flags and began.get(way) != seq:
            expected[way] = seq
        if "S" in flags:
            began[way] = seq
        ahead = (seq - expected.setdefault(way, seq) + (1 << 31)) % (1 << 32) - (1 << 31)
        length = size + ("S" in flags) + ("F" in flags)
        if "R" in flags:
            found.append((False, 0))
            if "M" in flags:
                del expected[way]
            continue
        alive = size <= 1 and ahead == -1 and "S" not in flags and "F" not in flags
        found.append((length > 0 and ahead < 0 and not alive, ahead if 0 < ahead <= WINDOW else 0))
        if ahead + length > 0:
            expected[way] = (seq + length) % (1 << 32)
        if "M" in flags:
            del expected[way]
    return found


packets = st.lists(
    st.tuples(
        st.integers(0, WAYS - 1),
        st.integers(0, 60),
        st.integers(0, 30),
        st.sampled_from(["", "", "", "S", "F", "R", "SF", "M", "RM"]),
    ),
    max_size=40,
)


@given(packets, st.sampled_from([0, (1 << 31) - 20, (1 << 32) - 20]), st.lists(st.integers(0, 50), max_size=4))
def test_columns_say_what_a_loop_says_however_packets_are_cut_into_batches(
    found: list[Packet], base: int, cuts: list[int]
):
    found = [(way, (base + seq) % (1 << 32), size, flags) for way, seq, size, flags in found]
    assert judged(found, *cuts) == plainly(found)


def test_bytes_sent_again_bytes_that_came_late_and_gaps_are_told():
    talk = [
        (0, 99, 0, "S"),
        (0, 100, 10, ""),
        (0, 120, 10, ""),
        (0, 110, 10, ""),
        (0, 120, 10, ""),
        (0, 130, 0, "F"),
        (0, 130, 0, "F"),
    ]
    assert judged(talk) == [(False, 0), (False, 0), (False, 10), (True, 0), (True, 0), (False, 0), (True, 0)]


def test_keep_alives_a_new_connection_and_resets_are_neither():
    talk = [
        (0, 10, 5, ""),
        (0, 14, 1, ""),
        (0, 14, 0, ""),
        (0, 9000, 0, "S"),
        (0, 9001, 7, ""),
        (0, 1, 0, "R"),
        (0, 9008, 1, ""),
    ]
    assert judged(talk) == [(False, 0)] * len(talk)


def test_numbers_go_round():
    talk = [(0, (1 << 32) - 5, 10, ""), (0, 5, 10, ""), (0, (1 << 32) - 5, 10, ""), (0, 25, 1, "")]
    assert judged(talk, 2) == [(False, 0), (False, 0), (True, 0), (False, 10)]


@contextmanager
def echo(server: Namespace, port: int) -> Iterator[None]:
    """Sends back the first byte of what it gets."""
    with server.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as listening:
        listening.bind(("10.9.0.2", port))
        listening.listen(8)

        def serve() -> None:
            for _ in range(4):
                with listening.accept()[0] as other, suppress(OSError):
                    while data := other.recv(1 << 16):
                        other.sendall(data[:1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(20)


def settled(path: Path) -> None:
    """Wait until packets are in the file and no more come."""
    size, deadline = 0, time.monotonic() + 10
    while (size < 1000 or size != path.stat().st_size) and time.monotonic() < deadline:
        size = path.stat().st_size
        time.sleep(0.5)


def lossy(path: Path) -> None:
    """Four connections to a server whose kernel drops every twentieth packet behind the capture."""
    with joined_pair() as (client, server):
        subprocess.run(["ip", "netns", "exec", server.name, "nft", "-f", "-"], input=LOSING, text=True, check=True)
        words = [
            "ip",
            "netns",
            "exec",
            server.name,
            "tcpdump",
            "-n",
            "-U",
            "--immediate-mode",
            "-Z",
            "root",
            "-i",
            "right0",
            "-s",
            "100",
        ]
        with subprocess.Popen([*words, "-w", str(path), "tcp"], stderr=subprocess.PIPE) as recorder, echo(server, 8080):
            assert recorder.stderr
            assert b"listening" in recorder.stderr.readline()
            for size in (100, 3000, 40_000, 200_000):
                with client.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as sock:
                    sock.settimeout(10)
                    sock.connect(("10.9.0.2", 8080))
                    for _ in range(30):
                        sock.sendall(bytes(size))
                        sock.recv(1 << 16)
            settled(path)
            recorder.terminate()


def expert(path: Path) -> list[tuple[bool, bool]]:
    """tshark's word on each packet: sent again or late; a gap before it."""
    words = [word for name in EXPERT for word in ("-e", f"tcp.analysis.{name}")]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [(any(row[:4]), bool(row[4])) for row in rows]


def ours(path: Path) -> list[tuple[bool, bool]]:
    sequences, ways, found = Sequences(1000), dict[object, int](), []
    for batch in batches(str(path)):
        assert isinstance(batch, Batch)
        rows = list(batch.table.rows())
        talk = [
            (
                ways.setdefault((row["src"], row["sport"], row["dst"], row["dport"]), len(ways)),
                row["seq"], row.get("payload") or 0, row["flags"],
            )
            for row in rows
        ]  # fmt: skip
        again, missing = sequences.judge(segments(talk))
        found += list(zip(again.tolist(), (missing > 0).tolist(), strict=True))
    return found


@pytest.mark.root
@needs_root
@needs_tcpdump
@needs_tshark
def test_a_lossy_connection_is_judged_as_tshark_judges_it(tmp_path: Path):
    path = tmp_path / "lossy.pcap"
    lossy(path)
    theirs = expert(path)
    assert sum(again for again, _ in theirs) > 10
    assert ours(path) == theirs
    flows = Flows()
    for batch in batches(str(path)):
        assert isinstance(batch, Batch)
        flows.add(batch.table)
    rows = list(flows.table().rows())
    assert sum(row["retrans"] + row["retrans_back"] for row in rows) == sum(again for again, _ in theirs)
    assert sum(row["missing"] + row["missing_back"] for row in rows) == 0

    thin = tmp_path / "thin.pcap"
    thin.write_bytes(thinned(path.read_bytes(), Random(5)))
    theirs, found = expert(thin), ours(thin)
    assert sum(gap for _, gap in theirs) > 5
    assert [gap for _, gap in found] == [gap for _, gap in theirs]
    # tshark guesses more from the answers: what was sent again and whose first sending is not in the file
    assert all(again for (mine, _), (again, _) in zip(found, theirs, strict=True) if mine)


def thinned(data: bytes, random: Random) -> bytes:
    """A capture file without every twentieth packet or so."""
    kept, at = [data[:24]], 24
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        if random.random() > 0.05:
            kept.append(data[at : at + 16 + size])
        at += 16 + size
    return b"".join(kept)
