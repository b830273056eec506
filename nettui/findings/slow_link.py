"""A link runs at half duplex, or slower than hardware of today does."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from nettui.findings.finding import Diagnosis, Finding, Tables, number, rate
from nettui.findings.rows import Row, above, has, is_one_of, picked

LOW = 100  # Mbit/s
COLUMNS = ("ifindex", "ifname", "speed", "duplex", "autoneg", "driver")


def find(tables: Tables) -> Iterator[Finding]:
    table, links = tables["ethtool"], tables["links"]
    used = {number(row, "ifindex"): row for row in picked(
        links, has(links, "LOWER_UP"), "ifindex", "parentbus", "collisions", "collisions_rate")}  # fmt: skip
    half = is_one_of(table, "duplex", "Half")
    low = above(table, "speed") & ~above(table, "speed", LOW)
    for row in picked(table, half | low, *COLUMNS):
        link = used.get(number(row, "ifindex"))
        if link is None:
            continue
        if row.get("duplex") == "Half":
            yield half_duplex(row, link)
        elif "parentbus" in link:  # a device of software gives any speed
            yield low_speed(row)


def half_duplex(row: Row, link: Row) -> Finding:
    name, colliding = str(row["ifname"]), rate(link, "collisions")
    return Finding(
        "error" if colliding else "warning",
        name,
        f"{name} runs at half duplex"
        + (f", {row['speed']} Mbit/s" if "speed" in row else "")
        + (f", with {colliding:,.0f} collisions/s" if colliding else "")
        + ": most often one side negotiates and the other does not",
        (f"ethtool: duplex {row['duplex']}", f"links: collisions {number(link, 'collisions'):,}"),
        remedies(name),
        "links",
        f"ifindex {row['ifindex']}",
    )


def low_speed(row: Row) -> Finding:
    name = str(row["ifname"])
    return Finding(
        "note",
        name,
        f"{name} runs at {row['speed']} Mbit/s: a broken pair of wires or an old switch port holds a faster link back",
        (f"ethtool: speed {row['speed']}", f"ethtool: driver {row.get('driver', 'unknown')}"),
        remedies(name),
        "links",
        f"ifindex {row['ifindex']}",
    )


def remedies(name: str) -> tuple[str, ...]:
    return (
        f"ethtool {quote(name)}  # what both sides offer, and what was agreed on",
        f"ethtool -s {quote(name)} autoneg on  # changes the host; the link is down for some seconds",
    )


SLOW_LINK = Diagnosis("slow_link", "a link runs at half duplex or low speed", ("ethtool", "links"), find)
