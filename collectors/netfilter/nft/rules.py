"""Rules of nf_tables, from NFT_MSG_GETRULE: each layout of expressions told once, in the syntax of its tool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.chains import TableKey, comment
from collectors.netfilter.told import Told
from collectors.wire.netlink import Messages, text
from collectors.wire.places import Places, attribute_places
from collectors.wire.templates import View, filled, layouts, numbers

NFTA_RULE_TABLE, NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_EXPRESSIONS, NFTA_RULE_USERDATA = 1, 2, 3, 4, 7


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of one chain or many, in the kernel's order; each list and array (n,).

    ``counted``: whether the rule has a counter of its own; else packets and bytes mean nothing.
    """

    chains: list[str]
    handles: NDArray[np.uint64]
    texts: list[str]
    verdicts: list[str]
    comments: list[str | None]
    packets: NDArray[np.uint64]
    bytes: NDArray[np.uint64]
    counted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.chains)


@dataclass(frozen=True, slots=True)
class RuleDump:
    """The rules of one table as they were received: where their parts stand in ``data``."""

    data: NDArray[np.uint8]
    chains: list[str]
    handles: NDArray[np.uint64]
    expressions: Places
    userdata: Sequence[bytes | None]


def by_table(messages: Messages) -> Iterator[tuple[TableKey, RuleDump]]:
    """A dump's rules by table; the kernel lists them table by table, chain by chain."""
    if not len(messages):
        return
    places = attribute_places(messages, nfnetlink.NFGENMSG.itemsize)
    nowhere = Places(np.zeros(len(messages), np.intp), np.full(len(messages), -1, np.intp))
    data = messages.data.tobytes()
    tables = places.get(NFTA_RULE_TABLE, nowhere).payloads(data)
    chains = places.get(NFTA_RULE_CHAIN, nowhere).payloads(data)
    userdata = places.get(NFTA_RULE_USERDATA, nowhere).payloads(data)
    families = messages.data[messages.offsets + 16].tolist()
    handles = big_numbers(messages.data, places.get(NFTA_RULE_HANDLE, nowhere))
    expressions = places.get(NFTA_RULE_EXPRESSIONS, nowhere)
    named = {name: text(name or b"") for name in {*tables, *chains}}
    rows: dict[tuple[int, bytes | None], list[int]] = {}
    for row, key in enumerate(zip(families, tables, strict=True)):
        rows.setdefault(key, []).append(row)
    for (family, table), found in rows.items():
        at = np.array(found, np.intp)
        yield (
            TableKey(family, named[table]),
            RuleDump(
                messages.data,
                [named[chains[row]] for row in found],
                handles[at],
                Places(expressions.offsets[at], np.maximum(expressions.lengths[at], 0)),
                [userdata[row] for row in found],
            ),
        )


def big_numbers(data: NDArray[np.uint8], places: Places) -> NDArray[np.uint64]:
    """Big-endian 64-bit attributes, 0 where there is none."""
    windows = np.lib.stride_tricks.sliding_window_view(data, 8)
    found = np.zeros(len(places.offsets), np.uint64)
    known = places.lengths == 8
    found[known] = np.ascontiguousarray(windows[places.offsets[known]]).view(">u8")[:, 0]
    return found


def told(dump: RuleDump, tell: Callable[[View], Told], lead: Callable[[str], str]) -> Rules:
    """All rules of a table as text; ``lead`` gives what stands before each rule from its chain's name."""
    count = len(dump.chains)
    texts, verdicts = [""] * count, [""] * count
    comments: list[str | None] = [None] * count
    counters = {name: np.zeros(count, np.uint64) for name in ("packets", "bytes")}
    counted = np.zeros(count, np.bool_)
    for rows, octets, found in layouts(dump.data, dump.expressions.offsets, dump.expressions.lengths, tell):
        put(texts, rows, filled(found.text, octets))
        put(verdicts, rows, filled(found.verdict, octets))
        if found.comment:
            put(comments, rows, filled(found.comment, octets))
        if found.packets and found.bytes:
            counters["packets"][rows], counters["bytes"][rows] = (
                numbers(found.packets, octets),
                numbers(found.bytes, octets),
            )
            counted[rows] = True
    leads = {chain: lead(chain) for chain in dict.fromkeys(dump.chains)}
    texts = [leads[chain] + said for chain, said in zip(dump.chains, texts, strict=True)]
    return Rules(dump.chains, dump.handles, texts, verdicts, comments, counters["packets"], counters["bytes"], counted)


def put(target: list[Any], rows: NDArray[np.intp], values: Sequence[Any]) -> None:
    for row, value in zip(rows.tolist(), values, strict=True):
        target[row] = value


def remarked(rules: Rules, userdata: Sequence[bytes | None]) -> Rules:
    """With the comment that nft keeps in a rule's user data behind its text, as ``nft list`` prints it."""
    said = {data: comment(data) for data in dict.fromkeys(userdata) if data}
    for row, data in enumerate(userdata):
        if data and (remark := said[data]) is not None:
            rules.comments[row] = remark
            rules.texts[row] += f' comment "{remark}"'
    return rules


def inlined(rules: Rules, bound: Mapping[str, str]) -> Rules:
    """With the rules of chains that exist only inside a rule (``jump { … }``) in the place of their names."""
    for row, verdict in enumerate(rules.verdicts):
        word, _, chain = verdict.partition(" ")
        if chain in bound:
            rules.texts[row] = rules.texts[row].replace(f"{word} {chain}", f"{word} {{ {bound[chain]} }}")
    return rules
