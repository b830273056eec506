"""What `nettui drops` takes while it watches: `python -m tests.bench.watch SECONDS`; prints JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

STARTED = 5.0  # seconds after which it has started and read everything once


def processor_time(pid: int) -> float:
    """Seconds in user and kernel mode, of all threads: fields 14 and 15 of /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_bytes(pid: int) -> int:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def main(seconds: float, *further: str) -> None:
    """``seconds`` in the answer: processor time for each second of watching."""
    command = [sys.executable, "-m", "nettui", "drops", "--interval", "1", *further]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as watch:
        try:
            time.sleep(STARTED)
            before, started = processor_time(watch.pid), time.monotonic()
            time.sleep(seconds)
            share = (processor_time(watch.pid) - before) / (time.monotonic() - started)
            print(json.dumps({"seconds": share, "peak": peak_bytes(watch.pid)}))
        finally:
            watch.terminate()


if __name__ == "__main__":
    main(float(sys.argv[1]), *sys.argv[2:])
