"""Devices that are up and have no carrier, although something needs them."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, number
from nettui.findings.rows import Row, addressed, has, is_one_of, listed, picked

WHOLE = ("bond", "team")  # devices whose own missing carrier means that all their ports have none


def find(tables: Tables) -> Iterator[Finding]:
    """A bridge without carrier has no port that is up, as one of Docker's without containers: no news."""
    links = tables["links"]
    dead = has(links, "NO-CARRIER") & ~is_one_of(links, "kind", "bridge")
    rows = list(picked(links, dead, "ifindex", "ifname", "kind", "slave_kind", "carrier_changes"))
    needed = addressed(tables) | addressed(tables, "inet6")
    groups: dict[str, list[Row]] = {"whole": [], "port": [], "addressed": [], "idle": []}
    for row in rows:
        groups[place(row, needed)].append(row)
    yield from told(groups["whole"], "error", "{} have no carrier: none of their ports works, nothing passes")
    yield from told(groups["port"], "warning", "{} are ports of a bond or team and have no carrier: it runs on fewer")
    yield from told(groups["addressed"], "warning", "{} have an address and are up, and have no carrier")
    yield from told(groups["idle"], "note", "{} are up and have no carrier: nothing is plugged in, or the peer is down")


def place(row: Row, needed: set[int]) -> str:
    if row.get("kind") in WHOLE:
        return "whole"
    if row.get("slave_kind") in WHOLE:
        return "port"
    return "addressed" if number(row, "ifindex") in needed else "idle"


def told(rows: list[Row], severity: Severity, sentence: str) -> Iterator[Finding]:
    if not rows:
        return
    names = [str(row["ifname"]) for row in rows]
    says = sentence.format(listed(names))
    yield Finding(
        severity,
        listed(names, 3),
        says if len(rows) > 1 else says.replace(" have ", " has ").replace(" are ", " is ", 1),
        tuple(f"links: {row['ifname']} NO-CARRIER, {number(row, 'carrier_changes'):,} changes" for row in rows[:5]),
        (
            f"ethtool {quote(names[0])}  # whether the other side is there",
            "nettui report links --where 'flags NO-CARRIER' --columns ifname,kind,peer,link_netns  # a veth's peer",
        ),
        "links",
        "flags NO-CARRIER",
    )


NO_CARRIER = Diagnosis("no_carrier", "a link is up without a carrier", ("links",), find, ("addresses",))
