"""Layers: what is summed, what is inside another number, what is told, and the order of the way in and out."""

from __future__ import annotations

from typing import Any

from collectors.draft import of_rows
from collectors.table import Gap, Table
from nettui.ledger.history import COLUMNS as MOVES
from nettui.ledger.layers import COUNTER, LAYER, WAY, Layers, span
from nettui.ledger.row import COLUMNS

UDP: dict[str, Any] = {"layer": "udp", "direction": "rx"}
LINK = {"layer": "device", "direction": "rx"}


def ledger(*rows: dict[str, Any]) -> Table:
    whole = [{"severity": "loss", "which": "", "scope": "namespace", "total": 100, **row} for row in rows]
    return of_rows((*COLUMNS, *MOVES), whole).table()


def shown(table: Table, *opened: tuple[str, str], **times: float) -> list[dict[str, Any]]:
    return list(Layers(table, **times).tree(opened, {}).rows())


def layers(table: Table) -> list[dict[str, Any]]:
    return [row for row in shown(table) if row["kind"] == LAYER]


def test_layers_come_in_the_order_in_which_a_packet_meets_them():
    rows = shown(
        ledger(
            {**UDP, "counter": "Udp.InErrors"},
            {"layer": "device", "direction": "tx", "counter": "rtnl_link_stats64.tx_dropped"},
            {"layer": "qdisc", "direction": "tx", "counter": "qdisc.drops"},
            {**LINK, "counter": "rtnl_link_stats64.rx_dropped"},
        )
    )
    assert [(row["way"], row.get("layer")) for row in rows] == [
        ("receive", None), ("receive", "device"), ("receive", "udp"),
        ("send", None), ("send", "qdisc"), ("send", "device"),
    ]  # fmt: skip
    assert [row["kind"] for row in rows] == [WAY, LAYER, LAYER, WAY, LAYER, LAYER]


def test_a_packet_that_two_counters_of_a_layer_have_is_summed_once():
    (row,) = layers(
        ledger(
            {**UDP, "counter": "Udp.InErrors", "since": 23, "delta": 23, "rate": 23.0},
            {**UDP, "counter": "Udp.RcvbufErrors", "since": 23, "delta": 23, "rate": 23.0, "part_of": ["Udp.InErrors"]},
        )
    )
    assert (row["since"], row["delta"], row["rate"]) == (23, 23, 23.0)


def test_a_part_whose_whole_is_another_devices_is_summed():
    rows = [
        {**LINK, "counter": "rtnl_link_stats64.rx_errors", "dev": "a", "which": "a"},
        {**LINK, "counter": "rtnl_link_stats64.rx_crc_errors", "dev": "b", "which": "b",
         "part_of": ["rtnl_link_stats64.rx_errors"]},
    ]  # fmt: skip
    assert layers(ledger(*rows))[0]["total"] == 200


def test_warnings_are_marked_otherwise_and_not_summed():
    (row,) = layers(ledger({"layer": "tcp", "counter": "Tcp.RetransSegs", "severity": "warning", "rate": 5.0}))
    assert "rate" not in row
    assert row["step"].startswith("~ + tcp")
    assert row["severity"] == "warning"


def test_an_opened_layer_shows_its_counters_the_fastest_first():
    table = ledger(
        {"layer": "ip", "counter": "Ip.InHdrErrors", "rate": 1.0, "last_moved": 50.0},
        {"layer": "ip", "counter": "Ip.InDiscards", "rate": 7.0, "last_moved": 50.0},
        {"layer": "ip", "counter": "Ip.InNoRoutes", "last_moved": 9.0},
        {"layer": "ip", "counter": "Ip.InAddrErrors", "last_moved": 10.0},
        {"layer": "udp", "counter": "Udp.NoPorts"},
    )
    rows = shown(table, ("receive", "ip"), at=50.0)
    assert [(row["kind"], row["step"]) for row in rows[1:]] == [
        (LAYER, "! - ip"), (COUNTER, "!   Ip.InDiscards"), (COUNTER, "!   Ip.InHdrErrors"),
        (COUNTER, "    Ip.InAddrErrors"), (COUNTER, "    Ip.InNoRoutes"), (LAYER, "  + udp"),
    ]  # fmt: skip


def test_a_closed_layer_tells_the_two_that_move_fastest_and_how_many_more():
    counters = [{**UDP, "counter": f"Udp.{n}", "rate": float(n + 1), "last_moved": 50.0} for n in range(5)]
    quiet = {**UDP, "counter": "Udp.Quiet", "rate": 0.0, "last_moved": 10.0}
    rows = shown(ledger(quiet, *counters), at=50.0)
    assert [row["step"] for row in rows[1:]] == ["! + udp", "!   Udp.4", "!   Udp.3"]
    assert rows[1]["why"] == "and 3 more that move"
    assert rows[0]["why"] == "5 counters of loss move"


