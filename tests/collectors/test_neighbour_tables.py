"""Neighbour tables from a recorded dump, from written and from hostile messages."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given

from collectors.collector import Block
from collectors.netlink.neighbour_tables import NDTA_NAME, NDTA_PARMS, NDTA_STATS, NDTA_THRESH3, NEIGHBOUR_TABLES
from collectors.wire.netlink import NLMSGHDR, DecodeError, attribute
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("neighbour_tables")


def message(*attributes: bytes) -> list[Block]:
    body = struct.pack("=BBH", 2, 0, 0) + b"".join(attributes)
    return [Block("tables", NLMSGHDR.pack(16 + len(body), 64, 2, 1, 0) + body)]


def test_there_is_a_row_for_arp_and_one_for_ndp_and_none_for_devices():
    arp, ndp = NEIGHBOUR_TABLES.decode(BLOCKS).rows()
    assert (arp["family"], arp["name"], arp["thresh3"], arp["queue_lenbytes"]) == ("inet", "arp_cache", 1024, 212992)
    assert (ndp["family"], ndp["name"], ndp["key_length"], ndp["gc_interval"]) == ("inet6", "ndisc_cache", 16, 30000)
    assert arp["allocs"] - arp["destroys"] == arp["entries"]


def test_counters_that_an_older_kernel_lacks_are_absent():
    (row,) = NEIGHBOUR_TABLES.decode(
        message(attribute(NDTA_NAME, b"arp_cache\0"), attribute(NDTA_STATS, struct.pack("=10Q", *range(10))))
    ).rows()
    assert (row["forced_gc_runs"], "table_fulls" in row, "entries" in row) == (9, False, False)


def test_one_devices_settings_are_no_table():
    settings = attribute(NDTA_PARMS, attribute(1, struct.pack("=I", 7)) + attribute(4, struct.pack("=Q", 30000)))
    assert not len(NEIGHBOUR_TABLES.decode(message(attribute(NDTA_NAME, b"arp_cache\0"), settings)))


def test_a_number_that_is_too_short_is_a_decode_error():
    with pytest.raises(DecodeError, match="2 bytes"):
        NEIGHBOUR_TABLES.decode(
            message(
                attribute(NDTA_NAME, b"arp_cache\0"),
                attribute(NDTA_STATS, bytes(88)),
                attribute(NDTA_THRESH3, b"\0\0"),
            )
        )


def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS[:1]):
        stands(NEIGHBOUR_TABLES, blocks)
    for blocks in cut_messages(BLOCKS[:1]):
        stands(NEIGHBOUR_TABLES, blocks)


@quick
@given(mutations(BLOCKS))
def test_a_dump_with_changed_bytes_is_a_table_or_a_decode_error(blocks: list[Block]):
    stands(NEIGHBOUR_TABLES, blocks)
