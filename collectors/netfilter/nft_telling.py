"""What tells the rules of a table of nf_tables, and keeps what it told for as long as the ruleset stays the same."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cache, lru_cache, partial

from collectors.netfilter.nft import rule
from collectors.netfilter.nft.chains import TableKey
from collectors.netfilter.nft.model import Context, NftSet
from collectors.netfilter.nft.rules import inlined, remarked
from collectors.netfilter.nft.set_messages import decode_elements, decode_sets
from collectors.netfilter.nft.stateful import declared
from collectors.netfilter.nft.uapi import NFT_MSG_NEWSET, NFT_MSG_NEWSETELEM
from collectors.netfilter.nft_reading import of
from collectors.netfilter.told import NotTheirs, Records, Rules, told
from collectors.netfilter.xt import nft_rule
from collectors.netfilter.xt.user_data import commented
from collectors.wire.netlink import messages
from collectors.wire.templates import Templates


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
        own = found.get(key, {})
        counting = frozenset(name for name, entry in own.items() if "counter" in map(declared, entry.expressions))
        return Tellers(Context(key.family, key.name, own, names.get, numbers, counting=counting))

    return of_table


class Telling:
    """The rules of one table: told as iptables tells them as long as it could have written them, else as nft does."""

    def __init__(self, tellers: Tellers, built_in: bool) -> None:
        self.world = "iptables-nft" if built_in else "nft"
        self._tellers = tellers
        self._taken: list[tuple[Records, list[bytes | None]]] = []
        self._told: list[Rules] = []

    def tell(self, records: Records, userdata: list[bytes | None]) -> None:
        if self.world == "iptables-nft":
            self._taken.append((records, userdata))
            try:
                own = commented(records, userdata)
                self._told.append(told(own, self._tellers.iptables, lambda chain: f"-A {chain}"))
                return
            except NotTheirs:
                self.world, self._told = "nft", [self._as_nft(*taken) for taken in self._taken]
                self._taken.clear()
                return
        self._told.append(self._as_nft(records, userdata))

    def _as_nft(self, records: Records, userdata: list[bytes | None]) -> Rules:
        return remarked(told(records, self._tellers.nft, lambda chain: ""), userdata)

    def rules(self, bound: Collection[str]) -> Rules:
        """All of them; ``bound``: chains that exist only inside a rule."""
        return inlined(Rules.concatenate(self._told), bound)
