"""Columns that follow from a rule's text, worked out once for each text without its counters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collectors.draft import Draft
from collectors.table import Column, Table
from collectors.values import Cell, Codes, Values
from nettui.netfilter import iptables_syntax, nft_syntax
from nettui.netfilter.plain import ANY, Network, Plain

COLUMNS = (
    Column(
        "text", "text", help="the rule without its chain's name and counter; of a chain where it is, and its policy"
    ),
    Column("proto", "text", help="protocol, where the rule plainly matches one; absent: any, or not plain to tell"),
    Column("src", "address", help="source that the rule plainly matches"),
    Column("dst", "address", help="destination that the rule plainly matches"),
    Column("sport", "json", help="source ports that the rule plainly matches"),
    Column("dport", "json", help="destination ports that the rule plainly matches"),
    Column("iif", "text", help="device that the packet must have come in by"),
    Column("oif", "text", help="device that the packet must go out by"),
    Column("set", "text", help="the first named set that the rule asks"),
    Column("targets", "json", help="chains that a verdict map inside the rule leads to"),
)
COUNTERS = re.compile(r"(?<=\bcounter) packets \d+ bytes \d+")
USED = re.compile(r"(\bquota (?:over |until )?\d+ \w+|\blast) used \w+(?: [kmgt]?bytes)?")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
SET = re.compile(r"(?:(?<![^\s{])@|--match-set )([^\s,{}]+)(?!\S)")
IN_MAP = re.compile(r"\b(?:jump|goto) ([^\s,{}]+)")
MOST = 200_000  # texts kept; beyond that all are forgotten


@dataclass(frozen=True, slots=True)
class Meaning:
    """One rule's text as it is shown, what it plainly matches, the set that it asks and the chains in its map."""

    text: str
    plain: Plain
    set: str | None
    targets: list[str]


class Memo:
    """Meanings by text, and the columns of the last ruleset: a refresh changes counters and hardly ever a rule."""

    def __init__(self) -> None:
        self._meanings: dict[str, Meaning] = {}
        self._texts: list[str] = []
        self._table: Table | None = None

    def columns(self, texts: Sequence[str]) -> Table:
        """One row for each text, and behind them one in which all is absent."""
        bare = without_counters(texts)
        if self._table is None or bare != self._texts:
            if len(self._meanings) > MOST:
                self._meanings.clear()
            self._texts, self._table = bare, tabled([self._meaning(text) for text in bare])
        return self._table

    def _meaning(self, text: str) -> Meaning:
        found = self._meanings.get(text)
        if found is None:
            found = self._meanings[text] = meaning(text)
        return found


def meaning(text: str) -> Meaning:
    unquoted = QUOTED.sub('""', text)
    named = SET.search(unquoted)
    if text.startswith("-A "):
        lead = iptables_syntax.LEAD.match(text)
        shown = text[lead.end() :] if lead else text
        return Meaning(shown or "(all packets)", iptables_syntax.plainly(text), named[1] if named else None, [])
    targets = list(dict.fromkeys(IN_MAP.findall(unquoted))) if "vmap" in unquoted else []
    return Meaning(text, nft_syntax.plainly(text), named[1] if named else None, targets)


def without_counters(texts: Sequence[str]) -> list[str]:
    """The texts without what packets change in them; in one go, as there may be 20,000."""
    whole = "\0".join(texts)
    bare = COUNTERS.sub("", whole)
    if " used " in bare:
        bare = USED.sub(r"\1", bare)
    found = bare.split("\0") if texts else []
    return found if len(found) == len(texts) else [COUNTERS.sub("", text) for text in texts]


def tabled(meanings: Sequence[Meaning]) -> Table:
    rows = len(meanings) + 1
    draft = Draft(COLUMNS, rows)
    plains = [meaning.plain for meaning in meanings]
    draft.cells("text", [*(meaning.text for meaning in meanings), None])
    draft.cells("set", [*(meaning.set for meaning in meanings), None])
    draft.cells("targets", [*(meaning.targets or None for meaning in meanings), None])
    for name in ("proto", "iif", "oif"):
        draft.cells(name, [*(getattr(plain, name) for plain in plains), None])
    for name in ("sport", "dport"):
        draft.cells(name, [*(getattr(plain, name) or None for plain in plains), None])
    for name in ("src", "dst"):
        put_networks(draft, name, [*(getattr(plain, name) for plain in plains), ANY])
    return draft.table()


def put_networks(draft: Draft, name: str, networks: Sequence[Network]) -> None:
    octets = np.frombuffer(b"".join(network.octets for network in networks), np.uint8).reshape(-1, 16)
    forms = np.array([network.form for network in networks], np.uint8)
    draft.addresses(name, octets, forms, prefix=np.array([network.prefix for network in networks], np.uint8))


MEMO = Memo()


def with_matches(table: Table) -> Table:
    """The ruleset with COLUMNS; chains have only a text."""
    rules = table.codes("rule")
    found = MEMO.columns([str(cell) for cell in rules.pool]).take(rules.codes)  # code -1: the absent row at the end
    texts = found.codes("text")
    places = np.flatnonzero(~rules.present())
    chains = Codes.of(chain_texts(table.take(places)))
    codes = np.array(texts.codes, np.int32)
    codes[places] = np.where(chains.codes >= 0, chains.codes + len(texts.pool), -1)
    arrays: dict[str, Values] = {**found.arrays, "text": Codes(codes, texts.pool + chains.pool)}
    return table.extended(COLUMNS, arrays)


def chain_texts(chains: Table) -> list[Cell]:
    """Each chain with its family, table and policy: ``ip filter FORWARD  policy drop``."""
    names = ("family", "table", "chain", "type", "policy", "dev")
    return [chain_text(*cells) for cells in zip(*(chains[name].cells() for name in names), strict=True)]


def chain_text(family: Cell, table: Cell, chain: Cell, kind: Cell, policy: Cell, devices: Cell) -> Cell:
    if chain is None:
        return None
    text = f"{family} {table} {chain}"
    if isinstance(devices, list) and devices:
        text += f" on {', '.join(map(str, devices))}"
    if kind in ("nat", "route"):
        text += f"  type {kind}"
    return f"{text}  policy {policy}" if policy else text
