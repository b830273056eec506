"""The capture panel as a first user meets it: what is told is what is, what is read stays."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from textual.widgets import Input

from collectors.table import Gap
from nettui.packets.begin import of_device
from nettui.panels.capture import CAPTURE
from nettui.tui.capturing import no_file, not_new
from tests.capture.traffic import datagrams
from tests.lab import joined_pair, needs_root
from tests.tui.stage import LINKS, links, stage
from tests.tui.test_capture import CHAT, DNS, opened, pane, until, written


async def test_a_filter_that_was_not_taken_is_not_told(tmp_path: Path):
    async with stage(CAPTURE, LINKS) as on:
        await on.deliver(links=links("lo"))
        path = written(tmp_path, *CHAT)
        await opened(on, path, len(CHAT))
        pane(on).capture("lo", "udp port 9")
        await on.pilot.pause()
        assert "filter> udp port 9" in on.text()
        await on.press("escape")
        assert "udp port 9" not in on.text()
        assert pane(on).command == f"tcpdump -n -r {path}"


async def test_what_is_refused_hides_nothing_of_what_is_there(tmp_path: Path):
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        pane(on).begin_with("lo", lambda: Gap("lo is not up", "bring it up"), "udp")
        await until(on, lambda: "lo is not up" in on.screen()[-2])
        assert f"{len(CHAT)} packets" in on.screen()[2]
        assert pane(on).command.endswith("packets.pcap")


@pytest.mark.root
@needs_root
async def test_who_begins_again_is_told_what_goes():
    with joined_pair() as (left, right):
        async with stage(CAPTURE, LINKS, host=right.host, size=(120, 24)) as on:
            await on.deliver(links=links("lo", "right0"))
            pane(on).begin_with("right0", lambda: of_device(right.host, "right0", "udp port 7009"), "udp port 7009")
            await until(on, lambda: "capturing" in on.text())
            datagrams(left, 5)
            await until(on, lambda: len(pane(on)) == 5)
            await on.press("x")
            await until(on, lambda: "ended" in on.screen()[2])
            await on.press("i", "enter")
            assert "lets the 5 packets of right0 go" in on.text()
            await on.press("escape")
            assert "udp port 7009" in on.screen()[2]


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("height", [24, 50])
async def test_a_packet_that_is_read_stays_when_the_ring_lets_it_go(height: int):
    with joined_pair() as (left, right):
        async with stage(CAPTURE, LINKS, host=right.host, size=(120, height)) as on:
            pane(on).begin_with("right0", lambda: of_device(right.host, "right0", "udp port 7009", ring=1 << 20))
            await until(on, lambda: "capturing" in on.text())
            datagrams(left, 100)
            await until(on, lambda: len(pane(on)) == 100)
            await on.press("home", "down", "enter")
            await until(on, lambda: "packet 2 " in on.text())
            for _ in range(6):
                datagrams(left, 5000)
            await until(on, lambda: "packet 2, let go" in on.text())
            assert on.pane.under_cursor() is None
            await on.press("J")
            assert "packet 2, " not in on.text()


async def test_the_list_comes_back_beside_the_packet_when_the_terminal_grows(tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=(80, 24)) as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await on.press("enter")
        assert "10.9.0.1:40000" not in on.text()
        await on.pilot.resize_terminal(140, 50)
        await until(on, lambda: "10.9.0.1:40000" in on.text() and "packet 1" in on.text())


async def test_a_process_leads_to_its_flows(tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=(140, 24)) as on:
        await opened(on, written(tmp_path, *CHAT, DNS), len(CHAT) + 1)
        pane(on).enter("processes")
        await until(on, lambda: len(pane(on)) == 1)
        await on.press("enter")
        await until(on, lambda: pane(on).view == "flows" and len(pane(on)) == 2)
        assert pane(on).where_text == "pid is absent"


async def test_packets_are_not_said_to_be_sorted(tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=(100, 24)) as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await on.press("s", "enter")
        assert "stay in the order" in on.screen()[-2]
        assert pane(on).sort is None


async def test_a_number_that_is_not_there_is_told(tmp_path: Path):
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await on.press("colon")
        await on.type("77")
        await on.press("enter")
        assert f"packet 77 is not here; {len(CHAT)} is the last" in on.screen()[-2]


async def test_the_command_of_a_packed_file_is_one_that_works(tmp_path: Path):
    path = Path(written(tmp_path, *CHAT))
    packed = path.with_name("a b.pcap.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, str(packed), len(CHAT))
        assert pane(on).command == f"zcat '{packed}' | tcpdump -n -r -"


async def test_a_summary_of_nothing_tells_of_packets(tmp_path: Path):
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, written(tmp_path), 0)
        await until(on, lambda: "no packets" in on.text())
        await on.press("v")
        await until(on, lambda: "no flows" in on.text())
        assert "the kernel was asked" not in on.text()


async def test_files_are_told_by_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    os.mkfifo(tmp_path / "fifo")
    assert [no_file(name) for name in ("~/fifo", "~", "~/nothing", "~nobody7/x", written(tmp_path))] == [
        "not a plain file", "a folder", "no such file", "no such file", ""]  # fmt: skip
    assert not_new("~/packets.pcap") == "there is a file of that name"
    async with stage(CAPTURE, LINKS, size=(200, 24)) as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await on.press("w")
        on.app.query_one(Input).value = "~/saved.pcap"
        await on.press("enter")
        await until(on, lambda: f"packets are in {tmp_path}/saved.pcap" in on.text())


async def test_a_name_that_is_told_in_more_letters_hides_no_prompt():
    async with stage(CAPTURE, LINKS) as on:
        await on.deliver(links=links("e\x1b[31m\x1b\x07"))
        await on.press("down", "enter")
        assert "filter> " in on.text()


@pytest.mark.root
@needs_root
async def test_a_long_filter_hides_no_numbers_and_why_it_ended_is_told():
    long = "udp port 7009 and host 10.9.0.1 and not net 192.0.2.0/24 and not port 53"
    with joined_pair() as (left, right):
        async with stage(CAPTURE, LINKS, host=right.host) as on:
            pane(on).begin_with("right0", lambda: of_device(right.host, "right0", long), long)
            await until(on, lambda: "capturing" in on.text())
            datagrams(left, 5)
            await until(on, lambda: "5 packets" in on.screen()[2] and "/s" in on.screen()[2])
            assert "  'udp port" in on.screen()[2]
            assert on.screen()[3].rstrip().endswith(" packets")
            pane(on).enter("processes")
            await until(on, lambda: on.screen()[3].rstrip().endswith(" processes"))
            right.run("ip link delete right0")
            await until(on, lambda: "ended" in on.screen()[2])
            assert "disappeared" in on.screen()[2]
            assert "bit/s" not in on.screen()[2]


@pytest.mark.parametrize("height", [24, 50])
async def test_the_keys_of_the_list_work_while_a_packet_is_read(height: int, tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=(100, height)) as on:
        await on.deliver(links=links("lo"))
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        for key, told in (("x", "nothing is being captured"), ("w", "save all"), ("b", "read packets.pcap, filter>"),
                          ("o", "open>"), ("i", "ifname")):  # fmt: skip
            await on.press("enter", key)
            assert told in on.text()
            await on.press("escape")
        await on.press("v", "enter", "v")
        assert pane(on).view == "flows"
