"""Panels, gaps, freezing, jumps and the screens above the table."""

from __future__ import annotations

import base64

import pytest

from collectors import Host
from collectors.table import Gap
from nettui.panels.registry import PANELS
from nettui.snapshot import Fill, Snapshot
from nettui.tui import above
from nettui.tui.app import Nettui
from nettui.tui.bars import labels
from nettui.tui.cells import LOSS, PLAIN
from nettui.tui.jumps import candidates, pivots, quoted
from nettui.tui.status import fill_part
from tests.tui.stage import HOSTILE, LINKS, ROUTES, links, routes, stage


async def test_a_panel_that_is_being_read_says_so():
    async with stage() as on:
        assert "reading links" in on.text()
        assert on.feed.calls == ["start", ("show", "links")]


async def test_a_gap_and_an_empty_table_never_look_alike():
    async with stage() as on:
        await on.deliver(links=links())
        empty = on.text()
        assert "no network devices" in empty
        await on.deliver(gaps={"links": Gap("no permission (EPERM)", "run it as root")})
        assert "no permission (EPERM)" in on.text()
        assert "run it as root" in on.text()
        assert "no network devices" not in on.text()
        await on.deliver(links=links("lo"))
        assert "no permission" not in on.text()
        assert on.screen()[3].split()[0] == "lo"


async def test_a_table_read_in_part_tells_what_is_missing():
    async with stage() as on:
        await on.deliver(links=links("lo").with_gaps([Gap("ethtool: no permission", "run it as root")]))
        assert "ethtool: no permission -> run it as root" in on.screen()[2]
        assert on.screen()[4].split()[0] == "lo"


async def test_a_panel_that_fails_shows_it_and_the_others_go_on():
    async with stage() as on:
        broken = links("lo")
        object.__setattr__(broken, "arrays", {})
        await on.deliver(links=broken)
        assert "this panel failed: KeyError" in on.text()
        await on.press("5")
        await on.deliver(routes=routes(("10.0.0.0/8", 1, 0)))
        assert on.screen()[3].split()[0] == "10.0.0.0/8"


async def test_a_worker_that_ends_by_a_fault_is_told():
    async with stage() as on:
        await on.deliver(links=links("lo"))
        on.app.broken(ValueError("\x1bfrom a thread"))
        await on.pilot.pause()
        assert "ValueError: ^[from a thread" in on.text()


async def test_frozen_shows_what_was_and_says_so():
    async with stage() as on:
        await on.deliver(links=links("before"))
        await on.press("space")
        await on.deliver(links=links("after"))
        assert "FROZEN" in on.screen()[0]
        assert on.screen()[3].split()[0] == "before"
        await on.press("5")
        assert "all is frozen" in on.text()
        await on.press("2", "space")
        await on.deliver(links=links("after"))
        assert on.screen()[3].split()[0] == "after"
        assert ("freeze", True) in on.feed.calls
        assert ("freeze", False) in on.feed.calls


async def test_detail_shows_every_column_and_what_is_not_present():
    async with stage() as on:
        await on.deliver(links=links("lo", kind="bridge"))
        await on.press("enter")
        text = on.text()
        assert "1500 B" in text
        assert "largest packet" in text
        assert text.index("kind") < text.index("not present in this row") < text.index("ifalias")
        await on.press("escape")
        assert "not present" not in on.text()


async def test_detail_adds_what_is_read_for_the_row_alone(monkeypatch: pytest.MonkeyPatch):
    def read(section: str, row: dict[str, object], host: Host) -> dict[str, object]:
        assert (section, row["ifname"]) == ("links", "lo")
        features = {"tx-checksumming": {"active": True}, "rx-lro": {"active": False}}
        return {
            "ethtool": {"driver": HOSTILE, "features": features},
            "ethtool -S": Gap("no permission", "sudo"),
            "x": {},
        }

    monkeypatch.setattr(above, "details", read)
    async with stage(size=(100, 40)) as on:
        await on.deliver(links=links("lo"))
        await on.press("enter")
        for _ in range(100):
            if "ethtool -S" in on.text():
                break
            await on.pilot.pause(0.02)
        await on.press("G")
        text = on.text()
        assert "^[]0;owned^G" in text
        assert "\x1b" not in text
        assert "tx-checksumming" in text
        assert "rx-lro" not in text
        assert "no permission -> sudo" in text
        assert "not known" in text
        assert "G: ethtool, ethtool -S, x" in text


async def test_a_pivot_opens_the_other_panel_with_the_filter_and_backspace_comes_back():
    async with stage() as on:
        await on.deliver(links=links("lo", "eth0"))
        await on.press("down", "p", "enter")
        await on.pilot.pause()
        assert on.pane.panel is ROUTES
        await on.deliver(routes=routes(("10.0.0.0/8", 1, 0), ("10.1.0.0/16", 2, 0)))
        assert on.pane.where_text == "oif 2"
        assert len(on.pane) == 1
        assert on.under_cursor()["dst"] == "10.1.0.0/16"
        await on.press("backspace")
        assert on.pane.panel is LINKS
        assert on.under_cursor()["ifname"] == "eth0"


async def test_a_pivot_from_what_the_row_lacks_leads_nowhere():
    async with stage() as on:
        await on.deliver(links=links("lo"))
        await on.press("p")
        assert "not in this row: ifalias" in on.text()
        await on.press("down", "down", "enter")
        assert on.pane.where_text in ("", "oif 1")


