"""Queues to user space from a recorded and from hostile files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from collectors import Host
from collectors.collector import Block
from collectors.proc.nfqueues import NFQUEUES
from collectors.wire.netlink import DecodeError
from tests.collectors.hostile import cut_blocks, mutations, quick, stands
from tests.record import recorded

BLOCKS = recorded("nfqueues")


def test_a_queue_that_is_not_read_tells_what_it_dropped():
    (row,) = NFQUEUES.decode(BLOCKS).rows()
    assert row.pop("portid")
    assert row == {
        "queue": 7, "waiting": 3, "copy_mode": 2, "copy_range": 64, "queue_dropped": 23, "user_dropped": 0,
        "id_sequence": 3,
    }  # fmt: skip


def test_without_the_module_there_is_no_queue_and_no_gap(tmp_path: Path):
    table = NFQUEUES.collect(Host(proc=tmp_path))
    assert (len(table), table.gaps) == (0, ())


@pytest.mark.parametrize("line", [b"7 1 2\n", b"7 1 2 x 5 6 7 8 1\n", b"-7 1 2 2 5 6 7 8 1\n", b"\n"])
def test_a_malformed_line_is_a_decode_error(line: bytes):
    with pytest.raises(DecodeError):
        NFQUEUES.decode([Block("nfnetlink_queue", line)])


def test_a_file_cut_at_any_byte_is_a_table_or_a_decode_error():
    for blocks in cut_blocks(BLOCKS):
        stands(NFQUEUES, blocks)


@quick
@given(mutations(BLOCKS))
def test_a_file_with_changed_bytes_is_a_table_or_a_decode_error(blocks: list[Block]):
    stands(NFQUEUES, blocks)
