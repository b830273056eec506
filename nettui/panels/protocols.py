"""Protocols: every counter of IP, ICMP, UDP, TCP and MPTCP."""

from nettui.panels.panel import Panel

PROTOCOLS = Panel(
    name="protocols",
    title="Protocols",
    key="9",
    show=(
        "counter",
        "value",
        "value_rate",
        "level",
    ),
    more=(
        "group",
        "name",
    ),
    command="nstat -asz",
    empty="no protocol counters",
)
