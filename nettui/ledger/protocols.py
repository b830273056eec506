"""What the protocols count: IP to TCP, and the neighbour tables, XFRM, SYN proxy, TLS and SCTP beside them."""

from __future__ import annotations

from collections import Counter as Sums
from collections.abc import Iterator, Mapping

from collectors.table import Table
from nettui.ledger.row import HOST, NAMESPACE, Row, moved, of_loss, texts

FAMILIES = {"inet": "ARP", "inet6": "NDP"}


def protocols(tables: Mapping[str, Table]) -> Iterator[Row]:
    table = tables["protocols"]
    counters = table["counter"].cells()
    for at, total in moved(table, "value"):
        name = str(counters[at])
        if of_loss(name):
            yield Row(name, total)


def statistics(tables: Mapping[str, Table]) -> Iterator[Row]:
    """Sums over all CPUs; what neighbour_tables tells too is left to it."""
    table = tables["statistics"]
    known = texts(table, "counter", "family", "scope")
    sums: Sums[tuple[str, str | None, str]] = Sums()
    for at, total in moved(table, "value"):
        sums[known[at]] += total
    told = set() if "neighbour_tables" not in tables else {c.name for c in tables["neighbour_tables"].columns}
    for (name, family, reach), total in sums.items():
        if of_loss(name) and not (name.startswith("neigh.") and name.removeprefix("neigh.") in told):
            scope = FAMILIES.get(str(family), reach)
            yield Row(name, total, scope, scope if family else "", reach or NAMESPACE)


def neighbour_tables(tables: Mapping[str, Table]) -> Iterator[Row]:
    """ARP's and NDP's table, of the whole host (struct ndt_stats)."""
    table = tables["neighbour_tables"]
    known = texts(table, "family", "name")
    for column in table.columns:
        if column.kind == "counter" and of_loss(f"neigh.{column.name}"):
            for at, total in moved(table, column.name):
                scope = FAMILIES.get(*[str(cell) for cell in known[at]])
                yield Row(f"neigh.{column.name}", total, scope, scope, HOST)
