"""What is read only when one row is opened: a device's settings and driver counters, a socket's process."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collectors import Host
from collectors.netfilter import set_elements
from collectors.netlink import ethtool
from collectors.proc.processes import process
from collectors.table import Gap
from collectors.values import Cell
from nettui.snapshot import gap

Row = Mapping[str, Cell]
Facts = Mapping[str, Cell]
ELEMENTS = 300  # of a set that are shown
OF_THE_SET = {"world", "family", "table", "set", "data"}


def details(section: str, row: Row, host: Host) -> dict[str, Facts | Gap]:
    """Groups of further facts about a row by heading, each a Gap where it cannot be had; {} for most sections."""
    return {heading: attempted(read, row, host) for heading, read in DETAILS.get(section, {}).items()}


def attempted(read: Callable[[Row, Host], Facts], row: Row, host: Host) -> Facts | Gap:
    try:
        return read(row, host)
    except Exception as error:  # the boundary: one group's failure leaves the others
        return gap(error)


def settings(row: Row, host: Host) -> Facts:
    return ethtool.settings(host, str(row["ifname"]))


def statistics(row: Row, host: Host) -> Facts:
    return {str(entry["name"]): entry["value"] for entry in ethtool.statistics(host, str(row["ifname"])).rows()}


def holder(row: Row, host: Host) -> Facts:
    pid = row.get("pid")
    return process(pid) if isinstance(pid, int) else {}


def elements(row: Row, host: Host) -> Facts:
    """The first elements of a set, each with what it has beside its key."""
    family, table = (None if row.get(name) is None else str(row[name]) for name in ("family", "table"))
    found, whole = set_elements.some(host, str(row["world"]), family, table, str(row["name"]), ELEMENTS)
    facts: dict[str, Cell] = {str(entry.pop("elem", "")): beside(entry) for entry in found.rows()}
    return facts if whole else {**facts, "…": f"the first {len(found)}; `nettui report set_elements` has all"}


def beside(entry: dict[str, Cell]) -> str:
    said = [str(entry["data"])] if "data" in entry else []
    for name, cell in entry.items():
        if name not in OF_THE_SET:
            said.append(f"{name} {','.join(map(str, cell)) if isinstance(cell, list) else cell}")
    return " ".join(said)


DETAILS: Mapping[str, Mapping[str, Callable[[Row, Host], Facts]]] = {
    "links": {"ethtool": settings, "ethtool -S": statistics},
    "sockets": {"process": holder},
    "sets": {"elements": elements},
}
