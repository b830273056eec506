"""Bridges and VXLAN networks from a recorded dump; bonds and MPLS, which few kernels have, as written here."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given

from collectors.collector import Block
from collectors.netlink.link_statistics import (
    IFLA_STATS_AF_SPEC,
    IFLA_STATS_LINK_XSTATS,
    IFLA_STATS_LINK_XSTATS_SLAVE,
    LINK_STATISTICS,
    unknown,
)
from collectors.values import Cell
from collectors.wire.netlink import NLMSGHDR, DecodeError, NetlinkError, attribute
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("link_statistics")
LACP = [bytes(8), bytes(8), struct.pack("=Q", 23), struct.pack("=Q", 29), *[bytes(8)] * 5]


def device(ifindex: int, *attributes: bytes) -> bytes:
    body = struct.pack("=BBHII", 0, 0, 0, ifindex, 22) + b"".join(attributes)
    return NLMSGHDR.pack(16 + len(body), 92, 2, 1, 0) + body


def nest(value: bytes, *path: int) -> bytes:
    for number in reversed(path):
        value = attribute(number, value)
    return value


def rows(*messages: bytes) -> list[dict[str, Cell]]:
    return list(LINK_STATISTICS.decode([Block("links", b"".join(messages))]).rows())


def refusal(errno: int) -> Block:
    return Block("vnis", NLMSGHDR.pack(36, 2, 0, 1, 0) + struct.pack("=i", -errno) + bytes(16))


def test_malformed_igmp_is_counted_at_the_port_where_it_came_in():
    found = [row for row in LINK_STATISTICS.decode(BLOCKS).rows() if row["counter"] == "bridge.igmp_parse_errors"]
    assert [row["value"] for row in found] == [23]


def test_errors_of_a_vxlan_network_name_the_network():
    (found,) = [row for row in LINK_STATISTICS.decode(BLOCKS).rows() if "vni" in row]
    assert (found["counter"], found["vni"], found["value"]) == ("vxlan.rx_errors", 10, 23)


def test_what_has_counted_nothing_has_no_row():
    assert all(row["value"] for row in LINK_STATISTICS.decode(BLOCKS).rows())
    assert rows(device(1, nest(bytes(72), IFLA_STATS_AF_SPEC, 28, 1))) == []


def test_a_bridge_s_messages_are_told_by_their_direction():
    found = rows(device(3, nest(struct.pack("=30Q", 2, 3, *bytes(28)), IFLA_STATS_LINK_XSTATS, 1, 2)))
    assert found == [
        {"ifindex": 3, "counter": "bridge.igmp_v1queries", "direction": "rx", "value": 2},
        {"ifindex": 3, "counter": "bridge.igmp_v1queries", "direction": "tx", "value": 3},
    ]


def test_rows_stand_by_their_devices_although_the_messages_differ():
    blocked = nest(struct.pack("=6Q", 5, 0, 0, 0, 7, 0), IFLA_STATS_LINK_XSTATS_SLAVE, 1, 4)
    found = rows(
        device(9, blocked),
        device(4, nest(struct.pack("=9Q", *[0] * 6, 23, 0, 29), IFLA_STATS_AF_SPEC, 28, 1)),
        device(8, blocked),
    )
    assert [(row["ifindex"], row["counter"], row["value"]) for row in found] == [
        (4, "mpls.rx_dropped", 23), (4, "mpls.rx_noroute", 29), (8, "bridge.transition_blk", 5),
        (8, "bridge.rx_tcn", 7), (9, "bridge.transition_blk", 5), (9, "bridge.rx_tcn", 7),
    ]  # fmt: skip


@pytest.mark.parametrize("side", [IFLA_STATS_LINK_XSTATS, IFLA_STATS_LINK_XSTATS_SLAVE])
def test_a_bond_and_its_slaves_tell_of_lacp(side: int):
    counters = b"".join(attribute(number, value) for number, value in enumerate(LACP))
    assert rows(device(5, nest(counters, side, 2, 1))) == [
        {"ifindex": 5, "counter": "bond.lacpdu_unknown_rx", "value": 23},
        {"ifindex": 5, "counter": "bond.lacpdu_illegal_rx", "value": 29},
    ]


def test_counters_that_an_older_kernel_lacks_have_no_row():
    assert rows(device(4, nest(struct.pack("=8Q", *[0] * 6, 23, 0), IFLA_STATS_AF_SPEC, 28, 1))) == [
        {"ifindex": 4, "counter": "mpls.rx_dropped", "value": 23}
    ]


def test_only_a_kernel_that_knows_no_such_request_is_taken_for_one():
    assert unknown(refusal(95))
    assert not unknown(refusal(1))
    with pytest.raises(NetlinkError):
        LINK_STATISTICS.decode([refusal(1)])


def test_a_device_cut_short_is_a_decode_error():
    with pytest.raises(DecodeError):
        rows(NLMSGHDR.pack(24, 92, 2, 1, 0) + bytes(8))
    with pytest.raises(DecodeError):
        LINK_STATISTICS.decode([Block("vnis", NLMSGHDR.pack(20, 120, 2, 1, 0) + bytes(4))])


def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS):
        stands(LINK_STATISTICS, blocks)
    for blocks in cut_messages(BLOCKS):
        stands(LINK_STATISTICS, blocks)


@quick
@given(mutations(BLOCKS))
def test_a_dump_with_changed_bytes_is_a_table_or_a_decode_error(blocks: list[Block]):
    stands(LINK_STATISTICS, blocks)
