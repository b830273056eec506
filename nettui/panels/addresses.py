"""Addresses: primaries, each with its secondaries in the kernel's order."""

from nettui.panels.panel import Panel

ADDRESSES = Panel(
    name="addresses",
    title="Addresses",
    key="3",
    show=(
        "ifname", "local", "prefixlen", "scope", "flags", "label", "primary", "address", "broadcast",
    ),
    more=(
        "valid_life_time", "preferred_life_time", "protocol", "metric", "family", "position", "ifindex",
    ),
    command="ip address",
    empty="no addresses on any device",
    pivots=(
        ("link", "links", "ifindex {ifindex}"),
        ("routes that prefer it", "routes", "prefsrc {local}"),
        ("sockets", "sockets", "src {local}"),
    ),
)  # fmt: skip
