"""Sets and maps of nf_tables that have a name, and ipset's sets, without their elements, over nfnetlink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collectors.collector import INTERRUPTED, Block, Collector, Raw
from collectors.draft import of_rows
from collectors.host import Host
from collectors.netfilter import ipset, nfnetlink
from collectors.netfilter.ipset import IpSet
from collectors.netfilter.nfnetlink import IPSET, NFTABLES
from collectors.netfilter.nft.chains import FAMILIES
from collectors.netfilter.nft.element_places import counted
from collectors.netfilter.nft.model import (
    NFT_SET_ANONYMOUS,
    NFT_SET_CONSTANT,
    NFT_SET_EVAL,
    NFT_SET_INTERVAL,
    NFT_SET_MAP,
    NFT_SET_OBJECT,
    NFT_SET_TIMEOUT,
    NftSet,
)
from collectors.netfilter.nft.object_text import object_name
from collectors.netfilter.nft.set_messages import (
    SetKey,
    decode_sets,
    read_elements,
)
from collectors.netfilter.nft.stateful import declared
from collectors.netfilter.nft.type_names import type_name
from collectors.netfilter.nft.uapi import NFT_MSG_GETSET, NFT_MSG_NEWSET, NFT_MSG_NEWSETELEM
from collectors.table import Column, Gap, Table
from collectors.values import Cell
from collectors.wire.netlink import Messages, messages, text

FEW = 1000  # elements up to which a set is counted by them
UDATA_SET_MERGE_ELEMENTS, UDATA_SET_COMMENT = 2, 7
NFT_SET_POL_MEMORY = 1
FLAGS = {
    NFT_SET_CONSTANT: "constant",
    NFT_SET_EVAL: "dynamic",
    NFT_SET_INTERVAL: "interval",
    NFT_SET_TIMEOUT: "timeout",
}

COLUMNS = (
    Column("world", "text", "key", help="nft or ipset"),
    Column("family", "text", "key", help="ip, ip6, inet, arp, bridge or netdev; of an ipset inet or inet6"),
    Column("table", "text", "key", help="table of nf_tables; ipset has none"),
    Column("name", "text", "key", help="name"),
    Column("type", "text", "label", help="what its keys are: ipv4_addr . inet_service, hash:ip,port, …"),
    Column("map", "text", "label", help="what a map gives for a key: a type, verdict, or a kind of object"),
    Column("elements", "u4", "gauge", help="elements, those of an interval set being intervals"),
    Column("size", "u4", "label", help="most elements that it may hold (of a list:set: sets)"),
    Column("flags", "json", "label", help="nft: constant, dynamic, interval, timeout; ipset: counters, comment, …"),
    Column("auto-merge", "bool", "label", help="adjacent and overlapping intervals become one"),
    Column("policy", "text", "label", help="memory, where that is preferred to speed"),
    Column("timeout", "u4", "label", "s", "after which an element goes, where it has no other"),
    Column("gc-interval", "u4", "label", "s", "between looks for elements whose time is over"),
    Column("stmt", "text", "label", help="what each element has of its own: counter, limit, quota, ct count"),
    Column("comment", "text", "label", help="comment of the set"),
    Column("handle", "u8", "label", help="the kernel's number of the set (nft list … -a)"),
    Column("index", "u2", "label", help="the number that rules of iptables know an ipset by"),
    Column("revision", "u1", "label", help="version of the ipset type"),
    Column("references", "u4", "gauge", help="rules and list:sets that refer to the ipset"),
    Column("memsize", "u4", "gauge", "B", "memory of the ipset"),
    Column("range", "text", "label", help="addresses or ports that a bitmap has room for"),
    Column("hashsize", "u4", "label", help="buckets of a hash"),
    Column("maxelem", "u4", "label", help="most elements of a hash"),
    Column("bucketsize", "u4", "label", help="most elements of a bucket"),
    Column("netmask", "u1", "label", help="prefix length that addresses are cut to"),
    Column("bitmask", "text", "label", help="mask that addresses are compared under"),
    Column("markmask", "text", "label", help="mask of a hash:ip,mark"),
    Column("initval", "text", "label", help="start value of the hash"),
)
IPSET_NUMBERS = {
    "elements": ipset.IPSET_ATTR_ELEMENTS,
    "size": ipset.IPSET_ATTR_SIZE,
    "timeout": ipset.IPSET_ATTR_TIMEOUT,
    "references": ipset.IPSET_ATTR_REFERENCES,
    "memsize": ipset.IPSET_ATTR_MEMSIZE,
    "hashsize": ipset.IPSET_ATTR_HASHSIZE,
    "maxelem": ipset.IPSET_ATTR_MAXELEM,
    "bucketsize": ipset.IPSET_ATTR_BUCKETSIZE,
    "netmask": ipset.IPSET_ATTR_NETMASK,
}

Cells = Mapping[str, Cell]


def read(host: Host) -> Iterator[Block | Gap]:
    """Blocks "sets" and "ipsets", and "elements" of the nft sets that are few, or that the kernel does not count."""
    yield from nfnetlink.where_present(host, NFTABLES, read_nft)
    yield from nfnetlink.where_present(host, IPSET, ipset.read_sets)


def read_nft(host: Host) -> Iterator[Block]:
    to_count: list[NftSet] = []
    for block in nfnetlink.dump_of(host, NFTABLES, NFT_MSG_GETSET, part="sets"):
        to_count += [found for found in named(block) if found.count is None or found.count <= FEW]
        yield block
    yield from read_elements(host, to_count)


def named(block: Block) -> list[NftSet]:
    """The sets that are not part of a rule."""
    found = decode_sets(messages(block.data).of(nfnetlink.kind(NFTABLES, NFT_MSG_NEWSET)))
    return [entry for entry in found if not entry.flags & NFT_SET_ANONYMOUS]


def decode(raw: Raw) -> Table:
    """One row per set: nft's in the kernel's order, then ipset's."""
    gaps: list[Gap] = []
    nft: list[NftSet] = []
    ipsets: list[IpSet] = []
    counts: dict[SetKey, int] = {}
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
            continue
        found = messages(item.data)
        if found.interrupted:
            gaps.append(INTERRUPTED)
        if item.part == "sets":
            nft += named(item)
        elif item.part == "ipsets":
            ipsets += ipset.decode_sets(found)
        else:
            add(counts, found)
    rows = [*(nft_cells(entry, counts) for entry in nft), *(ipset_cells(entry) for entry in ipsets)]
    return of_rows(COLUMNS, rows).table(tuple(dict.fromkeys(gaps)))


