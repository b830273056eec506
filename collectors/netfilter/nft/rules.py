"""Rules of nf_tables, from NFT_MSG_GETRULE: each layout of expressions told once, in the syntax of its tool."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.chains import TableKey
from collectors.netfilter.nft.payloads import comment
from collectors.netfilter.told import Records, Rules
from collectors.values import Cell, Codes
from collectors.wire.netlink import Messages, text
from collectors.wire.places import Places, attribute_places

NFTA_RULE_TABLE, NFTA_RULE_CHAIN, NFTA_RULE_HANDLE, NFTA_RULE_EXPRESSIONS, NFTA_RULE_USERDATA = 1, 2, 3, 4, 7


def by_table(messages: Messages) -> Iterator[tuple[TableKey, Records, list[bytes | None]]]:
    """A dump's rules by table, with the user data of each; the kernel lists them chain by chain."""
    if not len(messages):
        return
    places = attribute_places(messages, nfnetlink.NFGENMSG.itemsize)
    nowhere = Places(np.zeros(len(messages), np.intp), np.full(len(messages), -1, np.intp))
    userdata: list[bytes | None] = [None] * len(messages)
    if NFTA_RULE_USERDATA in places:
        userdata = places[NFTA_RULE_USERDATA].payloads(messages.data.tobytes())
    handles = big_numbers(messages.data, places.get(NFTA_RULE_HANDLE, nowhere), ">u8").astype(np.uint64)
    expressions = places.get(NFTA_RULE_EXPRESSIONS, nowhere)
    families = messages.data[messages.offsets + 16]
    named_by = tables, chains = [places.get(number, nowhere) for number in (NFTA_RULE_TABLE, NFTA_RULE_CHAIN)]
    changes = np.concatenate([tables.runs(messages.data), chains.runs(messages.data)])
    starts = sorted({*changes.tolist(), *(np.flatnonzero(np.diff(families)) + 1).tolist()})
    rows: dict[TableKey, list[tuple[str, int, int]]] = {}
    for start, end in itertools.pairwise([*starts, len(messages)]):
        table, chain = (named(found, start, messages.data) for found in named_by)
        rows.setdefault(TableKey(int(families[start]), table), []).append((chain, start, end))
    for key, runs in rows.items():
        at = np.concatenate([np.arange(start, end) for _, start, end in runs])
        sizes = [end - start for _, start, end in runs]
        names = Codes.of([chain for chain, *_ in runs]).take(np.repeat(np.arange(len(runs)), sizes))
        lengths = np.maximum(expressions.lengths[at], 0)
        records = Records(messages.data, expressions.offsets[at], lengths, names, handles[at])
        yield key, records, [userdata[row] for row in at.tolist()]


def named(places: Places, row: int, data: NDArray[np.uint8]) -> str:
    offset, length = int(places.offsets[row]), int(places.lengths[row])
    return text(data[offset : offset + length].tobytes()) if length > 0 else ""


def big_numbers(data: NDArray[np.uint8], places: Places, dtype: str) -> NDArray[Any]:
    """Big-endian attributes as numbers, 0 where there is none."""
    found = np.zeros(len(places.offsets), dtype)
    known = places.lengths == found.itemsize
    windows = np.lib.stride_tricks.sliding_window_view(data, found.itemsize)
    found[known] = np.ascontiguousarray(windows[places.offsets[known]]).view(dtype)[:, 0]
    return found


def remarked(rules: Rules, userdata: Sequence[bytes | None]) -> Rules:
    """With the comment that nft keeps in a rule's user data behind its text, as ``nft list`` prints it."""
    said = {data: comment(data) if data else None for data in dict.fromkeys(userdata)}
    remarks = [said[data] for data in userdata]
    pairs = zip(rules.texts, remarks, strict=True)
    texts = [text if remark is None else f'{text} comment "{remark}"' for text, remark in pairs]
    return replace(rules, texts=texts, comments=Codes.of(remarks))


def inlined(rules: Rules, bound: Collection[str]) -> Rules:
    """With the rules of chains that exist only inside a rule (``jump { … }``) in the place of their names."""
    if not bound:
        return rules
    inside: dict[Cell, list[int]] = {}
    for row, name in enumerate(rules.chains.cells()):
        if name in bound:
            inside.setdefault(name, []).append(row)
    verdicts = rules.verdicts.cells()

    def unfold(row: int, above: tuple[str, ...]) -> str:
        word, _, chain = str(verdicts[row] or "").partition(" ")
        if chain not in bound or chain in above:
            return rules.texts[row]
        block = "".join(f" {unfold(below, (*above, chain))}" for below in inside.get(chain, ()))
        return rules.texts[row].replace(f"{word} {chain}", f"{word} {{{block} }}")

    return replace(rules, texts=[unfold(row, ()) for row in range(len(rules))])
