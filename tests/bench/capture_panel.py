"""The capture panel on a screen of 120x40 while packets come as fast as trafgen sends them.

``lost``: packets that it lost, against `tcpdump -w` with the same buffer in turn. ``keys``: milliseconds from a key to
its frame. ``memory``: of its process, over floods that fill the ring many times
(`python -m tests.bench.capture_panel MINUTES`: of that alone, for so long).
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import numpy as np

from nettui.packets.begin import BUFFER
from nettui.packets.live import RING
from tests.bench.panel import Panel, Said, Weight, panel
from tests.bench.recording import FRAMES, ROUNDS, measured
from tests.capture.traffic import flood
from tests.lab import joined_pair

FILTER = "udp"
TCPDUMP = ["tcpdump", "-n", "-Z", "root", "-i", "right0", "-s", "128", "-B", str(BUFFER >> 10), "-w", "{file}", FILTER]
DOWN, HOME = b"\x1b[B", b"g"
KEY_FRAMES, KEY_RING = 3_000_007, 512  # MiB that hold them all, so that the place of a packet stays what it is
KEYS_IDLE = 100
FLOODS = 48  # of FRAMES each; the ring is full within the first, the heap within the first half
ROOM = RING + 150_000_000  # bytes
PAUSE = random.Random(11)
GOAL = 50.0  # milliseconds, when nothing comes


def lost() -> None:
    ours, theirs, unseen = [], [], []
    for number in range(ROUNDS):
        said, rate = flooded()
        run = measured(TCPDUMP)
        ours.append(FRAMES - said.read)
        theirs.append(run.lost)
        unseen.append(ours[-1] - said.lost)
        print(f"{number + 1} panel: not read {ours[-1]:,} of {FRAMES:,} at {rate:,.0f}/s (says kernel {said.kernel:,}, "
              f"interface {said.interface:,}, not shown {said.skipped:,})\n"
              f"{number + 1} tcpdump -w: lost {run.lost:,} at {run.rate:,.0f}/s", flush=True)  # fmt: skip
    print(f"panel lost median {median(ours):,.0f}, worst {max(ours):,}; tcpdump -w {median(theirs):,.0f}, "
          f"{max(theirs):,}: {'reached' if max(ours) <= max(theirs) else 'MISSED'}; lost and not told "
          f"{max(unseen):,}", flush=True)  # fmt: skip


def flooded() -> tuple[Said, float]:
    """What the panel says after one flood, and the frames a second of it."""
    with joined_pair() as (left, right), tempfile.TemporaryDirectory() as folder, panel(right.name, FILTER) as on:
        seconds = flood(left, FRAMES, Path(folder))
        return on.quiet(), FRAMES / seconds


def keys() -> None:
    """Down keys, at random times, each until the frame with the cursor's new place."""
    with (
        joined_pair() as (left, right),
        tempfile.TemporaryDirectory() as folder,
        panel(right.name, "--ring", str(KEY_RING), FILTER) as on,
    ):
        thread = threading.Thread(target=flood, args=(left, KEY_FRAMES, Path(folder)))
        thread.start()
        time.sleep(1)
        on.until_painted(HOME, b" 1/", 5)
        busy: list[float] = []
        while thread.is_alive():
            busy.append(pressed(on, len(busy) + 2))
        on.quiet()
        idle = [pressed(on, len(busy) + 2 + number) for number in range(KEYS_IDLE)]
    for name, times in (("flood", busy), ("idle", idle)):
        p50, p95, p99 = np.percentile(times, [50, 95, 99])
        verdict = "" if name == "flood" else f", at most {GOAL:.0f}: {'reached' if p99 <= GOAL else 'MISSED'}"
        print(f"key to frame, {name}: p50 {p50:.1f} ms, p95 {p95:.1f}, p99 {p99:.1f}, max {max(times):.1f} "
              f"of {len(times)}{verdict}", flush=True)  # fmt: skip


def pressed(on: Panel, place: int) -> float:
    """Milliseconds from a Down key to the frame with the cursor in that place."""
    time.sleep(PAUSE.uniform(0.02, 0.12))
    took = on.until_painted(DOWN, f" {place:,}/".encode(), 5)
    if took is None:
        raise SystemExit(f"the cursor never came to {place:,}:\n{on.text()}")
    return took * 1000


def memory(minutes: float = 0) -> None:
    """Of the process, each second, from the flood on that fills the ring; for so long, and FLOODS at least."""
    floods, seconds, until = 1, 0.0, time.monotonic() + minutes * 60
    found: list[tuple[float, Weight]] = []
    with (
        joined_pair() as (left, right),
        tempfile.TemporaryDirectory() as folder,
        panel(right.name, FILTER) as on,
    ):
        print(f"before: {on.weight()}", flush=True)
        over = threading.Event()
        thread = threading.Thread(target=weigh, args=(on, found, over))
        flood(left, FRAMES, Path(folder))
        thread.start()
        while floods < FLOODS or time.monotonic() < until:
            seconds += flood(left, FRAMES, Path(folder))
            floods += 1
        over.set()
        thread.join()
        said = on.quiet()
        print(f"{said.read:,} packets in {floods} floods, {FRAMES * (floods - 1) / seconds:,.0f}/s, {said}; "
              f"after them {on.weight()}", flush=True)  # fmt: skip
    tell_memory(found)


def weigh(on: Panel, found: list[tuple[float, Weight]], over: threading.Event) -> None:
    while not over.wait(1.0):
        found.append((time.monotonic(), on.weight()))


def tell_memory(found: list[tuple[float, Weight]]) -> None:
    """The peak, and by how much the median of the last quarter is above that of the one before, in 10^6 bytes."""
    half = len(found) // 2
    quarters = slice(half, half + half // 2), slice(half + half // 2, None)
    for name in Weight._fields:
        sizes = np.array([getattr(weight, name) for _, weight in found]) / 1e6
        before, last = (float(np.median(sizes[part])) for part in quarters)
        print(f"{name:10} median {np.median(sizes):.1f} MB, peak {sizes.max():.1f}; quarters of the time: "
              f"the third {before:.1f}, the last {last:.1f}")  # fmt: skip
    peak = max(weight.resident for _, weight in found) / 1e6
    verdict = "reached" if peak <= ROOM / 1e6 else "MISSED"
    print(f"resident in {(found[-1][0] - found[0][0]) / 60:.1f} minutes at most {peak:.1f}, {ROOM / 1e6:.1f} wanted: "
          f"{verdict}", flush=True)  # fmt: skip


if __name__ == "__main__":
    memory(float(sys.argv[1]) if len(sys.argv) > 1 else 0)
