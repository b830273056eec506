"""The kernel's network state as tables: ``collectors.collect("routes")`` reads one."""

from __future__ import annotations

from collectors.host import Host
from collectors.table import Table

__all__ = ["Host", "Table", "collect"]


def collect(name: str, host: Host = Host()) -> Table:  # noqa: B008  (frozen)
    """Read one table from the kernel; ``len(table)`` is its rows.

    Raises KeyError for an unknown name, OSError for what the kernel refuses, DecodeError for what it cannot mean.
    """
    from collectors.registry import collector

    return collector(name).collect(host)
