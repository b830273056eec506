"""`python -m tests.bench.recording`: packets lost at the highest rate of the generator, ours and tcpdump in turn.

One trafgen on a veth pair sends frames of 100 bytes; every recorder keeps 128 bytes of each, with a kernel buffer of
64 MiB. Lost is what was sent and is not in the record, whatever the recorder itself says. Figures of one machine.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import peak_bytes
from tests.capture.traffic import PORT, flood
from tests.lab import Namespace, joined_pair

FRAMES = 1_500_007
ROUNDS = 3
SNAPLEN, BUFFER = 128, 64 << 20
RING = 128 << 20
FILTER = f"udp port {PORT}"
GOAL = "tcpdump -w"  # whose losses are the most that ours may have
OURS = ("ring", "ring, decoded", "ring, busy", "file", "file, decoded")


class Run(NamedTuple):
    """``lost`` packets of FRAMES; ``rate``: frames a second; ``cpu``: seconds of the recorder; ``peak``: its bytes."""

    lost: int
    rate: float
    cpu: float | None = None
    peak: int | None = None


def main() -> None:
    runs: dict[str, list[Run]] = {}
    for number in range(ROUNDS):
        for name, recorder in recorders().items():
            run = measured(recorder)
            runs.setdefault(name, []).append(run)
            cost = "" if run.cpu is None else f", {run.cpu:.2f} s of processor, peak {(run.peak or 0) >> 20} MB"
            print(f"{number + 1} {name:16} lost {run.lost:9,} of {FRAMES:,} at {run.rate:,.0f}/s{cost}", flush=True)
    most = max(run.lost for run in runs[GOAL])
    for name in OURS:
        worst = max(run.lost for run in runs[name])
        print(f"{name:16} lost {worst:,} at most, {GOAL} {most:,}: {'reached' if worst <= most else 'MISSED'}")


def recorders() -> dict[str, list[str]]:
    """Commands, inside a namespace: the record's file is the last word where there is one."""
    ours = {name: [sys.executable, "-m", "tests.bench.recording", name] for name in OURS}
    tcpdump = ["tcpdump", "-n", "-Z", "root", "-i", "right0", "-s", str(SNAPLEN), "-B", str(BUFFER >> 10)]
    return {**ours, GOAL: [*tcpdump, "-w", "{file}", FILTER], "tcpdump -n": [*tcpdump, FILTER]}


def measured(command: list[str]) -> Run:
    with joined_pair() as (left, right), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "record.pcap"
        words = [word.replace("{file}", str(file)) for word in command]
        with running(right, words) as recorder:
            seconds = flood(left, FRAMES, Path(folder))
            time.sleep(0.5)
            recorder.terminate()
            _, said = recorder.communicate(timeout=60)
        if found := re.search(rb"(\d+) packets? captured", said):
            return Run(FRAMES - int(found[1]), FRAMES / seconds)
        told = json.loads(said.splitlines()[-1])
        return Run(FRAMES - told["captured"], FRAMES / seconds, told["cpu"], told["peak"])


@contextmanager
def running(inside: Namespace, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A recorder that listens."""
    words = ["ip", "netns", "exec", inside.name, *command]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr
            for line in process.stderr:
                if b"listening on" in line:
                    break
            yield process
        finally:
            process.kill()


def record(how: str) -> None:
    """One of OURS until it is terminated, in a process of its own; what it lost and cost, on standard error."""
    import signal

    from collectors.capture.device import opened
    from collectors.capture.files import Target, Writer
    from collectors.capture.recorder import Recorder
    from collectors.capture.ring import Ring
    from collectors.host import Host

    ring, stop = Ring(RING), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    device = opened(Host(), "right0", FILTER, snaplen=SNAPLEN, buffer=BUFFER)
    recorder = Recorder(device, ring)
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(ring, Target(str(Path(folder) / "ours.pcap"))) if how.startswith("file") else None
        beside = threading.Thread(target=busy if "busy" in how else decode, args=(ring,), daemon=True)
        if writer:
            writer.start()
        if "," in how:
            beside.start()
        began = time.process_time()
        recorder.start()
        print("listening on right0", file=sys.stderr, flush=True)
        stop.wait(120)
        recorder.stop()
        told = {"cpu": time.process_time() - began, "peak": peak_bytes(), "captured": recorder.counts.captured}
        if writer:
            writer.join(60)
            told["captured"] = writer.packets
    print(json.dumps(told), file=sys.stderr, flush=True)


def decode(ring: object) -> None:
    """As a display does: every packet into a table, and what it cannot follow is skipped."""
    from collectors.capture.ring import Reader, Ring
    from collectors.wire.packets.capture_file import opened as opened_file
    from collectors.wire.packets.decode import AT_ONCE, decoded

    assert isinstance(ring, Ring)
    reader = Reader(ring, most=2 * ring.segment_size)
    while not ring.ended:
        reader.wait(0.1)
        while piece := reader.next():
            data = piece.data()
            form = opened_file(data)
            assert form is not None
            found = form.part(data, piece.start).records
            for start in range(0, len(found), AT_ONCE):
                decoded(found.take(slice(start, start + AT_ONCE)))


def busy(ring: object) -> None:
    """Worse than any display: the interpreter's lock is asked for all the time."""
    number = 0
    while not getattr(ring, "ended", True):
        number += 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        record(sys.argv[1])
    else:
        main()
