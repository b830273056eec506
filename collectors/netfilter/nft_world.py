"""nf_tables over nfnetlink: tables, chains and rules of nft and of iptables-nft, read in one generation."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from collectors.collector import INTERRUPTED, Block
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.chain import Chain, Holding, holdings
from collectors.netfilter.nfnetlink import NFTABLES
from collectors.netfilter.nft import chains, rule
from collectors.netfilter.nft.chains import (
    FAMILIES,
    NFT_CHAIN_BINDING,
    NftChain,
    NftTable,
    TableKey,
    priority_name,
    unsigned,
)
from collectors.netfilter.nft.model import NFT_SET_ANONYMOUS, Context, NftSet
from collectors.netfilter.nft.rules import by_table, inlined, remarked
from collectors.netfilter.nft.set_messages import decode_elements, decode_sets, read_elements
from collectors.netfilter.told import NotTheirs, Records, Rules, told
from collectors.netfilter.xt import built_in, nft_rule
from collectors.netlink.dump import NETLINK_ROUTE, dump
from collectors.table import Gap
from collectors.wire.netlink import Messages, NetlinkError, attribute, attribute_map, messages, text

NFT_MSG_NEWTABLE, NFT_MSG_GETTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_GETCHAIN = 0, 1, 3, 4
NFT_MSG_NEWRULE, NFT_MSG_GETRULE, NFT_MSG_NEWSET, NFT_MSG_GETSET = 6, 7, 9, 10
NFT_MSG_GETGEN = 16
NFTA_GEN_ID = 1
DUMPS = {
    "tables": (NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE),
    "chains": (NFT_MSG_GETCHAIN, NFT_MSG_NEWCHAIN),
    "sets": (NFT_MSG_GETSET, NFT_MSG_NEWSET),
    "rules": (NFT_MSG_GETRULE, NFT_MSG_NEWRULE),
}
NFT_MSG_NEWSETELEM = 12
PARTS = ("generation", *DUMPS, "elements", "devices")
IPTABLES = (nfnetlink.NFPROTO_IPV4, nfnetlink.NFPROTO_IPV6)
# uapi linux/rtnetlink.h and if_link.h: names of devices without their statistics
RTM_NEWLINK, RTM_GETLINK = 16, 18
IFLA_IFNAME, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS = 3, 29, 1 << 3
UNKNOWN = (errno.EINVAL, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.ENOENT)


def read(host: Host) -> Iterator[Block | Gap]:
    """Blocks of every dump between two readings of the generation's number; a Gap where there is no nf_tables."""
    if gap := nfnetlink.absence(host, NFTABLES):
        yield gap
        return
    try:
        yield generation(host)
    except NetlinkError as error:
        if error.errno not in UNKNOWN:
            raise
        yield Gap("this kernel has no nf_tables", "rules of nft and iptables-nft cannot be loaded here either")
        return
    anonymous: list[NftSet] = []
    for part, (request, answer) in DUMPS.items():
        for block in nfnetlink.dump_of(host, NFTABLES, request, part=part):
            yield block
            if part == "sets":
                found = decode_sets(messages(block.data).of(kind(answer)))
                anonymous += [entry for entry in found if entry.flags & NFT_SET_ANONYMOUS]
    yield from read_elements(host, anonymous)
    yield from devices(host)
    yield generation(host)


def kind(message: int) -> int:
    return nfnetlink.kind(NFTABLES, message)


def generation(host: Host) -> Block:
    """The number of the ruleset's generation, which every change increments."""
    found = nfnetlink.one(host, NFTABLES, NFT_MSG_GETGEN)
    return Block("generation", found.data[found.offsets[0] : found.offsets[0] + found.lengths[0]].tobytes())


def devices(host: Host) -> Iterator[Block]:
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_SKIP_STATS))
    yield from dump(host, NETLINK_ROUTE, RTM_GETLINK, body, "devices")


