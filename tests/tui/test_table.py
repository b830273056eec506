"""The table on the screen: rows, cursor, order, filter, columns."""

from __future__ import annotations

import numpy as np
import pytest

from collectors.table import Column
from collectors.values import Numbers
from nettui.query import compile
from nettui.tui.arrange import Wish, arranged, find, key_cells
from tests.tui.stage import LINK_COLUMNS, links, routes, stage, table


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_rows_are_shown_with_their_columns(size):
    async with stage(size=size) as on:
        await on.deliver(links=links("lo", "eth0"))
        lines = on.screen()
        assert lines[2].split()[:2] == ["ifname", "mtu"]
        assert lines[3].split()[:3] == ["lo", "1500", "0"]
        assert lines[4].split()[0] == "eth0"
        assert all(len(line) == size[0] for line in lines)


async def test_a_column_that_is_absent_in_every_row_is_left_out():
    async with stage() as on:
        await on.deliver(links=links("lo"))
        assert "ifalias" not in on.screen()[2]
        await on.deliver(links=links("lo", ifalias="uplink"))
        assert "ifalias" in on.screen()[2]


async def test_absent_is_a_dash_and_zero_is_zero():
    rows = [{"ifindex": 1, "ifname": "a", "rx_dropped": 0}, {"ifindex": 2, "ifname": "b", "mtu": 9}]
    async with stage() as on:
        await on.deliver(links=table(LINK_COLUMNS, rows))
        assert on.screen()[3].split() == ["a", "-", "0"]
        assert on.screen()[4].split() == ["b", "9", "-"]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_the_cursor_stays_on_its_row_when_rows_come_and_go(size):
    async with stage(size=size) as on:
        await on.deliver(links=links("a", "b", "c", "d"))
        await on.press("down", "down")
        assert on.under_cursor()["ifname"] == "c"
        await on.deliver(links=links("d", "b", "c", "x", first=5))
        await on.deliver(
            links=table(LINK_COLUMNS, [{"ifindex": n, "ifname": f"n{n}", "mtu": 1} for n in (9, 8, 6, 7, 3, 1)])
        )
        assert on.under_cursor()["ifindex"] in (3, 6, 7)
    async with stage(size=size) as on:
        await on.deliver(links=links("a", "b", "c", "d"))
        await on.press("down", "down")
        rows = [{"ifindex": n, "ifname": f"n{n}", "mtu": 1} for n in (9, 8, 7, 6, 5, 3, 1)]
        await on.deliver(links=table(LINK_COLUMNS, rows))
        assert on.under_cursor()["ifindex"] == 3
        await on.deliver(links=table(LINK_COLUMNS, [*rows[5:], *rows[:5]]))
        assert on.under_cursor()["ifindex"] == 3


async def test_the_row_under_the_cursor_keeps_its_line_on_the_screen():
    rows = [{"ifindex": n, "ifname": f"n{n}", "mtu": 1} for n in range(1, 101)]
    async with stage() as on:
        await on.deliver(links=table(LINK_COLUMNS, rows))
        await on.press(*["pagedown"] * 2, "down")
        wanted = on.under_cursor()["ifindex"]
        line = on.pane.cursor - on.pane.scroll_offset.y
        new = [{"ifindex": 1000 + n, "ifname": f"new{n}", "mtu": 1} for n in range(30)]
        await on.deliver(links=table(LINK_COLUMNS, new + rows))
        assert on.under_cursor()["ifindex"] == wanted
        assert on.pane.cursor - on.pane.scroll_offset.y == line


async def test_a_cursor_that_was_never_moved_stays_at_the_top():
    async with stage() as on:
        await on.deliver(links=links("a", "b"))
        await on.deliver(links=links("x", "y", "a", first=100))
        assert on.pane.cursor == 0


async def test_the_cursor_of_a_row_that_has_gone_stays_inside():
    async with stage() as on:
        await on.deliver(links=links(*"abcdef"))
        await on.press("end")
        await on.deliver(links=links("a", "b"))
        assert on.under_cursor()["ifname"] == "b"


async def test_sorting_keeps_absent_last_and_can_be_reversed():
    rows = [{"ifindex": 1, "ifname": "veth10"}, {"ifindex": 2, "ifname": "veth2", "mtu": 9}, {"ifindex": 3, "mtu": 10}]
    async with stage() as on:
        await on.deliver(links=table(LINK_COLUMNS, rows))
        await on.press("s", "enter")
        assert [line.split()[0] for line in on.screen()[3:6]] == ["veth2", "veth10", "-"]
        await on.press("S")
        assert [line.split()[0] for line in on.screen()[3:6]] == ["veth10", "veth2", "-"]
        assert on.pane.sort == ("ifname", True)
        await on.deliver(links=table(LINK_COLUMNS, rows[::-1]))
        assert [line.split()[0] for line in on.screen()[3:6]] == ["veth10", "veth2", "-"]


