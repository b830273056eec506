"""The drops panel: layers that open, the mark, drop reasons, explanations and pivots."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from collectors.draft import of_rows
from collectors.table import Gap, Table
from nettui.ledger.history import COLUMNS as MOVES
from nettui.ledger.row import COLUMNS
from nettui.panels.drops import DROPS
from nettui.panels.panel import Panel
from nettui.tui.cells import spark
from tests.lab import joined_pair, needs_root
from tests.tui.stage import HOSTILE, LINKS, links, stage, table
from tests.tui.terminals import terminal

NOW = 1_700_000_000.0
UDP: dict[str, Any] = {
    "layer": "udp", "direction": "rx", "counter": "Udp.RcvbufErrors", "total": 500, "cause": "receive buffer full",
    "rate": 23.0, "delta": 23, "since": 46, "last_moved": NOW,
}  # fmt: skip
LINK = {"layer": "device", "direction": "rx", "counter": "rtnl_link_stats64.rx_missed_errors", "dev": "eth0",
        "which": "2", "scope": "eth0", "rate": 0.0}  # fmt: skip


def ledger(*rows: dict[str, Any]) -> Table:
    whole = [{"severity": "loss", "which": "", "scope": "namespace", "total": 100, **row} for row in rows]
    return of_rows((*COLUMNS, *MOVES), whole).table()


def line(text: str, having: str) -> str:
    return next(row for row in text.splitlines() if having in row)


async def test_at_80_columns_what_moves_stands_below_its_layer_with_rate_sum_and_cause():
    async with stage(DROPS, LINKS) as on:
        await on.deliver(drops=ledger(LINK, UDP))
        text = on.text()
        assert "1 counter of loss moves" in line(text, "RECEIVE")
        assert line(text, "udp").startswith("! + udp")
        told = line(text, "Udp.RcvbufErrors")
        assert told.startswith("!   Udp.RcvbufErrors")
        assert told.split()[2:7] == ["23", "46", "receive", "buffer", "full"]
        assert "receive buffer full" in told
        assert line(text, "device").startswith("  + device")
        assert "rx_missed_errors" not in text
        assert all(len(row) <= 80 for row in text.splitlines())


async def test_enter_opens_a_layer_and_closes_it_and_shows_the_detail_of_a_counter():
    async with stage(DROPS, LINKS) as on:
        await on.deliver(drops=ledger(LINK, UDP))
        await on.press("down", "enter")
        assert "- device" in on.text()
        assert "rtnl_link_stats64.rx_" in on.text()
        await on.deliver(drops=ledger(LINK, UDP))
        assert "- device" in on.text()
        await on.press("down", "enter")
        assert "drops: rtnl_link_stats64.rx_missed_errors eth0" in on.text()
        await on.press("escape", "up", "enter")
        assert "+ device" in on.text()
        await on.press("up", "enter")
        assert "- device" in on.text()
        assert "- udp" in on.text()


async def test_the_cursor_stays_on_its_layer_whatever_begins_to_move_above():
    async with stage(DROPS) as on:
        await on.deliver(drops=ledger(LINK, UDP))
        await on.press("down", "down")
        assert on.under_cursor()["layer"] == "udp"
        await on.deliver(drops=ledger({**LINK, "rate": 7.0, "last_moved": NOW}, UDP))
        assert on.under_cursor()["layer"] == "udp"
        assert on.under_cursor()["kind"] == "layer"


async def test_nothing_that_moves_is_said_with_how_long():
    async with stage(DROPS) as on:
        on.pane.watched = NOW - 60  # type: ignore[attr-defined]
        await on.deliver(drops=ledger(LINK))
        assert "nothing lost for 01:01" in on.text()


async def test_a_filter_or_an_order_shows_the_counters_alone():
    async with stage(DROPS) as on:
        await on.deliver(drops=ledger(LINK, UDP))
        await on.press("slash")
        await on.type("layer device")
        await on.press("enter")
        assert len(on.pane) == 1
        assert on.under_cursor()["kind"] == "counter"
        await on.press("escape")
        assert "RECEIVE" in on.text()


async def test_the_mark_is_set_from_any_panel_and_told_in_each():
    async with stage(LINKS, DROPS) as on:
        await on.deliver(links=links("lo"))
        await on.press("m")
        assert on.feed.calls[-1] == "mark"
        on.app._said = ("", 0.0)
        on.app._draw_status()
        await on.pilot.pause()
        assert "since mark 00:0" in on.text()
        await on.press("space", "m")
        assert on.feed.calls.count("mark") == 1
        assert "frozen" in on.text()


async def test_reasons_that_are_refused_tell_why():
    async with stage(DROPS, LINKS) as on:
        await on.deliver(drops=ledger(UDP))
        assert "reasons:" not in on.screen()[-2]
        await on.press("t")
        assert on.feed.calls[-1] == ("reasons", True)
        on.feed.reasons = Gap("they need root", "run it as root")
        await on.deliver(drops=ledger(UDP).with_gaps([Gap("they need root", "run it as root")]))
        assert "drop reasons: they need root -> run it as root" in on.screen()[-2]
        assert "they need root" in on.screen()[2]
        await on.press("t")
        assert on.feed.calls[-1] == ("reasons", False)


async def test_reasons_that_are_counted_say_how():
    async with stage(DROPS, LINKS) as on:
        await on.deliver(drops=ledger(UDP))
        await on.press("t")
        on.feed.reasons = "bpf"
        await on.deliver(drops=ledger({**UDP, "reasons": {"SOCKET_RCVBUFF": 23}}))
        assert "by a BPF program" in on.screen()[-2]
        await on.press("down", "down")
        on.app._said = ("", 0.0)
        on.app._draw_status()
        await on.pilot.pause()
        assert "reasons: bpf" in on.screen()[-2]
        assert "SOCKET_RCVBUFF 23" in on.text()


async def test_e_explains_a_counter_with_its_reasons_and_closes_again():
    async with stage(DROPS, size=(80, 60)) as on:
        await on.deliver(drops=ledger({**UDP, "reasons": {"SOCKET_RCVBUFF": 23}}))
        await on.press("down", "down", "e")
        text = on.text()
        assert "Usual causes" in text
        assert "23.0/s" in text
        assert "What to do" in text
        await on.press("e")
        assert "Usual causes" not in on.text()
        await on.press("e", "q")
        assert "Usual causes" not in on.text()
        assert on.app.is_running
        await on.press("up", "e")  # a layer: what moves in it
        assert "Usual causes" in on.text()


async def test_e_explains_in_other_panels_what_is_known_there():
    panel = Panel("protocols", "Protocols", "9", ("counter", "value"), "nstat", "none")
    columns = COLUMNS[2:3] + COLUMNS[4:5]
    async with stage(panel, LINKS, size=(80, 40)) as on:
        await on.deliver(protocols=table(columns, [{"counter": "Udp.NoPorts", "total": 3}]))
        await on.press("e")
        assert "Usual causes" in on.text()
        await on.press("escape", "2")
        await on.deliver(links=links("lo"))
        await on.press("e")
        assert "no counter above zero" in on.text()
        await on.deliver(links=links("lo", rx_dropped=7))
        await on.press("e")
        assert "rtnl_link_stats64.rx_dropped" in on.text()
        assert "Now: 7" in on.text()


@pytest.mark.parametrize(
    ("row", "label", "panel", "where"),
    [
        ({"dev": "eth0"}, "its device", "links", "ifname eth0"),
        ({"dev": "eth0"}, "queues of its device", "qdiscs", "dev eth0"),
        ({"cookie": 7}, "its socket", "sockets", "cookie 7"),
        ({"cpu": 1}, "its CPU", "softnet", "cpu 1"),
        ({"family": "ip", "table": "filter", "chain": "INPUT", "position": 3}, "its rule or chain", "netfilter",
         "family ip and table \"filter\" and chain \"INPUT\" and position 3"),
    ],
)  # fmt: skip
async def test_pivots_lead_to_what_counts(row: dict[str, Any], label: str, panel: str, where: str):
    target = Panel(panel, panel, "2", ("x",), "x", "none")
    async with stage(DROPS, target) as on:
        await on.deliver(drops=ledger({**UDP, **row}))
        await on.press("down", "down", "p")
        assert label in on.text()
        await on.press(*["down"] * [entry[0] for entry in DROPS.pivots if applies(entry, row)].index(label), "enter")
        await on.pilot.pause()
        assert on.pane.panel is target
        assert on.app._waiting[panel] == where


def applies(entry: tuple[str, str, Any], row: dict[str, Any]) -> bool:
    if not isinstance(entry[2], str):
        return bool(entry[2]({**UDP, **row}))
    return entry[2].split("{")[1][:-1] in row


async def test_a_layer_leads_nowhere_and_says_so():
    async with stage(DROPS) as on:
        await on.deliver(drops=ledger(UDP))
        await on.press("p")
        assert "leads nowhere" in on.text()


async def test_hostile_names_are_letters():
    row = {**UDP, "counter": f"ethtool.{HOSTILE}", "scope": HOSTILE, "process": HOSTILE, "pid": 7, "dev": HOSTILE}
    async with stage(DROPS, size=(200, 60)) as on:
        await on.deliver(drops=ledger(row))
        for keys in (("down", "down"), ("e",), ("escape", "enter"), ("escape", "p")):
            await on.press(*keys)
            text = on.text()
            assert "\x1b" not in text
            assert "\x07" not in text
            assert "\u202e" not in text
            assert "^[]0;owned" in text


def test_readings_are_told_by_height():
    assert spark([None, 0.0, 1.0, 8.0]) in (" ·▁█", " .-#")
    assert spark([]) == ""


@pytest.mark.root
@needs_root
def test_what_is_lost_after_the_mark_is_counted_and_a_signal_ends_the_reasons():
    with joined_pair() as (left, right), terminal("-m", "nettui", "--netns", right.name, size=(120, 40)) as on:
        on.wait_for("1 overview")
        on.send("D")
        lose(left, 3)
        on.wait_for("RECEIVE")
        on.wait_until(lambda shown: re.search(r"\+ udp .* 3 +0 +refused", shown), "the first are not counted")
        on.send("m")
        on.wait_for("since mark")
        lose(left, 23)
        on.wait_for("Udp.NoPorts")
        on.wait_for(" 23  nothing listens")
        on.send("t")
        on.wait_for("reasons")
        on.send("q")
        assert on.end() == 0
        on.assert_given_back()


def lose(sender: Any, number: int) -> None:
    with sender.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as out:
        for _ in range(number):
            try:
                out.sendto(b"x", ("10.9.0.2", 9))
            except ConnectionRefusedError:
                out.sendto(b"x", ("10.9.0.2", 9))
