"""softnet_stat of three generations of kernels, and malformed ones."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import Block
from collectors.proc import softnet
from collectors.values import Cell
from collectors.wire.netlink import DecodeError

FIRST = "0000abcd 00000017 00000003 00000000 00000000 00000000 00000000 00000000 00000000 00000005 00000007"
SECOND = "00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000"


def rows(*lines: str) -> list[dict[str, Cell]]:
    return list(softnet.decode([Block("softnet_stat", ("\n".join(lines) + "\n").encode())]).rows())


def test_eleven_columns_name_no_cpu_and_no_backlog():
    first, second = rows(FIRST, SECOND)
    assert first == {
        "processed": 0xABCD, "dropped": 23, "time_squeeze": 3, "cpu_collision": 0, "received_rps": 5, "flow_limit": 7,
    }  # fmt: skip
    assert second["processed"] == 1


def test_thirteen_columns_name_the_cpu_and_the_backlog():
    first, second = rows(f"{FIRST} 0000000b 00000000", f"{SECOND} 00000000 00000003")
    assert (first["cpu"], first["backlog_len"]) == (0, 11)
    assert second["cpu"] == 3  # processors 1 and 2 are offline
    assert "input_queue_len" not in first


def test_fifteen_columns_divide_the_backlog():
    (first,) = rows(f"{FIRST} 0000000b 00000000 00000004 00000007")
    assert (first["backlog_len"], first["input_queue_len"], first["process_queue_len"]) == (11, 4, 7)


def test_columns_that_are_not_known_yet_are_left_alone():
    (first,) = rows(f"{FIRST} 0000000b 00000000 00000004 00000007 ffffffff")
    assert first["process_queue_len"] == 7


def test_an_empty_file_is_an_empty_table():
    assert len(softnet.decode([Block("softnet_stat", b"")])) == 0


@pytest.mark.parametrize("data", [b"0000 zz\n", f"{FIRST}\n0001\n".encode(), b"-1\n", b"fffffffffffffffffffff\n"])
def test_a_malformed_file_is_an_error(data: bytes):
    with pytest.raises(DecodeError):
        softnet.decode([Block("softnet_stat", data)])


def test_a_file_cut_at_every_byte_gives_a_table_or_an_error():
    whole = f"{FIRST} 0000000b 00000000\n{SECOND} 00000000 00000003\n".encode()
    for cut in range(len(whole)):
        outcome(whole[:cut])


@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_an_error(data: bytes):
    outcome(data)


def outcome(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        list(softnet.decode([Block("softnet_stat", data)]).rows())