def add(counts: dict[SetKey, int], found: Messages) -> None:
    for key, number in counted(found.of(nfnetlink.kind(NFTABLES, NFT_MSG_NEWSETELEM))):
        counts[key] = counts.get(key, 0) + number


def nft_cells(found: NftSet, counts: Mapping[SetKey, int]) -> Cells:
    flags: list[Cell] = [word for bit, word in FLAGS.items() if found.flags & bit]
    remark = found.userdata.get(UDATA_SET_COMMENT)
    return {
        "world": "nft",
        "family": FAMILIES.get(found.family, str(found.family)),
        "table": found.table,
        "name": found.name,
        "type": type_name(found.key_type),
        "map": map_type(found),
        "elements": counts.get((found.family, found.table, found.name), found.count or 0),
        "size": None if found.flags & NFT_SET_CONSTANT else found.size or None,
        "flags": flags or None,
        "auto-merge": any(found.userdata.get(UDATA_SET_MERGE_ELEMENTS, b"")) or None,
        "policy": "memory" if found.policy == NFT_SET_POL_MEMORY else None,
        "timeout": clipped(found.timeout // 1000) or None,
        "gc-interval": found.gc_interval // 1000 or None,
        "stmt": " ".join([declared(payload) for payload in found.expressions]) or None,
        "comment": text(remark) if remark else None,
        "handle": found.handle,
    }


def map_type(found: NftSet) -> str | None:
    if found.flags & NFT_SET_OBJECT:
        return object_name(found.object_type)
    return type_name(found.data_type) if found.flags & NFT_SET_MAP else None


def clipped(number: int) -> int:
    return min(number, 0xFFFFFFFF)


def ipset_cells(found: IpSet) -> Cells:
    flags: list[Cell] = [*found.flags]
    return {
        "world": "ipset",
        "family": found.family,
        "name": found.name,
        "type": found.type,
        "flags": flags or None,
        "revision": found.revision,
        "index": found.index,
        "range": found.range,
        "bitmask": found.bitmask,
        "markmask": found.hexadecimal(ipset.IPSET_ATTR_MARKMASK),
        "initval": found.hexadecimal(ipset.IPSET_ATTR_INITVAL),
        **{name: found.number(attribute) for name, attribute in IPSET_NUMBERS.items()},
    }


SETS = Collector("sets", COLUMNS, read, decode, "NFT_MSG_GETSET and IPSET_CMD_LIST over nfnetlink", every=2.0)
