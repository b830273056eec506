"""The terminal: given back as it was found, and never waited for once it has gone."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from typing import Any

from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver

from nettui.streams import abandon

PATIENCE = 0.8  # seconds that an orderly end may take once the terminal has gone or a signal has come
HUNG_UP = 128 + signal.SIGHUP
RESTORE = b"\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?1004l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"


class Writer(WriterThread):
    """Textual's output thread, which goes on taking output after the terminal has gone, so that nobody waits for it."""

    def run(self) -> None:
        while (text := self._queue.get()) is not None:
            with contextlib.suppress(OSError, ValueError):
                self._file.write(text)
                if self._queue.qsize() == 0:
                    self._file.flush()
        with contextlib.suppress(OSError, ValueError):
            self._file.flush()


class Terminal(LinuxDriver):
    """Textual's driver on standard output, with a watch on the terminal's end.

    Textual alone reads end of file for ever after a lost connection, at 100 % of a core.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file = sys.__stdout__ or sys.__stderr__
        self._ended = threading.Event()

    def start_application_mode(self) -> None:
        import textual.drivers.linux_driver as linux

        linux.WriterThread = Writer  # type: ignore[attr-defined]
        super().start_application_mode()  # type: ignore[no-untyped-call]
        threading.Thread(target=self._watch, daemon=True, name="terminal watch").start()

    def _request_terminal_sync_mode_support(self) -> None:
        if os.environ.get("TERM") != "linux":  # the console would print the query's last letter
            super()._request_terminal_sync_mode_support()

    def _query_in_band_window_resize(self) -> None:
        """Not asked: SIGWINCH tells it, through ssh, tmux and screen too."""

    def _run_input_thread(self) -> None:
        with contextlib.suppress(OSError):
            super().run_input_thread()

    def _watch(self) -> None:
        """Wait for a hang-up; then an orderly end, and after a moment the other one."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        with contextlib.suppress(OSError):
            while not any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll()):
                time.sleep(0.05)
        end(self._app, HUNG_UP)


def end_on(app: Any, number: int) -> None:
    """Let a signal end the app in order with status 128 + number, and by force if it does not come to it."""

    def handler(*_: object) -> None:
        # from a thread: only that wakes an event loop that is waiting
        threading.Thread(target=end, args=(app, 128 + number), daemon=True, name="end").start()

    signal.signal(number, handler)


def end(app: Any, status: int) -> None:
    app.call_later(app.exit, status)
    time.sleep(PATIENCE)
    force(status)


def let_go() -> None:
    """Send what is still buffered, or drop it with a terminal that has gone."""
    try:
        sys.__stdout__.flush()  # type: ignore[union-attr]
    except OSError:
        abandon()


attributes: list[Any] | None = None


def remember() -> None:
    """The terminal's settings now, for ``force``."""
    global attributes
    with contextlib.suppress(termios.error, ValueError, OSError):
        attributes = termios.tcgetattr(sys.__stdin__.fileno())  # type: ignore[union-attr]


def force(status: int) -> None:
    """Give the terminal back without Textual, and go."""
    with contextlib.suppress(Exception):
        if attributes is not None:
            termios.tcsetattr(0, termios.TCSANOW, attributes)
    with contextlib.suppress(OSError):
        os.set_blocking(1, False)
        os.write(1, RESTORE)
    os._exit(status)
