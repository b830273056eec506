"""The ruleset of all worlds from a recorded host: dockerd's rules by iptables-nft, legacy tables, a native table."""

from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given

from collectors import Host
from collectors.collector import INTERRUPTED, Block
from collectors.netfilter import nft_reading, nft_world
from collectors.netfilter.chain import Chain
from collectors.netfilter.nft.chains import NFTA_HOOK_DEVS, NftChain, TableKey, devices, priority_name
from collectors.netfilter.nft.payloads import comment
from collectors.netfilter.nft.rules import inlined
from collectors.netfilter.ruleset import FAMILIES, HOOKS, NETFILTER, read
from collectors.netfilter.told import Rules
from collectors.netlink import modules
from collectors.table import Gap
from collectors.values import Codes
from collectors.wire.netlink import DecodeError, NetlinkError, attribute
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("netfilter")


def rows(**wanted):
    return [
        row for row in NETFILTER.decode(BLOCKS).rows() if all(row.get(key) == value for key, value in wanted.items())
    ]


def test_three_worlds_stand_in_one_table_in_the_order_of_hook_and_priority():
    found = rows(kind="base chain")
    assert {row["world"] for row in found} == {"nft", "iptables-nft", "iptables-legacy"}
    forward = [row["priority"] for row in found if row["hook"] == "forward"]
    assert forward == sorted(forward)
    assert len(forward) > 2


def test_rules_follow_their_chain_and_are_numbered_in_it():
    found = rows(table="filter", chain="DOCKER-USER")
    assert [row["kind"] for row in found[:2]] == ["chain", "rule"]
    assert [row["position"] for row in found[1:]] == list(range(1, len(found)))
    assert all(row["rule"].startswith("-A DOCKER-USER") for row in found[1:])


def test_rules_of_nf_tables_are_known_by_handle_and_legacy_ones_by_position():
    assert all("handle" in row and "slot" not in row for row in rows(world="iptables-nft", kind="rule"))
    legacy = rows(world="iptables-legacy", kind="rule")
    assert legacy
    assert all(row["slot"] == row["position"] and "handle" not in row for row in legacy)


def test_a_loss_that_nothing_counts_is_flagged():
    flagged = [row for row in rows() if row.get("uncounted")]
    assert all(row.get("verdict") in ("drop", "reject") or row.get("policy") == "drop" for row in flagged)
    assert not any("packets" in row for row in flagged)


def test_a_generation_that_changed_meanwhile_is_an_interruption():
    last = (
        BLOCKS[-1] if BLOCKS[-1].part == "generation" else next(b for b in reversed(BLOCKS) if b.part == "generation")
    )
    later = bytearray(bytes(last.data))
    later[24:28] = struct.pack(">I", struct.unpack(">I", later[24:28])[0] + 1)
    changed = [Block("generation", bytes(later)) if block is last else block for block in BLOCKS]
    assert INTERRUPTED in NETFILTER.decode(changed).gaps
    assert not NETFILTER.decode(BLOCKS).gaps


def test_a_kernel_without_nf_tables_is_a_gap_and_legacy_rules_are_there_all_the_same(monkeypatch):
    def refuse(host):
        raise NetlinkError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(nft_reading, "generation", refuse)
    gaps = [item for item in read(Host()) if isinstance(item, Gap)]
    assert any("no nf_tables" in gap.reason for gap in gaps)
    legacy = [block for block in BLOCKS if block.part.startswith("legacy")]
    assert {row["world"] for row in NETFILTER.decode([*gaps, *legacy]).rows()} == {"iptables-legacy"}


def test_a_refusal_is_not_taken_for_absence(monkeypatch):
    def refuse(host):
        raise NetlinkError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(nft_reading, "generation", refuse)
    with pytest.raises(NetlinkError, match="not permitted"):
        list(nft_reading.read(Host()))


@pytest.mark.parametrize(
    ("family", "hook", "priority", "name"),
    [
        (1, "prerouting", -100, "dstnat"),
        (1, "output", -100, "-100"),
        (2, "input", 10, "filter + 10"),
        (2, "input", -11, "-11"),
        (10, "forward", -155, "mangle - 5"),
        (7, "output", 100, "out"),
        (7, "forward", -200, "filter"),
        (5, "ingress", 0, "filter"),
        (5, "ingress", -300, "-300"),
        (2, "postrouting", 99, "srcnat - 1"),
    ],
)
def test_priorities_have_the_names_that_nft_gives_them(family, hook, priority, name):
    assert priority_name(family, hook, priority) == name


