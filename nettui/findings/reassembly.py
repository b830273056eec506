"""Fragments that never become whole packets: some are lost on the way, or there is no room for those that wait."""

from __future__ import annotations

from collections.abc import Iterator

from nettui.findings.counted import counters_of, evidence, pace
from nettui.findings.finding import Diagnosis, Finding, Tables
from nettui.findings.rows import figure

FAMILIES = {"Ip": ("IPv4", "net.ipv4.ipfrag_high_thresh"), "Ip6": ("IPv6", "net.ipv6.ip6frag_high_thresh")}
LATE = 0.9  # share of failures by time from which the fragments are lost elsewhere


def find(tables: Tables) -> Iterator[Finding]:
    known = counters_of(tables)
    for group, (family, room) in FAMILIES.items():
        names = [f"{group}.Reasm{what}" for what in ("Fails", "Timeout", "Reqds", "OKs")]
        fails, late = pace(known, names[0]), pace(known, names[1])
        if not fails and not late:
            continue
        lost = late >= LATE * fails
        yield Finding(
            "error",
            f"{family} fragments",
            f"{figure(fails or late)} {family} packets/s cannot be put together: "
            + ("fragments of them do not arrive" if lost else "no memory for them is left, or they overlap"),
            (*evidence(known, *names, "IpExt.ReasmOverlaps"), *memory(tables)),
            (
                "nstat -az 'Ip*Reasm*'  # requests, timeouts and failures",
                f"sysctl {room}  # bytes that waiting fragments may take",
                "ip -s link  # whether the devices here lose frames"
                if lost
                else f"sysctl -w {room}=8388608  # changes the host; fragments of attackers fill it too",
            ),
            "protocols",
            f"counter {names[0]}",
        )


def memory(tables: Tables) -> Iterator[str]:
    """What waits now."""
    for row in tables["protocols"].rows():
        if row["group"] in ("FRAG", "FRAG6") and row.get("level"):
            yield f"protocols: {row['counter']} {row['level']:,}"


REASSEMBLY = Diagnosis("reassembly", "fragments cannot be put together", ("protocols",), find)
