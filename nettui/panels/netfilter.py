"""Netfilter: base chains, chains and rules of nf_tables, iptables-nft and iptables-legacy."""

from nettui.netfilter import filters
from nettui.panels.panel import Panel

RULE_PIVOTS = (
    ("its flows", "conntrack", filters.flows),
    ("sockets that it concerns", "sockets", filters.sockets),
    ("its chain", "netfilter", "world {world} and family {family} and table {table} and chain {chain}"),
    ("chain that it leads to", "netfilter", "world {world} and family {family} and table {table} and chain {target}"),
    ("its set", "sets", "name {set}"),
    ("link that the packet comes in by", "links", "ifname {iif}"),
    ("link that the packet goes out by", "links", "ifname {oif}"),
)

NETFILTER = Panel(
    name="netfilter",
    title="Netfilter",
    key="F",
    show=(
        "chain", "packets_rate", "packets", "mark", "text", "bytes", "hook", "priority", "family", "table", "world",
    ),
    more=(
        "bytes_rate", "verdict", "policy", "manager", "comment", "position", "handle", "kind", "type", "dev", "proto",
        "src", "dst", "sport", "dport", "iif", "oif", "set", "rule",
    ),
    report=(
        "world", "family", "table", "chain", "hook", "priority", "policy", "handle", "position", "rule", "packets",
        "bytes", "verdict", "comment",
    ),
    command="nft -a list ruleset; iptables-save -c",
    empty="no chains: nothing filters or translates packets here",
    pivots=(
        *RULE_PIVOTS,
        ("where packets meet it", "hooks", "family {family} and table {table} and chain {chain}"),
    ),
)  # fmt: skip
