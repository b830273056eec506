"""Whatever stands in a packet: no exception, and never a byte that was not captured."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from collectors.table import Table
from collectors.wire.packets.cursor import Cursor
from collectors.wire.packets.decode import decoded
from tests.packets import build
from tests.packets.build import Captured

LINKS = (0, 1, 12, 101, 108, 113, 228, 229, 276, 4711)
AROUND = (b"\0" * 300, b"\xff" * 300, bytes(range(1, 151)) * 2, b"\x45\6\1\1\x08\x0a\xc0\x0c" * 40)


@pytest.fixture(autouse=True, scope="module")
def every_read_is_within_the_packet() -> Iterator[None]:
    """Whether it matters or not: each element that is gathered lies before the packet's end."""
    with pytest.MonkeyPatch.context() as patch:
        octet, gathered = Cursor.u8, Cursor._gathered

        def u8(self: Cursor, offset: int) -> NDArray[np.uint8]:
            assert (self.at + offset < self.end).all()
            return octet(self, offset)

        def guarded(self: Cursor, offset: int, dtype: np.dtype[Any]) -> NDArray[Any]:
            assert (self.at + offset + dtype.itemsize <= self.end).all()
            return gathered(self, offset, dtype)

        patch.setattr(Cursor, "u8", u8)
        patch.setattr(Cursor, "_gathered", guarded)
        yield


def told(table: Table) -> list[dict[str, object]]:
    return [dict(row) for row in table.rows()]


def same_whatever_is_around(captured: list[Captured]) -> list[dict[str, object]]:
    """Rows, after other bytes around the packets have made no difference."""
    found = [told(decoded(build.records(captured, around, around))) for around in AROUND]
    alone = told(decoded(build.records(captured)))
    for other in found:
        assert other == alone
    return alone


def test_every_truncation_of_every_packet_reads_nothing_behind_it():
    for link, packet, length in build.everything():
        cut = [(link, packet[:size], length) for size in range(len(packet))]
        rows = same_whatever_is_around(cut)
        assert [row["captured"] for row in rows] == list(range(len(packet)))


def test_a_packet_alone_is_decoded_as_among_others():
    packets = build.everything()
    together = told(decoded(build.records(packets)))
    for captured, expected in zip(packets, together, strict=True):
        (alone,) = told(decoded(build.records([captured])))
        assert {**alone, "number": 0, "time": 0} == {**expected, "number": 0, "time": 0}


def test_no_packets_are_an_empty_table():
    assert len(decoded(build.records([]))) == 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LINKS), st.binary(max_size=120)), min_size=1, max_size=20))
def test_random_bytes_do_no_harm(packets: list[tuple[int, bytes]]):
    same_whatever_is_around([(link, packet, len(packet)) for link, packet in packets])


@pytest.mark.parametrize("seed", range(12))
def test_changed_packets_do_no_harm(seed: int):
    """Several thousand at a time: as by columns one broken packet could harm another one."""
    chance, packets = random.Random(seed), build.everything()
    changed = []
    for _ in range(4000):
        link, packet, _ = chance.choice(packets)
        octets = bytearray(packet[: chance.choice((len(packet), chance.randrange(len(packet) + 1)))])
        for _ in range(chance.randrange(6)):
            if octets:
                octets[chance.randrange(len(octets))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
        changed.append((link, bytes(octets), len(octets) + chance.choice((0, 0, 1000))))
    same_whatever_is_around(changed)


def test_tunnels_in_tunnels_end():
    packet = build.INSIDE[14:]
    for _ in range(200):
        packet = build.ip4(build.A, build.B, 4, packet)
    (row,) = same_whatever_is_around([(1, build.ethernet(build.IPV4, packet), 0)])
    assert (row["proto"], row["inner_proto"]) == ("ipencap", "ipencap")


def test_many_kinds_in_one_block_take_no_longer():
    """Of each of 60,000 ethertypes one packet: what nothing decodes is not looked at one by one."""
    packets = [(1, build.ethernet(kind, b""), 14) for kind in range(5536, 65536)]
    table = decoded(build.records(packets))
    assert table.numbers("ethertype").numbers.tolist() == list(range(5536, 65536))
