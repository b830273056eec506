"""How long a key takes to its painted frame over 1,000,000 routes that are read again every second.

    python -m tests.bench.tui_latency [--rows N] [--keys N]
    python -m tests.bench.tui_latency --netns NAME    the routes of a namespace, read from the kernel, as JSON

The app runs in a pseudo-terminal as a user's would. A key's time ends with the frame that shows the cursor's new
position. While keys are sent, a worker builds a new table each second and the app sorts and filters it.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import random
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from collectors import Host
from collectors.draft import Draft
from collectors.table import Column, Table
from nettui.live import Live
from nettui.snapshot import Snapshot

ROWS = 1_000_000
SYNC_QUERY, SYNC_ANSWER, FRAME_END = b"\x1b[?2026$p", b"\x1b[?2026;2$y", b"\x1b[?2026l"
KEYS = {b"\x1b[B": 1, b"\x1b[6~": None}
COLUMNS = (
    Column("family", "text", "key"),
    Column("table", "text", "key"),
    Column("dst", "address", "key"),
    Column("gateway", "address"),
    Column("oif", "u4"),
    Column("dev", "text"),
    Column("type", "text"),
    Column("protocol", "text"),
    Column("scope", "text"),
    Column("metric", "u4", "key"),
)


def routes(rows: int, generation: int = 0) -> Table:
    """``rows`` IPv4 routes, /24 each, of which a few change from one generation to the next."""
    random_numbers = np.random.default_rng(7)
    octets = (np.arange(rows, dtype=">u4") + 0x0A000000).astype(">u4").view(np.uint8).reshape(-1, 4)
    gateways = (random_numbers.integers(0, 4000, rows).astype(">u4") + 0xC0000200).astype(">u4")
    draft = Draft(COLUMNS, rows)
    draft.addresses("dst", octets, 4, prefix=np.full(rows, 32, np.uint8))
    draft.addresses("gateway", gateways.view(np.uint8).reshape(-1, 4), 4)
    metric = random_numbers.integers(0, 1000, rows)
    metric[generation % rows] = generation
    draft.numbers("metric", metric)
    draft.numbers("oif", random_numbers.integers(1, 200, rows))
    draft.named("dev", random_numbers.integers(1, 200, rows), lambda number: f"veth{number}")
    for name, words in (("family", ["inet"]), ("table", ["main", "local"]), ("type", ["unicast"]),
                        ("protocol", ["bird", "kernel"]), ("scope", ["global", "link"])):  # fmt: skip
        codes = random_numbers.integers(0, len(words), rows)
        draft.named(name, codes, words.__getitem__)
    return draft.table()


class Feed:
    """A source that delivers a new table of ``rows`` routes every second from a worker thread."""

    def __init__(self, rows: int, deliver: Callable[[Snapshot], None], every: float) -> None:
        self._rows, self._deliver, self._every, self._stopped = rows, deliver, every, False

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def show(self, sections: Sequence[str]) -> None:
        pass

    def freeze(self, frozen: bool) -> None:
        pass

    def refresh(self) -> None:
        pass

    def stop(self) -> None:
        self._stopped = True

    def _run(self) -> None:
        generation = 0
        while not self._stopped:
            started = time.time()
            table = routes(self._rows, generation)
            self._deliver(Snapshot(time.time(), {"routes": table}, {}, {"routes": time.time() - started}))
            generation += 1
            time.sleep(max(0.0, self._every - (time.time() - started)))
            if self._every > 60:
                return


class Restless(Live):
    """The real source, made to read every second whatever its pace."""

    def start(self) -> None:
        super().start()
        threading.Thread(target=self._hurry, daemon=True).start()

    def _hurry(self) -> None:
        while not self._stopped:
            time.sleep(1.0)
            self.refresh()


App = Callable[[], object]


def synthetic(rows: int, every: float, sort: str, where: str) -> App:
    """The app with rows that are made up."""
    from nettui.tui import start as tui

    return lambda: tui.start(
        Host(), lambda host, deliver: Feed(rows, deliver, every), first="routes", opening=(sort, where)
    )


def real(netns: str) -> App:
    """The app with a namespace's own routes."""
    from nettui.tui import start as tui

    return lambda: tui.start(Host(netns), Restless, first="routes")


def screen(width: int, height: int, app: App) -> tuple[int, int]:
    """The app in a pseudo-terminal: its process and the terminal's master side."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(width), LINES=str(height))
        try:
            app()
        finally:
            os._exit(0)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    return pid, master


class Reader:
    """What the app writes, with a wait for the frame that holds a text."""

    def __init__(self, master: int) -> None:
        self.master, self.frame, self.bytes = master, b"", 0

    def wait_for(self, wanted: bytes, patience: float) -> float | None:
        """The time at which a whole frame with ``wanted`` had arrived."""
        deadline = time.perf_counter() + patience
        while (left := deadline - time.perf_counter()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                break
            data = os.read(self.master, 1 << 16)
            now = time.perf_counter()
            self.bytes += len(data)
            if SYNC_QUERY in data:
                os.write(self.master, SYNC_ANSWER)
            self.frame += data
            while (end := self.frame.find(FRAME_END)) >= 0:
                frame, self.frame = self.frame[:end], self.frame[end + len(FRAME_END) :]
                if wanted in frame:
                    return now
        return None


def measure(width: int, height: int, keys: int, app: App) -> list[float]:
    """Milliseconds from each key to its frame."""
    pid, master = screen(width, height, app)
    try:
        reader = Reader(master)
        if reader.wait_for(b" 1/", 60) is None:
            raise SystemExit("the first panel never came")
        found, position, pause = [], 1, random.Random(11)
        for number in range(keys):
            reader.wait_for(b"\0", pause.uniform(0.02, 0.12))
            page = height - 5
            key, step = (b"\x1b[6~", page - 1) if number % 5 == 4 else (b"\x1b[B", 1)
            position += step
            sent = time.perf_counter()
            os.write(master, key)
            painted = reader.wait_for(f" {position:,}/".encode(), 5)
            if painted is None:
                raise SystemExit(f"{width}x{height}: the cursor never came to {position:,}")
            found.append((painted - sent) * 1000)
        return found
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(master)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--netns")
    options = parser.parse_args(arguments)
    if options.netns:
        times = measure(80, 24, options.keys, real(options.netns)) + measure(200, 60, options.keys, real(options.netns))
        print(json.dumps({"seconds": float(np.percentile(times, 99)) / 1000, "median": float(np.median(times)) / 1000}))
        return 0
    worst = 0.0
    print(f"{'':<44}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}")
    for name, every, sort, where in (
        ("read once", 3600.0, "", ""),
        ("read every second", 1.0, "", ""),
        ("read every second, sorted by dst", 1.0, "dst", ""),
        ("read every second, filtered and sorted", 1.0, "-metric", "metric < 500"),
    ):
        for width, height in ((80, 24), (200, 60)):
            times = measure(width, height, options.keys, synthetic(options.rows, every, sort, where))
            p50, p99 = np.percentile(times, [50, 99])
            worst = max(worst, float(p99))
            print(f"{name + f', {width}x{height}':<44}{p50:>8.1f}{p99:>8.1f}{max(times):>8.1f}", flush=True)
    print(f"worst 99th percentile {worst:.1f} ms, allowed 50 ms")
    return 0 if worst <= 50 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
