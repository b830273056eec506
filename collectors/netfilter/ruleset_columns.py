"""Columns of the ruleset of all worlds."""

from __future__ import annotations

from collectors.table import Column

COLUMNS = (
    Column("world", "text", "key", help="nft, iptables-nft or iptables-legacy: whose syntax the rule is told in"),
    Column("family", "text", "key", help="ip, ip6, inet, arp, bridge or netdev"),
    Column("table", "text", "key", help="table"),
    Column("chain", "text", "key", help="chain"),
    Column("kind", "text", "key", help="base chain (at a hook), chain (jumped to) or rule"),
    Column("hook", "text", "label", help="where in the packet's way the base chain stands"),
    Column("priority", "i4", "label", help="order at the hook, the smallest first"),
    Column("priority_name", "text", "label", help="the same by name where it has one: raw, mangle, filter, …"),
    Column("type", "text", "label", help="filter, nat or route, of a base chain"),
    Column("policy", "text", "label", help="what becomes of a packet that no rule of the base chain decides on"),
    Column("handle", "u8", "key", help="the kernel's number of the chain or rule (nft delete rule … handle N)"),
    Column("slot", "u4", "key", help="position, in a world that has no handles"),
    Column("position", "u4", "label", help="number of the rule in its chain, from 1 (iptables --line-numbers)"),
    Column("rule", "text", "label", help="the rule as nft list ruleset or iptables-save print it"),
    Column("packets", "u8", "counter", "packets", "packets that the rule's counter, or the chain's policy, met"),
    Column("bytes", "u8", "counter", "B", "bytes of these"),
    Column("verdict", "text", "label", help="what the rule ends with: accept, drop, reject, jump CHAIN, dnat, …"),
    Column("target", "text", "label", help="chain that the rule jumps or goes to"),
    Column("uncounted", "bool", "label", help="packets are lost here and nothing counts them"),
    Column("comment", "text", "label", help="comment of the rule or chain"),
    Column("dev", "json", "label", help="devices that the base chain stands at (netdev, inet ingress)"),
    Column("table_handle", "u8", "label", help="the kernel's number of the table"),
    Column("table_flags", "json", "label", help="dormant (its chains are not in use), owner, persist"),
    Column("owner", "u4", "label", help="netlink port of the process that alone may change the table"),
    Column("table_comment", "text", "label", help="comment of the table"),
)
