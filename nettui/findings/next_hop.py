"""A gateway of routes does not answer: its neighbour entry is FAILED, or it is still being asked for."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.table import Table
from collectors.values import Addresses, distinct
from nettui.findings.finding import Diagnosis, Finding, Tables, number
from nettui.findings.rows import Row, device, device_names, equals, has, is_one_of, picked
from nettui.rates import address_words, mixed

NAMES = ("ifindex", "dst", "state", "probes", "used", "updated")
MOST = 10
RECENT = 60  # seconds: an entry that is not needed stays FAILED for as long as there is room
WIDTH = 16


class Used(NamedTuple):
    """Routes by one gateway: how many, whether a default route is among them, and in which column they name it."""

    routes: int
    default: bool
    where: str


def find(tables: Tables) -> Iterator[Finding]:
    neighbours = tables["neighbours"]
    unanswered = has(neighbours, "FAILED", "state") | has(neighbours, "INCOMPLETE", "state")
    unanswered &= is_one_of(neighbours, "family", "inet", "inet6")
    if not unanswered.any():
        return
    names = device_names(tables)
    entries = neighbours.take(np.flatnonzero(unanswered))
    direct = through(entries, tables["routes"])
    other = {**by_object(tables), **by_multipath(tables["routes"])}
    found = []
    for at, row in enumerate(picked(entries, np.ones(len(entries), np.bool_), *NAMES)):
        used = direct.get(at) or other.get((number(row, "ifindex"), str(row["dst"])))
        if used:
            found.append((row, used))
    for row, used in sorted(found, key=lambda pair: (-pair[1].default, -pair[1].routes))[:MOST]:
        yield silent(row, used, device(names, row["ifindex"]))


def through(entries: Table, routes: Table) -> dict[int, Used]:
    """For each of the entries (by row) the routes whose gateway and device it is."""
    wanted, having = marks(entries, "dst", "ifindex"), marks(routes, "gateway", "oif")
    order = np.argsort(wanted)
    place = np.minimum(np.searchsorted(wanted[order], having), len(order) - 1)
    at = np.flatnonzero((wanted[order][place] == having) & (having != 0))
    if not len(at):
        return {}
    row = order[place[at]]
    dst = routes["dst"]
    assert isinstance(dst, Addresses)
    whole = dst.prefix[at] == 0 if dst.prefix is not None else np.zeros(len(at), np.bool_)
    counts = np.bincount(row, minlength=len(entries))
    defaults = np.bincount(row, whole, len(entries))
    return {int(each): Used(int(counts[each]), bool(defaults[each]), "gateway {}") for each in np.flatnonzero(counts)}


def marks(table: Table, name: str, index: str) -> NDArray[np.uint64]:
    """One number for each address and device; those without an address have 0."""
    values, devices = table[name], table.numbers(index)
    assert isinstance(values, Addresses)
    words = address_words(Addresses(values.octets, values.form), max(WIDTH, values.octets.shape[1]))[:, [0, 1, -1]]
    words = np.column_stack([words, devices.numbers.astype(np.uint64)])
    return np.where(values.present(), mixed(words), np.uint64(0))


def by_object(tables: Tables) -> dict[tuple[int, str], Used]:
    """Nexthop objects that routes use, by their device and gateway."""
    if "nexthops" not in tables:
        return {}
    table, routes = tables["nexthops"], tables["routes"].numbers("nhid")
    numbers, codes = distinct(routes.numbers[routes.present()])
    uses = dict(zip(numbers.tolist(), np.bincount(codes, minlength=len(numbers)).tolist(), strict=True))
    for row in picked(table, table.codes("group").present(), "id", "group"):
        for member in row["group"] if isinstance(row["group"], list) else []:
            uses[member["id"]] = uses.get(member["id"], 0) + uses.get(number(row, "id"), 0)
    used = equals(table, "id", [each for each, count in uses.items() if count]) & table["gateway"].present()
    return {
        (number(row, "oif"), str(row["gateway"])): Used(uses[number(row, "id")], False, "has nhid")
        for row in picked(table, used, "id", "oif", "gateway")
    }


def by_multipath(routes: Table) -> dict[tuple[int, str], Used]:
    """Gateways of multipath routes, each told once however many routes share them."""
    found: dict[tuple[int, str], Used] = {}
    codes = routes.codes("nexthops")
    counts = np.bincount(codes.codes[codes.present()], minlength=len(codes.pool)).tolist()
    for cell, count in zip(codes.pool, counts, strict=True):
        for hop in cell if isinstance(cell, list) else []:
            gateway = hop.get("gateway") or (hop.get("via") or {}).get("host")
            key = (number(hop, "oif"), str(gateway))
            found[key] = Used(count + (found[key].routes if key in found else 0), False, "nexthops ~ {}")
    return found


def silent(row: Row, used: Used, name: str) -> Finding:
    state = " ".join(map(str, row["state"])) if isinstance(row["state"], list) else str(row["state"])
    failed, idle = "FAILED" in state, number(row, "used")
    what = "the default route" if used.default else f"{used.routes:,} routes" if used.routes > 1 else "a route"
    more = f" and {used.routes - 1:,} more" if used.default and used.routes > 1 else ""
    end = "does not answer: packets by it are lost" if failed else "has not answered yet: packets by it wait"
    end = f"did not answer when it was last needed, {idle:,} s ago" if failed and idle > RECENT else end
    return Finding(
        "error" if failed and idle <= RECENT else "warning",
        f"{row['dst']} on {name}",
        f"{row['dst']} on {name}, the gateway of {what}{more}, {end}",
        (
            f"neighbours: {row['dst']} {state}, {number(row, 'probes')} probes, {number(row, 'updated'):,} s ago",
            f"routes: {used.routes:,} with gateway {row['dst']}",
        ),
        (
            f"nettui report routes --where '{used.where.format(row['dst'])}'  # what is lost",
            f"tcpdump -nei {quote(name)} 'arp or icmp6'  # whether it is asked, and who answers",
            f"ip neigh flush to {row['dst']} dev {quote(name)}  # changes the host: it is asked again",
        ),
        "neighbours",
        f"dst {row['dst']}",
    )


NEXT_HOP = Diagnosis(
    "next_hop", "a gateway of routes does not answer", ("routes", "neighbours"), find, ("links", "nexthops")
)
