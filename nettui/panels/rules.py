"""Rules: the policy database that decides which routing table is asked, in the order it is asked."""

from nettui.panels.panel import Panel

RULES = Panel(
    name="rules",
    title="Rules",
    key="4",
    show=(
        "priority", "family", "not", "from", "to", "iif", "oif", "fwmark", "table", "action", "goto",
    ),
    more=(
        "ipproto", "sport", "dport", "uid_start", "uid_end", "suppress_prefixlen", "protocol",
    ),
    command="ip rule; ip -6 rule",
    empty="no policy rules: no table is asked, so nothing can be routed",
    pivots=(("its table", "routes", "table {table}"),),
)  # fmt: skip
