"""The views of the capture panel: which columns each shows, and the packets that a row of it stands for."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.draft import Draft
from collectors.table import Table, concatenate
from collectors.values import Cell
from nettui.packets.flow import flow
from nettui.packets.session import VIEWS

DEVICES, PACKETS = "devices", "packets"
ANY = "any"
NARROW = 100  # cells
OWN = ("dev", "direction")
TURNED = {"protocol": "info", "info": "protocol"}
ORDER = (PACKETS, *VIEWS)
SHOWN: Mapping[str, tuple[str, ...]] = {
    DEVICES: ("ifname", "operstate", "kind", "mtu", "rx_packets_rate", "tx_packets_rate", "rx_dropped", "tx_dropped"),
    "flows": ("proto", "src", "sport", "dst", "dport", "bytes_rate", "bytes_back_rate", "retrans", "retrans_back",
              "process", "pid", "missing", "missing_back", "bytes", "bytes_back", "packets", "packets_back", "first",
              "last"),
    "addresses": ("address", "bytes_sent_rate", "bytes_received_rate", "bytes_sent", "bytes_received",
                  "packets_sent", "packets_received", "flows"),
    "ports": ("proto", "port", "bytes_rate", "packets_rate", "bytes", "packets", "flows"),
    "protocols": ("protocol", "bytes_rate", "packets_rate", "bytes", "packets"),
    "processes": ("process", "pid", "bytes_rate", "packets_rate", "bytes", "packets", "flows"),
}  # fmt: skip
KEYS = (
    ("i", "the devices: Enter asks for a filter and captures on the one under the cursor"),
    ("b", "libpcap's filter of the capture; / filters what is shown"),
    (
        "v",
        "the next view: packets, flows, addresses, ports, protocols, processes; Enter goes from there to the packets, "
        "from a process to its flows",
    ),
    ("Enter", "one packet: its tree and bytes; there Enter opens a line, + all below it, J and K are the next packets"),
    ("f", "follow the TCP stream of the packet or flow"),
    ("a", "time: of day, since the packet above, since the first"),
    ("Space", "freeze: what is shown stays, what led to it too; the capture goes on behind it"),
    ("w", "save the packets that are shown"),
    (": and a number", "the packet of that number; End follows what comes"),
    ("x", "end the capture; its packets stay"),
    ("o", "open a file of packets"),
)
OPENS = {DEVICES: "capture", PACKETS: "packet", "processes": "flows"}  # by Enter; of the other views: their packets
HINTS = ("  / filter", "  v views", "  b capture filter", "  f stream", "  w save", "  x end ")
WITH_SOCKETS = ("flows", "processes")


FIRST: Mapping[str, tuple[str, ...]] = {
    "flows": ("proto", "src", "sport", "dst", "dport", "bytes_rate", "bytes", "retrans", "bytes_back_rate",
              "bytes_back", "retrans_back", "process", "pid", "missing", "missing_back", "packets", "packets_back",
              "first", "last"),
}  # fmt: skip


def columns_of(view: str, usual: tuple[str, ...], width: int, device: str) -> tuple[str, ...]:
    """What a view shows first. On a narrow screen the protocol stands behind what the packet says, which mostly tells
    it, and what counts of a flow stands before the rest; on `any` each packet tells its device."""
    found = SHOWN.get(view, usual)
    if width < NARROW:
        found = tuple(TURNED.get(name, name) for name in found) if view == PACKETS else FIRST.get(view, found)
    if view == PACKETS and device == ANY:
        found = (*found[:2], *OWN, *(name for name in found[2:] if name not in OWN))
    return found


def with_any(links: Table) -> Table:
    """The devices, and before them all together."""
    head = Draft(links.columns, 1)
    head.cells("ifname", [ANY])
    return concatenate([head.table(), links])


def where_of(view: str, row: Mapping[str, Cell]) -> str:
    """The filter that takes the packets of a row of a summary; "" where there is none."""
    if view == "protocols":
        return f"protocol {row['protocol']}" if row.get("protocol") else "protocol is absent"
    if view == "addresses":
        return f"src {row['address']} or dst {row['address']}"
    if view == "ports":
        return f"proto {row['proto']} and (sport {row['port']} or dport {row['port']})"
    return flow(row) if view == "flows" else ""
