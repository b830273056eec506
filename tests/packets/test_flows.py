"""Flows: both directions of the same ends are one flow, whichever batch they come in."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from collectors.table import Table
from collectors.wire.packets.capture_file import opened
from collectors.wire.packets.decode import decoded
from nettui.packets import flows, talkers
from nettui.packets.flows import Flows
from tests.loss import frames

Frame = tuple[float, bytes]
ONE, TWO = "10.9.0.1", "10.9.0.2"


def datagram(src: str, dst: str, data: bytes) -> bytes:
    inside = frames.udp(src, dst, 53, data)
    packet = frames.ipv6(src, dst, frames.UDP, inside) if ":" in src else frames.ipv4(src, dst, frames.UDP, inside)
    return frames.ethernet(bytes(6), bytes(6), frames.IPV6 if ":" in src else frames.IPV4, packet)


def segment(src: str, dst: str, ports: tuple[int, int], data: bytes = b"") -> bytes:
    inside = frames.tcp(src, dst, ports, frames.ACK, data=data)
    return frames.ethernet(bytes(6), bytes(6), frames.IPV4, frames.ipv4(src, dst, frames.TCP, inside))


def table(*captured: Frame) -> Table:
    """Frames with the seconds at which they came."""
    head = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    packets = [
        struct.pack("<IIII", int(at), round(at % 1 * 1e9), len(frame), len(frame)) + frame for at, frame in captured
    ]
    data = np.frombuffer(head + b"".join(packets), np.uint8)
    file = opened(data)
    assert file is not None
    return decoded(file.part(data, file.begin).records)


def test_answers_belong_to_the_flow_of_what_they_answer():
    told = Flows()
    told.add(table((1.5, segment(ONE, TWO, (4000, 80), b"x" * 10)), (2.0, segment(TWO, ONE, (80, 4000), b"y" * 100))))
    told.add(table((3.25, segment(TWO, ONE, (80, 4000)))))
    (row,) = told.table().rows()
    assert [row[name] for name in flows.ENDS[1:]] == [ONE, 4000, TWO, 80]
    assert [row[name] for name in flows.COUNTS[:4]] == [1, 64, 2, 154 + 54]
    assert (row["first"], row["last"]) == (1.5, 3.25)


def test_the_end_that_sent_first_is_the_source_whichever_is_larger():
    for first, second in ((ONE, TWO), (TWO, ONE)):
        told = Flows()
        told.add(table((1, segment(first, second, (5, 6))), (2, segment(second, first, (6, 5)))))
        (row,) = told.table().rows()
        assert (row["src"], row["packets"], row["packets_back"]) == (first, 1, 1)


def test_ports_protocols_and_families_tell_flows_apart():
    told = Flows()
    told.add(
        table(
            (1, segment(ONE, TWO, (5, 6))),
            (1, segment(ONE, TWO, (5, 7))),
            (1, datagram(ONE, TWO, b"a")),
            (1, datagram("fd09::1", "fd09::2", b"a")),
            (1, frames.ethernet(bytes(6), bytes(6), frames.ARP, bytes(28))),
        )
    )
    assert len(told) == 4
    assert [row.get("retrans") for row in told.table().rows()].count(0) == 2  # UDP has no sequence numbers
    assert sum(row["packets_sent"] for row in talkers.addresses(told.table()).rows()) == 4


def test_what_does_not_fit_is_counted_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flows, "MOST", 3)
    told = Flows()
    told.add(table(*((1, segment(ONE, TWO, (port, 80))) for port in range(1, 8))))
    assert len(told) == 3
    assert told.others == 4
    assert sorted(row["sport"] for row in told.table().rows()) == [1, 2, 3]


def test_large_and_recent_flows_stay_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flows, "MOST", 8)
    told = Flows()
    told.add(table(*((1, segment(ONE, TWO, (port, 80), b"x" * 500 * (port == 3))) for port in range(1, 9))))
    told.add(table((2, segment(TWO, ONE, (80, 5)))))
    for second in range(3, 23):
        told.add(table((second, segment(ONE, TWO, (second + 100, 80))), (second, segment(TWO, ONE, (80, 5)))))
        assert len(told) <= 8
        assert told.others + sum(row["packets"] + row["packets_back"] for row in told.table().rows()) == 2 * second + 5
    rows = {row["sport"]: row for row in told.table().rows()}
    assert rows.keys() >= {3, 5, 122}
    assert (rows[3]["packets"], rows[3]["bytes"], rows[3]["first"]) == (1, 554, 1)
    assert (rows[5]["packets"], rows[5]["packets_back"], rows[5]["first"], rows[5]["last"]) == (1, 21, 1, 22)
    assert rows[122]["first"] == rows[122]["last"] == 22


def test_what_sequence_numbers_told_goes_with_a_flow_that_stays(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flows, "MOST", 8)
    told = Flows()
    told.add(table(*((1, segment(ONE, TWO, (port, 80))) for port in range(1, 8))))
    told.add(table((2, segment(ONE, TWO, (8, 80), b"x" * 50))))
    told.add(table(*((3, segment(ONE, TWO, (port, 80))) for port in range(21, 24))))
    told.add(table((4, segment(ONE, TWO, (8, 80), b"x" * 50))))  # the same bytes again
    assert told.others >= 5
    assert {row["sport"]: row["retrans"] for row in told.table().rows() if row["retrans"]} == {8: 1}


def test_many_small_batches_leave_few_tables(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flows, "PARTS", 4)
    told = Flows()
    for port in range(1, 21):
        told.add(table((port, segment(ONE, TWO, (port, 80)))))
    assert len(told._ends) <= 5
    assert sorted(row["sport"] for row in told.table().rows()) == list(range(1, 21))


def test_no_packets_are_no_flows():
    told = Flows()
    told.add(table())
    assert len(told.table()) == 0
