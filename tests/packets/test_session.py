"""A session goes on: whatever a filter makes of packets, and whoever looks at a listing meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from collectors.draft import Draft
from collectors.table import Column
from collectors.wire.packets.decode import decoded
from nettui.packets.judged import COLUMNS
from nettui.packets.listing import DECODED, Listing
from nettui.packets.reading import Batch
from nettui.packets.session import Session
from nettui.packets.store import Kept
from nettui.query import Query, compile
from tests.packets import build

PACKETS = build.records([(1, build.over4(17, build.udp(port, 9)), 60) for port in range(1, 101)])


def until(condition: Callable[[], bool], patience: float = 20) -> bool:
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.fixture
def session() -> Iterator[Session]:
    found = Session("some", iter([Batch(PACKETS, decoded(PACKETS))]))
    found.start()
    assert until(lambda: len(found.listing) == len(PACKETS))
    yield found
    found.close()


def failing(error: Exception) -> Query:
    def test(table: object) -> object:
        raise error

    return Query("fails", frozenset(), test)  # type: ignore[arg-type]


@pytest.mark.parametrize("frozen", [False, True])
def test_a_filter_that_fails_is_told_and_the_next_one_works(session: Session, frozen: bool):
    session.freeze(frozen)
    session.filter(failing(ArithmeticError("no room")))
    assert until(lambda: bool(session.fault))
    assert "no room" in session.fault
    assert until(lambda: (len(session.listing), session.listing.total) == (0, 100))
    session.filter(compile("sport > 90", COLUMNS))
    assert until(lambda: len(session.listing) == 10)
    assert not session.fault
    session.filter(None)
    assert until(lambda: len(session.listing) == 100)


def test_sockets_without_their_processes_are_no_fault(session: Session):
    session.sockets = Draft((Column("netid", "text"),), 3).table()
    session.show("flows")
    assert until(lambda: session.summary is not None)
    assert not session.gaps
    assert session.summary is not None
    assert "process" in session.summary[1]


def test_a_summary_that_fails_is_told_once_and_packets_are_shown_all_the_same(
    session: Session, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session._flows, "table", lambda: 1 // 0)
    for _ in range(3):
        session.show("flows")
        session.filter(compile("sport > 90", COLUMNS))
        assert until(lambda: len(session.listing) == 10)
        session.filter(None)
        assert until(lambda: len(session.listing) == 100)
    assert [told.reason for told in session.gaps] == ["ZeroDivisionError: integer division or modulo by zero"]


def test_a_listing_is_made_while_the_one_before_is_drawn():
    kept = [Kept(PACKETS, decoded(PACKETS, before)) for before in range(0, 6400, 100)]
    listing, faults, stopped = Listing(kept, [None] * 64), list[Exception](), threading.Event()

    def draw() -> None:
        at = 0
        while not stopped.is_set():
            listing.table(at, at + 1)
            at = (at + 137) % len(listing)

    screen = threading.Thread(target=draw)
    screen.start()
    try:
        for _ in range(20_000):
            listing = Listing(kept, [None] * 64, None, listing)
    except RuntimeError as error:
        faults.append(error)
    stopped.set()
    screen.join()
    assert not faults
    assert len(listing._decoded) <= DECODED
