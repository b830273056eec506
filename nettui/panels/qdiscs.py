"""Queueing disciplines: what waits, and what is dropped before a device."""

from nettui.panels.panel import Panel

QDISCS = Panel(
    name="qdiscs",
    title="Qdiscs",
    key="7",
    show=(
        "dev", "kind", "handle", "parent", "bytes_rate", "drops", "drops_rate", "overlimits", "requeues", "backlog",
        "qlen",
    ),
    more=(
        "bytes", "packets", "options", "xstats", "ifindex",
    ),
    command="tc -s qdisc",
    empty="no queueing disciplines",
    pivots=(("link", "links", "ifindex {ifindex}"),),
)  # fmt: skip
