"""Chains and rules of iptables-legacy and ip6tables-legacy, as the ruleset's table has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.collector import Block
from collectors.netfilter.chain import Chain, Holding, holdings
from collectors.netfilter.nft.chains import FAMILIES, priority_name
from collectors.netfilter.told import told
from collectors.netfilter.xt import built_in, legacy
from collectors.netfilter.xt.entry import teller
from collectors.wire.templates import Templates

read, PART = legacy.read, legacy.PART


def decode(blocks: Sequence[Block], ipsets: Mapping[int, str]) -> list[Holding]:
    return [holding for table in legacy.decode(blocks) for holding in held(table, ipsets)]


def held(table: legacy.LegacyTable, ipsets: Mapping[int, str]) -> list[Holding]:
    templates = Templates(teller(table.family, table.jumps, ipsets))
    rules = told(table.rules, templates, lambda chain: f"-A {chain}")
    return holdings([row(table, chain) for chain in table.chains], rules)


def row(table: legacy.LegacyTable, chain: legacy.LegacyChain) -> Chain:
    """A built-in chain's priority is its table's: the kernel's tables register at fixed ones."""
    family = FAMILIES[table.family]
    if chain.hook is None:
        return Chain("iptables-legacy", family, table.name, chain.name)
    known = built_in.CHAINS.get(table.name, {}).get(chain.name)
    return Chain(
        "iptables-legacy",
        family,
        table.name,
        chain.name,
        hook=chain.hook,
        priority=known and known.priority,
        priority_name=known and priority_name(table.family, chain.hook, known.priority),
        type=known and known.type,
        policy=chain.policy,
        counted=None if chain.packets is None or chain.bytes is None else (chain.packets, chain.bytes),
    )
