"""Addresses from recorded RTM_GETADDR dumps."""

from __future__ import annotations

import struct

from hypothesis import given

from collectors.collector import Block
from collectors.netlink.addresses import ADDRESSES, IFA_LOCAL, RTM_NEWADDR
from collectors.wire.netlink import attribute, request
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("addresses")


def test_secondaries_name_their_primary_and_keep_the_kernels_order():
    rows = {row["local"]: row for row in ADDRESSES.decode(BLOCKS).rows()}
    assert {local: row["primary"] for local, row in rows.items() if row["family"] == "inet" and "primary" in row} == {
        "10.9.0.3": "10.9.0.1",
        "10.9.0.4": "10.9.0.1",
        "10.8.7.1": "10.8.0.1",
        "10.6.0.2": "10.6.0.1",
    }
    assert rows["10.9.0.4"]["label"] == "left0:four"
    left0 = [row for row in rows.values() if row["ifindex"] == rows["10.9.0.1"]["ifindex"] and row["family"] == "inet"]
    order = [row["local"] for row in sorted(left0, key=lambda row: row["position"])]
    assert order[0] == "10.6.0.1", "primaries of a narrower scope stand before the wider ones"
    assert order.index("10.9.0.1") < order.index("10.7.0.1") < order.index("10.9.0.3") < order.index("10.9.0.4")
    assert [row["position"] for row in left0] == list(range(len(left0)))
    assert rows["10.9.0.5"]["prefixlen"] == 25
    assert rows["10.9.0.5"]["metric"] == 77


def test_places_go_on_beyond_sixteen_bits():
    header = struct.pack("=BBBBI", 2, 32, 0x80, 0, 23)
    many = b"".join(
        request(RTM_NEWADDR, 0, 1, header + attribute(IFA_LOCAL, struct.pack(">I", number))) for number in range(65539)
    )
    assert ADDRESSES.decode([Block("", many)]).numbers("position").numbers.tolist() == list(range(65539))


def test_flags_are_words_and_columns_that_are_absent_where_they_do_not_hold():
    rows = {row["local"]: row for row in ADDRESSES.decode(BLOCKS).rows()}
    assert rows["10.9.0.3"]["flags"] == ["secondary"]
    assert rows["10.9.0.3"]["secondary"] is True
    assert "secondary" not in rows["10.9.0.1"]
    assert rows["fd06::1"]["flags"] == ["nodad", "home", "deprecated", "dynamic"]


def test_a_peer_is_told_and_an_own_address_is_not_told_twice():
    rows = {row["local"]: row for row in ADDRESSES.decode(BLOCKS).rows()}
    assert rows["10.7.0.1"]["address"] == "10.7.0.2"
    assert rows["fd07::1"]["address"] == "fd07::2"
    assert "address" not in rows["10.9.0.1"]


def test_an_empty_dump_is_an_empty_table():
    assert len(ADDRESSES.decode([])) == 0


def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS):
        stands(ADDRESSES, blocks)
    for blocks in cut_messages(BLOCKS):
        stands(ADDRESSES, blocks)


@quick
@given(mutations(BLOCKS))
def test_a_dump_with_changed_bytes_is_a_table_or_a_decode_error(blocks):
    stands(ADDRESSES, blocks)
