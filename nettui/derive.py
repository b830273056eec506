"""Sections: one table each, with what other tables know about its rows; pure functions of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from collectors.table import Column, Gap, Table
from collectors.values import Cell, Codes
from nettui.joins import index_names, masked, named, pairs, with_device, with_matching, with_owners, with_text
from nettui.snapshot import Fill, Snapshot

Tables = Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Section:
    """A section: the table it is made of, first of ``needs``, and those it joins when they can be had.

    ``whole``: it is made of all alike, and shows what there is. ``fill``: the row of limits that tells how full the
    kernel's table is. ``untold``: tables of ``needs`` that are looked at where they can be had, and else not missed.
    """

    needs: tuple[str, ...]
    join: Callable[[Tables], Table]
    whole: bool = False
    fill: str = ""
    untold: tuple[str, ...] = ()


def derive(section: str, raw: Snapshot) -> Table | Gap:
    """One section from raw tables: a Gap when its own table is one; a table that it only joins may be missing."""
    found = SECTIONS[section]
    own, others = ((), found.needs) if found.whole else (found.needs[:1], found.needs[1:])
    for name in own:
        if name not in raw.tables:
            return raw.gaps[name]
    table = found.join(raw.tables)
    told = [name for name in others if name not in found.untold]
    missing = [Gap(f"{name}: {raw.gaps[name].reason}", raw.gaps[name].remedy) for name in told if name in raw.gaps]
    partial = [gap for name in told if name in raw.tables for gap in raw.tables[name].gaps]
    return table.with_gaps(tuple(dict.fromkeys((*missing, *partial))))


def fill(section: str, raw: Snapshot) -> Fill | None:
    """How full the kernel's table behind a section is; None where that is not known or has no limit."""
    wanted = SECTIONS[section].fill
    if not wanted or "limits" not in raw.tables:
        return None
    for row in raw.tables["limits"].rows():
        used, limit = row.get("used"), row.get("limit")
        if row["name"] == wanted and isinstance(used, int) and isinstance(limit, int) and limit:
            return Fill(used, limit, str(row["unit"]))
    return None


def links(tables: Tables) -> Table:
    """Links with the names behind their indexes, the peer in its namespace, and the driver's settings."""
    table = tables["links"]
    names = index_names(table)
    ports = named(table.numbers("master_index"), names)
    table = with_text(table, "master", "bridge, bond, vrf or team that it is a port of", ports)
    ends = peers(table, names, tables.get("peers"))
    table = with_text(table, "peer", "the device at the other end, or below", ends)
    here = masked(ends, ~table["link_netnsid"].present())
    table = table.extended(
        [Column("link", "text", "label", help="the peer, where it is in this namespace")], {"link": here}
    )
    if "nsids" in tables:
        spaces = named(table.numbers("link_netnsid"), pairs(tables["nsids"], "netnsid", "name"), "netnsid ", zero=True)
        table = with_text(table, "link_netns", "network namespace of the peer", spaces)
    return with_matching(table, tables.get("ethtool"), "ifindex", ("driver", "speed", "duplex", "port"))


def peers(table: Table, names: dict[int, str], others: Table | None) -> Codes:
    """The name behind link_index: in this namespace, or in the one that link_netnsid tells."""
    known: dict[tuple[Cell, Cell], Cell] = {(None, index): name for index, name in names.items()}
    if others is not None:
        keys = zip(others["netnsid"].cells(), others["ifindex"].cells(), strict=True)
        known.update(zip(keys, others["ifname"].cells(), strict=True))
    ends = zip(table["link_netnsid"].cells(), table["link_index"].cells(), strict=True)
    return Codes.of([known.get(end, f"if{end[1]}") if end[1] else None for end in ends])


def routes(tables: Tables) -> Table:
    """Routes with device names, in their next hops too."""
    names = index_names(tables.get("links"))
    table = with_device(tables["routes"], "oif", "dev", tables.get("links"))
    hops = table.codes("nexthops")
    pool = tuple([named_hop(hop, names) for hop in cell] if isinstance(cell, list) else cell for cell in hops.pool)
    return table.extended([], {"nexthops": Codes(hops.codes, pool)})


