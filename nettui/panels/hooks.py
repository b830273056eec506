"""Hooks: what a packet meets on its way, in order, as a tree of chains and rules."""

from nettui.panels.netfilter import RULE_PIVOTS
from nettui.panels.panel import Panel

BASE = "hook {hook} and family {family} and base_table {base_table} and base {base}"

HOOKS = Panel(
    name="hooks",
    title="Packet's way",
    key="W",
    show=("hook", "mark", "packets_rate", "packets", "step", "priority", "way", "family", "world"),
    more=(
        "bytes", "bytes_rate", "verdict", "manager", "comment", "base_table", "base", "table", "chain", "position",
        "handle", "kind", "proto", "src", "dst", "sport", "dport", "iif", "oif", "set",
    ),
    again=True,
    command="nft -a list ruleset; iptables-save -c",
    empty="no chain is at any hook: nothing filters or translates packets here",
    pivots=(
        *RULE_PIVOTS,
        ("this hook", "hooks", "hook {hook}"),
        ("its base chain with all below", "hooks", BASE),
    ),
)  # fmt: skip
