"""Routes from recorded RTM_GETROUTE dumps."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given

from collectors.collector import Block
from collectors.netlink.nexthops import encapsulation, multipath
from collectors.netlink.routes import ROUTES, RTM_F_CLONED, RTM_NEWROUTE
from collectors.wire.netlink import DecodeError, attribute, request
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("routes")


def test_routes_have_their_attributes_under_the_words_of_ip():
    rows = {row["dst"]: row for row in ROUTES.decode(BLOCKS).rows()}
    assert rows["20.2.0.0/16"]["metrics"][0]["lock"] == ["mtu", "rto_min"]
    assert rows["20.3.0.0/16"]["flow"] == {"from": "3", "to": "5"}
    assert rows["20.5.0.0/16"]["via"] == {"family": "inet6", "host": "fd09::2"}
    assert [hop["weight"] for hop in rows["20.8.0.0/16"]["nexthops"]] == [3, 2]
    assert rows["20.6.0.0/16"]["nhid"] == 3
    assert rows["20.14.0.0/16"]["encap_info"] == {"mode": "encap", "segs": ["fd09::8", "fd09::9"]}
    assert rows["20.16.0.0/16"]["table"] == "4000000000"
    assert rows["fd20:5::/32"]["from"] == "fd09::/64"
    assert rows["fd20:2::/32"]["pref"] == "high"


def test_both_families_defaults_are_told_as_default():
    rows = [row for row in ROUTES.decode(BLOCKS).rows() if row["dst"] == "default"]
    assert [(row["family"], row["gateway"]) for row in rows] == [("inet", "10.9.0.2"), ("inet6", "fd09::2")]


def test_a_copy_in_the_route_cache_is_left_out():
    header = struct.pack("=8BI", 2, 0, 0, 0, 254, 0, 0, 1, RTM_F_CLONED)
    assert len(ROUTES.decode([Block("inet", request(RTM_NEWROUTE, 0, 1, header))])) == 0


@pytest.mark.parametrize("length", [0, 7, 17])
def test_a_next_hop_of_a_false_length_is_an_error_and_not_a_route_with_fewer(length: int):
    hops = struct.pack("=HBBi", 8, 0, 0, 2) + struct.pack("=HBBi", length, 0, 0, 3) + bytes(8)
    with pytest.raises(DecodeError):
        multipath(hops)


def test_labels_of_mpls_are_told_with_slashes():
    """Made by hand: the recording kernel has no MPLS routing."""
    stack = bytes([0, 0x06, 0x40, 0, 0, 0x0C, 0x81, 0])
    assert encapsulation(b"\1\0" + attribute(1, stack)) == {"dst": "100/200"}


def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS):
        stands(ROUTES, blocks)
    for blocks in cut_messages(BLOCKS):
        stands(ROUTES, blocks)


@quick
@given(mutations(BLOCKS))
def test_a_dump_with_changed_bytes_is_a_table_or_a_decode_error(blocks):
    stands(ROUTES, blocks)
