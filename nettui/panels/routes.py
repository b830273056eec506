"""Routes: every table, IPv4 and IPv6."""

from nettui.panels.panel import Panel

ROUTES = Panel(
    name="routes",
    title="Routes",
    key="5",
    show=(
        "dst", "gateway", "dev", "table", "type", "protocol", "scope", "metric", "prefsrc",
    ),
    more=(
        "nexthops", "flags", "metrics", "nhid", "encap", "encap_info", "from", "pref", "expires", "family", "oif",
    ),
    command="ip route show table all; ip -6 route show table all",
    empty="no routes: only what is on this host itself can be reached",
    pivots=(
        ("link", "links", "ifindex {oif}"),
        ("neighbour of its gateway", "neighbours", "dst {gateway}"),
        ("its nexthop object", "nexthops", "id {nhid}"),
        ("rules of its table", "rules", "table {table}"),
    ),
)  # fmt: skip
