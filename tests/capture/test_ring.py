"""The ring without a device: its limit, what readers get, what they skip, and what stays frozen."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from collectors.capture.ring import HEADER, Amount, Reader, Ring
from tests.capture.traffic import descriptors

PACKET = 4096  # bytes of one, with its header


def fill(ring: Ring, packets: int) -> None:
    """As the recorder does: a segment is left when it is full."""
    segment = ring.segments()[-1] if ring.segments() else None
    for _ in range(packets):
        if segment is None or segment.extent.size >= ring.segment_size:
            segment = ring.begin()
            os.write(segment.descriptor, bytes(HEADER))
            ring.publish(0, HEADER)
        os.write(segment.descriptor, bytes(PACKET))
        ring.publish(1, segment.extent.size + PACKET)


@pytest.mark.parametrize("on_disk", [False, True])
def test_the_oldest_segments_make_room_and_every_packet_is_accounted_for(tmp_path: Path, on_disk: bool):
    ring = Ring(1 << 20, tmp_path if on_disk else None)
    for _ in range(101):
        fill(ring, 10)
        assert ring.held().bytes <= ring.limit
    assert ring.held().packets + ring.dropped.packets == 1010
    assert ring.held().packets > 1010 // 6
    assert list(tmp_path.iterdir()) == []  # files without a name leave nothing behind


def test_descriptors_go_with_the_segments():
    before = descriptors()
    ring = Ring(1 << 20)
    fill(ring, 2003)
    assert descriptors() - before <= 17
    del ring
    assert descriptors() == before


def test_a_reader_that_keeps_up_gets_every_packet_once():
    ring = Ring(1 << 20)
    reader, packets, ends = Reader(ring), 0, []
    for _ in range(307):
        fill(ring, 3)
        while piece := reader.next():
            packets += piece.packets
            assert piece.first + piece.packets == reader.position
            assert piece.end - piece.start == piece.packets * PACKET
            ends.append(piece.end)
    assert (packets, reader.skipped) == (921, 0)
    assert reader.next() is None


def test_a_reader_that_comes_late_knows_how_many_packets_it_missed():
    ring = Ring(1 << 20)
    fill(ring, 5)
    reader = Reader(ring)
    piece = reader.next()
    assert piece is not None
    assert (piece.first, piece.packets) == (0, 5)
    del piece
    fill(ring, 1009)
    found = 0
    while piece := reader.next():
        found += piece.packets
    assert reader.skipped == 1014 - 5 - found > 0
    assert reader.position == 1014


def test_a_display_that_falls_behind_skips_whole_segments_and_counts_them():
    ring = Ring(16 << 20)
    fill(ring, 1009)
    reader = Reader(ring, most=2 * ring.segment_size)
    shown = 0
    while piece := reader.next():
        shown += piece.packets
    assert shown <= 2 * (ring.segment_size // PACKET + 1)
    assert shown + reader.skipped == 1009
    assert ring.dropped == Amount(0, 0)  # skipped by the display, and still in the ring


def test_frozen_segments_stay_while_the_ring_goes_on():
    ring = Ring(1 << 20)
    fill(ring, 101)
    frozen = ring.freeze()
    fill(ring, 1009)
    assert frozen.amount.packets == 101
    assert sum((len(part) - HEADER) // PACKET for part in frozen.parts()) == 101
    assert ring.held().bytes <= ring.limit
    assert ring.held().packets + ring.dropped.packets == 1110


def test_bytes_that_a_reader_holds_outlive_the_ring():
    ring = Ring(1 << 20)
    fill(ring, 1)
    piece = Reader(ring).next()
    assert piece is not None
    data = piece.data()
    del piece
    fill(ring, 2003)
    assert len(data) == HEADER + PACKET
    assert not data.any()


def test_waiting_ends_with_a_packet_with_the_end_or_with_the_time():
    ring = Ring(1 << 20)
    reader = Reader(ring)
    assert not reader.wait(0.01)
    thread = threading.Timer(0.05, fill, (ring, 1))
    thread.start()
    assert reader.wait(5)
    assert reader.next()
    threading.Timer(0.05, ring.end).start()
    assert reader.wait(5)
    assert ring.segments()[-1].extent.finished


def test_one_writer_and_two_readers_agree():
    ring = Ring(1 << 20)
    found: list[tuple[int, int]] = []

    def read() -> None:
        reader, packets = Reader(ring), 0
        while not ring.ended or reader.position < 5003:
            reader.wait(0.1)
            while piece := reader.next():
                packets += piece.packets
        found.append((packets, reader.skipped))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    fill(ring, 5003)
    ring.end()
    for thread in threads:
        thread.join(30)
    assert [packets + skipped for packets, skipped in found] == [5003, 5003]


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        Ring(1 << 20, tmp_path / "nowhere")