async def test_a_filter_is_applied_with_enter_and_a_wrong_one_says_where():
    async with stage() as on:
        await on.deliver(links=links("lo", "eth0", "eth1"))
        await on.press("slash")
        await on.type("ifname ~ eth")
        assert "understood" in on.text()
        await on.press("enter")
        assert [row for row in on.screen()[3:6] if row.strip()][-1].split()[0] == "eth1"
        assert "1/2 of 3" in on.text()
        await on.press("slash")
        await on.type(" and nosuch 7")
        lines = on.screen()
        caret = next(index for index, line in enumerate(lines) if line.strip() == "^")
        assert lines[caret].index("^") == lines[caret - 1].index("nosuch")
        assert "nosuch" in lines[caret + 1]
        await on.press("enter")
        assert on.app.query("FilterBox")
        await on.press("escape")
        assert not on.app.query("FilterBox")
        assert on.pane.where_text == "ifname ~ eth"
        await on.press("escape")
        assert len(on.pane) == 3


async def test_a_filter_that_matches_nothing_differs_from_an_empty_table():
    async with stage() as on:
        await on.deliver(links=links("lo"))
        await on.press("slash")
        await on.type("ifname x")
        await on.press("enter")
        assert "none of 1 rows matches" in on.text()
        assert "no network devices" not in on.text()


async def test_columns_can_be_chosen():
    async with stage() as on:
        await on.deliver(links=links("lo"))
        await on.press("c", "down", "down", "space", "enter")
        assert on.screen()[2].split()[:2] == ["ifname", "rx_dropped"]


async def test_columns_that_do_not_fit_are_reached_with_the_arrow_keys():
    async with stage() as on:
        await on.deliver(links=links("lo", ifalias="x" * 60, address="10.0.0.1", kind="y" * 40))
        assert "address" not in on.screen()[2]
        await on.press(*["right"] * 6)
        header = on.screen()[2]
        assert header.startswith("ifname")
        assert "address" in header


async def test_a_loss_that_goes_on_is_marked_by_more_than_colour():
    async with stage() as on:
        await on.deliver(links=links("a", rx_dropped_rate=1_234_000.0))
        assert on.screen()[3].split() == ["a", "1500", "0!", "1.2M!"]


def test_descending_order_keeps_equal_rows_and_absent_last():
    values = Numbers(np.array([5, 7, 5, 7, 0]), np.array([True, True, True, True, False]))
    base = table((Column("n", "u4"),), [{"n": 1}] * 5).extended([], {"n": values})
    assert arranged(Wish(base, None, ("n", True))).rows.tolist() == [1, 3, 0, 2, 4]
    assert arranged(Wish(base, None, ("n", False))).rows.tolist() == [0, 2, 1, 3, 4]


def test_filter_and_order_together():
    base = routes(("10.0.0.0/8", 1, 5), ("10.1.0.0/16", 2, 3), ("192.168.0.0/16", 1, 1))
    where = compile("dst in 10.0.0.0/8", base.columns)
    assert arranged(Wish(base, where, ("metric", False))).rows.tolist() == [1, 0]


def test_a_row_is_found_by_its_key_wherever_it_went():
    before = routes(("10.0.0.0/8", 1, 5), ("10.0.0.0/16", 2, 5), ("0.0.0.0/0", 3, 0))
    after = routes(("1.1.1.1/32", 1, 5), ("0.0.0.0/0", 3, 0), ("10.0.0.0/16", 9, 5), ("10.0.0.0/8", 1, 5))
    assert [find(after, key_cells(before, row), row) for row in range(3)] == [3, 2, 1]
    assert find(after, {"dst": "10.0.0.0/8", "metric": 6}, 0) is None
    assert find(after, {"dst": "10.0.0.0/8", "other": 6}, 0) is None


def test_a_filter_that_fails_leaves_the_table_and_says_so():
    class Failing:
        def mask(self, table):
            raise RuntimeError("no luck")

    answer = arranged(Wish(links("a", "b"), Failing()))  # type: ignore[arg-type]
    assert len(answer) == 2
    assert "no luck" in answer.fault
