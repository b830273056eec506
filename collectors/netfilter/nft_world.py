"""nf_tables over nfnetlink: tables, chains and rules of nft and of iptables-nft, read in one generation."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache, partial
from typing import ClassVar

from collectors.collector import Block
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
from collectors.wire.templates import Templates

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
# names of expressions that have a state, in an element too
MOVING = (b"counter\0", b"quota\0", b"limit\0", b"last\0", b"connlimit\0")
SO_NETNS_COOKIE = 71
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
        began = generation(host)
    except NetlinkError as error:
        if error.errno not in UNKNOWN:
            raise
        yield Gap("this kernel has no nf_tables", "rules of nft and iptables-nft cannot be loaded here either")
        return
    yield began
    for part in ("tables", "chains"):
        yield from listed(host, part)
    yield from Sets.of(host, generation_number(messages(began.data)))
    yield from devices(host)
    yield from listed(host, "rules")
    yield generation(host)


def listed(host: Host, part: str) -> Iterator[Block]:
    yield from nfnetlink.dump_of(host, NFTABLES, DUMPS[part][0], part=part)


def kind(message: int) -> int:
    return nfnetlink.kind(NFTABLES, message)


def generation(host: Host) -> Block:
    """The number of the ruleset's generation, which every change increments."""
    found = nfnetlink.one(host, NFTABLES, NFT_MSG_GETGEN)
    return Block("generation", found.data[found.offsets[0] : found.offsets[0] + found.lengths[0]].tobytes())


class Sets:
    """Sets, and elements of the anonymous ones: as rules refer to them, the same in all of a ruleset's generation."""

    _known: ClassVar[dict[int, tuple[int, tuple[Block, ...]]]] = {}  # by namespace: generation and blocks

    @classmethod
    def of(cls, host: Host, number: int) -> tuple[Block, ...]:
        """Read, or as they were in this generation of this namespace's ruleset."""
        namespace = cookie(host)
        known = cls._known.get(namespace) if namespace else None
        if known and known[0] == number:
            return known[1]
        blocks = tuple(read_sets(host))
        if namespace and not any(moving(block) for block in blocks):
            cls._known = {namespace: (number, blocks)}
        return blocks


def moving(block: Block) -> bool:
    """Whether elements have counters or limits of their own, which go on without a new generation."""
    return block.part == "elements" and any(word in block.data for word in MOVING)


def read_sets(host: Host) -> Iterator[Block]:
    anonymous: list[NftSet] = []
    for block in listed(host, "sets"):
        found = decode_sets(of(messages(block.data), NFT_MSG_NEWSET))
        anonymous += [entry for entry in found if entry.flags & NFT_SET_ANONYMOUS]
        yield Block("sets", bytes(block.data))
    yield from read_elements(host, anonymous)


def cookie(host: Host) -> int:
    """A number that no other namespace has had since the kernel started, 0 where it tells none (before Linux 5.14)."""
    try:
        with host.socket(socket.SOCK_DGRAM, 0, socket.AF_UNIX) as sock:
            return int(struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8))[0])
    except OSError:
        return 0


def devices(host: Host) -> Iterator[Block]:
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_SKIP_STATS))
    yield from dump(host, NETLINK_ROUTE, RTM_GETLINK, body, "devices")


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


def of(part: Messages, answer: int) -> Messages:
    return part.of(kind(answer))


def generation_number(part: Messages) -> int:
    found = attribute_map(part.data[part.offsets[0] + 20 : part.offsets[0] + part.lengths[0]].tobytes())
    return unsigned(found.get(NFTA_GEN_ID, b""))


class Tellers:
    """The templates of one table's rules in both syntaxes."""

    def __init__(self, context: Context) -> None:
        self.nft = Templates(partial(rule.tell, context=context))
        self.iptables = Templates(partial(nft_rule.tell, context=context))


@lru_cache(maxsize=4)
def tellers(
    generation: int,
    sets: tuple[bytes, ...],
    elements: tuple[bytes, ...],
    devices: tuple[tuple[int, str], ...],
    ipsets: tuple[tuple[int, str], ...],
) -> Callable[[TableKey], Tellers]:
    """What tells the rules of a table; in one generation, of the same dumps, the same, with all that it has told."""
    listed = decode_elements(of(messages(part), NFT_MSG_NEWSETELEM) for part in elements)
    found: dict[TableKey, dict[str, NftSet]] = {}
    for part in sets:
        for entry in decode_sets(of(messages(part), NFT_MSG_NEWSET)):
            known = listed.get((entry.family, entry.table, entry.name))
            own = found.setdefault(TableKey(entry.family, entry.table), {})
            own[entry.name] = replace(entry, elements=known) if known is not None else entry
    names, numbers = dict(devices), dict(ipsets)

    @cache
    def of_table(key: TableKey) -> Tellers:
        return Tellers(Context(key.family, key.name, found.get(key, {}), names.get, numbers))

    return of_table


def device_names(links: Messages) -> Iterator[tuple[int, str]]:
    """ifindex and name of each RTM_NEWLINK (struct ifinfomsg: the index is at 4)."""
    for offset, length in zip(links.offsets.tolist(), links.lengths.tolist(), strict=True):
        body = links.data[offset + 16 : offset + length].tobytes()
        yield struct.unpack_from("=i", body, 4)[0], text(attribute_map(body[16:]).get(IFLA_IFNAME, b""))


class Telling:
    """The rules of one table: told as iptables tells them as long as it could have written them, else as nft does."""

    def __init__(self, tellers: Tellers, built_in: bool) -> None:
        self.world = "iptables-nft" if built_in else "nft"
        self._tellers = tellers
        self._taken: list[tuple[Records, list[bytes | None]]] = []
        self._told: list[Rules] = []

    def tell(self, records: Records, userdata: list[bytes | None]) -> None:
        self._taken.append((records, userdata))
        if self.world == "iptables-nft":
            try:
                self._told.append(told(records, self._tellers.iptables, lambda chain: f"-A {chain} "))
                return
            except NotTheirs:
                self.world, self._told = "nft", [self._as_nft(*taken) for taken in self._taken]
                return
        self._told.append(self._as_nft(records, userdata))

    def _as_nft(self, records: Records, userdata: list[bytes | None]) -> Rules:
        return remarked(told(records, self._tellers.nft, lambda chain: ""), userdata)

    def rules(self, bound: Collection[str]) -> Rules:
        """All of them; ``bound``: chains that exist only inside a rule."""
        return inlined(Rules.concatenate(self._told), bound)


def held(described: NftTable | None, members: Sequence[NftChain], telling: Telling | None) -> list[Holding]:
    """One table's chains with their rules; without any rule the table is iptables' if it looks like it."""
    if telling is None:
        key = members[0].key
        telling = Telling(Tellers(Context(key.family, key.name)), is_built_in(key, members))
    rules = telling.rules({chain.name for chain in members if chain.flags & NFT_CHAIN_BINDING})
    return holdings([row(described, chain, telling.world) for chain in members], rules)


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
