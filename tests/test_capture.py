"""`nettui capture`: packets of a device and of files as lines, recorded files, refusals, and what was lost."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.capture.traffic import PORT, datagrams, needs_tcpdump, needs_tshark
from tests.lab import Namespace, joined_pair, needs_root
from tests.packets.test_reading import capture as captured

root = pytest.mark.root
Process = subprocess.Popen[str]


def nettui(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nettui", "capture", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


@contextmanager
def captured_on(interface: str, *arguments: str) -> Iterator[tuple[Process, Namespace]]:
    """A capture that has begun, and the namespace whose packets arrive there."""
    with joined_pair() as (left, right):
        command = [sys.executable, "-m", "nettui", "capture", "--netns", right.name, "-i", interface, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                begun(process, right)
                yield process, left
            finally:
                process.kill()


def begun(process: Process, place: Namespace) -> None:
    """Until it has opened its packet socket, which /proc/net/packet lists below a heading."""
    deadline = time.monotonic() + 20
    while len(place.run("cat /proc/net/packet").splitlines()) == 1:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.2)


def ended(process: Process) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=30)


@needs_root
@root
def test_packets_are_printed_as_they_come_and_ctrl_c_tells_what_was_lost():
    with captured_on("right0", f"udp port {PORT}") as (process, left):
        datagrams(left, 3)
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(3)]
        _, errors = ended(process)
    assert process.returncode == 0
    for line in lines:
        assert " IP 10.9.0.1." in line
        assert f" > 10.9.0.2.{PORT}: UDP, length 100" in line
    assert "3 captured; lost: 0 by the kernel" in errors
    assert "0 recorded and not looked at" in errors
    assert "3 packets, 426 bytes" in errors


@needs_root
@root
def test_it_ends_after_so_many_packets_and_where_chooses_them():
    with captured_on("right0", "-c", "2", "--where", "payload 23", "--format", "ndjson") as (process, left):
        for size in (5, 23, 5, 23, 23):
            datagrams(left, 1, size=size)
        out, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert [json.loads(line)["payload"] for line in out.splitlines()] == [23, 23]
    assert "; 2 of them chosen" in errors


@needs_tcpdump
@needs_tshark
@needs_root
@root
def test_a_recorded_file_is_what_tcpdump_and_tshark_and_nettui_read(tmp_path: Path):
    path = tmp_path / "trace.pcap"
    with captured_on("right0", "-w", str(path), "-s", "60", f"udp port {PORT}") as (process, left):
        datagrams(left, 23)
        time.sleep(0.3)
        out, errors = ended(process)
    assert (process.returncode, out) == (0, ""), errors
    assert path.stat().st_mode & 0o777 == 0o600
    told = subprocess.run(["tcpdump", "-nr", path], capture_output=True, text=True, check=True).stdout
    assert len(told.splitlines()) == 23
    fields = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", "-e", "udp.dstport", "-e", "frame.cap_len"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert fields.splitlines() == [f"{PORT}\t60"] * 23
    rows = list(csv.DictReader(nettui("-r", str(path), "--format", "csv").stdout.splitlines()))
    assert {(row["dport"], row["captured"], row["length"]) for row in rows} == {(str(PORT), "60", "142")}


@needs_root
@root
def test_a_file_of_no_packets_is_a_file(tmp_path: Path):
    path = tmp_path / "trace.pcap"
    with captured_on("right0", "-w", str(path), "port 9") as (process, _):
        ended(process)
    assert nettui("-r", str(path)).returncode == 0


@needs_root
@root
def test_a_loss_ends_it_and_what_led_to_it_is_written(tmp_path: Path):
    path = tmp_path / "lost.pcap"
    expression = "counter Udp.NoPorts and delta > 5"
    with captured_on("right0", "-w", str(path), "--freeze-on", expression, f"udp port {PORT}") as (process, left):
        time.sleep(3)  # the ledger has been read once
        datagrams(left, 2)
        time.sleep(2.2)
        assert process.poll() is None
        assert not path.exists()
        datagrams(left, 20)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Udp.NoPorts namespace moved by " in errors
    assert "the last 22 packets before that are in" in errors
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(nettui("-r", str(path)).stdout.splitlines()) == 22


@needs_root
@root
def test_a_reader_that_leaves_ends_it():
    with joined_pair() as (left, right):
        script = f"{sys.executable} -m nettui capture --netns {right.name} -i right0 port {PORT} 2>/dev/null | head -1"
        with subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 20
            while process.poll() is None and time.monotonic() < deadline:
                datagrams(left, 1)
                time.sleep(0.1)
            assert process.poll() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "which packets?"),
        (("-i", "lo", "-r", "x"), "which packets?"),
        (("-r", "x", "-w", "y", "--gzip"), "are for -i"),
        (("-i", "lo", "--files", "3"), "are for -w FILE"),
        (("-i", "lo", "--screen", "-c", "3"), "--screen prints nothing"),
        (("-i", "lo", "--screen", "--format", "csv"), "--screen prints nothing"),
        (("-i", "lo", "-w", "y", "--rotate-size", "nan"), "is no number"),
        (("-i", "lo", "-w", "y", "--rotate-seconds", "inf"), "is no number"),
        (("-r", "x", "--freeze-on", "rate > 1", "-w", "y"), "are for -i"),
        (("-i", "lo", "--gzip"), "for -w FILE"),
        (("-i", "lo", "--where", "nonsense ="), "--where:"),
        (("-i", "lo", "porrt", "53"), "FILTER:"),
        (("-i", "lo", "-w", "-", "--print"), "standard output"),
        (("-i", "lo", "--freeze-on", "rate > 1"), "needs -w FILE"),
        (("-i", "lo", "-w", "x", "--freeze-on", "nonsense = 1"), "--freeze-on:"),
    ],
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...], said: str):
    done = nettui(*arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stdout == ""


@needs_root
@root
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-i", "nosuch0"), "there is no interface 'nosuch0'"),
        (("-i", "lo", "-w", "/nonexistent/file"), "No such file or directory"),
        (("-r", "/nonexistent"), "No such file or directory"),
        (("-r", "/etc/passwd"), "neither pcap nor pcapng"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_status_1(arguments: tuple[str, ...], said: str):
    done = nettui(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@needs_root
@root
def test_without_the_right_it_names_the_capability():
    code = (
        "import os, sys, nettui.cli\n"
        "import collectors.capture.device, difflib, nettui.packets.live, nettui.report.capture\n"
        "nettui.cli.main(['capture', '-i', 'nosuch0'])  # all is imported\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "sys.exit(nettui.cli.main(['capture', '-i', 'lo']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "needs CAP_NET_RAW" in done.stderr


def test_a_file_that_is_cut_off_is_shown_and_told(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(captured(5)[:-3])
    done = nettui("-r", str(path))
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 4
    assert "the last packet is cut off" in done.stderr


def test_standard_input_is_read(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(captured(5))
    with path.open("rb") as file:
        done = nettui("-r", "-", "-c", "3", stdin=file)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3


@needs_tcpdump
def test_lines_are_those_of_tcpdump(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(captured(20))
    zone = {**os.environ, "TZ": "UTC"}
    told = subprocess.run(["tcpdump", "-nSr", path], capture_output=True, text=True, check=True, env=zone).stdout
    ours = nettui("-r", str(path), env=zone).stdout
    pairs = list(zip(ours.splitlines(), told.splitlines(), strict=True))
    plain = [(one, other) for one, other in pairs if ": UDP, length" in other]  # tcpdump knows some ports' protocols
    assert len(plain) > 10
    assert [one for one, _ in plain] == [other for _, other in plain]


@needs_tcpdump
def test_a_filter_takes_of_a_file_what_tcpdump_takes_and_numbers_stay_those_of_the_file(tmp_path: Path):
    path, taken = tmp_path / "file", "udp portrange 3-5 or udp port 17"
    path.write_bytes(captured(20))
    done = nettui("-r", str(path), "--format", "ndjson", *taken.split())
    assert [json.loads(line)["number"] for line in done.stdout.splitlines()] == [3, 4, 5, 17]
    assert "4 packets" in done.stderr
    told = subprocess.run(["tcpdump", "-nr", path, taken], capture_output=True, text=True, check=True).stdout
    assert len(told.splitlines()) == 4
    with path.open("rb") as file:
        assert nettui("-r", "-", "--format", "ndjson", taken, stdin=file).stdout == done.stdout


def test_a_filter_of_a_file_that_is_wrong_or_asks_the_kernel_is_told_in_libpcaps_words(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(captured(2))
    for expression, said in (("inbound", "inbound/outbound not supported on Eth"), ("porrt 53", "can't parse")):
        done = nettui("-r", str(path), expression)
        assert done.returncode == 2
        assert f"FILTER: {said}" in done.stderr
    path.write_bytes(captured(0))
    assert nettui("-r", str(path), "porrt 53").returncode == 2
    path.write_bytes(captured(5)[:-3])
    cut = nettui("-r", str(path), "udp")
    assert (cut.returncode, len(cut.stdout.splitlines())) == (1, 4)
    assert "the last packet is cut off" in cut.stderr


def test_what_passes_is_written_to_another_file_with_its_stamps(tmp_path: Path):
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(captured(20))
    done = nettui("-r", str(path), "-w", str(other), "--where", "dport < 6", "udp[2:2] > 2")
    assert (done.returncode, done.stdout) == (0, "")
    assert other.stat().st_mode & 0o777 == 0o600
    lines = [nettui("-r", str(file)).stdout.splitlines() for file in (path, other)]
    assert lines[1] == lines[0][2:5]
    assert len(nettui("-r", str(path), "-w", str(other), "--print", "-c", "2").stdout.splitlines()) == 2
    assert len(nettui("-r", str(other)).stdout.splitlines()) == 2
    refused = nettui("-r", str(path), "-w", str(path))
    assert refused.returncode == 2
    assert path.read_bytes() == captured(20)
    assert "No such file or directory" in nettui("-r", str(path), "-w", "/nonexistent/file").stderr
