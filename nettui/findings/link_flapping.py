"""The carrier of a link goes and comes, or has done so often."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from nettui.findings.finding import Diagnosis, Finding, Tables, number, rate
from nettui.findings.rows import Row, above, is_one_of, moving, picked

OFTEN = 10  # times that the carrier went, since the device exists, from which it is worth a note
COLUMNS = ("ifindex", "ifname", "carrier_down_count", "carrier_down_count_rate", "carrier_up_count")
MOST = 10


def find(tables: Tables) -> Iterator[Finding]:
    """A bridge's carrier goes with its last port, as containers end; its ports are looked at instead."""
    links = tables["links"]
    bridge = is_one_of(links, "kind", "bridge")
    now = moving(links, "carrier_down_count") & ~bridge
    often = above(links, "carrier_down_count", OFTEN - 1) & ~now & ~bridge
    for mask in (now, often):
        rows = sorted(picked(links, mask, *COLUMNS), key=lambda row: -number(row, "carrier_down_count"))
        for row in rows[:MOST]:
            yield flapping(row)


def flapping(row: Row) -> Finding:
    name, times, pace = str(row["ifname"]), number(row, "carrier_down_count"), rate(row, "carrier_down_count")
    moved = f"went again while it was watched ({pace:.2g} times a second)" if pace else f"went {times:,} times"
    return Finding(
        "warning" if pace else "note",
        name,
        f"the carrier of {name} {moved}" + (f", {times:,} times in all" if pace else " since the device exists"),
        (f"links: carrier_down_count {times:,}", f"links: carrier_up_count {number(row, 'carrier_up_count'):,}"),
        (
            f"journalctl -k -g {quote(name)}  # when it went and came",
            f"ethtool {quote(name)}  # speed, duplex, and whether both sides negotiate",
            f"ethtool -S {quote(name)}  # errors of the receiver: a bad cable or module shows there",
        ),
        "links",
        f"ifindex {row['ifindex']}",
    )


LINK_FLAPPING = Diagnosis("link_flapping", "the carrier of a link goes and comes", ("links",), find)
