"""From process start to the first painted panel, against the bare import of what it stands on.

python -m tests.bench.first_paint [--runs N] [--json: one run, its seconds]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.tui.terminals import terminal

ALLOWED = 3.0


def imports() -> float:
    """Seconds that `import textual.app, numpy` takes in a new process."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app, numpy"], check=True)
    return time.perf_counter() - started


def first_panel() -> float:
    """Seconds until the overview's first row is painted."""
    started = time.perf_counter()
    with terminal("-m", "nettui") as on:
        while "/" not in on.screen.display[-2][:12]:
            on.read(0.01)
            if time.perf_counter() - started > 20:
                raise SystemExit(f"the first panel never came:\n{on.text()}")
        return time.perf_counter() - started


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    runs = options.runs
    if options.json:
        print(json.dumps({"seconds": first_panel()}))
        return 0
    imports(), first_panel()  # compiles and caches
    floor = sorted(imports() for _ in range(runs))[runs // 2]
    found = sorted(first_panel() for _ in range(runs))[runs // 2]
    print(f"import textual.app, numpy  {floor * 1000:6.0f} ms")
    print(f"first painted panel        {found * 1000:6.0f} ms   {found / floor:.2f} times, allowed {ALLOWED:.1f}")
    return 0 if found <= ALLOWED * floor else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
