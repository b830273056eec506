"""The capture panel: devices, packets of files and of devices, one packet, flows, filters, what is lost and refused."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from collectors.table import Gap
from nettui.packets import begin
from nettui.packets.begin import of_device, of_file
from nettui.packets.reading import Batch, batches
from nettui.panels.capture import CAPTURE
from nettui.panels.registry import SCREEN
from nettui.tui import capturing
from nettui.tui.capture_pane import CapturePane
from tests.capture.traffic import datagrams
from tests.lab import joined_pair, needs_root
from tests.packets import build
from tests.packets.test_stream import CHATS
from tests.tui.stage import LINKS, Stage, links, stage

CHAT = CHATS["question and answer"]
DNS = build.FRAMES["udp: dns question"]
HOSTILE = build.over4(17, build.udp(4000, 53, build.dns(build.name(b"\x1b]0;owned\x07\x9b31m[red]"))))


def written(folder: Path, *frames: bytes) -> str:
    path = folder / "packets.pcap"
    build.write(path, 1, [(1, frame, len(frame)) for frame in frames])
    return str(path)


def pane(on: Stage) -> CapturePane:
    found = on.pane
    assert isinstance(found, CapturePane)
    return found


async def until(on: Stage, condition: Callable[[], Any], seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
        await on.pilot.pause()
    raise AssertionError(f"it did not come about:\n{on.text()}")


async def opened(on: Stage, path: str, number: int) -> None:
    pane(on).begin_with(path, lambda: of_file(path))
    await until(on, lambda: len(pane(on)) == number)


def numbers(on: Stage) -> list[Any]:
    shown = pane(on).shown
    assert shown is not None
    return shown.cells([shown.columns[4]], 0, len(shown))[0]


async def test_devices_are_offered_and_a_wrong_filter_is_told_in_libpcaps_words():
    async with stage(CAPTURE, LINKS) as on:
        await on.deliver(links=links("lo", "eth0"))
        assert "any" in on.text()
        assert "eth0" in on.text()
        await on.press("down", "down", "enter")
        assert "capture on eth0, filter>" in on.text()
        await on.type("port nonsense")
        await on.press("enter")
        assert "nonsense" in on.screen()[-1]
        await on.press("escape")
        assert "filter>" not in on.text()
        assert pane(on).session is None


async def test_a_name_server_that_does_not_answer_holds_nothing_up(monkeypatch: pytest.MonkeyPatch):
    asked, answer = list[str](), threading.Event()

    def wrong(text: str, link: int) -> str:
        asked.append(text)
        answer.wait(10)
        return f"unknown host {text.split()[-1]!r}"

    monkeypatch.setattr(capturing, "wrong", wrong)
    async with stage(CAPTURE, LINKS) as on:
        await on.deliver(links=links("lo"))
        await on.press("enter")
        await on.type("host db1")
        await until(on, lambda: asked)
        assert asked == ["host db1"]
        await on.type("2")
        assert "host db12" in on.text()
        await on.press("enter")
        await until(on, lambda: "looking at it" in on.screen()[-1])
        assert asked == ["host db1"]
        answer.set()
        await until(on, lambda: "unknown host 'db12'" in on.screen()[-1])
        assert asked == ["host db1", "host db12"]
        assert pane(on).session is None


async def test_what_stands_in_the_way_is_told_with_what_helps():
    async with stage(CAPTURE, LINKS) as on:
        pane(on).begin_with("eth7", lambda: Gap("capturing on eth7 needs CAP_NET_RAW", "run it by sudo"))
        await until(on, lambda: "needs CAP_NET_RAW" in on.text())
        assert "run it by sudo" in on.text()


async def test_no_such_device_is_told():
    async with stage(CAPTURE, LINKS) as on:
        pane(on).begin_with("nowhere7", lambda: of_device(on.app.host, "nowhere7", ""))
        await until(on, lambda: "nowhere7" in on.screen()[2])
        assert pane(on).session is None


async def test_a_file_is_listed_and_filtered(tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=(120, 24)) as on:
        await opened(on, written(tmp_path, *CHAT, DNS), len(CHAT) + 1)
        assert "10.9.0.1:40000" in on.text()
        assert "SYN " in on.text()
        assert "www.example.com" in on.text()
        await on.press("slash")
        await on.type("payload > 0 and proto tcp")
        await on.press("enter")
        await until(on, lambda: numbers(on) == [4, 6])
        assert f"of {len(CHAT) + 1}" in on.text()
        await on.press("slash", "ctrl+u")
        await on.type("dport 4711")
        await on.press("enter")
        await until(on, lambda: "none of" in on.text())
        await on.press("escape")
        await until(on, lambda: len(pane(on)) == len(CHAT) + 1)


async def test_a_file_that_is_opened_while_all_is_frozen_is_shown(tmp_path: Path):
    async with stage(CAPTURE, LINKS) as on:
        await on.press("space")
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        assert "frozen" not in on.text()


async def test_a_file_is_read_again_with_another_filter(tmp_path: Path):
    path = written(tmp_path, *CHAT, DNS)
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, path, len(CHAT) + 1)
        await on.press("b")
        assert "read packets.pcap, filter>" in on.text()
        await on.type("port nonsense")
        await on.press("enter")
        assert "nonsense" in on.screen()[-1]
        for _ in range(len("port nonsense")):
            await on.press("backspace")
        await on.type("udp")
        await on.press("enter")
        await until(on, lambda: len(pane(on)) == 1)
        assert numbers(on) == [len(CHAT) + 1]
        assert "'udp'" in on.screen()[2]
        assert pane(on).command == f"tcpdump -n -r {path} udp"


async def test_one_packet_is_a_tree_with_its_bytes(tmp_path: Path):
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await on.press("down", "down", "down", "enter")
        await until(on, lambda: "packet 4" in on.text())
        assert "0000  02 00 00 00 00 02" in on.text()
        await until(on, lambda: "Transmission Control Protocol" in on.text() or "by nettui" in on.text())
        await on.press("J")
        assert "packet 5" in on.text()
        await on.press("K", "K")
        assert "packet 3" in on.text()
        await on.press("enter", "down", "left", "plus", "end", "home")
        await on.press("escape")
        await until(on, lambda: "0000  02" not in on.text())
        assert on.under_cursor()["number"] == 3


async def test_on_a_large_screen_the_packet_follows_the_cursor(tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=(160, 50)) as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await until(on, lambda: "packet 1" in on.text())
        await on.press("down")
        assert "packet 2" in on.text()
        assert "10.9.0.1:40000" in on.text()


async def test_a_compressed_file_is_kept_as_far_as_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(begin, "UNPACKED", 3 << 19)
    plain = tmp_path / "plain.pcap"
    build.write(plain, 1, [(1, DNS, len(DNS))] * 30_000)
    packed = tmp_path / "packed.pcap.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes(), 1))
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, str(plain), 30_000)
        pane(on).begin_with("packed", lambda: of_file(str(packed)))
        await until(on, lambda: "what follows is not shown" in on.text())
        await until(on, lambda: len(pane(on)) > 0)
        assert len(pane(on)) < 30_000


async def test_flows_and_talkers_lead_to_their_packets(tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=(140, 24)) as on:
        await opened(on, written(tmp_path, *CHAT, DNS, DNS), len(CHAT) + 2)
        await on.press("v")
        await until(on, lambda: len(pane(on)) == 2)
        assert on.under_cursor()["sport"] == 40000
        await on.press("down", "enter")
        await until(on, lambda: numbers(on) == [len(CHAT) + 1, len(CHAT) + 2])
        await on.press("escape", "v", "v")
        await until(on, lambda: pane(on).view == "addresses" and len(pane(on)) == 2)
        await on.press("v")
        await until(on, lambda: pane(on).view == "ports" and len(pane(on)) == 2)
        await on.press("enter")
        await until(on, lambda: pane(on).view == "packets" and len(pane(on)) == len(CHAT))
        pane(on).enter("protocols")
        await until(on, lambda: len(pane(on)) == 2)
        assert on.under_cursor() == {"protocol": "TCP", "packets": 9, "bytes": sum(map(len, CHAT))}


async def test_a_stream_is_followed(tmp_path: Path):
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, written(tmp_path, *CHAT, DNS), len(CHAT) + 1)
        await on.press("f")
        await until(on, lambda: "> GET / HTTP/1.0" in on.text())
        assert "< HTTP/1.0 200 OK" in on.text()
        await on.press("escape", "down", "f")  # from an answer it is the same
        assert str(pane(on).under_cursor()["sport"]) == "80"  # type: ignore[index]
        await until(on, lambda: "> GET / HTTP/1.0" in on.text())
        assert "< HTTP/1.0 200 OK" in on.text()
        await on.press("escape", "G", "f")
        assert "only TCP" in on.text()


async def test_what_is_shown_is_saved(tmp_path: Path):
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, written(tmp_path, *CHAT, DNS), len(CHAT) + 1)
        await on.press("slash")
        await on.type("proto udp")
        await on.press("enter")
        await until(on, lambda: len(pane(on)) == 1)
        await on.press("w")
        on.app.query_one(Input).value = str(tmp_path / "packets.pcap")
        await on.press("enter")
        assert "there is a file of that name" in on.text()
        on.app.query_one(Input).value = str(tmp_path / "saved.pcap")
        await on.press("enter")
        await until(on, lambda: "1 packet is in" in on.text())
        (batch,) = batches(str(tmp_path / "saved.pcap"))
        assert isinstance(batch, Batch)
        assert batch.table["dns_name"].cells() == ["www.example.com"]


async def test_a_number_leads_to_its_packet_and_help_tells_the_keys(tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=(100, 40)) as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await on.press("colon")
        await on.type("7")
        assert "packet 7" in on.text()
        await on.press("enter")
        await until(on, lambda: on.under_cursor()["number"] == 7)
        await on.press("question_mark")
        assert "follow the TCP stream" in on.text()


async def test_times_are_told_in_three_ways(tmp_path: Path):
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await on.press("a")
        assert "1.000000" in on.text()
        assert "2.000000" not in on.text()
        await on.press("a")
        assert "2.000000" in on.text()


async def test_a_corrupt_file_shows_what_is_whole_and_tells(tmp_path: Path):
    path = Path(written(tmp_path, *CHAT))
    path.write_bytes(path.read_bytes()[:-7])
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, str(path), len(CHAT) - 1)
        await until(on, lambda: "cut off" in on.text())


async def test_a_file_that_is_none_is_told(tmp_path: Path):
    path = tmp_path / "junk.pcap"
    path.write_bytes(b"junk" * 10)
    async with stage(CAPTURE, LINKS) as on:
        await opened(on, str(path), 0)
        await until(on, lambda: "neither pcap nor pcapng" in on.text())
        assert "kernel" not in on.text()


async def test_hostile_packets_are_letters(tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=(200, 60)) as on:
        await opened(on, written(tmp_path, HOSTILE, *CHAT), len(CHAT) + 1)
        for keys in ((), ("enter",), ("plus",), ("escape",), ("v",), ("v",), ("f",), ("c",)):
            await on.press(*keys)
            text = on.text()
            assert not set(text) & set("\x1b\x07\x9b\u202e")


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (80, 24), (300, 100)])
async def test_any_size_will_do(size: tuple[int, int], tmp_path: Path):
    async with stage(CAPTURE, LINKS, size=size) as on:
        await on.deliver(links=links("lo"))
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await on.press("enter", "enter", "down", "plus", "J", "escape", "v", "enter", "v", "v", "i", "v")
        await on.pilot.resize_terminal(80, 24)
        await on.press("down")
        assert on.app.is_running


async def test_other_panels_come_and_go_meanwhile(tmp_path: Path):
    async with stage(*SCREEN, first="capture") as on:
        await opened(on, written(tmp_path, *CHAT), len(CHAT))
        await on.press("2")
        await on.deliver(links=links("lo"))
        assert "TCP" not in "\n".join(on.screen()[2:-3])
        await on.press("P")
        assert "10.9.0.1:40000" in on.text()


@pytest.mark.root
@needs_root
async def test_a_device_is_captured_frozen_and_ended():
    with joined_pair() as (left, right):
        async with stage(CAPTURE, LINKS, host=right.host, size=(120, 24)) as on:
            pane(on).begin_with("right0", lambda: of_device(right.host, "right0", "udp port 7009"))
            await until(on, lambda: "capturing" in on.text())
            datagrams(left, 23)
            await until(on, lambda: len(pane(on)) == 23)
            assert "lost: kernel 0  interface 0  not shown 0" in on.text()
            await on.press("space")
            datagrams(left, 10)
            await until(on, lambda: "33 packets" in on.text())
            assert len(pane(on)) == 23
            assert "frozen" in on.text()
            await on.press("space")
            await until(on, lambda: len(pane(on)) == 33)
            await on.press("b", "ctrl+u")
            await on.type("udp port 7009 and inbound and unheard")
            await on.press("enter")
            await until(on, lambda: "syntax error" in on.screen()[-1])
            await on.press("ctrl+u")
            await on.type("udp port 1")
            await on.press("enter")
            await asyncio.sleep(0.3)
            datagrams(left, 5)
            await asyncio.sleep(0.4)
            assert len(pane(on)) == 33
            await on.press("x")
            await until(on, lambda: "ended" in on.screen()[2])
            assert len(pane(on)) == 33


@pytest.mark.root
@needs_root
async def test_a_filter_that_packets_of_any_device_cannot_pass_is_told():
    with joined_pair() as (_, right):
        async with stage(CAPTURE, LINKS, host=right.host) as on:
            pane(on).begin_with("any", lambda: of_device(right.host, "any", "udp"), "udp")
            await until(on, lambda: "capturing" in on.text())
            await on.press("b", "ctrl+u")
            await on.type("vlan 5")
            await on.press("enter")
            await until(on, lambda: "VLAN" in on.screen()[-1])
            await on.press("escape")
            assert pane(on).expression == "udp"


@pytest.mark.root
@needs_root
async def test_a_device_that_goes_down_and_then_away_is_told():
    with joined_pair() as (_, right):
        async with stage(CAPTURE, LINKS, host=right.host) as on:
            pane(on).begin_with("right0", lambda: of_device(right.host, "right0", ""))
            await until(on, lambda: "capturing" in on.text())
            right.ip("link set right0 down")
            await until(on, lambda: "right0 is down" in on.screen()[3])
            right.run("ip link delete right0")
            await until(on, lambda: "ended" in on.screen()[2])
            assert "right0" in on.text()
