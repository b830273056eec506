"""Rulesets of nf_tables, iptables-nft and iptables-legacy as one table, in the order in which a packet meets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collectors.collector import INTERRUPTED, Block, Collector, Raw
from collectors.draft import Draft, interned
from collectors.host import Host
from collectors.netfilter import ipset, legacy_world, nft_world
from collectors.netfilter.chain import Chain, Holding, merged
from collectors.netfilter.ruleset_columns import COLUMNS
from collectors.netfilter.told import Rules
from collectors.table import Gap, Table
from collectors.values import Codes

HOOKS = ("ingress", "prerouting", "input", "forward", "output", "postrouting", "egress")
FAMILIES = ("netdev", "bridge", "arp", "inet", "ip", "ip6")
LOSING = ("drop", "reject")


def read(host: Host) -> Iterator[Block | Gap]:
    yield from ipset.read_names(host)
    yield from nft_world.read(host)
    yield from legacy_world.read(host)


def decode(raw: Raw) -> Table:
    """One row per base chain, chain and rule; base chains by hook and priority, then those that are jumped to."""
    nft, old, gaps = nft_world.Decoder(), [], []
    names: list[Block] = []
    ipsets: Mapping[int, str] = {}
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
        elif item.part == "ipsets":
            names.append(item)
            ipsets = ipset.decode_names(names)
        elif item.part.startswith(legacy_world.PART):
            old.append(item)
        else:
            nft.take(item, ipsets)
    if nft.interrupted:
        gaps.append(INTERRUPTED)
    holdings = [*nft.holdings(), *legacy_world.decode(old, ipsets)]
    return table(sorted(holdings, key=lambda holding: holding.chain.place(HOOKS, FAMILIES)), gaps)


def table(holdings: Sequence[Holding], gaps: Sequence[Gap]) -> Table:
    """Chains, each followed by its rules, as columns."""
    sizes = np.array([1 + len(holding.rows) for holding in holdings], np.intp)
    heads = np.cumsum(sizes) - sizes
    at_chain = np.repeat(np.arange(len(holdings)), sizes)
    is_rule = np.ones(len(at_chain), np.bool_)
    is_rule[heads] = False
    draft = Draft(COLUMNS, len(at_chain))
    put_chains(draft, [holding.chain for holding in holdings], at_chain, is_rule, heads)
    put_rules(draft, *merged(holdings), np.flatnonzero(is_rule))
    position = np.arange(len(at_chain)) - heads[at_chain] if len(heads) else at_chain
    draft.numbers("position", position, known=is_rule)
    handless = np.array([holding.chain.handle is None for holding in holdings], np.bool_)
    draft.numbers("slot", position, known=is_rule & handless[at_chain])
    return draft.table(gaps)


def put_chains(
    draft: Draft,
    chains: Sequence[Chain],
    at_chain: NDArray[np.intp],
    is_rule: NDArray[np.bool_],
    heads: NDArray[np.intp],
) -> None:
    """What a chain says of itself in its own row, and what it says of its rules too in theirs."""

    for name in ("world", "family", "table", "hook", "priority_name"):
        draft.coded(name, Codes.of([getattr(chain, name) for chain in chains]).take(at_chain))
    draft.coded("chain", Codes.of([chain.name for chain in chains]).take(at_chain))
    draft.coded("kind", kinds(chains, at_chain, is_rule))
    priorities = np.array([chain.priority or 0 for chain in chains], np.int32)
    hooked = np.array([chain.priority is not None for chain in chains], np.bool_)
    draft.numbers("priority", priorities[at_chain], known=hooked[at_chain])
    for name in ("type", "policy", "comment", "table_comment"):
        draft.cells(name, [getattr(chain, name) for chain in chains], heads)
    for name in ("table_flags", "dev"):
        draft.cells(name, [list(getattr(chain, name)) or None for chain in chains], heads)
    for name in ("handle", "table_handle", "owner"):
        put_known(draft, name, [getattr(chain, name) for chain in chains], heads)
    for name, place in (("packets", 0), ("bytes", 1)):
        put_known(draft, name, [chain.counted[place] if chain.counted else None for chain in chains], heads)
    lost = [chain.policy in LOSING and not chain.counted for chain in chains]
    draft.numbers("uncounted", True, heads, np.array(lost, np.bool_))


def put_known(draft: Draft, name: str, numbers: Sequence[int | None], at: NDArray[np.intp]) -> None:
    known = np.array([number is not None for number in numbers], np.bool_)
    draft.numbers(name, np.array([number or 0 for number in numbers], np.uint64), at, known)


def kinds(chains: Sequence[Chain], at_chain: NDArray[np.intp], is_rule: NDArray[np.bool_]) -> Codes:
    based = np.array([chain.hook is not None for chain in chains], np.bool_)
    codes = np.where(is_rule, 2, np.where(based[at_chain], 0, 1))
    return Codes(codes.astype(np.int8), ("base chain", "chain", "rule"))


def put_rules(draft: Draft, rules: Rules, order: NDArray[np.intp], at: NDArray[np.intp]) -> None:
    verdicts = rules.verdicts.take(order)
    draft.coded("rule", Codes.of(rules.texts).take(order), at)
    draft.coded("verdict", interned([verdict or None for verdict in verdicts.pool], verdicts.codes), at)
    draft.coded("target", interned([aim(str(verdict)) for verdict in verdicts.pool], verdicts.codes), at)
    draft.coded("comment", rules.comments.take(order), at)
    counted, handles = rules.counted[order], rules.handles[order]
    draft.numbers("packets", rules.packets[order], at, counted)
    draft.numbers("bytes", rules.bytes[order], at, counted)
    draft.numbers("handle", handles, at, handles != 0)
    losing = verdicts.matching(LOSING.__contains__)
    draft.numbers("uncounted", True, at, losing & ~counted & ~rules.elsewhere[order])


def aim(verdict: str) -> str | None:
    """The chain of ``jump CHAIN`` and ``goto CHAIN``."""
    word, _, chain = verdict.partition(" ")
    return chain if word in ("jump", "goto") and chain else None


NETFILTER = Collector(
    "netfilter", COLUMNS, read, decode, "nf_tables over nfnetlink, ip_tables by getsockopt", every=2.0
)
