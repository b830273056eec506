"""Drivers' counters from recorded and from hostile records."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given

from collectors.collector import Block
from collectors.netlink.driver_statistics import DRIVER_STATISTICS, RECORD
from collectors.wire.netlink import DecodeError
from tests.collectors.hostile import cut_blocks, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("driver_statistics")


def record(ifindex: int, *counters: tuple[bytes, int]) -> bytes:
    names = b"".join(name.ljust(32, b"\0") for name, _ in counters)
    values = struct.pack(f"={len(counters)}Q", *(value for _, value in counters))
    return RECORD.pack(ifindex, len(counters)) + names + values


def test_a_veth_has_its_drivers_counters():
    rows = list(DRIVER_STATISTICS.decode(BLOCKS).rows())
    assert {row["name"] for row in rows} >= {"peer_ifindex", "rx_queue_0_drops", "rx_queue_0_xdp_drops"}
    assert len({row["ifindex"] for row in rows}) == 3
    pairs = {row["ifindex"]: row["value"] for row in rows if row["name"] == "peer_ifindex"}
    assert any(pairs.get(peer) == ifindex for ifindex, peer in pairs.items())


def test_a_name_that_a_driver_uses_twice_makes_two_rows_with_keys_of_their_own():
    (block,) = [Block("statistics", record(2, (b"drops", 23), (b"drops", 2**64 - 1)) + record(3, (b"drops", 29)))]
    assert [tuple(row.values()) for row in DRIVER_STATISTICS.decode([block]).rows()] == [
        (2, "drops", 0, 23), (2, "drops", 1, 2**64 - 1), (3, "drops", 0, 29),
    ]  # fmt: skip


def test_no_device_with_counters_is_an_empty_table():
    assert len(DRIVER_STATISTICS.decode([Block("statistics", b"")])) == 0


def test_a_count_beyond_the_bytes_is_a_decode_error():
    with pytest.raises(DecodeError, match="do not fit"):
        DRIVER_STATISTICS.decode([Block("statistics", RECORD.pack(2, 0xFFFFFFFF) + bytes(64))])


def test_records_cut_at_any_byte_are_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS):
        stands(DRIVER_STATISTICS, blocks)


@quick
@given(mutations(BLOCKS))
def test_records_with_changed_bytes_are_a_table_or_a_decode_error(blocks: list[Block]):
    stands(DRIVER_STATISTICS, blocks)
