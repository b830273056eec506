"""Elements of every set of nft that has a name and of every ipset; long to read where sets are large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from collectors.collector import INTERRUPTED, Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netfilter import ipset, ipset_elements, nfnetlink
from collectors.netfilter.nfnetlink import IPSET, NFTABLES
from collectors.netfilter.nft.chains import FAMILIES
from collectors.netfilter.nft.datatypes import IFINDEX, parts
from collectors.netfilter.nft.element_layouts import Teller
from collectors.netfilter.nft.element_places import SetElements, element_places, interval_ends
from collectors.netfilter.nft.elements import key_parts, part_text
from collectors.netfilter.nft.model import NFT_SET_INTERVAL, Context, NftSet
from collectors.netfilter.nft.set_messages import (
    NFTA_SET_NAME,
    NFTA_SET_TABLE,
    SetKey,
    read_elements,
)
from collectors.netfilter.nft.uapi import NFT_MSG_GETSET, NFT_MSG_NEWSETELEM, NFTA_DATA_VALUE, NFTA_SET_ELEM_KEY
from collectors.netfilter.nft_reading import RTM_NEWLINK, device_names, devices
from collectors.netfilter.sets import named
from collectors.table import Column, Gap, Table, concatenate
from collectors.values import Cell, Codes
from collectors.wire.netlink import NLA_TYPE_MASK, Messages, attribute, messages
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
ROOM = 64 << 10  # bytes that are read at a time of one set that is opened
ANSWERS = (nfnetlink.kind(NFTABLES, NFT_MSG_NEWSETELEM), ipset.KIND)
KEY_AT = 8  # two attribute headers


def read(host: Host) -> Iterator[Block | Gap]:
    yield from nfnetlink.where_present(host, NFTABLES, read_nft)
    yield from nfnetlink.where_present(host, IPSET, partial(ipset.read_members, name=None))


def read_nft(host: Host) -> Iterator[Block]:
    for block in nfnetlink.dump_of(host, NFTABLES, NFT_MSG_GETSET, part="sets"):
        yield block
        found = named(block)
        if any(IFINDEX in (*parts(entry.key_type), *parts(entry.data_type)) for entry in found):
            yield from devices(host)
        yield from read_elements(host, found)


def some(host: Host, world: str, family: str | None, table: str | None, name: str, most: int) -> tuple[Table, bool]:
    """The first elements of one set in the kernel's order, and whether these are all; little more is read of it."""
    with host.pinned() as pinned:
        if world == "ipset":
            blocks = ipset.read_members(pinned, name)
            kept, whole = until(blocks, most, lambda found: sum(map(len, member_parts(found))))
        else:
            number = next((number for number, word in FAMILIES.items() if word == family), nfnetlink.NFPROTO_UNSPEC)
            described = one_set(pinned, number, table or "", name)
            blocks = read_elements(pinned, named(described), ROOM)
            kept, whole = until(blocks, most, lambda found: sum(map(len, element_places(found))))
            kept = [described, *kept]
    found = decoded(kept, whole)
    return found.take(slice(0, most)), whole and len(found) <= most


def one_set(host: Host, family: int, table: str, name: str) -> Block:
    wanted = b"".join(
        attribute(number, text.encode("utf-8", "surrogateescape") + b"\0")
        for number, text in ((NFTA_SET_TABLE, table), (NFTA_SET_NAME, name))
    )
    found = nfnetlink.one(host, NFTABLES, NFT_MSG_GETSET, family, wanted)
    return Block("sets", found.data)


def until(blocks: Iterator[Block], most: int, count: Callable[[Messages], int]) -> tuple[list[Block], bool]:
    """Blocks until they hold twice as many elements as are wanted (an interval has two), and whether these are all."""
    kept, held = [], 0
    for block in blocks:
        kept.append(block)
        held += count(messages(block.data).of(*ANSWERS))
        if held > 2 * most:
            return kept, False
    return kept, True


def decode(raw: Raw) -> Table:
    """One row per element, in the kernel's order; of intervals nft's."""
    return decoded(raw, True)


def decoded(raw: Raw, whole: bool) -> Table:
    """``whole``: every element is there; else the last interval's end may be missing, and with it the interval."""
    sets: dict[SetKey, NftSet] = {}
    names: dict[int, str] = {}
    context = Context(nfnetlink.NFPROTO_UNSPEC, device=names.get)
    kinds: dict[str, str] = {}
    bounds: dict[SetKey, Intervals] = {}
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
        elif item.part == "devices":
            names.update(device_names(found.of(RTM_NEWLINK)))
        elif item.part == "elements":
            tables += nft_tables(found, sets, bounds, context)
        else:
            kinds.update({entry.name: entry.type for entry in ipset.decode_sets(found)})
            tables += [members_table(part, kinds.get(part.key[2], "")) for part in joined(member_parts(found))]
    tables += [intervals.table(whole) for intervals in bounds.values()]
    return concatenate(tables or [Draft(COLUMNS, 0).table()]).with_gaps(tuple(dict.fromkeys(gaps)))


