"""A device loses frames because its receive ring is full, and the ring could be larger."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

import numpy as np

from nettui.findings.finding import Diagnosis, Finding, Tables, number, rate
from nettui.findings.rows import Row, capped, figure, moving, picked

MISSED = ("rx_missed_errors", "rx_fifo_errors")  # the ring had no room; drivers use the one or the other
FEW = 1e-4  # share of what is received, up to which it is a warning
NAMES = ("ifindex", "ifname", *MISSED, "rx_packets", *(f"{name}_rate" for name in (*MISSED, "rx_packets")))


def find(tables: Tables) -> Iterator[Finding]:
    links, rings = tables["links"], {row["ifindex"]: row for row in tables["rings"].rows()}
    missing = np.logical_or.reduce([moving(links, name) for name in MISSED])
    rows = sorted(picked(links, missing, *NAMES), key=lambda row: -missed(row))
    small = [(row, ring) for row in rows if (ring := rings.get(row["ifindex"])) and could_grow(ring)]
    yield from capped(told(row, ring) for row, ring in small)


def could_grow(ring: Row) -> bool:
    return 0 < number(ring, "rx") < number(ring, "rx_max")


def missed(row: Row) -> float:
    """Of the two the larger: some drivers count the same frame in both."""
    return max(rate(row, name) for name in MISSED)


def told(row: Row, ring: Row) -> Finding:
    name, size, most = str(row["ifname"]), number(ring, "rx"), number(ring, "rx_max")
    passing = rate(row, "rx_packets")
    return Finding(
        "warning" if missed(row) <= FEW * passing else "error",
        name,
        f"{name} loses {figure(missed(row))} frames/s as its receive ring is full: it has {size:,} of {most:,} entries"
        + (f", {figure(passing)} packets/s pass" if passing else ""),
        (
            *(f"links: {counter} {number(row, counter):,}" for counter in MISSED if number(row, counter)),
            f"rings: rx {size:,}, rx_max {most:,}",
        ),
        (
            f"ethtool -g {quote(name)}  # the ring now and at most",
            f"ethtool -S {quote(name)}  # which queue loses them",
            f"ethtool -G {quote(name)} rx {most}  # changes the host; many drivers take the link down for a moment",
        ),
        "links",
        f"ifindex {row['ifindex']}",
    )


SMALL_RING = Diagnosis(
    "small_ring", "frames are lost and the receive ring is below its maximum", ("links", "rings"), find
)
