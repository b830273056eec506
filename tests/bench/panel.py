"""The capture panel in a pseudo-terminal, emptied at once as a terminal does; what it says, reads and weighs."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pyte

from tests.bench.tui_latency import FRAME_END, SYNC_ANSWER, SYNC_QUERY

WIDTH, HEIGHT = 120, 40  # cells
SAID = re.compile(
    r"capturing\s+(?P<read>[\d,]+) packets.*lost: kernel (?P<kernel>[\d,]+)  interface (?P<interface>[\d,]+|-)"
    r"  not shown (?P<skipped>[\d,]+)  ring (?P<ring>\d+) of",
    re.DOTALL,
)
TAIL = 1 << 12  # bytes of which the last may be the beginning of a frame's end
KITTY = (b"\x1b[>25u", b"\x1b[<u")  # which pyte takes for text


class Said(NamedTuple):
    """Packets, as the two lines above the list tell them; ``ring``: MiB in it."""

    read: int
    kernel: int
    interface: int
    skipped: int
    ring: int

    @property
    def lost(self) -> int:
        return self.kernel + self.interface + self.skipped


class Weight(NamedTuple):
    """Of a process, in bytes. ``resident``: VmRSS; of that ``private``: RssAnon. ``ring``: the pages of its segments
    (memfd), whether they are mapped at the moment (then they are resident too) or not. ``held``: the most honest sum,
    of the private ones, those of files, and the ring's."""

    resident: int
    private: int
    ring: int
    held: int


class Panel:
    """A process on a terminal of its own, which a thread reads."""

    def __init__(self, *arguments: str) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS=str(WIDTH), LINES=str(HEIGHT))
            os.execv(sys.executable, [sys.executable, "-m", "nettui", *arguments])
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.written: list[bytes] = []
        self._screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0
        self._frame, self._wanted, self._painted = b"", b"", 0.0
        self._changed = threading.Condition()
        threading.Thread(target=self._empty, daemon=True).start()

    def send(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def until_painted(self, keys: bytes, wanted: bytes, patience: float) -> float | None:
        """Seconds from these keys to the end of the frame that has ``wanted``; None where it does not come."""
        with self._changed:
            self._wanted, self._painted = wanted, 0.0
            sent = time.perf_counter()
            self.send(keys)
            came = self._changed.wait_for(lambda: self._painted, patience)
            self._wanted = b""
        return self._painted - sent if came else None

    def text(self) -> str:
        """The screen of now, which costs processor time: not while something is measured."""
        written = b"".join(self.written[self._fed :])
        self._fed = len(self.written)
        for sequence in KITTY:
            written = written.replace(sequence, b"")
        self._stream.feed(written)
        return "\n".join(self._screen.display)

    def said(self) -> Said:
        found = SAID.search(self.text())
        assert found, self.text()
        return Said(*(int(number.replace(",", "").replace("-", "0")) for number in found.groups()))

    def wait_for(self, text: str, patience: float = 20) -> None:
        until = time.monotonic() + patience
        while text not in self.text():
            assert time.monotonic() < until, f"{text!r} never came:\n{self.text()}"
            time.sleep(0.1)

    def quiet(self) -> Said:
        """What it says once that no longer changes."""
        last, now = None, self.said()
        while now != last:
            time.sleep(1.5)
            last, now = now, self.said()
        return now

    def weight(self) -> Weight:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
        ring = segments(self.pid)
        return Weight(sizes["VmRSS"], sizes["RssAnon"], ring, sizes["RssAnon"] + sizes["RssFile"] + ring)

    def _empty(self) -> None:
        while True:
            select.select([self.master], [], [])
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:
                return
            if not data:
                return
            if SYNC_QUERY in data:
                os.write(self.master, SYNC_ANSWER)
            self.written.append(data)
            self._look(data)

    def _look(self, data: bytes) -> None:
        """Whether a frame is whole that was waited for."""
        now = time.perf_counter()
        with self._changed:
            *frames, self._frame = (self._frame + data).split(FRAME_END)
            if self._wanted and any(self._wanted in frame for frame in frames):
                self._painted = now
                self._changed.notify_all()
            if not frames:
                self._frame = self._frame[-TAIL * 16 :]

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)


def segments(pid: int) -> int:
    """Bytes in the memory files that a process has open; a mapping has a descriptor of its own for the same file."""
    found: dict[int, int] = {}
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # it is closed in the meantime
            if str(descriptor.readlink()).startswith("/memfd:packets"):
                status = descriptor.stat()
                found[status.st_ino] = status.st_blocks * 512
    return sum(found.values())


@contextmanager
def panel(netns: str, *arguments: str) -> Iterator[Panel]:
    """`nettui capture --screen` in a namespace, capturing."""
    made = Panel("capture", "--netns", netns, "--screen", "-i", "right0", *arguments)
    try:
        made.wait_for("capturing")
        time.sleep(1)  # the first look at everything is over
        yield made
    finally:
        made.close()
