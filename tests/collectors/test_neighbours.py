"""Neighbours and forwarding entries from recorded RTM_GETNEIGH dumps."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given

from collectors.collector import Block
from collectors.netlink.neighbours import (
    NDA_DST,
    NDA_FDB_EXT_ATTRS,
    NDA_LLADDR,
    NDA_VLAN,
    NEIGHBOURS,
    RTM_NEWNEIGH,
)
from collectors.wire.netlink import DecodeError, attribute, request
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("neighbours")


def test_states_and_flags_are_lists_of_words():
    rows = {row["dst"]: row for row in NEIGHBOURS.decode(BLOCKS).rows() if row["family"] != "bridge"}
    assert rows["10.9.0.7"]["state"] == ["PERMANENT"]
    assert rows["10.9.0.8"]["protocol"] == "bird"
    assert rows["fd09::7"]["flags"] == ["router"]
    assert rows["10.9.0.99"]["flags"] == ["proxy"]
    assert "lladdr" not in rows["10.9.0.9"]


def test_a_forwarding_entry_names_its_remote_end():
    rows = {row["mac"]: row for row in NEIGHBOURS.decode(BLOCKS).rows() if row["family"] == "bridge"}
    assert rows["02:00:00:00:02:01"]["dst"] == "10.9.0.3"
    assert rows["02:00:00:00:02:02"]["dst"] == "fd09::3"
    assert "state" not in rows["02:00:00:00:02:02"]
    assert rows["02:00:00:00:01:03"]["state"] == "static"
    assert "sticky" in rows["02:00:00:00:01:03"]["flags"]


def entry(family: int, *attributes: bytes) -> list[Block]:
    header = struct.pack("=BBHiHBB", family, 0, 0, 3, 0x80, 2, 0)
    return [Block("forwarding", request(RTM_NEWNEIGH, 0, 1, header + b"".join(attributes)))]


def test_a_vlan_and_activity_of_a_forwarding_entry_are_told():
    """Made by hand: the recording kernel has no VLAN-aware bridge."""
    activity = attribute(NDA_FDB_EXT_ATTRS, attribute(1, b"\3"))
    blocks = entry(7, attribute(NDA_LLADDR, bytes(6)), attribute(NDA_VLAN, struct.pack("=H", 4094)), activity)
    (row,) = NEIGHBOURS.decode(blocks).rows()
    assert (row["vlan"], row["activity_notify"], row["inactive"]) == (4094, True, True)


def test_the_link_layer_address_of_an_ip_tunnel_is_an_ip_address():
    (row,) = NEIGHBOURS.decode(
        entry(2, attribute(NDA_DST, bytes(4)), attribute(NDA_LLADDR, bytes([10, 0, 0, 9])))
    ).rows()
    assert row["lladdr"] == "10.0.0.9"
    (row,) = NEIGHBOURS.decode(entry(2, attribute(NDA_DST, bytes(4)), attribute(NDA_LLADDR, bytes(range(20))))).rows()
    assert row["lladdr"] == bytes(range(20)).hex(":")


def test_an_address_that_is_not_of_its_family_is_a_decode_error():
    with pytest.raises(DecodeError, match="not of its family"):
        NEIGHBOURS.decode(entry(10, attribute(NDA_DST, bytes(4))))


def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS):
        stands(NEIGHBOURS, blocks)
    for blocks in cut_messages(BLOCKS):
        stands(NEIGHBOURS, blocks)


@quick
@given(mutations(BLOCKS))
def test_a_dump_with_changed_bytes_is_a_table_or_a_decode_error(blocks):
    stands(NEIGHBOURS, blocks)
