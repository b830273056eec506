"""Kinds that this kernel need not have, decoded by pyroute2's attribute maps from hand-assembled messages."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.collector import Block
from collectors.netlink.links import LINKS
from collectors.table import Table
from collectors.wire.netlink import DecodeError
from tests.collectors.link_messages import of_kind, u8, u16, u32


def details(*messages: bytes) -> Table:
    return LINKS.decode([Block("", b"".join(messages))])


def test_an_xfrm_interface_tells_its_id():
    table = details(of_kind(2, "xfrm", u32(1, 4) + u32(2, 77)))
    assert table["info_data"].cells() == [{"link": 4, "if_id": 77}]


def test_a_can_interface_tells_its_bit_timing():
    # uapi linux/can/netlink.h, struct can_bittiming: bitrate, sample_point, tq, prop_seg, phase_seg1, phase_seg2, …
    timing = struct.pack("=8I", 500000, 875, 125, 6, 7, 2, 1, 5)
    table = details(of_kind(2, "can", struct.pack("=HH", 36, 1) + timing + u32(4, 0)))
    assert table["info_data"].cells()[0]["bittiming"]["bitrate"] == 500000  # type: ignore[index, call-overload]


def test_an_infiniband_partition_tells_its_key():
    assert details(of_kind(2, "ipoib", u16(1, 0x8001)))["info_data"].cells() == [{"pkey": 0x8001}]


@pytest.mark.parametrize("kind", ["can", "gtp", "ipoib", "xfrm"])
@given(data=st.binary(max_size=64))
@settings(max_examples=60, deadline=None)
def test_whatever_stands_inside_the_link_keeps_its_kind_or_the_dump_is_malformed(kind: str, data: bytes):
    try:
        table = details(of_kind(2, kind, u8(9, 1) + data))
    except DecodeError:
        return
    assert table["kind"].cells() == [kind]