def test_a_pivot_keeps_what_comes_from_outside_one_word():
    assert quoted("veth0") == "veth0"
    assert quoted("10.0.0.0/8") == "10.0.0.0/8"
    assert quoted("and") == '"and"'
    assert quoted("a b") == '"a b"'
    assert quoted('a"') == r'~ "^a\U00000022$"'
    assert quoted("\\") == r'~ "^\U0000005c$"'
    assert len(quoted("\x1b" * 300)) < 200


async def test_a_hostile_name_in_a_pivot_matches_only_itself():
    alias = 'a" or mtu > 0 or ifname ~ "\\'
    async with stage() as on:
        await on.deliver(links=links("lo", ifalias=alias).take(slice(0, 1)))
        (jump,) = [found for found in pivots(LINKS, on.under_cursor()) if found.label == "by alias"]
        await on.app.go(jump)
        await on.pilot.pause()
        assert len(on.pane) == 1
        await on.deliver(links=links("lo", ifalias="other"))
        assert len(on.pane) == 0


async def test_jump_finds_panels_devices_and_addresses():
    async with stage() as on:
        await on.deliver(links=links("lo", "eth0"))
        await on.press("colon")
        await on.type("rou")
        await on.press("enter")
        await on.pilot.pause()
        assert on.pane.panel is ROUTES
        await on.press("colon")
        await on.type("eth")
        await on.press("enter")
        await on.pilot.pause()
        assert on.pane.panel is LINKS
        assert on.pane.where_text == "ifname eth0"
        found = candidates("10.1.2.3", (LINKS, ROUTES), {})
        assert [(jump.panel, jump.where) for jump in found] == [
            ("routes", "dst 10.1.2.3"),
            ("routes", "gateway 10.1.2.3"),
        ]


async def test_help_tells_keys_language_and_columns():
    async with stage(size=(100, 80)) as on:
        await on.deliver(links=links("lo"))
        await on.press("question_mark")
        for word in ("freeze", "dst in 10.0.0.0/8", "largest packet (B)", "ip -s link"):
            assert word in on.text()
        await on.press("q")
        assert "Filter language" not in on.text()
        assert on.app.is_running


async def test_copying_a_row_is_scrubbed():
    async with stage() as on:
        await on.deliver(links=links("lo", ifalias="\x1b[2J"))
        await on.press("y")
        assert "ifalias=^[[2J" in on.app.clipboard
        assert "\x1b" not in on.app.clipboard
        assert base64.b64encode(on.app.clipboard.encode())


async def test_status_tells_rows_order_and_cost():
    async with stage(size=(120, 24)) as on:
        for _ in range(3):
            await on.deliver(links=links("lo", "eth0"))
        status = on.screen()[-2]
        assert "1/2 rows" in status
        assert "read in 12 ms" in status
        assert "every 1 s" in status
        assert on.screen()[-1].startswith(" $ ip -s link")


async def test_status_tells_how_full_the_kernels_table_is_and_marks_one_that_is_nearly_full():
    async with stage() as on:
        for used, share in ((1_000, "(10.0 %)"), (9_500, "(95.0 %)")):
            on.feed.deliver(Snapshot(on.clock, {"links": links("lo")}, fills={"links": Fill(used, 10_000, "entries")}))
            await on.pilot.pause()
            await on.pilot.pause()
            assert f"{used:,} of at most 10,000 {share}" in on.screen()[-2]
        assert fill_part(Fill(9_500, 10_000, "entries"))[1] is LOSS
        assert fill_part(Fill(8_999, 10_000, "entries"))[1] is PLAIN
        await on.deliver(links=links("lo"))
        assert "at most" not in on.screen()[-2]


async def test_keys_and_quit():
    async with stage() as on:
        await on.press("q")
        assert on.app.return_value == 0
    assert on.feed.calls[-1] == "stop"
    async with stage() as on:
        await on.press("ctrl+c")
        assert on.app.return_value == 130


def test_no_panel_takes_a_key_that_does_something_else():
    own = {key for binding in Nettui.BINDINGS for key in binding.key.split(",") if "panel('" not in binding.action}
    table = set("jkhlgGsSpcyrqemx")
    keys = [panel.key for panel in PANELS]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & (own | table)


def test_the_panels_fit_into_80_columns_with_the_active_one_in_full():
    for panel in PANELS:
        found = labels(PANELS, panel.name, 80)
        assert sum(len(text) for _, text in found) <= 80
        assert (panel.name, f" {panel.key} {panel.name} ") in found
    assert [name for name, _ in labels(PANELS, "links", 160)] == [panel.name for panel in PANELS]
    narrow = labels(PANELS, PANELS[5].name, 30)
    assert PANELS[5].name in dict(narrow)
    assert sum(len(text) for _, text in narrow) <= 30


def test_a_name_of_two_words_that_is_cut_is_told_from_its_neighbours():
    shortened = dict(labels(PANELS, "conntrack", 80))
    assert shortened["conntrack_statistics"] == " U stat"
    assert len({text.split()[-1] for text in shortened.values()}) == len(shortened)


async def test_every_panel_opens_with_its_key():
    async with stage(*PANELS, host=Host(netns="blue")) as on:
        for panel in PANELS:
            await on.press(panel.key)
            assert on.pane.panel is panel
        assert "netns blue" in on.screen()[0]


async def test_the_screen_follows_a_resize():
    async with stage() as on:
        await on.deliver(links=links(*(f"dev{n}" for n in range(40))))
        await on.press("end")
        await on.pilot.resize_terminal(60, 12)
        await on.pilot.pause()
        lines = on.screen()
        assert len(lines) == 12
        assert all(len(line) == 60 for line in lines)
        assert any(line.startswith("dev39") for line in lines)