def named_hop(hop: dict[str, Cell], names: dict[int, str]) -> dict[str, Cell]:
    """The hop with ``dev`` in the place of ``oif``, as ip has it."""
    found: dict[str, Cell] = {}
    for key, value in hop.items():
        if key != "oif":
            found[key] = value
        elif isinstance(value, int) and value:
            found["dev"] = names.get(value, f"if{value}")
    return found


def neighbours(tables: Tables) -> Table:
    table = with_device(tables["neighbours"], "ifindex", "dev", tables.get("links"))
    table = with_device(table, "master_index", "master", tables.get("links"))
    return with_device(table, "via_index", "via", tables.get("links"))


def sockets(tables: Tables) -> Table:
    """Sockets with their device and the process that holds them."""
    table = with_device(tables["sockets"], "oif", "dev", tables.get("links"))
    return with_owners(table, tables["socket_owners"]) if "socket_owners" in tables else table


def late(module: str, name: str) -> Callable[[Tables], Table]:
    """A join of a module that is imported when the section is asked for: most reports never need it."""

    def join(tables: Tables) -> Table:
        found: Callable[[Tables], Table] = getattr(import_module(module), name)
        return found(tables)

    return join


LEDGER_NEEDS = (
    "links", "link_statistics", "driver_statistics", "softnet", "qdiscs", "classes", "netfilter", "nfqueues",
    "conntrack_statistics", "protocols", "statistics", "neighbour_tables", "socket_drops",
)  # fmt: skip

OVERVIEW_NEEDS = ("links", "softnet", "protocols", "limits")
# for diagnoses: of the tables that grow with the traffic only sockets with their drops
LOOKED_AT = (
    "addresses", "settings", "neighbour_tables", "qdiscs", "conntrack_statistics", "socket_drops", "socket_owners",
    "rings", "nfqueues", "ethtool",
)  # fmt: skip

SECTIONS: dict[str, Section] = {
    "overview": Section(
        (*OVERVIEW_NEEDS, *LOOKED_AT), late("nettui.overview", "overview"), whole=True, untold=LOOKED_AT
    ),
    "links": Section(("links", "nsids", "peers", "ethtool"), links),
    "addresses": Section(
        ("addresses", "links"),
        lambda tables: with_device(tables["addresses"], "ifindex", "ifname", tables.get("links")),
    ),
    "rules": Section(("rules",), lambda tables: tables["rules"]),
    "routes": Section(("routes", "links"), routes),
    "neighbours": Section(("neighbours", "links"), neighbours),
    "qdiscs": Section(
        ("qdiscs", "links"), lambda tables: with_device(tables["qdiscs"], "ifindex", "dev", tables.get("links"))
    ),
    "classes": Section(
        ("classes", "links"), lambda tables: with_device(tables["classes"], "ifindex", "dev", tables.get("links"))
    ),
    "nexthops": Section(
        ("nexthops", "links"), lambda tables: with_device(tables["nexthops"], "oif", "dev", tables.get("links"))
    ),
    "drops": Section(LEDGER_NEEDS, late("nettui.ledger.ledger", "ledger"), whole=True),
    "softnet": Section(("softnet",), lambda tables: tables["softnet"]),
    "protocols": Section(("protocols",), lambda tables: tables["protocols"]),
    "sockets": Section(("sockets", "socket_owners", "links"), sockets),
    "netfilter": Section(("netfilter",), late("nettui.netfilter.rules", "netfilter")),
    "hooks": Section(("netfilter",), late("nettui.netfilter.hooks", "hooks")),
    "services": Section(("netfilter",), late("nettui.netfilter.services", "services")),
    "sets": Section(("sets",), lambda tables: tables["sets"]),
    "set_elements": Section(("set_elements",), lambda tables: tables["set_elements"]),
    "nft_objects": Section(("nft_objects",), lambda tables: tables["nft_objects"]),
    "conntrack": Section(("conntrack", "limits"), lambda tables: tables["conntrack"], fill="conntrack entries"),
    "conntrack_statistics": Section(("conntrack_statistics",), lambda tables: tables["conntrack_statistics"]),
    "expectations": Section(("expectations",), lambda tables: tables["expectations"]),
}
