"""What goes wrong, as the line mode and a screen's session tell it: rights, devices, filters, disks."""

from __future__ import annotations

import errno
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.table import Gap
from nettui.packets.begin import of_device
from nettui.packets.reading import Batch, batches
from nettui.packets.saving import saved
from tests.capture.test_recorder import ROOT
from tests.capture.traffic import PORT, datagrams
from tests.lab import Namespace, joined_pair, namespace, needs_root
from tests.packets import build
from tests.test_capture import Process, begun, ended, nettui

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
def test_a_device_that_stays_down_is_told_at_once_and_at_the_end():
    with capturing(f"udp port {PORT}") as (process, left, right):
        datagrams(left, 3)
        time.sleep(0.3)
        right.ip("link set right0 down")
        told = next(line for line in process.stderr if "is down" in line)
        out, errors = ended(process)
    assert (process.returncode, len(out.splitlines())) == (1, 3)
    assert told == "nettui: right0 is down: nothing arrives; `ip link set dev right0 up`\n"
    assert told.partition(" ")[2] in errors


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


@pytest.mark.root
@needs_root
def test_a_full_disk_is_told_at_once_where_nothing_is_printed(small_disk: Path):
    with capturing("-w", str(small_disk / "trace.pcap"), f"udp port {PORT}") as (process, left, _):
        for _ in range(20):
            datagrams(left, 100, size=1000)
            time.sleep(0.02)
        assert process.stderr is not None
        assert next(line for line in process.stderr if "No space left on device; the " in line)
        assert process.poll() is None
        _, errors = ended(process)
    assert process.returncode == 1
    assert "2,000 packets, " in errors


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("packets", [0, 3])
def test_a_reader_that_leaves_ends_what_is_written_to_it(packets: int):
    with capturing("-w", "-", f"udp port {PORT}") as (process, left, _):
        assert process.stdout is not None
        process.stdout.close()
        datagrams(left, packets)
        process.wait(20)


@pytest.mark.root
@needs_root
def test_what_led_to_a_loss_and_has_no_room_is_told(small_disk: Path):
    path, watched = small_disk / "lost.pcap", ("--freeze-on", "counter Udp.NoPorts and delta > 5")
    done = nettui("-i", "lo", "-w", "/nonexistent/lost.pcap", *watched)
    assert (done.returncode, "no file can be made in that folder" in done.stderr) == (1, True)
    with capturing("-w", str(path), *watched, f"udp port {PORT}") as (process, left, _):
        time.sleep(3)  # the ledger has been read once
        datagrams(left, 2000, size=1000)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Udp.NoPorts namespace moved by " in errors
    assert f"are not in {path}: No space left on device" in errors
    assert len(nettui("-r", str(path)).stdout.splitlines()) > 500


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
