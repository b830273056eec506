"""`python -m tests.bench.capture [recording] [lines] [panel] [keys] [memory]`: live packets; all of them by default.

Each is a module or a part of one, with its own words on what it does. Figures of one machine; compare what ran in turn.
"""

from __future__ import annotations

import sys

from tests.bench import capture_lines, capture_panel, recording

PARTS = {
    "recording": recording.main,
    "lines": capture_lines.main,
    "panel": capture_panel.lost,
    "keys": capture_panel.keys,
    "memory": capture_panel.memory,
}


def main(*wanted: str) -> None:
    for name in wanted or PARTS:
        print(f"{name}:", flush=True)
        PARTS[name]()


if __name__ == "__main__":
    main(*sys.argv[1:])
