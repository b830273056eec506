"""The app in a pseudo-terminal of its own, and what a terminal would show of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyte

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable


class Screen(pyte.Screen):
    """A terminal that remembers what it was told to be: alternate screen, cursor."""

    def __init__(self, columns: int, lines: int) -> None:
        self.private: dict[int, bool] = {}
        super().__init__(columns, lines)

    def set_mode(self, *modes: int, **options: Any) -> None:
        if options.get("private"):
            self.private |= dict.fromkeys(modes, True)
        super().set_mode(*modes, **options)

    def reset_mode(self, *modes: int, **options: Any) -> None:
        if options.get("private"):
            self.private |= dict.fromkeys(modes, False)
        super().reset_mode(*modes, **options)


class Terminal:
    """A child process on a pseudo-terminal."""

    def __init__(self, arguments: Sequence[str], width: int, height: int, environment: dict[str, str]) -> None:
        self.width, self.height, self.received = width, height, b""
        self.status: int | None = None
        self.screen = Screen(width, height)
        self.stream = pyte.ByteStream(self.screen)
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(PYTHON, [PYTHON, *arguments], {**os.environ, "TERM": "xterm-256color", **environment})
        self.attributes = termios.tcgetattr(self.master)
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        self.screen.resize(height, width)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def send(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def read(self, seconds: float) -> bytes:
        """What comes within some time, or until the other end closes."""
        taken, deadline = b"", time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and select.select([self.master], [], [], left)[0]:
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:
                break
            if not data:
                break
            taken += data
        self.received += taken
        # pyte takes the kitty keyboard protocol's ESC [ > 25 u and ESC [ < u for text
        self.stream.feed(taken.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))
        return taken

    def text(self) -> str:
        return "\n".join(self.screen.display)

    def wait_for(self, text: str) -> str:
        """The screen once it shows ``text``."""
        return self.wait_until(lambda shown: text in shown, f"{text!r} never came")

    def wait_until(self, condition: Callable[[str], object], otherwise: str, seconds: float = 60.0) -> str:
        """The screen once it satisfies a condition."""
        deadline = time.monotonic() + seconds
        while not condition(self.text()):
            assert time.monotonic() < deadline, f"{otherwise}:\n{self.text()}"
            self.read(0.05)
        return self.text()

    def end(self, seconds: float = 30.0) -> int:
        """The exit status, -N for a signal; fails when it does not end in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, ValueError):
                self.read(0.02)
            if self.gone():
                assert self.status is not None
                return self.status
            time.sleep(0.01)
        raise AssertionError(f"still there after {seconds} s:\n{self.text()}")

    def gone(self) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def close(self) -> None:
        """Hang up: the terminal vanishes."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def assert_given_back(self) -> None:
        """Alternate screen left, cursor shown, pastes and focus no longer reported, line settings as before."""
        modes = {mode >> 5 if mode > 10_000 else mode: on for mode, on in self.screen.private.items()}
        assert modes.get(1049) is False
        assert modes.get(25) is True
        assert modes.get(2004) in (None, False)
        assert modes.get(1004) in (None, False)
        for mode in (1000, 1003, 1006):
            assert modes.get(mode) in (None, False)
        assert termios.tcgetattr(self.master)[:4] == self.attributes[:4]


@contextlib.contextmanager
def terminal(*arguments: str, size: tuple[int, int] = (80, 24), **environment: str) -> Iterator[Terminal]:
    made = Terminal(arguments, *size, environment)
    try:
        yield made
    finally:
        if not made.gone():
            os.kill(made.pid, signal.SIGKILL)
            os.waitpid(made.pid, 0)
        made.close()