def test_a_comment_is_found_among_other_user_data_and_broken_data_has_none():
    assert comment(b"\x07\x01x\x00\x06hello\x00") == "hello"
    assert comment(b"\x00\x09short") is None
    assert comment(b"") is None


def test_chains_that_exist_only_inside_a_rule_are_told_there_and_a_loop_of_them_ends():
    import numpy as np

    def made(verdicts):
        count = len(verdicts)
        chains = Codes.of(["base", *["__chain0"] * (count - 1)])
        zeros = np.zeros(count, np.uint64)
        never = np.zeros(count, np.bool_)
        nothing = Codes.of([None] * count)
        return Rules(chains, zeros, verdicts, Codes.of(verdicts), nothing, zeros, zeros, never, never)

    told = inlined(made(["jump __chain0", "accept", "drop"]), {"__chain0"})
    assert told.texts[0] == "jump { accept drop }"
    looping = inlined(made(["jump __chain0", *["jump __chain0"] * 40]), {"__chain0"})
    assert looping.texts[0].count("jump __chain0") == 40


def test_a_message_cut_anywhere_is_refused_or_told():
    for blocks in cut_messages([block for block in BLOCKS if not block.part.startswith("legacy")]):
        stands(NETFILTER, blocks)


def test_a_block_cut_anywhere_is_refused_or_told():
    for blocks in cut_blocks([block for block in BLOCKS if len(block.data) < 4000]):
        stands(NETFILTER, blocks)


@quick
@given(mutations([block for block in BLOCKS if block.part != "generation"]))
def test_altered_bytes_are_refused_or_told(blocks):
    stands(NETFILTER, blocks)


def test_an_attribute_longer_than_its_message_is_refused():
    rules = next(block for block in BLOCKS if block.part == "rules")
    data = bytearray(bytes(rules.data))
    data[20:22] = b"\xff\x7f"
    with pytest.raises(DecodeError):
        NETFILTER.decode([Block("rules", bytes(data))])


def base_chain(family: str, name: str, order: int, priority: int = 0, hook: str = "input") -> Chain:
    return Chain("nft", family, "t", name, hook=hook, priority=priority, order=order)


def in_order(*chains: Chain) -> list[str]:
    return [chain.name for chain in sorted(chains, key=lambda chain: chain.place(HOOKS, FAMILIES))]


def test_of_equal_priorities_the_youngest_table_is_asked_first_whichever_family_of_ip_it_is_of():
    old, young = base_chain("inet", "old", -1 << 32), base_chain("ip", "young", -2 << 32)
    assert in_order(old, young, base_chain("ip6", "first", -3 << 32, priority=-1)) == ["first", "young", "old"]
    bridge = base_chain("bridge", "bridge", -1 << 32)
    assert in_order(old, bridge, young) == ["bridge", "young", "old"]
    assert in_order(
        base_chain("netdev", "old", -1 << 32, hook="ingress"), base_chain("inet", "young", -2 << 32, hook="ingress")
    ) == ["young", "old"]


@pytest.mark.parametrize(("kind", "theirs"), [("nat", True), ("filter", False)])
def test_a_chain_of_another_type_than_iptables_would_make_is_not_its_own(kind, theirs):
    key = TableKey(2, "nat")
    chain = NftChain(key, "PREROUTING", 1, 1, "prerouting", -100, "accept", kind)
    assert nft_world.is_built_in(key, [chain]) is theirs


def test_a_chain_at_all_devices_whose_names_begin_alike_has_a_star():
    """By NFTA_DEVICE_PREFIX since Linux 6.17, in 6.16 by a name without its NUL."""
    listed = attribute(1, b"eth0\0") + attribute(2, b"veth\0") + attribute(1, b"tap") + attribute(9, b"newer\0")
    assert devices({NFTA_HOOK_DEVS: listed}) == ("eth0", "veth*", "tap*")


def test_the_kernels_symbols_are_read_again_only_when_the_modules_are_others(tmp_path):
    read = []

    class Proc(Host):
        def read(self, path: str) -> bytes:
            read.append(path)
            return super().read(path)

    host = Proc(proc=tmp_path)
    (tmp_path / "kallsyms").write_text("0 t ip_set_dump\t[ip_set]\n")
    assert modules.in_kernel(host, "ip_set_dump", frozenset({"a"}))
    assert modules.in_kernel(host, "ip_set_dump", frozenset({"a"}))
    assert len(read) == 1
    (tmp_path / "kallsyms").write_text("")
    assert not modules.in_kernel(host, "ip_set_dump", frozenset({"a", "b"}))
