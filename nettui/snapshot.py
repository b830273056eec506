"""Snapshot: what was read at one moment, with a Gap for each table that could not be."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from collectors import Host
from collectors.collector import Equalities
from collectors.host import NoSuchNamespace
from collectors.registry import collector
from collectors.table import Gap, Table
from collectors.wire.netlink import DecodeError

ROOT = "run it as root, `sudo nettui`, or give it the capabilities that the README names"
REFUSALS = {
    errno.EPERM: Gap("no permission", ROOT),
    errno.EACCES: Gap("no permission", ROOT),
    errno.ENOENT: Gap("not present in this kernel"),
    errno.EOPNOTSUPP: Gap("not supported by this kernel"),
    errno.EPROTONOSUPPORT: Gap("not supported by this kernel"),
    errno.EAFNOSUPPORT: Gap("this address family is not in this kernel"),
    errno.ENOBUFS: Gap("the kernel's answer overran the receive buffer", "read again when the host is quieter"),
    errno.ETIMEDOUT: Gap("the kernel did not answer in time"),
    errno.EMFILE: Gap("too many open files in this process", "raise its limit: ulimit -n"),
}


class Fill(NamedTuple):
    """How many of what a kernel table holds, and how many it may."""

    used: int
    limit: int
    unit: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Tables by name as of ``at`` (seconds since the epoch); ``elapsed`` seconds that each took to read.

    ``fills``: how full the kernel's table behind a section is, where that has a limit.
    """

    at: float
    tables: Mapping[str, Table]
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    elapsed: Mapping[str, float] = field(default_factory=dict)
    fills: Mapping[str, Fill] = field(default_factory=dict)


def take(names: Iterable[str], host: Host, equalities: Mapping[str, Equalities] | None = None) -> Snapshot:
    """Read the named tables one after the other. The only place that catches a collector's exception.

    ``equalities``: by table, what its rows must have to be of use; others may be left out.
    """
    tables: dict[str, Table] = {}
    gaps: dict[str, Gap] = {}
    elapsed: dict[str, float] = {}
    at = time.time()
    for name in names:
        started = time.perf_counter()
        try:
            tables[name] = collector(name).collect(host, (equalities or {}).get(name, ()))
        except Exception as error:  # the boundary: whatever one collector meets, the others go on
            gaps[name] = gap(error)
        elapsed[name] = time.perf_counter() - started
    return Snapshot(at, tables, gaps, elapsed)


def gap(error: Exception) -> Gap:
    """An exception as one sentence for the reader, with what to do where that is known."""
    match error:
        case NoSuchNamespace():
            return Gap(str(error), "`ip netns list` and `lsns -t net` show the namespaces there are")
        case DecodeError():
            return Gap(f"the kernel's answer was not understood: {error}", "please report this with `uname -r`")
        case TimeoutError():
            return Gap(str(error) or "the kernel did not answer in time")
        case OSError(errno=number) if number in REFUSALS:
            known, said = REFUSALS[number], error.strerror or ""
            about = f" ({error.filename})" if error.filename else f" ({said})" if said else ""
            return Gap(known.reason + about, known.remedy)
        case OSError():
            return Gap(error.strerror or str(error))
        case MemoryError():
            return Gap("not enough memory for this table", "narrow it with --where or look at a smaller section")
        case _:
            return Gap(f"{type(error).__name__}: {error}", "this is a fault of nettui: please report it")
