"""The app with a feed of hand-made links, for tests in a pseudo-terminal: python -m tests.tui.shown [HOW]

``deaf`` ignores SIGHUP, as under nohup; ``stuck`` has a main thread that never comes back once a key was pressed.
"""

from __future__ import annotations

import signal
import sys
import time

from collectors import Host
from nettui.snapshot import Snapshot
from nettui.tui import app, start, terminal
from tests.tui.stage import Feed, links


class Once(Feed):
    def start(self) -> None:
        self.deliver(Snapshot(time.time(), {"links": links("lo", "eth0")}, {}, {}))


def main(how: str) -> int:
    if how == "stuck":
        app.Nettui.action_above = lambda self, name: time.sleep(60)  # type: ignore[method-assign]
    if how == "raises":
        app.Nettui.action_above = lambda self, name: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    if how == "deaf":
        taken = terminal.end_on
        start.end_on = lambda tui, number: number == signal.SIGHUP or taken(tui, number)  # type: ignore[assignment]
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return start.start(Host(), Once, "links")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
