"""Columns that follow from a rule's text, worked out once for each text without its counters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from collectors.draft import Draft
from collectors.table import Column, Table
from collectors.values import Cell, Codes, Values
from nettui.netfilter import iptables_syntax, nft_syntax
from nettui.netfilter.plain import Network, Plain

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
    Column("tracked", "bool", help="the kernel tracks connections because of it"),
    Column("targets", "json", help="chains that a verdict map inside the rule leads to"),
)
COUNTERS = re.compile(r"counter packets \d+ bytes \d+")
USED = re.compile(r"(\bquota (?:over |until )?\d+ \w+|\blast) used \w+(?: [kmgt]?bytes)?")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
SET = re.compile(r'(?:(?<![^\s{])@|--match-set )([^\s,{}"]+)(?!\S)')
IN_MAP = re.compile(r"\b(?:jump|goto) ([^\s,{}]+)")
# what a rule's text must hold for the kernel to track connections because of it
TRACKED_NFT = re.compile(r"\b(?:ct \w+|masquerade|[sd]nat (?:ip6?|to)|redirect|flow (?:add|offload)|synproxy)\b")
TRACKED_IPTABLES = re.compile(
    r"-(?:m (?:conntrack|state|connmark|connlimit|connbytes|connlabel|helper|cluster)"
    r"|j (?:CT|CONNMARK|CONNSECMARK|SYNPROXY|MASQUERADE|SNAT|DNAT|REDIRECT|NETMAP))\b"
)
MOST = 200_000  # texts kept; beyond that all are forgotten


class Meaning(NamedTuple):
    """One rule's text as it is shown, what it plainly matches, the set that it asks and the chains in its map."""

    text: str
    plain: Plain
    set: str | None
    tracked: bool
    targets: list[str] | None


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
    unquoted = QUOTED.sub('""', text) if '"' in text else text
    named = SET.search(unquoted) if "@" in unquoted or "--match-set " in unquoted else None
    asked = named[1] if named else None
    if text.startswith("-A "):
        lead = iptables_syntax.CHAIN.match(text)
        shown = text[lead.end() :] if lead else text
        tracked = TRACKED_IPTABLES.search(unquoted) is not None
        return Meaning(shown or "(all packets)", iptables_syntax.plainly(unquoted), asked, tracked, None)
    targets = list(dict.fromkeys(IN_MAP.findall(unquoted))) if "vmap" in unquoted else None
    return Meaning(text, nft_syntax.plainly(text), asked, TRACKED_NFT.search(unquoted) is not None, targets or None)


def without_counters(texts: Sequence[str]) -> list[str]:
    """The texts without what packets change in them; in one go, as there may be 20,000."""
    whole = "\0".join(texts)
    bare = COUNTERS.sub("counter", whole)
    if " used " in bare:
        bare = USED.sub(r"\1", bare)
    found = bare.split("\0") if texts else []
    return found if len(found) == len(texts) else [COUNTERS.sub("counter", text) for text in texts]


def tabled(meanings: Sequence[Meaning]) -> Table:
    draft = Draft(COLUMNS, len(meanings) + 1)
    plains = [meaning.plain for meaning in meanings]
    draft.cells("text", [*(meaning.text for meaning in meanings), None])
    draft.numbers("tracked", True, np.flatnonzero([meaning.tracked for meaning in meanings]))
    put(draft, "set", [meaning.set for meaning in meanings])
    put(draft, "targets", [meaning.targets for meaning in meanings])
    for name in ("proto", "iif", "oif", "sport", "dport"):
        put(draft, name, [getattr(plain, name) for plain in plains])
    for name in ("src", "dst"):
        put_networks(draft, name, [getattr(plain, name) for plain in plains])
    return draft.table()


def put(draft: Draft, name: str, cells: Sequence[Cell]) -> None:
    """The cells that there are: most rules match few things."""
    at = [place for place, cell in enumerate(cells) if cell is not None]
    draft.cells(name, [cells[place] for place in at], np.array(at, np.intp))


def put_networks(draft: Draft, name: str, networks: Sequence[Network | None]) -> None:
    known = [network for network in networks if network is not None]
    at = np.flatnonzero([network is not None for network in networks])
    octets = np.frombuffer(b"".join(network.octets for network in known), np.uint8).reshape(-1, 16)
    forms = np.array([network.form for network in known], np.uint8)
    draft.addresses(name, octets, forms, at, np.array([network.prefix for network in known], np.uint8))


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
