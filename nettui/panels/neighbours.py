"""Neighbours: ARP and NDP entries, bridge and VXLAN forwarding entries."""

from nettui.panels.panel import Panel

NEIGHBOURS = Panel(
    name="neighbours",
    title="Neighbours",
    key="6",
    show=(
        "dst", "lladdr", "dev", "state", "family", "flags", "master",
    ),
    more=(
        "mac", "vlan", "vni", "via", "probes", "used", "confirmed", "updated", "ifindex",
    ),
    command="ip -s neigh show nud all; bridge fdb",
    empty="no neighbour and no forwarding entry",
    pivots=(
        ("link", "links", "ifindex {ifindex}"),
        ("routes through it", "routes", "gateway {dst}"),
        ("sockets to it", "sockets", "dst {dst}"),
    ),
)  # fmt: skip
