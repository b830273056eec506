"""`nettui drops` as a process: its lines, its forms, its exit status."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab import Namespace, joined_pair, namespace, needs_root

NETTUI = [sys.executable, "-m", "nettui"]
COUNT = 23  # datagrams a second to a port that nobody listens on


def drops(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*NETTUI, "drops", *arguments], capture_output=True, text=True, check=False, timeout=timeout)


@contextmanager
def losing() -> Iterator[Namespace]:
    """A namespace to which datagrams come that nobody takes: COUNT a second, until the end."""
    with joined_pair() as (left, right), left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as out:
        stopped = threading.Event()

        def send() -> None:
            while not stopped.wait(1):
                for _ in range(COUNT):
                    out.sendto(b"nobody", ("10.9.0.2", 7777))

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield right
        finally:
            stopped.set()
            sender.join()


@needs_root
@pytest.mark.root
def test_a_line_tells_layer_count_rate_counter_scope_and_cause():
    with losing() as place:
        done = drops("--netns", place.name, "--count", "3")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "Udp.NoPorts" in line]
    assert lines
    assert re.match(r"\d\d:\d\d:\d\d udp +\+(23|46) +[\d.]+/s  Udp.NoPorts +namespace +nothing listens", lines[0])


@needs_root
@pytest.mark.root
def test_the_first_sample_has_no_rate():
    with losing() as place:
        time.sleep(2)
        done = drops("--netns", place.name, "--count", "1", "--since-boot", "--format", "ndjson")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    first = [row for row in rows if row["time"] == rows[0]["time"]]
    assert any(row["counter"] == "Udp.NoPorts" and row["total"] >= COUNT for row in first)
    assert not [row for row in first if "rate" in row or "delta" in row]


@needs_root
@pytest.mark.root
def test_with_reasons_the_counters_line_names_the_kernels_reason():
    with losing() as place:
        done = drops("--netns", place.name, "--count", "3", "--reasons", "--format", "ndjson")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    found = [row for row in rows if row["counter"] == "Udp.NoPorts"]
    assert found[-1]["reasons"].keys() == {"NO_SOCKET"}
    assert not [row for row in rows if row["counter"] == "kfree_skb.NO_SOCKET" and row["time"] == found[-1]["time"]]


@needs_root
@pytest.mark.root
def test_csv_has_one_heading_and_a_line_a_row():
    with losing() as place:
        done = drops("--netns", place.name, "--count", "2", "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert done.stdout.count("section,time") == 1
    assert {row["counter"] for row in rows} >= {"Udp.NoPorts"}


@needs_root
@pytest.mark.root
def test_only_the_layers_asked_for_are_told():
    with losing() as place:
        done = drops("--netns", place.name, "--count", "2", "--layer", "icmp", "--format", "ndjson")
    layers = {json.loads(line)["layer"] for line in done.stdout.splitlines()}
    assert layers == {"icmp"}


@needs_root
@pytest.mark.root
@pytest.mark.parametrize(("expression", "status"), [("counter Udp.NoPorts and delta > 7", 1), ("rate > 100k", 0)])
def test_fail_if_gives_the_status(expression: str, status: int):
    with losing() as place:
        assert drops("--netns", place.name, "--count", "3", "--fail-if", expression).returncode == status


@needs_root
@pytest.mark.root
def test_nothing_moved_is_status_0_and_no_line():
    with namespace() as place:
        done = drops("--netns", place.name, "--count", "1", "--where", "reach namespace")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--layer", "tpc"), "no layer 'tpc', did you mean tc?"),
        (("--where", "nope > 3"), "--where: no column 'nope', did you mean note?"),
        (("--fail-if", "rate >"), "--fail-if: "),
        (("--interval", "0"), "0.0 is not in the range"),
        (("--netns", "nosuch"), "no network namespace 'nosuch'"),
    ],
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...], said: str):
    done = drops("--count", "0", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_it_ends_by_a_signal_as_told(number: signal.Signals, status: int):
    with subprocess.Popen([*NETTUI, "drops", "--interval", "0.2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as watch:  # fmt: skip
        assert watch.stdout
        assert watch.stdout.readline().startswith("TIME")
        watch.send_signal(number)
        _, said = watch.communicate(timeout=20)
    assert watch.returncode == status
    assert "Traceback" not in said


def test_a_reader_that_leaves_ends_it_silently():
    script = f"{' '.join(NETTUI)} drops --interval 0.1 --since-boot --all --count 5 | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines()[0].startswith("TIME")
    assert done.stderr == ""


@needs_root
@pytest.mark.root
def test_an_ordinary_user_is_told_what_is_missing_and_sees_the_rest():
    code = (
        "import os, sys, nettui.cli\n"
        "nettui.cli.main(['drops', '--since-boot', '--count', '0', '--reasons'])  # all is imported\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "sys.exit(nettui.cli.main(['drops', '--since-boot', '--count', '0', '--reasons', '--all']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "drop reasons: " in done.stderr
    assert done.stdout.startswith("TIME")


@needs_root
@pytest.mark.root
def test_at_eighty_columns_the_cause_stands_below_its_counter_once():
    with losing() as place:
        leader, follower = pty.openpty()
        try:
            fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            with subprocess.Popen([*NETTUI, "drops", "--netns", place.name, "--count", "4"], stdout=follower) as watch:
                watch.wait(60)
        finally:
            os.close(follower)
        text = re.sub(r"\x1b\[[\d;]*m", "", os.read(leader, 1 << 16).decode())
        os.close(leader)
    lines = text.split("\r\n")
    assert max(map(len, lines)) <= 80
    assert sum("nothing listens on the port" in line for line in lines) == 1
    assert sum("Udp.NoPorts" in line for line in lines) >= 2
