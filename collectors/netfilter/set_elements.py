"""Elements of every set of nft that has a name and of every ipset; long to read where sets are large."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.collector import INTERRUPTED, Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netfilter import ipset, ipset_elements, nfnetlink
from collectors.netfilter.nfnetlink import IPSET, NFTABLES
from collectors.netfilter.nft.chains import FAMILIES
from collectors.netfilter.nft.element_layouts import Teller
from collectors.netfilter.nft.elements import elements, key_parts
from collectors.netfilter.nft.model import NFT_SET_INTERVAL, Context, NftSet
from collectors.netfilter.nft.set_messages import (
    NFT_MSG_GETSET,
    NFT_MSG_NEWSETELEM,
    SetElements,
    SetKey,
    element_places,
    read_elements,
)
from collectors.netfilter.sets import named
from collectors.table import Column, Gap, Table, concatenate
from collectors.values import Cell
from collectors.wire.netlink import Messages, messages
from collectors.wire.templates import filled, layouts, numbers

COLUMNS = (
    Column("world", "text", "key", help="nft or ipset"),
    Column("family", "text", "key", help="ip, ip6, inet, arp, bridge or netdev; ipset tells it of the set"),
    Column("table", "text", "key", help="table of nf_tables; ipset has none"),
    Column("set", "text", "key", help="set or map"),
    Column("elem", "text", "key", help="key: a value, a prefix, a range, several of these; * is any other"),
    Column("data", "text", "label", help="what a map gives for the key"),
    Column("packets", "u8", "counter", "packets", "packets that met the element"),
    Column("bytes", "u8", "counter", "B", "bytes that met the element"),
    Column("timeout", "u8", "gauge", "s", "time that it is given; of an ipset what is left of it, 0 for no end"),
    Column("expires", "u8", "gauge", "s", "what is left of the time"),
    Column("stmt", "text", "label", help="limit, quota and so on of the element"),
    Column("comment", "text", "label", help="comment of the element"),
    Column("flags", "json", "label", help="nomatch, wildcard"),
    Column("skbmark", "text", "label", help="mark that a matching packet is given"),
    Column("skbprio", "text", "label", help="traffic class that a matching packet is given"),
    Column("skbqueue", "text", "label", help="hardware queue that a matching packet is given"),
)
MILLISECONDS = 1000


def read(host: Host) -> Iterator[Block | Gap]:
    yield from nfnetlink.where_present(host, NFTABLES, read_nft)
    yield from nfnetlink.where_present(host, IPSET, partial(ipset.read_members, name=None))


def read_nft(host: Host) -> Iterator[Block]:
    for block in nfnetlink.dump_of(host, NFTABLES, NFT_MSG_GETSET, part="sets"):
        yield block
        yield from read_elements(host, named(block))


def decode(raw: Raw) -> Table:
    """One row per element, in the kernel's order; of intervals nft's."""
    sets: dict[SetKey, NftSet] = {}
    kinds: dict[str, str] = {}
    bounds: dict[SetKey, list[bytes]] = {}
    tables: list[Table] = []
    gaps: list[Gap] = []
    for item in raw:
        if isinstance(item, Gap):
            gaps.append(item)
            continue
        found = messages(item.data)
        gaps += [INTERRUPTED] if found.interrupted else []
        if item.part == "sets":
            sets.update({(entry.family, entry.table, entry.name): entry for entry in named(item)})
        elif item.part == "elements":
            tables += nft_tables(found, sets, bounds)
        else:
            kinds.update({entry.name: entry.type for entry in ipset.decode_sets(found)})
            tables += [members_table(part, kinds.get(part.key[2], "")) for part in joined(member_parts(found))]
    tables += [intervals_table(sets[key], payloads) for key, payloads in bounds.items()]
    return concatenate(tables or [Draft(COLUMNS, 0).table()]).with_gaps(tuple(dict.fromkeys(gaps)))


def nft_tables(found: Messages, sets: Mapping[SetKey, NftSet], bounds: dict[SetKey, list[bytes]]) -> Iterator[Table]:
    """Tables of the elements that stand alone; those that bound intervals are put aside until all are there."""
    for part in joined(element_places(found.of(nfnetlink.kind(NFTABLES, NFT_MSG_NEWSETELEM)))):
        entry = sets.get(part.key)
        if entry is None:
            continue
        if entry.flags & NFT_SET_INTERVAL and len(key_parts(entry)) == 1:
            raw = part.data.data
            spans = zip(part.offsets.tolist(), (part.offsets + part.lengths).tolist(), strict=True)
            bounds.setdefault(part.key, []).extend([bytes(raw[start:end]) for start, end in spans])
        else:
            yield elements_table(part, entry)


def member_parts(found: Messages) -> Iterator[SetElements]:
    for part in ipset_elements.member_places(found):
        yield SetElements((0, "", part.name), part.data, part.offsets, part.lengths)


def joined(parts: Iterator[SetElements]) -> list[SetElements]:
    """What the messages of one block have of each set, as one."""
    found: dict[SetKey, list[SetElements]] = {}
    for part in parts:
        if len(part):
            found.setdefault(part.key, []).append(part)
    return [
        SetElements(
            key,
            several[0].data,
            np.concatenate([part.offsets for part in several]),
            np.concatenate([part.lengths for part in several]),
        )
        for key, several in found.items()
    ]


def elements_table(part: SetElements, entry: NftSet) -> Table:
    draft = Draft(COLUMNS, len(part))
    put_set(draft, entry)
    teller = Teller(entry, Context(entry.family, entry.table))
    for rows, octets, told in layouts(part.data, part.offsets, part.lengths, teller.tell):
        for name, pieces in told.texts.items():
            draft.cells(name, filled(pieces, octets), rows)
        for name, place in told.numbers.items():
            scale = MILLISECONDS if name in ("timeout", "expires") else 1
            draft.numbers(name, numbers(place, octets) // scale, rows)
    return draft.table()


def put_set(draft: Draft, entry: NftSet) -> None:
    draft.same("world", "nft")
    draft.same("family", FAMILIES.get(entry.family, str(entry.family)))
    draft.same("table", entry.table)
    draft.same("set", entry.name)


def intervals_table(entry: NftSet, payloads: Sequence[bytes]) -> Table:
    told = elements(replace(entry, elements=payloads), Context(entry.family, entry.table))
    draft = Draft(COLUMNS, len(told))
    put_set(draft, entry)
    columns: dict[str, list[Any]] = {
        "elem": [element.key for element in told],
        "data": [element.data for element in told],
        "stmt": [element.stateful.text if element.stateful.packets is None else None for element in told],
        "comment": [element.comment for element in told],
    }
    for name, cells in columns.items():
        draft.cells(name, [cell or None for cell in cells])
    put_numbers(draft, "packets", [element.stateful.packets for element in told])
    put_numbers(draft, "bytes", [element.stateful.bytes for element in told])
    put_numbers(draft, "timeout", [seconds(element.timeout) for element in told])
    put_numbers(draft, "expires", [seconds(element.expires) for element in told])
    return draft.table()


def seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // MILLISECONDS


def put_numbers(draft: Draft, name: str, cells: Sequence[int | None]) -> None:
    known = np.array([cell is not None for cell in cells], np.bool_)
    draft.numbers(name, np.array([cell or 0 for cell in cells], np.uint64), known=known)


def members_table(part: SetElements, kind: str) -> Table:
    draft = Draft(COLUMNS, len(part))
    draft.same("world", "ipset")
    draft.same("set", part.key[2])
    tell = partial(ipset_elements.tell, kind=kind)
    for rows, octets, told in layouts(part.data, part.offsets, part.lengths, tell):
        draft.cells("elem", filled(told.elem, octets), rows)
        put_member(draft, told, octets, rows)
    return draft.table()


def put_member(draft: Draft, told: ipset_elements.Told, octets: NDArray[np.uint8], rows: NDArray[np.intp]) -> None:
    for name, place in told.numbers.items():
        draft.numbers(name, numbers(place, octets), rows)
    for name, pieces in told.texts.items():
        draft.cells(name, filled(pieces, octets), rows)
    if told.flags:
        flags: list[Cell] = [*told.flags]
        draft.cells("flags", [flags] * len(rows), rows)


SET_ELEMENTS = Collector(
    "set_elements", COLUMNS, read, decode, "NFT_MSG_GETSETELEM and IPSET_CMD_LIST over nfnetlink", 10.0, cheap=False
)
