"""The live source reads what is shown, hears of changes, and paces what is expensive."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from collectors import Host
from collectors.table import Gap
from nettui import sources
from nettui.live import Live
from nettui.snapshot import Snapshot, take
from tests.lab import joined_pair, namespace, needs_root, run

pytestmark = needs_root


@contextmanager
def live(host: Host, *sections: str) -> Iterator[tuple[Live, "queue.Queue[Snapshot]"]]:
    delivered: queue.Queue[Snapshot] = queue.Queue()
    source = Live(host, delivered.put)
    source.start()
    source.show(sections)
    try:
        yield source, delivered
    finally:
        source.stop()


def until(delivered: "queue.Queue[Snapshot]", condition, seconds: float = 5.0) -> Snapshot:
    ends = time.monotonic() + seconds
    while True:
        snapshot = delivered.get(timeout=max(0.01, ends - time.monotonic()))
        if condition(snapshot):
            return snapshot


def has_route(prefix: str):
    return lambda snapshot: prefix in snapshot.tables["routes"]["dst"].cells()


def test_a_new_route_is_seen_within_two_seconds_because_the_kernel_told():
    with namespace() as inside, live(inside.host, "routes") as (_, delivered):
        until(delivered, lambda snapshot: "routes" in snapshot.tables)
        inside.ip("route add blackhole 198.51.100.0/24")
        until(delivered, has_route("198.51.100.0/24"), 2.0)


def test_routes_that_go_silently_with_their_device_are_noticed():
    with joined_pair() as (left, _), live(left.host, "routes") as (_, delivered):
        until(delivered, has_route("10.9.0.0/24"))
        left.ip("link set left0 down")
        until(delivered, lambda snapshot: not has_route("10.9.0.0/24")(snapshot), 2.0)


def test_an_unchanged_followed_table_is_not_read_again():
    with namespace() as inside, live(inside.host, "rules") as (_, delivered):
        until(delivered, lambda snapshot: "rules" in snapshot.tables)
        time.sleep(1.5)
        assert delivered.empty()


def test_a_neighbour_that_is_only_being_asked_for_is_seen_although_the_kernel_does_not_tell():
    def asked_for(snapshot: Snapshot) -> bool:
        rows = snapshot.tables["neighbours"].rows()
        return any(row.get("dst") == "10.9.0.77" and row["state"] == ["INCOMPLETE"] for row in rows)

    with joined_pair() as (left, _), live(left.host, "neighbours") as (_, delivered):
        until(delivered, lambda snapshot: "neighbours" in snapshot.tables)
        time.sleep(1)
        left.run("sysctl -q net.ipv4.neigh.left0.retrans_time_ms=20000")
        with left.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as asking:
            asking.sendto(b"", ("10.9.0.77", 9))
            until(delivered, asked_for, 3.0)


def test_counters_have_rates_from_the_second_reading_on():
    with joined_pair() as (left, _), live(left.host, "links") as (_, delivered):
        first = until(delivered, lambda snapshot: "links" in snapshot.tables)
        assert "rx_packets_rate" not in first.tables["links"]
        left.run("ping -c 23 -i 0.01 -q 10.9.0.2")
        moved = until(delivered, lambda s: max(s.tables["links"]["tx_packets_rate"].cells(), key=float) >= 5)
        assert moved.tables["links"].column("tx_packets_rate").unit == "packets/s"


def test_while_frozen_nothing_is_delivered():
    with namespace() as inside, live(inside.host, "softnet") as (source, delivered):
        until(delivered, lambda snapshot: True)
        source.freeze(True)
        time.sleep(0.3)
        while not delivered.empty():
            delivered.get()
        time.sleep(1.5)
        assert delivered.empty()
        source.freeze(False)
        until(delivered, lambda snapshot: True, 2.0)


def test_a_namespace_that_is_removed_becomes_a_gap_and_the_worker_lives_on():
    with namespace() as inside, live(inside.host, "softnet") as (_, delivered):
        until(delivered, lambda snapshot: "softnet" in snapshot.tables)
    source_alive, delivered_alive = Live(Host("no-such"), (kept := queue.Queue()).put), kept
    source_alive.start()
    source_alive.show(["softnet"])
    assert "no-such" in until(delivered_alive, lambda s: True).gaps["softnet"].reason
    source_alive.stop()


def test_what_is_read_for_one_screen_together_keeps_to_the_budget(monkeypatch: pytest.MonkeyPatch):
    def costly(names: list[str], host: Host) -> Snapshot:
        ends = time.process_time() + 0.04
        while time.process_time() < ends:
            pass
        return take(names, host)

    monkeypatch.setattr(sources, "take", costly)
    with namespace() as inside, live(inside.host, "overview") as (source, delivered):
        until(delivered, lambda snapshot: True)
        time.sleep(2)
        assert delivered.empty()  # four tables of 40 ms: 5 % is once in 3.2 seconds
        source.refresh()
        until(delivered, lambda snapshot: True, 1.0)


def test_what_was_being_read_when_it_froze_waits_for_the_thaw(monkeypatch: pytest.MonkeyPatch):
    began, ends = threading.Event(), threading.Event()

    def slow(names: list[str], host: Host) -> Snapshot:
        began.set()
        ends.wait(5)
        return take(names, host)

    monkeypatch.setattr(sources, "take", slow)
    with namespace() as inside, live(inside.host, "rules") as (source, delivered):
        assert began.wait(5)
        source.freeze(True)
        ends.set()
        time.sleep(0.5)
        assert delivered.empty()
        source.freeze(False)
        until(delivered, lambda snapshot: "rules" in snapshot.tables, 1.0)


def test_a_followed_table_that_could_not_be_read_is_tried_again_soon(monkeypatch: pytest.MonkeyPatch):
    failures = iter([True])

    def failing(names: list[str], host: Host) -> Snapshot:
        if next(failures, False):
            return Snapshot(0.0, {}, {names[0]: Gap("not this time")}, {names[0]: 0.0})
        return take(names, host)

    monkeypatch.setattr(sources, "take", failing)
    with namespace() as inside, live(inside.host, "rules") as (_, delivered):
        until(delivered, lambda snapshot: "rules" in snapshot.gaps)
        until(delivered, lambda snapshot: "rules" in snapshot.tables, 3.0)


def test_a_namespace_made_anew_under_its_name_is_followed_in_place_of_the_old_one():
    def has_rule(priority: int):
        return lambda s: "rules" in s.tables and priority in s.tables["rules"]["priority"].cells()

    with namespace() as inside, live(inside.host, "rules") as (_, delivered):
        inside.ip("rule add priority 23 table 23")
        until(delivered, has_rule(23))
        run(f"ip netns del {inside.name}")
        assert inside.name in until(delivered, lambda s: "rules" in s.gaps, 3.0).gaps["rules"].reason
        run(f"ip netns add {inside.name}")
        until(delivered, lambda s: "rules" in s.tables and not has_rule(23)(s), 3.0)
        inside.ip("rule add priority 29 table 29")
        until(delivered, has_rule(29), 3.0)
