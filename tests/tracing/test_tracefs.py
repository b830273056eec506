"""Drops counted by a tracefs instance, which is gone afterwards whatever happened."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors.host import Host
from collectors.tracing import tracefs
from collectors.tracing.reasons import DropReasons, opened
from collectors.tracing.tracefs_way import EVENT, Histogram, TracefsWay
from tests.lab import namespace, needs_root
from tests.tracing.drops import row, to_closed_port
from tests.tracing.test_counting_text import HISTOGRAM

rooted = [pytest.mark.root, needs_root]


@pytest.fixture
def mounted(tmp_path):
    """Tracefs that is mounted nowhere but behind a descriptor, so that nothing of it outlives the tests."""
    place = tmp_path / "tracing"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tracefs", "nodev", str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"tracefs cannot be mounted: {done.stderr!r}")
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def instances(place: Path) -> list[str]:
    names = [path.name for path in (place / "instances").iterdir()]
    return sorted(name for name in names if name.startswith(f"nettui-{os.getpid()}"))


def without_bpf(monkeypatch, place: Path) -> DropReasons:
    def no_bpf():
        raise OSError("made up: no BPF")

    way = opened(bpf=no_bpf, tracefs=lambda: TracefsWay(place))
    monkeypatch.setattr("collectors.tracing.reasons.opened", lambda: way)
    return DropReasons()


@pytest.mark.root
@needs_root
def test_both_ways_count_the_same_by_reason_and_function(mounted, monkeypatch):
    with namespace() as inside, DropReasons() as by_bpf, without_bpf(monkeypatch, mounted) as by_tracefs:
        before = {(entry["reason"], entry["function"]): entry["drops"] for entry in by_tracefs.read().rows()}
        to_closed_port(inside, 2311)
        table = by_tracefs.read()
        true = row(by_bpf.read(), inside, "NO_SOCKET")
        found = [entry for entry in table.rows() if entry["reason"] == "NO_SOCKET" and entry["protocol"] == "ip"]
        (same,) = [entry for entry in found if entry["function"] == true["function"]]
        others = sum(
            entry["drops"]
            for entry in by_bpf.read().rows()
            if (entry["reason"], entry.get("function")) == ("NO_SOCKET", true["function"])
            and entry["netns"] != true["netns"]
        )
        assert true["drops"] == 2311
        assert 2311 <= same["drops"] <= 2311 + others + before.get(("NO_SOCKET", true["function"]), 0)
        assert not {"netns", "ifindex", "by"} & same.keys()
        assert by_tracefs.way == "tracefs"
        assert "without their namespace and device: made up: no BPF" in table.gaps[0].reason


@pytest.mark.root
@needs_root
def test_the_instance_is_there_while_it_is_open_and_gone_afterwards(mounted):
    way, second = TracefsWay(mounted), TracefsWay(mounted)
    there = instances(mounted)
    shared = (mounted / "events/skb/kfree_skb/enable").read_text()
    way.close()
    way.close()
    second.close()
    assert there == [f"nettui-{os.getpid()}", f"nettui-{os.getpid()}.2"]
    assert shared == "0\n", "the event of all others is left alone"
    assert instances(mounted) == []


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "raise SystemExit", "1 / 0"])
def test_the_instance_of_a_process_that_ended_is_removed(mounted, end):
    code = (
        "import os, sys; from pathlib import Path; from collectors.tracing.tracefs_way import TracefsWay\n"
        f"way = TracefsWay(Path({str(mounted)!r})); print(os.getpid(), flush=True)\n{end}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        pass_fds=[int(mounted.name)],
    )
    left = mounted / "instances" / f"nettui-{done.stdout.strip()}"
    assert left.exists() == ("kill" in end), done.stderr
    TracefsWay(mounted).close()
    assert not left.exists()


@pytest.mark.root
@needs_root
def test_the_instance_of_a_process_that_runs_is_kept(mounted):
    sleeper = subprocess.Popen(["sleep", "60"])
    kept = mounted / "instances" / f"nettui-{sleeper.pid}"
    stranger = mounted / "instances" / "nettui-of-somebody"
    try:
        for instance in (kept, stranger):
            instance.mkdir()
        TracefsWay(mounted).close()
        assert kept.exists()
        assert stranger.exists()
    finally:
        sleeper.kill()
        sleeper.wait()
        for instance in (kept, stranger):
            instance.rmdir()


@pytest.mark.root
@needs_root
def test_a_buffer_is_emptied_in_time_without_being_asked(mounted):
    """Ten times what the buffers hold, and nobody reads meanwhile."""
    with namespace() as inside:
        way = TracefsWay(mounted)
        try:
            assert not isinstance(way._source, Histogram) or pytest.skip("this kernel counts by itself")
            (mounted / f"instances/nettui-{os.getpid()}" / "buffer_size_kb").write_text("32")
            for _ in range(70):
                to_closed_port(inside, 101)
                time.sleep(0.03)
            number = next(n for n, name in way.reasons.items() if name == "NO_SOCKET")
            found = way.read()
            assert found.drops[found.keys["reason"] == number].sum() >= 70 * 101
            assert found.lost == 0
        finally:
            way.close()


@pytest.mark.root
@needs_root
def test_what_overran_a_buffer_is_told(mounted):
    with namespace() as inside:
        way = TracefsWay(mounted)
        try:
            assert not isinstance(way._source, Histogram) or pytest.skip("this kernel counts by itself")
            with way._source._lock:  # nobody empties it
                (mounted / f"instances/nettui-{os.getpid()}" / "buffer_size_kb").write_text("8")
                to_closed_port(inside, 1009)
            found = way.read()
            assert found.lost > 0
            assert found.drops.sum() + found.lost >= 1009
        finally:
            way.close()


def test_a_histogram_is_used_where_the_kernel_has_it(tmp_path, monkeypatch):
    """Made up: the kernel that the tests run on has no histograms."""
    event = tmp_path / EVENT
    event.mkdir(parents=True)
    (event / "format").write_bytes(__import__("tests.tracing.test_names", fromlist=["NEW"]).NEW)
    instance = tmp_path / "instance"
    for name, text in ((f"{EVENT}/hist", HISTOGRAM), (f"{EVENT}/trigger", b""), ("per_cpu/cpu0/trace_pipe_raw", b"")):
        (instance / name).parent.mkdir(parents=True, exist_ok=True)
        (instance / name).write_bytes(text)
    monkeypatch.setattr(tracefs, "make", lambda place: instance)
    way = TracefsWay(tmp_path)
    assert (instance / EVENT / "trigger").read_text() == "hist:keys=location,protocol,reason:size=16384"
    assert way.read().drops.tolist() == [23, 29]
    way.close()


def test_where_tracefs_is_mounted_is_read_and_not_tried_out(tmp_path):
    (tmp_path / "self").mkdir()
    mounts = tmp_path / "self/mounts"
    host = Host(proc=tmp_path)
    mounts.write_text("proc /proc proc rw 0 0\n\n")
    assert tracefs.mounted(host) is None
    mounts.write_text("nodev /with\\040blank tracefs rw 0 0\n")
    assert tracefs.mounted(host) == Path("/with blank")
    mounts.write_text("nodev /a tracefs rw 0 0\nnodev /sys/kernel/tracing tracefs rw 0 0\n")
    assert tracefs.mounted(host) == Path("/sys/kernel/tracing")
