"""Nexthop objects from recorded RTM_GETNEXTHOP dumps."""

from __future__ import annotations

from hypothesis import given

from collectors.netlink.nexthop_objects import NEXTHOPS, group
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("nexthops")


def test_groups_have_members_with_weights_above_one_told():
    rows = {row["id"]: row for row in NEXTHOPS.decode(BLOCKS).rows()}
    assert rows[3]["group"] == [{"id": 1, "weight": 5}, {"id": 2}]
    assert rows[6]["type"] == "resilient"
    assert rows[6]["resilient_args"]["buckets"] == 8
    assert rows[6]["resilient_args"]["idle_timer"] == 60
    assert rows[5]["blackhole"] is True
    assert rows[9]["encap_info"]["dst"] == "1.2.3.4"


def test_a_weight_above_255_has_its_high_byte_behind_the_low_one():
    assert group(bytes([1, 0, 0, 0, 0x2B, 0x01, 0, 0])) == [{"id": 1, "weight": 300}]


def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS):
        stands(NEXTHOPS, blocks)
    for blocks in cut_messages(BLOCKS):
        stands(NEXTHOPS, blocks)


@quick
@given(mutations(BLOCKS))
def test_a_dump_with_changed_bytes_is_a_table_or_a_decode_error(blocks):
    stands(NEXTHOPS, blocks)
