"""Route lookup: the one route that a packet would take now, as the routes section shows it."""

from __future__ import annotations

import time

from collectors import Host
from collectors.netlink.routes import lookup
from collectors.table import Table
from collectors.wire.netlink import NetlinkError
from nettui.derive import derive
from nettui.snapshot import Snapshot, gap, take


def look_up(host: Host, destination: str, source: str = "") -> Snapshot:
    """A snapshot of ``routes`` with one row, or with the kernel's refusal as its gap.

    Raises ValueError for a text that is no address.
    """
    started = time.perf_counter()
    raw = take(["links"], host)
    try:
        route = lookup(host, destination, source)
    except NetlinkError as error:
        why = f"no route to {destination}{f' from {source}' if source else ''}: {error.strerror or error}"
        return Snapshot(raw.at, {}, {"routes": gap(OSError(error.errno, why))}, {})
    except OSError as error:
        return Snapshot(raw.at, {}, {"routes": gap(error)}, {})
    found = derive("routes", Snapshot(raw.at, {**raw.tables, "routes": route}, raw.gaps))
    assert isinstance(found, Table)
    return Snapshot(raw.at, {"routes": found}, {}, {"routes": time.perf_counter() - started})
