"""Queueing disciplines and classes from recorded dumps, and of kinds that the recording kernel does not have."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given

from collectors.collector import Block
from collectors.netlink.qdiscs import CLASSES, QDISCS, RTM_NEWQDISC, class_identifier
from collectors.wire.netlink import attribute, request
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.collectors.kinds import KINDS
from tests.record import FIXTURES, recorded

BLOCKS, CLASS_BLOCKS = recorded("qdiscs"), recorded("classes")
OTHERS = [Block("", KINDS)]
PEERS = json.loads((FIXTURES / "kinds" / "tc.json").read_text())
NOT_TOLD = {  # words of tc's JSON that stand for something that is not so, or twice
    ("fq", "horizon_drop"): "a null; here a boolean",
    ("fq", "horizon_cap"): "a null when horizon_drop is false",
    ("prio", "multiqueue"): "of multiqueue kernels before 2.6.27",
    ("pfifo_fast", "multiqueue"): "of multiqueue kernels before 2.6.27",
    ("cake", "raw"): "false when it is not set",
    ("cake", "fwmark"): "0 when it is not set",
}


def near(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: near(inner) for key, inner in value.items()}
    return pytest.approx(value, abs=1e-6) if isinstance(value, float) else value


@pytest.mark.parametrize("number", range(len(PEERS)), ids=[f"{n}-{peer['kind']}" for n, peer in enumerate(PEERS)])
def test_options_and_counters_of_a_kind_are_told_as_tc_tells_them(number):
    row, peer = QDISCS.decode(OTHERS).row(number), PEERS[number]
    ours = {**row, **row.get("xstats", {})}
    for key, value in peer.items():
        if key not in ("dev", "options"):
            assert ours[key] == value, key
    for key, value in peer["options"].items():
        if (peer["kind"], key) not in NOT_TOLD:
            assert row["options"][key] == near(value), key


def test_a_kind_that_is_not_known_has_counters_but_no_options():
    row = QDISCS.decode(OTHERS).row(len(PEERS) - 1)
    assert row["kind"] == "mystery"
    assert row["drops"] == 11
    assert "options" not in row
    assert "xstats" not in row


def test_fq_tells_flows_that_wait_apart_from_times_that_flows_had_to():
    row = QDISCS.decode(OTHERS).row([peer["kind"] for peer in PEERS].index("fq"))
    assert (row["xstats"]["throttled_flows"], row["xstats"]["throttled"]) == (10, 4)
    assert (row["options"]["horizon_drop"], row["xstats"]["flows_plimit"]) == (True, 5)


def test_statistics_of_an_older_kernel_end_where_its_struct_ends():
    """fq before 4.20 had no ce_mark."""
    body = bytes(20) + attribute(1, b"fq\0") + attribute(7, attribute(4, struct.pack("=7Qq4I", *range(12))))
    (row,) = QDISCS.decode([Block("", request(RTM_NEWQDISC, 0, 1, body))]).rows()
    assert row["xstats"]["latency"] == 11
    assert "ce_mark" not in row["xstats"]
    assert "bytes" not in row


def test_packets_beyond_32_bits_come_from_the_wider_counter():
    basic = attribute(1, struct.pack("=QII", 1 << 40, 5, 0)) + attribute(8, struct.pack("=Q", (1 << 32) + 5))
    body = bytes(20) + attribute(1, b"mq\0") + attribute(7, basic)
    (row,) = QDISCS.decode([Block("", request(RTM_NEWQDISC, 0, 1, body))]).rows()
    assert (row["bytes"], row["packets"]) == (1 << 40, (1 << 32) + 5)


def test_handles_are_written_as_tc_writes_them():
    assert [class_identifier(number) for number in (0, 0x10000, 0x10014, 0x14, 0xFFFFFFF1)] == [
        "none", "1:", "1:14", ":14", "ffff:fff1",
    ]  # fmt: skip


def test_a_shared_block_and_the_place_of_a_discipline_are_told():
    rows = {row["handle"]: row for row in QDISCS.decode(BLOCKS).rows()}
    assert rows["1:"]["root"] is True
    assert "parent" not in rows["1:"]
    assert rows["20:"]["parent"] == "1:20"
    assert "root" not in rows["20:"]
    assert "ingress_block" not in rows["20:"]
    assert 5 in [row.get("ingress_block") for row in QDISCS.decode(BLOCKS).rows()]


def test_a_class_knows_the_discipline_below_it_and_what_it_lent():
    rows = {row["handle"]: row for row in CLASSES.decode(CLASS_BLOCKS).rows()}
    assert (rows["1:20"]["leaf"], rows["1:20"]["parent"]) == ("20:", "1:1")
    assert rows["1:20"]["xstats"]["lended"] == rows["1:20"]["packets"] > 22
    assert rows["1:30"]["options"]["quantum"] == 60000


@pytest.mark.parametrize(
    ("collector", "blocks"),
    [(QDISCS, BLOCKS), (CLASSES, CLASS_BLOCKS), (QDISCS, OTHERS)],
    ids=["own", "classes", "kinds"],
)
def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error(collector, blocks):
    for cut in (*cut_blocks(blocks), *cut_messages(blocks)):
        stands(collector, cut)


@quick
@given(mutations(BLOCKS))
def test_a_dump_with_changed_bytes_is_a_table_or_a_decode_error(blocks):
    stands(QDISCS, blocks)


@quick
@given(mutations(CLASS_BLOCKS))
def test_a_dump_of_classes_with_changed_bytes_is_a_table_or_a_decode_error(blocks):
    stands(CLASSES, blocks)


@quick
@given(mutations(OTHERS))
def test_other_kinds_with_changed_bytes_are_a_table_or_a_decode_error(blocks):
    stands(QDISCS, blocks)
