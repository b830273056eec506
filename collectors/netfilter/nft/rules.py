"""Rules of nf_tables, from NFT_MSG_GETRULE: each layout of expressions told once, in the syntax of its tool."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.chains import TableKey, comment
from collectors.netfilter.told import Records, Rules
from collectors.wire.netlink import Messages, text
from collectors.wire.places import Places, attribute_places

NFTA_RULE_TABLE, NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_EXPRESSIONS, NFTA_RULE_USERDATA = 1, 2, 3, 4, 7
DEEPEST = 16  # NFT_JUMP_STACK_SIZE


def by_table(messages: Messages) -> Iterator[tuple[TableKey, Records, list[bytes | None]]]:
    """A dump's rules by table, with the user data of each; the kernel lists them chain by chain."""
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
        records = Records(
            messages.data,
            expressions.offsets[at],
            np.maximum(expressions.lengths[at], 0),
            [named[chains[row]] for row in found],
            handles[at],
        )
        yield TableKey(family, named[table]), records, [userdata[row] for row in found]


def big_numbers(data: NDArray[np.uint8], places: Places) -> NDArray[np.uint64]:
    """Big-endian 64-bit attributes, 0 where there is none."""
    windows = np.lib.stride_tricks.sliding_window_view(data, 8)
    found = np.zeros(len(places.offsets), np.uint64)
    known = places.lengths == 8
    found[known] = np.ascontiguousarray(windows[places.offsets[known]]).view(">u8")[:, 0]
    return found


def remarked(rules: Rules, userdata: Sequence[bytes | None]) -> Rules:
    """With the comment that nft keeps in a rule's user data behind its text, as ``nft list`` prints it."""
    said = {data: comment(data) for data in dict.fromkeys(userdata) if data}
    for row, data in enumerate(userdata):
        if data and (remark := said[data]) is not None:
            rules.comments[row] = remark
            rules.texts[row] += f' comment "{remark}"'
    return rules


def inlined(rules: Rules, bound: Collection[str]) -> Rules:
    """With the rules of chains that exist only inside a rule (``jump { … }``) in the place of their names."""
    if not bound:
        return rules
    inside: dict[str, list[int]] = {}
    for row, chain in enumerate(rules.chains):
        if chain in bound:
            inside.setdefault(chain, []).append(row)

    def unfold(row: int, depth: int) -> str:
        word, _, chain = rules.verdicts[row].partition(" ")
        if chain not in bound or depth == DEEPEST:
            return rules.texts[row]
        block = "".join(f" {unfold(below, depth + 1)}" for below in inside.get(chain, ()))
        return rules.texts[row].replace(f"{word} {chain}", f"{word} {{{block} }}")

    return replace(rules, texts=[unfold(row, 0) for row in range(len(rules))])
