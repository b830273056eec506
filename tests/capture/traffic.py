"""Packets in known numbers, and a recording of them."""

from __future__ import annotations

import gc
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM

import numpy as np
import pytest

from collectors.capture.device import opened
from collectors.capture.recorder import Recorder
from collectors.capture.ring import Reader, Ring
from collectors.wire.packets.capture_file import opened as opened_file
from collectors.wire.packets.records import Records
from tests.lab import Namespace

needs_trafgen = pytest.mark.skipif(not shutil.which("trafgen"), reason="trafgen is not installed")
needs_tcpdump = pytest.mark.skipif(not shutil.which("tcpdump"), reason="tcpdump is not installed")
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
PORT = 7009


def datagrams(sender: Namespace, count: int, port: int = PORT, size: int = 100, to: str = "10.9.0.2") -> None:
    """UDP datagrams to a port where nobody need listen: refused ones are sent on."""
    with sender.host.socket(SOCK_DGRAM, 0, AF_INET) as sock:
        for _ in range(count):
            sock.sendto(bytes(size), (to, port))


def flood(sender: Namespace, count: int, folder: Path, device: str = "left0") -> float:
    """Frames of 100 bytes as fast as trafgen sends them; the seconds that it took."""
    frame = (
        "{ eth(da=ff:ff:ff:ff:ff:ff, sa=02:00:00:00:00:01), ipv4(saddr=10.9.0.1, daddr=10.9.0.2), "
        f"udp(sp=1000, dp={PORT}), fill('x', 58) }}"
    )
    written = folder / "trafgen.cfg"
    written.write_text(frame)
    command = ["ip", "netns", "exec", sender.name, "trafgen", "--dev", device, "--conf", str(written)]
    started = time.monotonic()
    subprocess.run([*command, "--num", str(count), "--cpus", "1", "-q"], check=True, timeout=90, capture_output=True)
    return time.monotonic() - started


@contextmanager
def recording(
    receiver: Namespace,
    name: str = "right0",
    filter: str = f"udp port {PORT}",
    *,
    ring: Ring | None = None,
    count: int | None = None,
    **how: object,
) -> Iterator[Recorder]:
    """A recorder that runs inside, and has stopped behind."""
    device = opened(receiver.host, name, filter, **how)  # type: ignore[arg-type]
    recorder = Recorder(device, ring or Ring(16 << 20), count)
    recorder.start()
    try:
        yield recorder
    finally:
        recorder.stop()


def records(ring: Ring, reader: Reader | None = None) -> list[Records]:
    """The packets that a reader gets now, piece by piece."""
    reader, found = reader or Reader(ring), []
    while piece := reader.next():
        data = piece.data()
        form = opened_file(data)
        assert form is not None
        part = form.part(data, piece.start)
        assert (part.end, part.error, len(part.records)) == (piece.end, None, piece.packets)
        found.append(part.records)
    return found


def total(parts: list[Records]) -> int:
    return sum(map(len, parts))


def payload(parts: list[Records], row: int = 0) -> bytes:
    first = parts[0]
    at = int(first.at[row])
    return np.asarray(first.data[at : at + int(first.captured[row])]).tobytes()


def until(true: Callable[[], object], seconds: float = 5) -> bool:
    """Whether it becomes true within that time."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(true())


def counted(command: list[str]) -> int:
    """Lines that tcpdump or tshark prints of a file, which it must take without complaint."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "truncated" not in done.stderr
    assert "cut short" not in done.stderr
    return len(done.stdout.splitlines())


def tcpdump(path: Path) -> int:
    return counted(["tcpdump", "-n", "-Z", "root", "-r", str(path)])


def tshark(path: Path) -> int:
    return counted(["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.number"])


def descriptors() -> int:
    """How many this process has open, after what nobody holds has gone."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))
