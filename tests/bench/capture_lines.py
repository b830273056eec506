"""Line mode into a file, ours, tcpdump's and tshark's in turn: lost is what was sent and has no line at the end.

Each writes all of it as it would for a person who wrote nothing else on the command line: its own kernel buffer (ours
64 MiB, theirs 2 MiB), and for tcpdump and ours once more with the same. A second flood is longer than our ring holds.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.recording import ROUNDS
from tests.capture.traffic import PORT, flood
from tests.lab import joined_pair

FRAMES, LONG = 1_500_007, 6_000_007
FILTER = f"udp port {PORT}"
OURS = [sys.executable, "-m", "nettui", "capture", "-i", "right0"]
TCPDUMP = ["tcpdump", "-n", "-Z", "root", "-i", "right0"]
COMMANDS = {
    "nettui capture": [*OURS, FILTER],
    "tcpdump -n": [*TCPDUMP, FILTER],
    "tcpdump -n -B 65536": [*TCPDUMP, "-B", str(64 << 10), FILTER],
    "tshark -n": ["tshark", "-n", "-i", "right0", "-f", FILTER],
}
STILL = 2.0  # seconds without a byte more, after which all has been written


class Run(NamedTuple):
    """``lost`` of the frames; ``rate``: frames a second; ``behind``: seconds until the last line was written."""

    lost: int
    rate: float
    behind: float
    said: str


def main() -> None:
    for frames, rounds in ((FRAMES, ROUNDS), (LONG, 1)):
        found: dict[str, list[Run]] = {}
        for number in range(rounds):
            for name, command in COMMANDS.items():
                run = measured(command, frames)
                found.setdefault(name, []).append(run)
                print(f"{number + 1} {name:20} lost {run.lost:9,} of {frames:,} at {run.rate:,.0f}/s, the last line "
                      f"{run.behind:.1f} s after the last frame{run.said}", flush=True)  # fmt: skip
        told(found, frames)


def told(found: dict[str, list[Run]], frames: int) -> None:
    lost = {name: sorted(run.lost for run in runs) for name, runs in found.items()}
    for name, each in lost.items():
        print(f"{name:20} lost median {median(each):,.0f}, worst {each[-1]:,} of {frames:,}")
    ours = lost.pop("nettui capture")[-1]
    least = max(0, min(each[0] for each in lost.values()))  # -1: a packet that was not of the flood
    print(
        f"our worst {ours:,}, the least of the others {least:,}: {'reached' if ours <= least else 'MISSED'}", flush=True
    )


def measured(command: list[str], frames: int) -> Run:
    with joined_pair() as (left, right), tempfile.TemporaryDirectory() as folder:
        lines, said = Path(folder) / "lines", Path(folder) / "said"
        with (
            lines.open("wb") as out,
            said.open("wb") as errors,
            subprocess.Popen(["ip", "netns", "exec", right.name, *command], stdout=out, stderr=errors) as process,
        ):
            try:
                time.sleep(3)  # tshark starts dumpcap, and says nothing when that captures
                seconds = flood(left, frames, Path(folder))
                behind = still(lines)
                process.send_signal(signal.SIGINT)
                process.wait(120)
            finally:
                process.kill()
        with lines.open("rb") as written:
            count = sum(1 for _ in written)
        lost = [line for line in said.read_text().splitlines() if "; lost: " in line]
        return Run(frames - count, frames / seconds, behind, "".join(f"\n  {line}" for line in lost))


def still(file: Path) -> float:
    """Wait until a file has stopped growing; for how many seconds it still grew."""
    began = grew = time.monotonic()
    size = -1
    while time.monotonic() - grew < STILL:
        now = file.stat().st_size
        if now != size:
            size, grew = now, time.monotonic()
        time.sleep(0.1)
    return grew - began


if __name__ == "__main__":
    main()
