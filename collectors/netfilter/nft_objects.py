"""Stateful objects and flowtables of nf_tables, from NFT_MSG_GETOBJ and NFT_MSG_GETFLOWTABLE over nfnetlink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collectors.collector import INTERRUPTED, Block, Collector, Raw
from collectors.draft import of_rows
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.nfnetlink import NFTABLES
from collectors.netfilter.nft.chains import FAMILIES, objects
from collectors.netfilter.nft.object_text import (
    NFT_FLOWTABLE_COUNTER,
    NFT_FLOWTABLE_HW_OFFLOAD,
    NFTA_FLOWTABLE_HOOK_PRIORITY,
    OBJECTS,
    flowtable,
    flowtable_devices,
    flowtable_hook,
)
from collectors.netfilter.nft.payloads import comment, number, signed
from collectors.netfilter.nft.stateful import NFTA_QUOTA_BYTES, NFTA_QUOTA_CONSUMED
from collectors.netfilter.nft.uapi import (
    NFT_MSG_GETFLOWTABLE,
    NFT_MSG_GETOBJ,
    NFT_MSG_NEWFLOWTABLE,
    NFT_MSG_NEWOBJ,
    NFT_OBJECT_COUNTER,
    NFT_OBJECT_QUOTA,
    NFTA_COUNTER_BYTES,
    NFTA_COUNTER_PACKETS,
)
from collectors.table import Column, Gap, Table
from collectors.values import Cell
from collectors.wire.netlink import attribute_map, messages, text

NFTA_OBJ_TABLE, NFTA_OBJ_NAME, NFTA_OBJ_TYPE, NFTA_OBJ_DATA, NFTA_OBJ_USE, NFTA_OBJ_HANDLE = 1, 2, 3, 4, 5, 6
NFTA_OBJ_USERDATA = 8
NFTA_FLOWTABLE_TABLE, NFTA_FLOWTABLE_NAME, NFTA_FLOWTABLE_HOOK, NFTA_FLOWTABLE_USE = 1, 2, 3, 4
NFTA_FLOWTABLE_HANDLE, NFTA_FLOWTABLE_FLAGS = 5, 7
FLAGS = {NFT_FLOWTABLE_HW_OFFLOAD: "offload", NFT_FLOWTABLE_COUNTER: "counter"}

COLUMNS = (
    Column("world", "text", "key", help="nft"),
    Column("family", "text", "key", help="ip, ip6, inet, arp, bridge or netdev"),
    Column("table", "text", "key", help="table"),
    Column("type", "text", "key", help="counter, quota, limit, ct helper, ct timeout, ct expectation, …, flowtable"),
    Column("name", "text", "key", help="name"),
    Column("text", "text", "label", help="what it is, as nft list writes it between the braces"),
    Column("packets", "u8", "counter", "packets", "packets that a counter met"),
    Column("bytes", "u8", "counter", "B", "bytes that a counter met"),
    Column("used", "u8", "counter", "B", "bytes of a quota that are used up"),
    Column("quota", "u8", "label", "B", "bytes that a quota allows, or counts as over"),
    Column("references", "u4", "gauge", help="rules and map elements that refer to it"),
    Column("hook", "text", "label", help="where a flowtable takes packets: ingress"),
    Column("prio", "i4", "label", help="order of a flowtable at its hook"),
    Column("dev", "json", "label", help="devices of a flowtable"),
    Column("flags", "json", "label", help="of a flowtable: offload (by the device), counter (of its flows)"),
    Column("comment", "text", "label", help="comment"),
    Column("handle", "u8", "label", help="the kernel's number of it"),
)
ANSWERS = {"objects": NFT_MSG_NEWOBJ, "flowtables": NFT_MSG_NEWFLOWTABLE}

Cells = Mapping[str, Cell]


def read(host: Host) -> Iterator[Block | Gap]:
    yield from nfnetlink.where_present(host, NFTABLES, read_both)


def read_both(host: Host) -> Iterator[Block]:
    yield from nfnetlink.dump_of(host, NFTABLES, NFT_MSG_GETOBJ, part="objects")
    yield from nfnetlink.dump_of(host, NFTABLES, NFT_MSG_GETFLOWTABLE, part="flowtables")


def decode(raw: Raw) -> Table:
    """One row per object and flowtable in the kernel's order."""
    gaps: list[Gap] = []
    rows: list[Cells] = []
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
            continue
        found = messages(item.data)
        if found.interrupted:
            gaps.append(INTERRUPTED)
        cells = object_cells if item.part == "objects" else flowtable_cells
        kind = nfnetlink.kind(NFTABLES, ANSWERS[item.part])
        rows += [cells(family, entry) for family, entry in objects(found.of(kind))]
    return of_rows(COLUMNS, rows).table(tuple(dict.fromkeys(gaps)))


def object_cells(family: int, found: Mapping[int, bytes]) -> Cells:
    kind, data = number(found, NFTA_OBJ_TYPE), attribute_map(found.get(NFTA_OBJ_DATA, b""))
    name, tell = OBJECTS.get(kind, (f"object {kind}", None))
    counts, limits = kind == NFT_OBJECT_COUNTER, kind == NFT_OBJECT_QUOTA
    return {
        "world": "nft",
        "family": FAMILIES.get(family, str(family)),
        "table": text(found.get(NFTA_OBJ_TABLE, b"")),
        "type": name,
        "name": text(found.get(NFTA_OBJ_NAME, b"")),
        "text": tell(data) if tell else None,
        "packets": number(data, NFTA_COUNTER_PACKETS) if counts else None,
        "bytes": number(data, NFTA_COUNTER_BYTES) if counts else None,
        "used": number(data, NFTA_QUOTA_CONSUMED) if limits else None,
        "quota": number(data, NFTA_QUOTA_BYTES) if limits else None,
        "references": number(found, NFTA_OBJ_USE),
        "comment": comment(found.get(NFTA_OBJ_USERDATA, b"")),
        "handle": number(found, NFTA_OBJ_HANDLE),
    }


def flowtable_cells(family: int, found: Mapping[int, bytes]) -> Cells:
    hook, flags = attribute_map(found.get(NFTA_FLOWTABLE_HOOK, b"")), number(found, NFTA_FLOWTABLE_FLAGS)
    names: list[Cell] = [*flowtable_devices(hook)]
    words: list[Cell] = [word for bit, word in FLAGS.items() if flags & bit]
    return {
        "world": "nft",
        "family": FAMILIES.get(family, str(family)),
        "table": text(found.get(NFTA_FLOWTABLE_TABLE, b"")),
        "type": "flowtable",
        "name": text(found.get(NFTA_FLOWTABLE_NAME, b"")),
        "text": flowtable(hook, flags),
        "references": number(found, NFTA_FLOWTABLE_USE),
        "hook": flowtable_hook(hook),
        "prio": signed(hook, NFTA_FLOWTABLE_HOOK_PRIORITY),
        "dev": names or None,
        "flags": words or None,
        "handle": number(found, NFTA_FLOWTABLE_HANDLE),
    }


NFT_OBJECTS = Collector("nft_objects", COLUMNS, read, decode, "NFT_MSG_GETOBJ and NFT_MSG_GETFLOWTABLE over nfnetlink")
