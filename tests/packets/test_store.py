"""What is kept of packets for a screen: in order, merged where they are few, decoded again where there was no room."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from collectors.wire.packets.decode import decoded
from collectors.wire.packets.records import Records
from nettui.packets.begin import of_file
from nettui.packets.info import infos
from nettui.packets.judged import COLUMNS, NONE, Marks, marked
from nettui.packets.listing import Listing
from nettui.packets.reading import Batch, batches
from nettui.packets.saving import saved
from nettui.packets.session import Session, taken
from nettui.packets.store import TOGETHER, Reread, Store, held_by
from nettui.query import compile
from tests.capture.traffic import until
from tests.packets import build
from tests.packets.build import A, B

ROOM = 1 << 30


def whole(count: int) -> Records:
    """Packets of one segment: UDP from ports 1 to ``count``, with a record's header before each."""
    packets = [(1, build.over4(17, build.udp(port, 9)), 60) for port in range(1, count + 1)]
    return build.records(packets, before=bytes(40), between=bytes(16))


def batch(records: Records, start: int, stop: int, number: int | None = None) -> Batch:
    some = records.take(slice(start, stop))
    return Batch(some, decoded(some, start if number is None else number))


def ports(listing: Listing, start: int = 0, stop: int | None = None) -> list[object]:
    return listing.table(start, len(listing) if stop is None else stop)["sport"].cells()


def listing(store: Store, where: str = "") -> Listing:
    query = compile(where, COLUMNS) if where else None
    kept = store.batches()
    return Listing(kept, [taken(each, query) for each in kept], query)


def test_packets_stay_in_their_order_however_they_come():
    records, store = whole(100), Store(ROOM)
    for start in range(0, 100, 7):
        store.add(batch(records, start, min(100, start + 7)))
    found = listing(store)
    assert len(found) == found.total == 100
    assert ports(found) == list(range(1, 101))
    assert ports(found, 13, 16) == [14, 15, 16]
    assert [found.number_at(at) for at in (0, 50, 99)] == [1, 51, 100]


def test_small_batches_of_a_segment_become_one():
    records, store = whole(256), Store(ROOM)
    for start in range(256):
        store.add(batch(records, start, start + 1))
    assert len(store.batches()) == 1
    assert ports(listing(store)) == list(range(1, 257))


@pytest.mark.parametrize("room", [ROOM, 0])
def test_however_large_batches_come_few_remain_and_all_share_their_bytes(room: int):
    records, store = whole(5000), Store(room, reread(whole(5000)))
    sizes, start = random.Random(3), 0
    while start < 5000:
        stop = min(5000, start + sizes.choice((1, 2, 7, 15, 16, 17, 40)))
        some = batch(records, start, stop)
        upto = records.data[: int(records.at[stop - 1]) + 60].copy()  # a mapping of its own, as of a live segment
        store.add(Batch(replace(some.records, data=upto), some.table))
        assert len(store.batches()) <= 14
        start = stop
    assert len({id(kept.shared) for kept in store.batches()}) == 1
    assert ports(listing(store)) == list(range(1, 5001))
    assert listing(store).packet(17).octets == build.over4(17, build.udp(18, 9))


def reread(records: Records) -> Reread:
    def again(data: NDArray[np.uint8], start: int) -> Records:
        first = int(np.flatnonzero(records.at == start + 16)[0])
        return records.take(slice(first, int(np.count_nonzero(records.at < len(data)))))

    return again