def decode(blocks: Sequence[Block], ipsets: Mapping[int, str], gaps: list[Gap]) -> list[Holding]:
    """Chains with their rules; a ruleset that changed meanwhile adds INTERRUPTED to the gaps."""
    found = {part: [messages(block.data) for block in blocks if block.part == part] for part in PARTS}
    numbers = {generation_number(part) for part in found["generation"]}
    if len(numbers) > 1 or any(part.interrupted for parts in found.values() for part in parts):
        gaps.append(INTERRUPTED)
    tables = {table.key: table for part in found["tables"] for table in chains.tables(of(part, NFT_MSG_NEWTABLE))}
    members: dict[TableKey, list[NftChain]] = {key: [] for key in tables}
    for part in found["chains"]:
        for chain in chains.chains(of(part, NFT_MSG_NEWCHAIN)):
            members.setdefault(chain.key, []).append(chain)
    contexts = Contexts(found, ipsets)
    records: dict[TableKey, list[tuple[Records, list[bytes | None]]]] = {}
    for part in found["rules"]:
        for key, own, userdata in by_table(of(part, NFT_MSG_NEWRULE)):
            records.setdefault(key, []).append((own, userdata))
    return [
        holding
        for key, own in members.items()
        for holding in table(tables.get(key), key, own, records.get(key, []), contexts.of(key))
    ]


def of(part: Messages, answer: int) -> Messages:
    return part.of(kind(answer))


def generation_number(part: Messages) -> int:
    found = attribute_map(part.data[part.offsets[0] + 20 : part.offsets[0] + part.lengths[0]].tobytes())
    return unsigned(found.get(NFTA_GEN_ID, b""))


class Contexts:
    """Sets with the elements of the anonymous ones, device names and ipsets: what rules of a table refer to."""

    def __init__(self, found: Mapping[str, Sequence[Messages]], ipsets: Mapping[int, str]) -> None:
        elements = decode_elements(of(part, NFT_MSG_NEWSETELEM) for part in found["elements"])
        self._sets: dict[TableKey, dict[str, NftSet]] = {}
        for part in found["sets"]:
            for entry in decode_sets(of(part, NFT_MSG_NEWSET)):
                known = elements.get((entry.family, entry.table, entry.name))
                own = self._sets.setdefault(TableKey(entry.family, entry.table), {})
                own[entry.name] = replace(entry, elements=known) if known is not None else entry
        self._ipsets = ipsets
        self._devices = dict(pair for part in found["devices"] for pair in device_names(part.of(RTM_NEWLINK)))

    def of(self, key: TableKey) -> Context:
        return Context(key.family, key.name, self._sets.get(key, {}), self._devices.get, self._ipsets)


def device_names(links: Messages) -> Iterator[tuple[int, str]]:
    """ifindex and name of each RTM_NEWLINK (struct ifinfomsg: the index is at 4)."""
    for offset, length in zip(links.offsets.tolist(), links.lengths.tolist(), strict=True):
        body = links.data[offset + 16 : offset + length].tobytes()
        yield struct.unpack_from("=i", body, 4)[0], text(attribute_map(body[16:]).get(IFLA_IFNAME, b""))


def table(
    described: NftTable | None,
    key: TableKey,
    members: Sequence[NftChain],
    records: Sequence[tuple[Records, list[bytes | None]]],
    context: Context,
) -> list[Holding]:
    """One table's chains: told as iptables tells them where iptables made them, else as nft does."""
    rules = as_iptables(key, members, records, context)
    world = "nft" if rules is None else "iptables-nft"
    if rules is None:
        rules = inlined(as_nft(records, context), {c.name for c in members if c.flags & NFT_CHAIN_BINDING})
    return holdings([row(described, chain, world) for chain in members], rules)


def as_nft(records: Sequence[tuple[Records, list[bytes | None]]], context: Context) -> Rules:
    tell = partial(rule.tell, context=context)
    return Rules.concatenate([remarked(told(own, tell, lambda chain: ""), userdata) for own, userdata in records])


def as_iptables(
    key: TableKey,
    members: Sequence[NftChain],
    records: Sequence[tuple[Records, list[bytes | None]]],
    context: Context,
) -> Rules | None:
    """None for a table that iptables did not make, or with a rule that it could not have written."""
    if not is_built_in(key, members):
        return None
    tell = partial(nft_rule.tell, context=context)
    try:
        return Rules.concatenate([told(own, tell, lambda chain: f"-A {chain} ") for own, _ in records])
    except NotTheirs:
        return None


def is_built_in(key: TableKey, members: Sequence[NftChain]) -> bool:
    """Whether iptables takes the table for its own: its name, and each base chain's name, hook and priority."""
    known = built_in.CHAINS.get(key.name)
    if known is None or key.family not in IPTABLES:
        return False
    return all(chain.hook is None or known.get(chain.name) == (chain.hook, chain.priority) for chain in members)


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