def test_what_has_just_moved_stays_below_its_layer_for_half_a_minute():
    moved = ledger({**UDP, "counter": "Udp.NoPorts", "rate": 0.0, "last_moved": 100.0})
    assert [row["step"] for row in shown(moved, at=120.0)[1:]] == ["  + udp", "    Udp.NoPorts"]
    assert [row["step"] for row in shown(moved, at=131.0)[1:]] == ["  + udp"]
    assert shown(moved, at=131.0)[1]["why"] == "moved 00:31 ago"


def test_noise_is_told_only_when_its_layer_is_opened():
    noise = ledger({**UDP, "counter": "Udp.X", "severity": "noise", "rate": 1.0, "last_moved": 50.0})
    assert [row["kind"] for row in shown(noise, at=50.0)] == [WAY, LAYER]
    assert [row["kind"] for row in shown(noise, ("receive", "udp"), at=50.0)] == [WAY, LAYER, COUNTER]


def test_nothing_lost_is_said_with_how_long_it_has_been():
    still = {**UDP, "counter": "Udp.NoPorts", "rate": 0.0}
    retrans = {"layer": "tcp", "counter": "Tcp.RetransSegs", "severity": "warning", "rate": 5.0, "last_moved": 110.0}
    assert shown(ledger(still), watched=100.0, at=142.0)[0]["why"] == "nothing lost for 00:42"
    assert shown(ledger({**still, "last_moved": 120.0}), watched=130.0, at=142.0)[0]["why"] == "nothing lost for 00:22"
    told = shown(ledger(still, retrans), watched=100.0, at=142.0)[0]["why"]
    assert told == "nothing lost for 00:42; 1 counter of less weight"


def test_of_two_that_count_the_same_packets_the_one_that_says_more_comes_first():
    rows = shown(
        ledger(
            {**UDP, "counter": "Udp.InErrors", "rate": 23.0, "last_moved": 50.0},
            {**UDP, "counter": "Udp.RcvbufErrors", "rate": 23.0, "last_moved": 50.0, "part_of": ["Udp.InErrors"]},
        ),
        ("receive", "udp"),
        at=50.0,
    )
    assert [row["counter"] for row in rows[2:]] == ["Udp.RcvbufErrors", "Udp.InErrors"]


def test_a_closed_layer_tells_the_same_packets_once():
    same = {"rate": 23.0, "delta": 23, "last_moved": 50.0}
    rcvbuf = {**UDP, **same, "counter": "Udp.RcvbufErrors", "part_of": ["Udp.InErrors"]}
    no_ports = {**UDP, "rate": 1.0, "delta": 1, "last_moved": 50.0, "counter": "Udp.NoPorts"}
    whole = {**UDP, **same, "counter": "Udp.InErrors"}
    rows = shown(ledger(no_ports, whole, rcvbuf), at=50.0)
    assert [row["counter"] for row in rows[2:]] == ["Udp.RcvbufErrors", "Udp.NoPorts"]
    rows = shown(ledger(no_ports, {**whole, "delta": 29, "rate": 29.0}, rcvbuf), at=50.0)
    assert [row["counter"] for row in rows[2:]] == ["Udp.InErrors", "Udp.RcvbufErrors"]


def test_a_counter_tells_for_what_it_counts_with_the_process():
    told = {"scope": "udp *:53", "process": "named", "pid": 7, "state": "gone", "cause": "full"}
    rows = shown(ledger({**UDP, "counter": "socket.drops", **told}), ("receive", "udp"))
    assert rows[2]["why"] == "udp *:53 named[7] (gone): full"


def test_the_counters_alone_have_no_heads_and_keep_gaps():
    table = ledger({**UDP, "counter": "Udp.NoPorts"}, {**LINK, "counter": "x"}).with_gaps([Gap("no BPF")])
    flat = Layers(table).flat()
    assert [row["counter"] for row in flat.rows()] == ["x", "Udp.NoPorts"]
    assert flat.gaps == Layers(table).tree((), {}).gaps == (Gap("no BPF"),)


def test_a_layers_row_is_known_by_its_layer_whatever_moves_in_it():
    tree = Layers(ledger({**UDP, "counter": "Udp.NoPorts"})).tree((), {})
    keys = {column.name for column in tree.columns if column.kind == "key"}
    assert keys == {"kind", "way", "layer", "counter", "which"}


def test_what_all_namespaces_lost_is_not_added_to_what_this_one_did():
    here = {**UDP, "counter": "IpExt.InNoRoutes", "layer": "route", "reach": "namespace", "rate": 23.0}
    everywhere = {**here, "counter": "rt_cache.in_no_route", "reach": "host", "along": ["IpExt.InNoRoutes"]}
    assert Layers(ledger(here, everywhere)).sums["receive", "route"]["rate"] == 23.0
    assert Layers(ledger(everywhere)).sums["receive", "route"]["rate"] == 23.0


def test_nothing_lost_since_boot_gives_no_layer():
    assert shown(ledger()) == []


def test_a_span_is_told_as_a_clock_does():
    assert [span(seconds) for seconds in (-1, 31, 3723)] == ["00:00", "00:31", "1:02:03"]