def nft_tables(
    found: Messages, sets: Mapping[SetKey, NftSet], bounds: dict[SetKey, Intervals], context: Context
) -> Iterator[Table]:
    """Tables of the elements that stand alone; those that bound intervals are put aside until all are there."""
    for part in joined(element_places(found.of(nfnetlink.kind(NFTABLES, NFT_MSG_NEWSETELEM)))):
        entry = sets.get(part.key)
        if entry is None:
            continue
        if entry.flags & NFT_SET_INTERVAL and len(key_parts(entry)) == 1:
            bounds.setdefault(part.key, Intervals(entry, context)).add(part)
        else:
            yield elements_table(part, entry, context)


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


def elements_table(part: SetElements, entry: NftSet, context: Context, keyed: bool = True) -> Table:
    """``keyed`` false: without the text of their keys."""
    draft = Draft(COLUMNS, len(part))
    put_set(draft, entry)
    teller = Teller(entry, context, keyed)
    for rows, octets, told in layouts(part.data, part.offsets, part.lengths, teller.tell):
        for name, pieces in told.texts.items():
            draft.cells(name, [said or None for said in filled(pieces, octets)], rows)
        for name, place in told.numbers.items():
            scale = MILLISECONDS if name in ("timeout", "expires") else 1
            draft.numbers(name, numbers(place, octets) // scale, rows)
    return draft.table()


def put_set(draft: Draft, entry: NftSet) -> None:
    draft.same("world", "nft")
    draft.same("family", FAMILIES.get(entry.family, str(entry.family)))
    draft.same("table", entry.table)
    draft.same("set", entry.name)


class Intervals:
    """The elements of one set that bound its intervals, as they come; they make a table once all are there."""

    def __init__(self, entry: NftSet, context: Context) -> None:
        self.entry, self.context, (self.key,) = entry, context, key_parts(entry)
        self.keys: list[NDArray[np.uint8]] = []
        self.ends: list[NDArray[np.bool_]] = []
        self.starting: list[Table] = []
        self.rest: list[Table] = []

    def add(self, part: SetElements) -> None:
        keyed, keys = leading_keys(part, self.key.size)
        ends = interval_ends(part)
        self.keys.append(keys)
        self.ends.append(ends[keyed])
        self.starting.append(elements_table(part.take(keyed & ~ends), self.entry, self.context, keyed=False))
        self.rest.append(elements_table(part.take(~keyed), self.entry, self.context))

    def table(self, whole: bool) -> Table:
        """Each element that begins an interval, by its key; where the next bound stands its interval has ended."""
        keys, ends = np.concatenate(self.keys), np.concatenate(self.ends)
        order = np.lexsort((~ends, *keys.T[::-1]))
        starts = np.flatnonzero(~ends[order])
        if not whole and len(starts) and starts[-1] == len(order) - 1:
            starts = starts[:-1]
        size, raw = self.key.size, keys[order].tobytes() + bytes(self.key.size)
        texts = []
        for row in starts.tolist():
            low, bound = raw[row * size : (row + 1) * size], raw[(row + 1) * size : (row + 2) * size]
            last = (int.from_bytes(bound, "big") - 1) % (1 << size * 8)
            texts.append(part_text(self.key, low, max(low, last.to_bytes(size, "big")), self.context))
        place = np.cumsum(~ends) - 1  # of each start among the starts as they came
        table = concatenate(self.starting).take(place[order[starts]]).extended([], {"elem": Codes.of(texts)})
        return concatenate([table, *self.rest])


def leading_keys(part: SetElements, size: int) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which elements begin with a key, { NFTA_SET_ELEM_KEY { NFTA_DATA_VALUE } }, and the keys of these (n, size)."""
    heads = part.data.view(np.uint16)
    at = part.offsets >> 1
    keyed = part.lengths >= KEY_AT + size
    for place, wanted in enumerate((KEY_AT + ((size + 3) & ~3), NFTA_SET_ELEM_KEY, 4 + size, NFTA_DATA_VALUE)):
        keyed[keyed] &= heads[at[keyed] + place] & (NLA_TYPE_MASK if place % 2 else 0xFFFF) == wanted
    if not size or not keyed.any():
        return keyed, np.zeros((int(keyed.sum()), size), np.uint8)
    return keyed, np.lib.stride_tricks.sliding_window_view(part.data, size)[part.offsets[keyed] + KEY_AT]


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
