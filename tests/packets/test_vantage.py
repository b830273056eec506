"""Packets that pass several devices: judged at one of them, and at another once they have another way."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from collectors.draft import Draft
from collectors.table import Table
from collectors.values import Cell
from collectors.wire.packets.columns import COLUMNS
from nettui.packets.begin import of_device
from nettui.packets.session import Session
from nettui.packets.vantage import Vantages
from tests.capture.traffic import until
from tests.lab import joined_pair, needs_root

SECOND = 1_000_000_000
Sighting = tuple[int, float, str | None, str | None]  # direction of a flow, second, device, in or out


def here(vantages: Vantages, *sightings: Sighting) -> list[bool]:
    return vantages.first_sightings(np.array([way for way, *_ in sightings], np.intp), table(*sightings)).tolist()


def table(*sightings: Sighting) -> Table:
    draft = Draft(COLUMNS, len(sightings))
    draft.numbers("time", np.array([int(at * SECOND) for _, at, *_ in sightings], np.int64))
    for place, name in ((2, "dev"), (3, "direction")):
        rows = np.array([row for row, told in enumerate(sightings) if told[place] is not None], np.intp)
        draft.cells(name, [sightings[row][place] for row in rows], rows)
    return draft.table()


def test_later_sightings_of_a_packet_are_left_out_however_they_are_cut_into_batches():
    vantages = Vantages(4)
    assert here(vantages, (0, 5.0, "eth0", "in"), (0, 5.1, "br0", "in"), (1, 5.2, "br0", "out")) == [True, False, True]
    assert here(vantages, (1, 5.2, "eth0", "out"), (0, 5.3, "eth0", "in")) == [False, True]
    assert here(vantages, (0, 5.3, "br0", "in"), (2, 5.3, "br0", "in")) == [False, True]


def test_in_and_out_are_two_places_where_no_device_is_told():
    assert here(Vantages(1), (0, 1, None, "in"), (0, 1, None, "out"), (0, 2, None, "in")) == [True, False, True]


def test_where_nothing_is_told_all_is_one_place():
    assert here(Vantages(1), (0, 1, None, None), (0, 9, None, None)) == [True, True]


def test_another_way_is_taken_after_a_while():
    vantages = Vantages(1)
    assert here(vantages, (0, 5.0, "eth0", "in")) == [True]
    assert here(vantages, (0, 5.5, "eth1", "in"), (0, 5.9, "eth1", "in")) == [False, False]
    assert here(vantages, (0, 6.5, "eth1", "in"), (0, 6.6, "eth1", "in")) == [True, True]


def test_what_made_room_is_forgotten():
    vantages = Vantages(3)
    here(vantages, *((way, 5.0, f"eth{way}", "in") for way in range(3)))
    vantages.keep(np.array([2], np.intp))
    assert here(vantages, (0, 5.1, "eth0", "in"), (0, 5.1, "eth2", "in"), (1, 5.1, "eth0", "in")) == [False, True, True]


def flows(session: Session) -> list[dict[str, Cell]]:
    return list(session.summary[1].rows()) if session.summary else []


def exchange(client: socket.socket, server: socket.socket) -> None:
    for size in (1000, 20_000):
        client.sendall(bytes(size))
        left = size
        while left:
            left -= len(server.recv(left))
    server.sendall(bytes(3000))
    client.recv(3000, socket.MSG_WAITALL)


@pytest.mark.root
@needs_root
def test_nothing_is_sent_again_where_a_bridge_shows_all_packets_twice():
    with joined_pair() as (left, right):
        right.ip(
            "link add br0 type bridge", "link set br0 up", "address flush dev right0", "link set right0 master br0",
            "address add 10.9.0.2/24 dev br0",
        )  # fmt: skip
        session = of_device(right.host, "any", "tcp port 8080")
        assert isinstance(session, Session)
        try:
            with right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as listening:
                listening.bind(("10.9.0.2", 8080))
                listening.listen(1)
                with left.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as client:
                    client.connect(("10.9.0.2", 8080))
                    with listening.accept()[0] as server:
                        exchange(client, server)
            session.show("flows")
            assert until(lambda: any(row["bytes"] > 42_000 for row in flows(session)))
            (row,) = flows(session)
        finally:
            session.close()
    assert [row[name] for name in ("retrans", "retrans_back", "missing", "missing_back")] == [0, 0, 0, 0]
