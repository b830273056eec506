"""Drops: every counter of loss, in the order in which a packet meets the layers."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.values import Cell
from nettui.panels.panel import Panel


def counter(row: Mapping[str, Cell]) -> str:
    """Its own row among the protocols' counters."""
    return f"counter {row['counter']}" if row.get("source") == "protocols" else ""


def rule(row: Mapping[str, Cell]) -> str:
    """The rule or policy that drops, by its chain and position."""
    if row.get("chain") is None:
        return ""
    place = f'family {row["family"]} and table "{row["table"]}" and chain "{row["chain"]}"'
    return place if row.get("position") is None else f"{place} and position {row['position']}"


def listeners(row: Mapping[str, Cell]) -> str:
    """Where TCP loses at listeners, the listeners."""
    return "state LISTEN" if "Listen" in str(row.get("counter")) else ""


DROPS = Panel(
    name="drops",
    title="Drops",
    key="D",
    show=("layer", "direction", "rate", "delta", "since", "total", "counter", "scope", "cause"),
    more=(
        "severity", "reasons", "process", "pid", "first_moved", "last_moved", "state", "note", "part_of", "along",
        "dev", "netns", "reach", "source",
    ),
    report=("layer", "direction", "total", "severity", "counter", "scope", "process", "pid", "cause", "note"),
    command="nstat -az; ip -s -s link; tc -s qdisc; cat /proc/net/softnet_stat; conntrack -S",
    empty="no counter of loss is above zero",
    pivots=(
        ("its device", "links", "ifname {dev}"),
        ("queues of its device", "qdiscs", "dev {dev}"),
        ("its socket", "sockets", "cookie {cookie}"),
        ("sockets of its process", "sockets", "pid {pid}"),
        ("sockets that listen", "sockets", listeners),
        ("its rule or chain", "netfilter", rule),
        ("its CPU", "softnet", "cpu {cpu}"),
        ("the counter alone", "protocols", counter),
    ),
)  # fmt: skip