def test_large_batches_stay_as_they_are():
    records, store = whole(TOGETHER + 2), Store(ROOM)
    for start, stop in ((0, TOGETHER // 2 + 1), (TOGETHER // 2 + 1, TOGETHER + 2)):
        store.add(batch(records, start, stop))
    assert len(store.batches()) == 2


def test_texts_and_lists_count_as_what_they_take():
    name, blocks = "x" * 60_000, build.tcp(A, B, (1, 2), 16, options=b"\1\1\5\x12" + build.SACKED)
    hello = build.tcp(A, B, (1, 443), 24, data=build.client_hello(name.encode()))
    plain, long, lists = (held_by(decoded(build.records([(1, build.over4(6, octets), 60)])))
                          for octets in (build.tcp(A, B, (1, 443), 24), hello, blocks))  # fmt: skip
    assert long - plain > len(name)
    assert lists - plain > 200


def test_batches_of_two_segments_stay_two():
    records, store = whole(2), Store(ROOM)
    for number in range(20):
        store.add(batch(records, 0, 2, number * 2))  # each begins where a segment does
    assert len(store.batches()) == 20
    assert list(listing(store).table(0, 99)["number"].cells()) == list(range(1, 41))


@pytest.mark.parametrize("room", [ROOM, 0])
def test_packets_of_which_some_were_left_out_keep_their_numbers(room: int):
    records, store = whole(100), Store(room)
    for start in (0, 50):
        rows = np.arange(start, start + 50, 7)
        some = records.take(rows)
        store.add(Batch(some, decoded(some, rows)))
    found = listing(store)
    there = [*range(1, 51, 7), *range(51, 101, 7)]
    assert found.table(0, 99)["number"].cells() == ports(found) == there
    assert [found.number_at(at) for at in range(len(found))] == there
    assert [found.packet(at).number for at in (0, 9)] == [1, 58]
    assert [there[found.position_of(number)] for number in (1, 2, 8, 50, 51, 52, 99)] == [1, 8, 8, 50, 51, 58, 100]
    assert there[found.position_of(101)] == 100
    some = listing(store, "sport >= 22")
    assert [some.number_at(some.position_of(number)) for number in (1, 23, 60)] == [22, 29, 65]


@pytest.mark.parametrize("room", [ROOM, 0])
def test_what_sequence_numbers_tell_stays_with_its_packet(room: int):
    records, store = whole(30), Store(room)
    for start in range(0, 30, 10):
        some = batch(records, start, start + 10)
        marks = Marks(np.array([start // 10]), np.array([9]), np.array([start + 1]))
        store.add(Batch(some.records, marked(some.table, marks)))
    found = listing(store).table(0, 30)
    assert np.flatnonzero(found["retrans"].present()).tolist() == [0, 11, 22]
    assert {at: gap for at, gap in enumerate(found["missing"].cells()) if gap} == {9: 1, 19: 11, 29: 21}
    kept = store.batches()
    query = compile("retrans = true or missing > 20", COLUMNS)
    assert sum(len(rows) for each in kept if (rows := taken(each, query)) is not None) == 4


def test_what_has_no_room_is_decoded_again():
    records, store = whole(300), Store(0)
    for start in range(0, 300, 100):
        store.add(batch(records, start, start + 100))
    found = listing(store, "sport > 150")
    assert (len(found), found.total) == (150, 300)
    assert ports(found, 0, 3) == [151, 152, 153]


def test_what_the_ring_let_go_is_forgotten():
    records, store = whole(10), Store(ROOM)
    for before in range(0, 30, 10):
        store.add(batch(records, 0, 10, before))
    store.forget(10)
    assert listing(store).number_at(0) == 11
    store.forget(19)  # of a batch of which some are left, all are
    assert listing(store).number_at(0) == 11
    store.forget(30)
    assert len(listing(store)) == 0


def test_a_place_is_found_by_number_when_packets_are_missing_between():
    records, store = whole(30), Store(ROOM)
    store.add(batch(records, 0, 10))
    store.add(batch(records, 10, 30, 50))  # forty were skipped
    found = listing(store)
    assert found.position_of(10) == 9
    assert found.position_of(30) == 10  # the next that is there
    assert found.position_of(51) == 10
    assert found.position_of(999) == 29
    some = listing(store, "sport in (3, 7, 20)")
    assert [some.number_at(at) for at in range(len(some))] == [3, 7, 60]
    assert [some.position_of(number) for number in (1, 3, 4, 7, 8, 60, 61)] == [0, 0, 1, 1, 2, 2, 2]


def test_one_packet_has_its_bytes():
    records, store = whole(3), Store(ROOM)
    store.add(batch(records, 0, 3))
    packet = listing(store, "sport = 2").packet(0)
    assert packet.octets == build.over4(17, build.udp(2, 9))
    assert (packet.link, packet.length, packet.number) == (1, 60, 2)


def test_no_packets_are_no_rows():
    store = Store(ROOM)
    store.add(Batch(whole(1).take(slice(0, 0)), decoded(whole(1).take(slice(0, 0)))))
    found = listing(store)
    assert len(found) == 0
    assert len(found.table(0, 10)) == 0
    assert found.position_of(5) == 0


@pytest.mark.parametrize("where", ["", "sport > 5"])
def test_rows_that_are_taken_are_all_or_some(where: str):
    records, store = whole(10), Store(ROOM)
    store.add(batch(records, 0, 10))
    (kept,) = store.batches()
    rows = taken(kept, compile(where, COLUMNS) if where else None)
    assert rows is None if not where else np.array_equal(rows, range(5, 10))
    assert taken(kept, compile("sport > 0", COLUMNS)) is None


def test_records_of_another_time_do_not_matter():
    records = replace(whole(4), times=np.array([5, 3, 9, 1], np.int64))
    store = Store(ROOM)
    store.add(batch(records, 0, 4))
    assert listing(store).table(0, 4)["time"].cells() == [5, 3, 9, 1]


def test_packets_that_were_let_go_are_found_in_their_bytes_again():
    records, asked = whole(40), list[int]()
    found_again = reread(records)

    def noted(data: NDArray[np.uint8], start: int) -> Records:
        asked.append(start)
        return found_again(data, start)

    store = Store(0, noted)
    for start, stop in ((0, 30), (30, 40)):
        store.add(batch(records, start, stop))
    found = listing(store)
    assert ports(found) == list(range(1, 41))
    assert found.packet(25).octets == build.over4(17, build.udp(26, 9))
    assert set(asked) == {24, int(records.at[30]) - 16}


def of_a_file(path: Path, room: int) -> Listing:
    """101 packets that stand on a disk."""
    build.write(path, 1, [(1, build.over4(17, build.udp(port, 9)), 60) for port in range(1, 102)])
    store = Store(room)
    for found in batches(str(path)):
        assert isinstance(found, Batch)
        store.add(Batch(found.records, marked(found.table, NONE), found.place))
    return listing(store)


@pytest.mark.parametrize("room", [ROOM, 0])
def test_of_a_file_that_became_shorter_what_is_gone_is_empty(room: int, tmp_path: Path):
    path = tmp_path / "file.pcap"
    found, octets = of_a_file(path, room), build.over4(17, build.udp(1, 9))
    os.truncate(path, 24 + 50 * (16 + len(octets)) + 16 + 20)
    packets = [found.packet(at) for at in range(101)]
    assert [len(packet.octets) for packet in packets] == [len(octets)] * 50 + [20] + [0] * 50
    assert packets[49].octets == build.over4(17, build.udp(50, 9))
    assert {packet.length for packet in packets} == {60}
    assert ports(found) == list(range(1, 102)) if room else [*range(1, 51), *[None] * 51]
    assert len([text for part in found.parts(0, 101) for text in infos(*part)]) == 101
    assert saved(found.chosen(), tmp_path / "saved.pcap") == 101
    (batch,) = batches(str(tmp_path / "saved.pcap"))
    assert isinstance(batch, Batch)
    assert batch.table["captured"].cells() == [len(packet.octets) for packet in packets]


@pytest.mark.parametrize("left", [0, 24])
def test_of_a_file_that_was_emptied_all_packets_are_empty(left: int, tmp_path: Path):
    path = tmp_path / "file.pcap"
    found = of_a_file(path, 0)
    os.truncate(path, left)
    assert {found.packet(at).octets for at in range(101)} == {b""}
    assert ports(found) == [None] * 101
    assert found.total == 101


def test_what_was_seen_last_of_a_file_need_not_be_read_again(tmp_path: Path):
    path = tmp_path / "file.pcap"
    found = of_a_file(path, ROOM)
    octets = found.packet(7).octets
    os.truncate(path, 0)
    assert found.packet(7).octets == octets == build.over4(17, build.udp(8, 9))


def test_a_session_keeps_no_bytes_of_a_file_that_stands_on_a_disk(tmp_path: Path):
    path = tmp_path / "file.pcap"
    of_a_file(path, ROOM)
    session = of_file(str(path))
    assert isinstance(session, Session)
    assert until(lambda: len(session.listing) == 101)
    assert [kept.shared.data.nbytes for kept in session.listing.batches] == [0]
    assert session.listing.packet(100).octets == build.over4(17, build.udp(101, 9))
    session.close()


def test_numbers_go_beyond_32_bits():
    records, store = whole(30), Store(ROOM)
    store.add(batch(records, 0, 30, (1 << 32) - 10))
    found = listing(store)
    assert [found.number_at(at) for at in (0, 9, 29)] == [(1 << 32) - 9, 1 << 32, (1 << 32) + 20]
    assert found.position_of((1 << 32) + 20) == 29
