"""The ruleset of all worlds from a recorded host: dockerd's rules by iptables-nft, legacy tables, a native table."""

from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given

from collectors import Host
from collectors.collector import INTERRUPTED, Block
from collectors.netfilter import nft_reading
from collectors.netfilter.nft.chains import comment, priority_name
from collectors.netfilter.nft.rules import inlined
from collectors.netfilter.ruleset import NETFILTER, read
from collectors.netfilter.told import Rules
from collectors.table import Gap
from collectors.wire.netlink import DecodeError, NetlinkError
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
        chains = ["base", *["__chain0"] * (count - 1)]
        zeros = np.zeros(count, np.uint64)
        return Rules(chains, zeros, verdicts, verdicts, [None] * count, zeros, zeros, np.zeros(count, np.bool_))

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
