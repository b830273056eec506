"""What devices and their drivers lose, the backlog of each CPU, and what queues drop on the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from collectors.table import Table
from nettui.joins import index_names
from nettui.ledger.row import HOST, Row, moved, of_loss, texts

NOT_LOSS = ("packets", "bytes", "compressed", "multicast")  # ends of the names in rtnl_link_stats64
# drivers' counters that are traffic in every driver, so that no pattern is asked
TRAFFIC = re.compile(r"peer_ifindex|([rt]x_?)?(queue_?)?(\d+_)?([rt]x_)?(xdp_)?(packets|bytes)")
OF_QUEUE = re.compile(r"(?<=[rt]x)(_queue_|_)?\d+(?=_)|\[\d+\]$")  # rx0_drops, rx_queue_0_drops, rx_drops[0]
SOFTNET = ("dropped", "flow_limit", "time_squeeze")
QUEUE = ("drops", "overlimits", "requeues")
INWARD = ("ingress", "clsact")


def links(tables: Mapping[str, Table]) -> Iterator[Row]:
    """struct rtnl_link_stats64 of every device."""
    table = tables["links"]
    known = texts(table, "ifindex", "ifname")
    for column in table.columns:
        if column.kind == "counter" and not column.name.endswith(NOT_LOSS) and column.name.startswith(("rx_", "tx_")):
            for at, total in moved(table, column.name):
                yield of_device(f"rtnl_link_stats64.{column.name}", total, *known[at])
    for at, total in moved(table, "collisions"):
        yield of_device("rtnl_link_stats64.collisions", total, *known[at])


def of_device(counter: str, total: int, index: int, name: str, **about: object) -> Row:
    return Row(counter, total, name, f"ifindex {index}", about={"dev": name, **about})


def link_statistics(tables: Mapping[str, Table]) -> Iterator[Row]:
    """What RTM_GETSTATS tells of bridges, bonds and MPLS."""
    table, names = tables["link_statistics"], index_names(tables.get("links"))
    known = texts(table, "ifindex", "counter")
    for at, total in moved(table, "value"):
        index, counter = known[at]
        if of_loss(counter):
            yield of_device(counter, total, index, names.get(index, f"if{index}"))


def driver_statistics(tables: Mapping[str, Table]) -> Iterator[Row]:
    """Counters of `ethtool -S` whose names mean loss; a queue's is inside the sum of all queues where there is one."""
    table, names = tables["driver_statistics"], index_names(tables.get("links"))
    known = texts(table, "ifindex", "name", "slot")
    here = {(index, name) for index, name, _ in known}
    for at, total in moved(table, "value"):
        index, name, slot = known[at]
        if not TRAFFIC.fullmatch(name) and of_loss(f"ethtool.{name}"):
            row = of_device(f"ethtool.{name}", total, index, names.get(index, f"if{index}"))
            whole = OF_QUEUE.sub("", name)
            part_of = (f"ethtool.{whole}",) if whole != name and (index, whole) in here else ()
            yield row._replace(which=f"{row.which} counter {slot}", part_of=part_of)


def softnet(tables: Mapping[str, Table]) -> Iterator[Row]:
    """Each CPU's backlog, of the whole host."""
    table = tables["softnet"]
    cpus = table["cpu"].cells()
    for name in SOFTNET:
        for at, total in moved(table, name):
            cpu = at if cpus[at] is None else cpus[at]
            about = {"cpu": cpu} if cpus[at] is not None else {}
            yield Row(f"softnet.{name}", total, f"cpu {cpu}", f"cpu {cpu}", HOST, about=about)


def qdiscs(tables: Mapping[str, Table]) -> Iterator[Row]:
    """Queueing disciplines; one below another is inside that one's number."""
    table, names = tables["qdiscs"], index_names(tables.get("links"))
    known = texts(table, "ifindex", "kind", "handle", "parent", "root")
    for name in QUEUE:
        for at, total in moved(table, name):
            index, kind, handle, parent, root = known[at]
            dev = names.get(index, f"if{index}")
            inward = kind in INWARD
            yield Row(
                f"{'clsact' if inward else 'qdisc'}.{name}",
                total,
                f"{dev} {kind} {handle}",
                f"ifindex {index} {kind} {handle} {parent}",
                part_of=() if root or inward else (f"qdisc.{name}",),
                note=None if root or inward else "inside the number of the root qdisc",
                about={"dev": dev},
            )


def classes(tables: Mapping[str, Table]) -> Iterator[Row]:
    table, names = tables["classes"], index_names(tables.get("links"))
    known = texts(table, "ifindex", "kind", "handle")
    for name in QUEUE[:2]:
        for at, total in moved(table, name):
            index, kind, handle = known[at]
            dev = names.get(index, f"if{index}")
            which = f"ifindex {index} {kind} {handle}"
            yield Row(f"class.{name}", total, f"{dev} {kind} {handle}", which, about={"dev": dev})
