"""Compressed bytes that arrive in pieces, whatever these are: what went in comes out, as far as it is sound."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.table import Gap
from nettui.packets.arriving import CHUNK, CUT, unpacked

DATA = random.Random(7).randbytes(700) + b"packet" * 900


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def out(data: bytes, size: int = 1 << 20) -> tuple[bytes, list[str]]:
    found = list(unpacked(pieces(data, size)))
    said = [item.reason for item in found if isinstance(item, Gap)]
    return b"".join(item for item in found if isinstance(item, bytes)), said


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 99), st.integers(0, 9), st.integers(0, 9))
def test_members_follow_each_other_with_zeros_between(parts: list[bytes], size: int, level: int, zeros: int):
    data = b"".join(gzip.compress(part, level) + bytes(zeros) for part in parts)
    assert out(data, size) == (b"".join(parts), [])


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_cut_anywhere_it_gives_what_is_there_and_says_so(size: int):
    data = gzip.compress(DATA)
    before = 0
    for end in (*range(1, len(data), 1 if size > 1 else 37), len(data) - 1):
        found, said = out(data[:end], size)
        assert said == [CUT.reason]
        assert DATA.startswith(found)
        assert len(found) >= before
        before = len(found)
    assert before == len(DATA)


def test_what_is_corrupt_is_told_behind_all_that_is_sound():
    data = gzip.compress(DATA)
    for place, why in ((-6, "incorrect data check"), (-2, "incorrect length check")):
        wrong = bytearray(data)
        wrong[place] ^= 1
        for size in (3, 1 << 20):
            assert out(bytes(wrong), size) == (DATA, [f"the compressed file is corrupt: {why}"])
    assert out(data + b"no gzip") == (DATA, ["the compressed file is corrupt: incorrect header check"])
    twice = out(data + data[:10] + b"\xff" * 30)
    assert twice == (DATA, ["the compressed file is corrupt: invalid block type"])


def test_bytes_changed_anywhere_are_no_fault():
    data, chance = gzip.compress(DATA), random.Random(3)
    for _ in range(200):
        wrong = bytearray(data)
        wrong[chance.randrange(len(wrong))] ^= chance.randrange(1, 256)
        out(bytes(wrong), chance.choice((1, 50, 5000)))


def test_however_little_was_packed_no_more_than_a_chunk_comes_at_once():
    packer = zlib.compressobj(9, wbits=31)
    data = packer.compress(bytes(9 * CHUNK + 5)) + packer.flush()
    found = list(unpacked(iter([data])))
    assert sum(map(len, found)) == 9 * CHUNK + 5  # type: ignore[arg-type]
    assert max(map(len, found)) == CHUNK  # type: ignore[arg-type]
