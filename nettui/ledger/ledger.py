"""The ledger at one moment: the rows of every source that could be read, in the order of the layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from collectors.draft import of_rows
from collectors.table import Table
from nettui.knowledge.entry import LAYERS
from nettui.ledger import devices, filters, protocols, sockets
from nettui.ledger.history import COLUMNS as MOVES
from nettui.ledger.row import COLUMNS, Row, cells

# collector -> what it tells of loss
GATHERED: Mapping[str, Callable[[Mapping[str, Table]], Iterator[Row]]] = {
    "links": devices.links,
    "driver_statistics": devices.driver_statistics,
    "softnet": devices.softnet,
    "link_statistics": devices.link_statistics,
    "qdiscs": devices.qdiscs,
    "classes": devices.classes,
    "netfilter": filters.netfilter,
    "nfqueues": filters.nfqueues,
    "conntrack_statistics": filters.conntrack_statistics,
    "protocols": protocols.protocols,
    "statistics": protocols.statistics,
    "neighbour_tables": protocols.neighbour_tables,
    "socket_drops": sockets.socket_drops,
}
RANKS = {layer: rank for rank, layer in enumerate(LAYERS)}


def ledger(tables: Mapping[str, Table]) -> Table:
    """A row for every counter that is above zero, and for every rule that drops and cannot count."""
    return table_of({name: gather(tables) for name, gather in GATHERED.items() if name in tables})


def table_of(rows: Mapping[str, Iterable[Row]]) -> Table:
    """Rows by the name of their source, judged, in the order of the layers."""
    judged = [{**cells(row), "source": source} for source, found in rows.items() for row in found]
    judged.sort(key=lambda row: RANKS[row["layer"]])
    return of_rows((*COLUMNS, *MOVES), judged).table()
