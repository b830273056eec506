"""The full screen begun on this terminal, and ended as a shell expects it."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable

from collectors import Host
from nettui.tui.app import Nettui
from nettui.tui.feed import Feed
from nettui.tui.pane import Pane
from nettui.tui.terminal import Terminal, end_on, let_go, remember


def run(host: Host, panel: str | None = None, then: Callable[[Pane], None] | None = None) -> int:
    """Run the full screen; its exit status: 0 quit, 130 Ctrl-C, 128 + signal, 2 when there is no terminal."""
    if not (sys.__stdin__ and sys.__stdin__.isatty() and sys.__stdout__ and sys.__stdout__.isatty()):
        print("nettui: the full screen needs a terminal; try: nettui report", file=sys.stderr)  # noqa: T201
        return 2
    from nettui.live import Live

    return start(host, Live, panel, then=then)


def start(
    host: Host,
    feed: Feed,
    first: str | None = None,
    opening: tuple[str, str] = ("", ""),
    then: Callable[[Pane], None] | None = None,
) -> int:
    """Run it on this terminal with any feed; ``opening``: order and filter of the first panel."""
    sys.setswitchinterval(0.001)  # the threads that read and sort give the keyboard its turn five times sooner
    app = Nettui(host, feed, first=first, opening=opening, then=then)
    app.driver_class = Terminal
    gc.freeze()  # what has been imported lives as long as the app: a collection need not walk it, for 50 ms, each time
    gc.set_threshold(20_000, 5, 2)  # a frame leaves strips of Textual's in cycles: tens of MB in a minute of packets
    remember()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        end_on(app, number)
    threading.excepthook = lambda failure: app.broken(failure.exc_value)
    app.run(mouse=False)
    let_go()
    return app.return_value if app.return_value is not None else app.return_code or 0
