"""The only list of collectors."""

from __future__ import annotations

from collectors.collector import Collector
from collectors.netlink.routes import ROUTES
from collectors.proc.limits import LIMITS
from collectors.proc.softnet import SOFTNET

COLLECTORS: tuple[Collector, ...] = (
    ROUTES,
    SOFTNET,
    LIMITS,
)


def collector(name: str) -> Collector:
    """The collector of that name; KeyError names the ones there are."""
    for entry in COLLECTORS:
        if entry.name == name:
            return entry
    raise KeyError(f"no collector {name!r}; there are {', '.join(entry.name for entry in COLLECTORS)}")
