"""nf_tables: chains and rules of nft and of iptables-nft, as the ruleset's table has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.collector import Block
from collectors.netfilter import nfnetlink, nft_reading
from collectors.netfilter.chain import Chain, Holding, holdings
from collectors.netfilter.nft import chains
from collectors.netfilter.nft.chains import (
    FAMILIES,
    NFT_CHAIN_BINDING,
    NftChain,
    NftTable,
    TableKey,
    priority_name,
)
from collectors.netfilter.nft.model import Context
from collectors.netfilter.nft.rules import by_table
from collectors.netfilter.nft.uapi import NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE, NFT_MSG_NEWTABLE
from collectors.netfilter.nft_reading import RTM_NEWLINK, device_names, generation_number, of
from collectors.netfilter.nft_telling import Tellers, Telling, tellers
from collectors.netfilter.xt import built_in
from collectors.wire.netlink import Messages, messages

read = nft_reading.read
IPTABLES = (nfnetlink.NFPROTO_IPV4, nfnetlink.NFPROTO_IPV6)


class Decoder:
    """Takes the blocks in the order in which they are read, and tells rules as they come."""

    def __init__(self) -> None:
        self._generations: set[int] = set()
        self._interrupted = False
        self._tables: dict[TableKey, NftTable] = {}
        self._chains: dict[TableKey, list[NftChain]] = {}
        self._rules: dict[TableKey, Telling] = {}
        self._kept: dict[str, list[bytes]] = {"sets": [], "elements": []}
        self._devices: dict[int, str] = {}

    def take(self, block: Block, ipsets: Mapping[int, str]) -> None:
        if block.part in self._kept:
            self._kept[block.part].append(bytes(block.data))
            return
        found = messages(block.data)
        self._interrupted |= found.interrupted
        match block.part:
            case "generation":
                self._generations.add(generation_number(found))
            case "tables":
                self._tables.update((table.key, table) for table in chains.tables(of(found, NFT_MSG_NEWTABLE)))
            case "chains":
                for chain in chains.chains(of(found, NFT_MSG_NEWCHAIN)):
                    self._chains.setdefault(chain.key, []).append(chain)
            case "devices":
                self._devices.update(device_names(found.of(RTM_NEWLINK)))
            case "rules":
                self._tell(of(found, NFT_MSG_NEWRULE), ipsets)

    def _tell(self, found: Messages, ipsets: Mapping[int, str]) -> None:
        sets, elements = (tuple(self._kept[part]) for part in ("sets", "elements"))
        generation = next(iter(self._generations), 0)
        known = tellers(generation, sets, elements, tuple(self._devices.items()), tuple(ipsets.items()))
        for key, records, userdata in by_table(found):
            if key not in self._rules:
                self._rules[key] = Telling(known(key), is_built_in(key, self._chains.get(key, ())))
            self._rules[key].tell(records, userdata)

    def holdings(self) -> list[Holding]:
        """Chains with their rules."""
        return [
            holding
            for key, own in self._chains.items()
            for holding in held(self._tables.get(key), own, self._rules.get(key))
        ]

    @property
    def interrupted(self) -> bool:
        """Whether the ruleset changed while it was read."""
        return self._interrupted or len(self._generations) > 1


def held(described: NftTable | None, members: Sequence[NftChain], telling: Telling | None) -> list[Holding]:
    """One table's chains with their rules; without any rule the table is iptables' if it looks like it."""
    if telling is None:
        key = members[0].key
        telling = Telling(Tellers(Context(key.family, key.name)), is_built_in(key, members))
    rules = telling.rules({chain.name for chain in members if chain.flags & NFT_CHAIN_BINDING})
    return holdings([row(described, chain, telling.world) for chain in members], rules)


def is_built_in(key: TableKey, members: Sequence[NftChain]) -> bool:
    """Whether iptables takes the table for its own: its name, and each base chain's name, hook, priority and type."""
    known = built_in.CHAINS.get(key.name)
    if known is None or key.family not in IPTABLES:
        return False
    based = (chain for chain in members if chain.hook is not None)
    return all(known.get(chain.name) == (chain.hook, chain.priority, chain.type) for chain in based)


def row(described: NftTable | None, chain: NftChain, world: str) -> Chain:
    name = None
    if chain.hook is not None and chain.priority is not None:
        name = priority_name(chain.key.family, chain.hook, chain.priority)
    return Chain(
        world,
        FAMILIES.get(chain.key.family, str(chain.key.family)),
        chain.key.name,
        chain.name,
        chain.handle,
        chain.hook,
        chain.priority,
        name,
        chain.type,
        chain.policy,
        chain.counted,
        chain.comment,
        chain.devices,
        described.handle if described else None,
        described.flags if described else (),
        described.owner if described else None,
        described.comment if described else None,
        -((described.handle if described else 0) << 32 | chain.handle),
    )
