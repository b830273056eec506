"""Nothing from outside reaches the terminal as more than letters."""

from __future__ import annotations

import re

import pytest

from collectors import Host
from collectors.table import Gap
from nettui.tui.cells import fitted, painted
from nettui.tui.status import fault_text
from tests.tui.stage import HOSTILE, LINK_COLUMNS, links, stage, table

OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def assert_harmless(on):
    for strip in on.strips():
        for segment in strip:
            assert not OBEYED.search(segment.text), repr(segment.text)
            assert segment.control is None


async def test_hostile_cells_in_the_table_and_the_detail():
    async with stage() as on:
        await on.deliver(links=links(HOSTILE, ifalias=HOSTILE, kind=HOSTILE))
        assert_harmless(on)
        assert "^[]0;owned" in on.text()
        await on.press("enter")
        assert_harmless(on)
        assert "[/x]" in on.text()
        await on.press("escape", "p")
        assert_harmless(on)


async def test_a_hostile_filter_is_shown_and_edited_harmlessly():
    async with stage() as on:
        await on.deliver(links=links("lo", ifalias=HOSTILE))
        await on.press("p", "down", "enter")
        await on.pilot.pause()
        assert len(on.pane) == 1
        assert_harmless(on)
        await on.press("slash")
        assert_harmless(on)
        await on.press("enter")
        assert len(on.pane) == 1
        await on.press("slash")
        on.app.query_one("FilterBox Input").insert_text_at_cursor(HOSTILE)
        await on.pilot.pause()
        assert_harmless(on)


async def test_hostile_names_in_jumps():
    async with stage() as on:
        await on.deliver(links=links("eth" + HOSTILE))
        await on.press("colon")
        await on.type("eth")
        assert_harmless(on)
        assert "^[" in on.text()
        await on.press("enter")
        await on.pilot.pause()
        assert len(on.pane) == 1
        assert_harmless(on)


async def test_hostile_gaps_and_namespace_names():
    async with stage(host=Host(netns=HOSTILE)) as on:
        await on.deliver(gaps={"links": Gap(HOSTILE, HOSTILE)})
        assert_harmless(on)
        assert "^[" in on.screen()[0]
        await on.deliver(links=links("lo").with_gaps([Gap(HOSTILE)]))
        assert_harmless(on)


async def test_hostile_text_in_columns_of_every_width():
    names = [HOSTILE * 9, "漢字" * 60, "e\u0301" * 50, "", " ", "\t", "\U0001f468\u200d\U0001f469"]
    rows = [{"ifindex": n, "ifname": name, "ifalias": name} for n, name in enumerate(names)]
    for size in ((80, 24), (23, 10)):
        async with stage(size=size) as on:
            await on.deliver(links=table(LINK_COLUMNS, rows))
            assert_harmless(on)
            await on.press("right", "right", "end")
            assert_harmless(on)


@pytest.mark.parametrize("width", range(1, 12))
def test_a_cell_fills_exactly_its_width(width):
    from rich.cells import cell_len

    for text in ("", "abc", "漢字漢字", "a" * 30, HOSTILE, "e\u0301e\u0301"):
        assert cell_len(fitted(text, width)) == width
        assert cell_len(fitted(text, width, right=True)) == width


def test_painted_is_the_door():
    assert painted(HOSTILE).text == "^[]0;owned^GM-^[31m[/x][red]<U+202E>evil^Jline^@"


def test_a_fault_is_one_harmless_line():
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        text = fault_text(error)
    assert not OBEYED.search(text)
    assert "test_hostile.py" in text
