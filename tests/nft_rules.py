"""Rules of every family of nf_tables, and what the kernel gave for them, recorded.

``python -m tests.nft_rules`` (as root) records anew; beside the bytes stands what ``nft list ruleset`` printed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from collectors.collector import Block
from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.model import NFT_SET_ANONYMOUS, Context, NftSet
from collectors.netfilter.nft.rules import by_table
from collectors.netfilter.nft.set_messages import decode_elements, decode_sets, read_elements
from collectors.netfilter.told import Records
from collectors.wire.netlink import Messages, messages
from tests import rulesets
from tests.lab import Namespace, namespace
from tests.netfilter_scenes import load_nft
from tests.parity.netfilter import nft_ruleset, normalised

FIXTURES = Path(__file__).parent / "collectors" / "fixtures" / "nft_rules"
NFT_MSG_NEWRULE, NFT_MSG_GETRULE, NFT_MSG_NEWSET, NFT_MSG_GETSET, NFT_MSG_NEWSETELEM = 6, 7, 9, 10, 12
FAMILIES = {"inet": 1, "ip": 2, "arp": 3, "netdev": 5, "bridge": 7, "ip6": 10}
EVERY = 4  # of which one is recorded
RuleKey = tuple[int, str, int]  # family, table, handle


@contextmanager
def families(step: int = 1) -> Iterator[Namespace]:
    """Every rule of families.rules that this nft and this kernel take, or every ``step``-th."""
    with namespace() as inside:
        load_nft(inside, rulesets.text("families.nft"))
        load_rules(inside, list(rules())[::step])
        yield inside


def rules() -> Iterator[str]:
    chain = ""
    for line in rulesets.text("families.rules").splitlines():
        if line.startswith("["):
            chain = line.strip("[]")
        elif line and not line.startswith("#"):
            yield f"add rule {chain} {line}\n"


def load_rules(inside: Namespace, wanted: Sequence[str]) -> None:
    """All of them at once; where that is refused, each half of them."""
    try:
        load_nft(inside, "".join(wanted))
    except AssertionError:
        half = len(wanted) // 2
        for part in (wanted[:half], wanted[half:]) if half else ():
            load_rules(inside, part)


def blocks(inside: Namespace) -> Iterator[Block]:
    """Sets, the elements of anonymous ones, and rules."""
    anonymous: list[NftSet] = []
    for block in nfnetlink.dump_of(inside.host, nfnetlink.NFTABLES, NFT_MSG_GETSET, part="sets"):
        yield block
        anonymous += [found for found in decode_sets(of(block, NFT_MSG_NEWSET)) if found.flags & NFT_SET_ANONYMOUS]
    yield from read_elements(inside.host, anonymous)
    yield from nfnetlink.dump_of(inside.host, nfnetlink.NFTABLES, NFT_MSG_GETRULE, part="rules")


def of(block: Block, kind: int) -> Messages:
    return messages(block.data).of(nfnetlink.kind(nfnetlink.NFTABLES, kind))


def told_by(found: Sequence[Block], devices: Mapping[int, str]) -> Iterator[tuple[Context, Records]]:
    """The rules of each table, with what their text depends on."""
    elements = decode_elements(of(block, NFT_MSG_NEWSETELEM) for block in found if block.part == "elements")
    sets = [entry for block in found if block.part == "sets" for entry in decode_sets(of(block, NFT_MSG_NEWSET))]
    full = [replace(entry, elements=elements.get((entry.family, entry.table, entry.name))) for entry in sets]
    for block in found:
        if block.part == "rules":
            for key, records, _ in by_table(of(block, NFT_MSG_NEWRULE)):
                own = {entry.name: entry for entry in full if (entry.family, entry.table) == (key.family, key.name)}
                yield Context(key.family, key.name, own, devices.get), records


def listed(text: str) -> dict[RuleKey, str]:
    """The rules of ``nft -a list ruleset`` in one line each."""
    found = nft_ruleset(text).rules
    return {(FAMILIES[rule.family], rule.table, rule.handle or 0): normalised(rule.text) for rule in found}


def record() -> None:
    FIXTURES.mkdir(parents=True, exist_ok=True)
    with families(EVERY) as inside:
        found = list(blocks(inside))
        text = inside.run("nft -a list ruleset")
    for old in FIXTURES.iterdir():
        old.unlink()
    for number, block in enumerate(found):
        (FIXTURES / f"{number:02d}-{block.part}.bin").write_bytes(bytes(block.data))
    (FIXTURES / "listed.txt").write_text(text)


def recorded() -> tuple[list[Block], dict[RuleKey, str]]:
    files = sorted(FIXTURES.glob("*.bin"))
    found = [Block(file.stem.partition("-")[2], file.read_bytes()) for file in files]
    return found, listed((FIXTURES / "listed.txt").read_text())


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"  # nft writes hours and dates in local time
    record()
