"""Strict reverse path filtering on a device by which the way back does not lead: its packets are dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote

from collectors.table import Table
from collectors.values import Addresses
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, counters, number, rate
from nettui.findings.rows import (
    Mask,
    Row,
    conf,
    device,
    device_names,
    equals,
    figure,
    is_one_of,
    listed,
    of_device,
    picked,
    settings,
)

COUNTER = "TcpExt.IPReversePathFilter"
STRICT = 1
BUILT_IN = ("local", "main", "default")
NAMES = ("dst", "oif", "metric", "tos")


def find(tables: Tables) -> Iterator[Finding]:
    known, names = settings(tables), device_names(tables)
    counted = counters(tables).get(COUNTER, {}) if "protocols" in tables else {}
    asymmetric = {
        index: ways
        for index, ways in behind(tables).items()
        if strict(known, device(names, index)) and not steered(tables, index)
    }
    for index, ways in asymmetric.items():
        yield one_way(device(names, index), index, ways, names, counted)
    moved = rate(counted, "value")
    if moved and not asymmetric and (on := [name for name in names.values() if strict(known, name)]):
        yield unexplained(on, counted)


def strict(known: Mapping[str, int], name: str) -> bool:
    """The larger of the device's own setting and that of all counts."""
    own, every = of_device(known, name, "rp_filter"), known.get("net.ipv4.conf.all.rp_filter")
    return own is not None and every is not None and max(own, every) == STRICT


def behind(tables: Tables) -> dict[int, list[Row]]:
    """Devices with a default or connected route of main that one by another device comes before: device -> these."""
    table = tables["routes"]
    main = is_one_of(table, "table", "main") & is_one_of(table, "family", "inet") & is_one_of(table, "type", "unicast")
    chosen = main & (whole(table) | is_one_of(table, "scope", "link") & is_one_of(table, "protocol", "kernel"))
    chosen &= table.numbers("oif").present()
    best: dict[object, Row] = {}
    lower: list[tuple[Row, Row]] = []
    for row in sorted(picked(table, chosen, *NAMES), key=lambda row: number(row, "metric")):
        first = best.setdefault((row["dst"], row.get("tos")), row)
        if first["oif"] != row["oif"]:
            lower.append((row, first))
    found: dict[int, list[Row]] = {}
    for row, first in lower:
        found.setdefault(number(row, "oif"), []).append(first)
    return found


def whole(table: Table) -> Mask:
    """Default routes."""
    dst = table["dst"]
    assert isinstance(dst, Addresses)
    found: Mask = dst.present() & (dst.prefix == 0 if dst.prefix is not None else False)
    return found


def steered(tables: Tables, index: int) -> bool:
    """Whether a rule leads to a table with a route by the device: then the way back may lead by it after all."""
    if "rules" not in tables:
        return False
    asked = {table for table in tables["rules"]["table"].cells() if table not in (None, *BUILT_IN)}
    routes = tables["routes"]
    return bool(asked) and bool((equals(routes, "oif", [index]) & is_one_of(routes, "table", *asked)).any())


def one_way(name: str, index: int, ways: list[Row], names: Mapping[int, str], counted: Mapping[str, object]) -> Finding:
    others = listed(dict.fromkeys(device(names, way["oif"]) for way in ways), 3)
    prefixes = listed(dict.fromkeys(way["dst"] for way in ways), 3)
    row = {key: value for key, value in counted.items() if isinstance(value, (int, float))}
    lost, pace = number(row, "value"), rate(row, "value")
    severity: Severity = "error" if pace else "warning" if lost else "note"
    figures = f"; {figure(pace)} packets/s are" if pace else f"; {lost:,} packets were" if lost else ""
    return Finding(
        severity,
        name,
        f"{name} filters by reverse path strictly, and the way back to {prefixes} leads by {others}: packets from there"
        f" that come in by {name} are dropped" + (f"{figures} dropped so on this host" if figures else ""),
        (
            f"settings: net.ipv4.conf.{{all,{name}}}.rp_filter, the larger is 1",
            f"routes: {prefixes} by {others} comes before that by {name}",
            f"protocols: {COUNTER} {lost:,}",
        ),
        (
            f"nettui report routes --where 'oif {index} or dst default'  # which comes first, by metric",
            f"ip route get ADDRESS from ADDRESS iif {quote(name)}  # 'invalid cross-device link': the filter drops it",
            f"sysctl -w {quote(conf(name, 'rp_filter'))}=2  # changes the host: any way back will do",
        ),
        "routes",
        f"oif {index} or dst default",
    )


def unexplained(on: list[str], counted: Mapping[str, object]) -> Finding:
    row = {key: value for key, value in counted.items() if isinstance(value, (int, float))}
    return Finding(
        "warning",
        "reverse path filter",
        f"{figure(rate(row, 'value'))} packets/s are dropped because the way back to their source leads elsewhere, and"
        f" {len(on)} devices filter strictly ({listed(on, 3)})",
        (f"protocols: {COUNTER} {number(row, 'value'):,}", f"settings: rp_filter 1 on {listed(on)}"),
        (
            "sysctl -w net.ipv4.conf.DEVICE.log_martians=1  # changes the host: the log then names the sources",
            "nettui report routes  # whether there is a route to them by the device",
        ),
        "protocols",
        f"counter {COUNTER}",
    )


RP_FILTER = Diagnosis(
    "rp_filter", "strict reverse path filtering where routes are asymmetric", ("settings", "routes", "links"), find,
    ("rules", "protocols"),
)  # fmt: skip
