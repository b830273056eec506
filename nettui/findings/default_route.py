"""No default route where other routes lead to gateways, or one that leads to a dead link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote

import numpy as np

from collectors.table import Table
from collectors.values import Addresses
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, counters, number, rate
from nettui.findings.rows import Row, addressed, counted, device, figure, is_one_of, picked, settings

NAMES = ("family", "table", "type", "dst", "gateway", "via", "oif", "metric", "flags", "nexthops", "nhid")
FULL = 1000  # routes to gateways from which a host may do without a default: it has the whole Internet's
DOWN = ("dead", "linkdown")
WORDS = {"inet": "IPv4", "inet6": "IPv6"}


def find(tables: Tables) -> Iterator[Finding]:
    table, links = tables["routes"], tables["links"]
    dst = table["dst"]
    assert isinstance(dst, Addresses)
    short = np.zeros(len(table), np.bool_) if dst.prefix is None else dst.prefix <= 1
    short &= dst.present()
    devices = {number(row, "ifindex"): row for row in links.select(("ifindex", "ifname", "flags")).rows()}
    rows = [row for row in picked(table, short, *NAMES) if str(row["dst"]) in ("default", "0.0.0.0/1", "::/1")]
    for family in WORDS:
        of_family = [row for row in rows if row["family"] == family]
        if of_family:
            yield from dead([row for row in of_family if row["type"] == "unicast"], devices, tables)
        elif family == "inet" and not table.gaps:  # without one, IPv6 most often is not wanted beyond the link
            yield from missing(table, tables, devices)


def missing(table: Table, tables: Tables, devices: Mapping[int, Row]) -> Iterator[Finding]:
    ours = is_one_of(table, "family", "inet") & is_one_of(table, "type", "unicast")
    through = int((ours & (table["gateway"].present() | table["nexthops"].present())).sum())
    live = {index for index, row in devices.items() if "LOWER_UP" in flags(row) and "LOOPBACK" not in flags(row)}
    reached = sorted(addressed(tables) & live)
    if not ours.any() or not reached or through >= FULL:
        return
    known = counters(tables) if "protocols" in tables else {}
    refused = rate(known.get("Ip.OutNoRoutes", {}), "value")
    told = f", and {figure(refused)} packets/s find no route" if refused else ""
    yield Finding(
        "warning" if refused else "note",
        "IPv4 default route",
        f"there is no default route: nothing but {counted(int(ours.sum()), 'other route')}{told}",
        (
            f"routes: {int(ours.sum()):,} of IPv4, none default",
            f"addresses: on {', '.join(str(devices[index]['ifname']) for index in reached[:5])}",
        ),
        (
            "nettui report routes --where 'type unicast and family inet'  # what can be reached",
            "ip route add default via GATEWAY  # changes the host; what sets up its addresses should do it",
        ),
        "routes",
        "family inet and type unicast",
    )


def dead(rows: list[Row], devices: Mapping[int, Row], tables: Tables) -> Iterator[Finding]:
    """The default that is asked first, in each table; a dead one behind it waits for its turn and is told as a note."""
    ignored = settings(tables).get("net.ipv4.conf.all.ignore_routes_with_linkdown") == 1
    seen: set[object] = set()
    for row in sorted(rows, key=lambda row: number(row, "metric")):
        first = row["table"] not in seen
        legs = [hop for hop in hops(row) if hop.get("oif")]
        lost = [hop for hop in legs if down(hop, devices)]
        if not (ignored or (legs and all("dead" in flags(hop) for hop in legs))):
            seen.add(row["table"])
        if lost:
            severity: Severity = "note" if not first or ignored else "error" if len(lost) == len(legs) else "warning"
            yield told_dead(row, lost, len(legs), devices, severity)


def hops(row: Row) -> list[Row]:
    several = row.get("nexthops")
    return [hop for hop in several if isinstance(hop, dict)] if isinstance(several, list) else [row]


def flags(row: Mapping[str, object]) -> list[object]:
    found = row.get("flags")
    return found if isinstance(found, list) else []


def down(hop: Row, devices: Mapping[int, Row]) -> bool:
    link = devices.get(number(hop, "oif"))
    return any(word in flags(hop) for word in DOWN) or (link is not None and "LOWER_UP" not in flags(link))


def told_dead(row: Row, lost: list[Row], legs: int, devices: Mapping[int, Row], severity: Severity) -> Finding:
    names = {index: str(link["ifname"]) for index, link in devices.items()}
    name = device(names, lost[0].get("oif"))
    link = devices.get(number(lost[0], "oif"), {})
    state = "is not up" if "UP" not in flags(link) else "has no carrier"
    part = f"{len(lost)} of {legs} ways of the" if legs > 1 else "the"
    words = " ".join(str(word) for word in flags(lost[0])) or "none"
    end = {"error": ": what has no other route is lost", "warning": ": its flows are lost"}.get(severity, "")
    return Finding(
        severity,
        f"{WORDS[str(row['family'])]} default route by {name}",
        f"{part} default route in table {row['table']} leads by {name}, which {state}{end}",
        (
            f"routes: {row['dst']} table {row['table']} metric {number(row, 'metric')} flags {words}",
            f"links: {name} {' '.join(map(str, flags(link)))}",
        ),
        (
            "nettui report routes --where 'dst default'  # all of them, with metrics",
            f"ethtool {quote(name)}  # whether the other side is there",
            f"ip route del default dev {quote(name)}  # changes the host; where another one is to take over",
        ),
        "routes",
        "dst default",
    )


DEFAULT_ROUTE = Diagnosis(
    "default_route", "the default route is missing, or leads to a dead link", ("routes", "links"), find,
    ("addresses", "protocols", "settings"),
)  # fmt: skip
