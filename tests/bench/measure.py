"""One measurement in a fresh process: `python -m tests.bench.measure WHAT NAMESPACE`; prints JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import collectors
from collectors import Host
from collectors.netfilter.nfnetlink import NETLINK_NETFILTER
from collectors.netlink.dump import NETLINK_ROUTE, open_netlink, sequences
from collectors.registry import collector
from collectors.wire.netlink import NLM_F_DUMP, request
from nettui.cli import tune

# table -> netlink protocol, message and family header: IPv4 routes, all conntrack entries, all nf_tables rules
BARE = {
    "routes": (NETLINK_ROUTE, 26, bytes([2, *bytes(11)])),
    "conntrack": (NETLINK_NETFILTER, 257, bytes(4)),
    "netfilter": (NETLINK_NETFILTER, 0xA07, bytes(4)),
}


def collect(name: str, host: Host) -> int:
    """Rows of one collected table."""
    return len(collectors.collect(name, host))


def section(name: str, host: Host) -> int:
    """Rows of one section with its joins."""
    from nettui import sources

    return len(sources.read([name], host).tables[name])


def receive(name: str, host: Host) -> int:
    """Bytes of the same dumps, received and thrown away: the floor that the kernel sets."""
    return sum(len(block.data) for block in collector(name).read(host) if hasattr(block, "data"))


def bare(name: str, host: Host) -> int:
    """Bytes of one dump by recv_into alone, into one buffer: the floor without any of our reading code."""
    protocol, kind, body = BARE[name]
    view = memoryview(bytearray(256 << 10))
    total = 0
    with open_netlink(host, protocol) as sock:
        sock.send(request(kind, NLM_F_DUMP, next(sequences), body))
        while True:
            size = sock.recv_into(view)
            total += size
            if int.from_bytes(view[size - 20 + 4 : size - 20 + 6], "little") == 3 and view[size - 20] == 20:
                return total


def peak_bytes() -> int:
    """This process's own peak; ru_maxrss would begin with that of the process that started it (fs/exec.c)."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


WHAT: dict[str, Callable[[str, Host], int]] = {
    "collect": collect,
    "refresh": collect,  # measured when the same process has collected before
    "section": section,
    "receive": receive,
    "bare": bare,
}


def main(what: str, name: str, netns: str) -> None:
    host = Host(netns or None)
    tune()
    from nettui import sources  # noqa: F401  (imports are no part of a measurement)

    if what == "section":
        from nettui.report.schema import declared

        declared(name)  # what it joins is imported
        import nettui.ledger.follower  # noqa: F401
    else:
        collector(name)

    if what == "refresh":
        collect(name, host)
    started = time.perf_counter()
    rows = WHAT[what](name, host)
    seconds = time.perf_counter() - started
    peak = peak_bytes()
    print(json.dumps({"seconds": seconds, "rows": rows, "peak": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
