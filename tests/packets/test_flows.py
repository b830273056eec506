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
    told.add(table(*((2, segment(ONE, TWO, (port, 80))) for port in range(1, 8))))
    assert len(told) == 3
    assert told.others == 8
    assert sorted(row["sport"] for row in told.table().rows()) == [1, 2, 3]


def test_no_packets_are_no_flows():
    told = Flows()
    told.add(table())
    assert len(told.table()) == 0
