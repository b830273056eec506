"""How the rules of nf_tables are asked for by NFT_MSG_GETRULE: by one dump, or chain by chain where that is cheaper."""

from __future__ import annotations

from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.chains import NFTA_CHAIN_NAME, NFTA_CHAIN_TABLE
from collectors.netfilter.nft.rules import NFTA_RULE_CHAIN, NFTA_RULE_TABLE, big_numbers
from collectors.wire.netlink import Messages, attribute
from collectors.wire.places import attribute_places

NFTA_CHAIN_USE = 6
WORTH = 200_000  # squared rules to a chain from which on chains are asked for one by one, see ``bodies``


def bodies(chains: Messages) -> list[bytes]:
    """What the requests say behind their headers; ``chains``: all that are there, from NFT_MSG_GETCHAIN.

    A dump goes to user space in parts of 32 KiB, and for each the kernel counts up to where it was from the first rule
    again (nf_tables_dump_rules): all rules by one dump take a time that grows with the square of their number, some
    0.14 ns each, and those of one chain some 25 us more for the request.
    """
    if not len(chains):
        return [nfnetlink.header()]
    places = attribute_places(chains, nfnetlink.NFGENMSG.itemsize)
    named = [places.get(kind) for kind in (NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME)]
    uses = places.get(NFTA_CHAIN_USE)  # by rules, and by those that jump to it
    if uses is None or None in named or not worth_it(int(big_numbers(chains.data, uses, ">u4").sum()), len(chains)):
        return [nfnetlink.header()]
    data = chains.data.tobytes()
    names = [found.payloads(data) for found in named if found]
    families = chains.data[chains.offsets + 16].tolist()
    return [
        nfnetlink.header(family) + attribute(NFTA_RULE_TABLE, table or b"") + attribute(NFTA_RULE_CHAIN, chain or b"")
        for family, table, chain in zip(families, *names, strict=True)
    ]


def worth_it(rules: int, chains: int) -> bool:
    return rules * rules > WORTH * chains
