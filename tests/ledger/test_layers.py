"""Layers: what is summed, what is inside another number, and the order of the way in and out."""

from __future__ import annotations

from typing import Any

from collectors.draft import of_rows
from collectors.table import Table
from nettui.ledger.history import COLUMNS as MOVES
from nettui.ledger.layers import COUNTER, LAYER, layered
from nettui.ledger.row import COLUMNS


def ledger(*rows: dict[str, Any]) -> Table:
    whole = [{"severity": "loss", "which": "", "scope": "namespace", "total": 100, **row} for row in rows]
    return of_rows((*COLUMNS, *MOVES), whole).table()


def shown(table: Table, opened: set[tuple[str, str]] | None = None) -> list[dict[str, Any]]:
    return list(layered(table, opened or set(), {}).rows())


def test_layers_come_in_the_order_in_which_a_packet_meets_them():
    rows = shown(
        ledger(
            {"layer": "udp", "direction": "rx", "counter": "Udp.InErrors"},
            {"layer": "device", "direction": "tx", "counter": "rtnl_link_stats64.tx_dropped"},
            {"layer": "qdisc", "direction": "tx", "counter": "qdisc.drops"},
            {"layer": "device", "direction": "rx", "counter": "rtnl_link_stats64.rx_dropped"},
        )
    )
    assert [(row["way"], row["layer"]) for row in rows] == [
        ("receive", "device"), ("receive", "udp"), ("send", "qdisc"), ("send", "device"),
    ]  # fmt: skip


def test_a_packet_that_two_counters_of_a_layer_have_is_summed_once():
    (row,) = shown(
        ledger(
            {"layer": "udp", "direction": "rx", "counter": "Udp.InErrors", "since": 23, "delta": 23, "rate": 23.0},
            {"layer": "udp", "direction": "rx", "counter": "Udp.RcvbufErrors", "since": 23, "delta": 23, "rate": 23.0,
             "part_of": ["Udp.InErrors"]},
        )
    )  # fmt: skip
    assert (row["since"], row["delta"], row["rate"]) == (23, 23, 23.0)
    assert row["counter"] == "Udp.InErrors, Udp.RcvbufErrors"


def test_a_part_whose_whole_is_another_devices_is_summed():
    rows = [
        {"layer": "device", "direction": "rx", "counter": "rtnl_link_stats64.rx_errors", "dev": "a", "which": "a"},
        {"layer": "device", "direction": "rx", "counter": "rtnl_link_stats64.rx_crc_errors", "dev": "b", "which": "b",
         "part_of": ["rtnl_link_stats64.rx_errors"]},
    ]  # fmt: skip
    assert shown(ledger(*rows))[0]["total"] == 200


def test_warnings_and_noise_are_named_and_not_summed():
    (row,) = shown(
        ledger({"layer": "tcp", "direction": "tx", "counter": "Tcp.RetransSegs", "severity": "warning", "delta": 5})
    )
    assert "delta" not in row
    assert row["counter"] == "Tcp.RetransSegs"
    assert row["severity"] == "warning"


def test_an_opened_layer_shows_its_counters_the_fastest_first():
    rows = shown(
        ledger(
            {"layer": "ip", "counter": "Ip.InHdrErrors", "rate": 1.0},
            {"layer": "ip", "counter": "Ip.InDiscards", "rate": 7.0},
            {"layer": "udp", "counter": "Udp.NoPorts"},
        ),
        {("receive", "ip")},
    )
    assert [(row["kind"], row["name"].strip()) for row in rows] == [
        (LAYER, "ip"), (COUNTER, "Ip.InDiscards"), (COUNTER, "Ip.InHdrErrors"), (LAYER, "udp"),
    ]  # fmt: skip


def test_nothing_lost_gives_no_layer():
    assert shown(ledger()) == []
