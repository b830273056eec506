"""Capture: packets of a device as they come, or of a file. On the screen alone; `nettui capture` prints them."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.values import Cell
from nettui.packets.flow import sides
from nettui.panels.panel import Panel

PORTS = ("tcp", "udp", "sctp", "udplite", "dccp")
Row = Mapping[str, Cell]


def is_flow(row: Row) -> bool:
    return row.get("proto") in PORTS and row.get("sport") is not None


def socket(row: Row) -> str:
    """Of this host, at either end of it; one of IPv6 may hold a flow of IPv4."""
    if not is_flow(row):
        return ""
    mapped = {**row, **{end: f"::ffff:{row[end]}" for end in ("src", "dst")}}
    forms = (row,) if row.get("family") == "inet6" or ":" in str(row.get("src")) else (row, mapped)
    return " or ".join(f"({side})" for form in forms for side in sides(form))


def listeners(row: Row) -> str:
    """Sockets without a peer, on either of its ports."""
    return f"not (dport > 0) and (sport {row['sport']} or sport {row['dport']})" if is_flow(row) else ""


def connection(row: Row) -> str:
    """The entry of which it is either direction, before or behind NAT."""
    if row.get("src") is None or row.get("dst") is None:
        return ""
    found = [f"({side})" for side in sides(row)]
    return " or ".join(found + [side.replace("(", "(reply_").replace("and ", "and reply_") for side in found])


CAPTURE = Panel(
    name="capture",
    title="Capture",
    key="P",
    show=("number", "when", "source", "destination", "protocol", "info"),
    more=(
        "length", "dev", "direction", "vlan", "ttl", "flags", "seq", "ack", "window", "payload", "sni", "dns_name",
        "vni", "inner_src", "inner_dst", "inner_proto", "inner_sport", "inner_dport", "smac", "dmac", "cut",
    ),
    command="tcpdump -n -i DEVICE FILTER",
    empty="no packets yet",
    pivots=(
        ("its socket", "sockets", socket),
        ("sockets that serve its ports", "sockets", listeners),
        ("its conntrack entry", "conntrack", connection),
        ("routes to its destination", "routes", "dst covers {dst}"),
        ("routes to its source", "routes", "dst covers {src}"),
        ("neighbour that it goes to", "neighbours", "lladdr {dmac}"),
        ("neighbour that it came from", "neighbours", "lladdr {smac}"),
        ("addresses of this host in it", "addresses", "local {src} or local {dst}"),
        ("its device", "links", "ifname {dev}"),
        ("sockets of its process", "sockets", "pid {pid}"),
    ),
)  # fmt: skip
