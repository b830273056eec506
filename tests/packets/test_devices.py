"""The device of each packet that was captured on any."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import numpy as np
import pytest

from collectors.wire.packets.decode import decoded
from nettui.packets import devices
from nettui.packets.devices import Devices
from nettui.packets.line import lines
from tests.capture.traffic import datagrams, needs_tcpdump
from tests.lab import joined_pair, needs_root
from tests.packets import build

COOKED = bytes.fromhex("0800 0000 00000007 0001 00 06 020000000001 0000")
PACKET = build.over4(17, build.udp(1, 2))[14:]


def cooked(number: int) -> bytes:
    return COOKED[:4] + number.to_bytes(4, "big") + COOKED[8:] + PACKET


def test_each_number_is_asked_for_once_and_one_without_a_name_has_none():
    asked: list[int] = []

    def name_of(number: int) -> str | None:
        asked.append(number)
        return {3: "eth0", 9: "br0"}.get(number)

    names = Devices(name_of)
    first = names.named(build.records([(276, cooked(number), 60) for number in (9, 3, 4, 9, 0)]))
    again = names.named(build.records([(276, cooked(number), 60) for number in (3, 4)]))
    assert decoded(first)["dev"].cells() == ["br0", "eth0", None, "br0", None]
    assert decoded(again)["dev"].cells() == ["eth0", None]
    assert sorted(asked) == [3, 4, 9]


def test_what_is_cut_off_and_other_link_layers_are_left_as_they_are():
    names = Devices(lambda number: "eth0")
    assert decoded(names.named(build.records([(276, cooked(1)[:7], 60)])))["dev"].cells() == [None]
    plain = build.records([(1, build.over4(17, build.udp(1, 2)), 60)])
    assert names.named(plain) is plain


def test_more_devices_than_there_is_room_for_have_no_names(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(devices, "MOST", 2)
    found = Devices(str).named(build.records([(276, cooked(number), 60) for number in (1, 2, 3)]))
    assert sorted(np.unique(found.devices).tolist()) == [-1, 0, 1]


@pytest.mark.root
@needs_root
@needs_tcpdump
def test_lines_on_any_tell_device_and_direction_as_tcpdump_does():
    with joined_pair() as (left, right):
        right.ip("link set lo up")
        programs = (["tcpdump", "-n", "-l", "-S"], [sys.executable, "-m", "nettui", "capture"])
        running = [
            subprocess.Popen(
                ["ip", "netns", "exec", right.name, *words, "-i", "any", "-c", "6", "icmp or arp"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for words in programs
        ]  # fmt: skip
        for process in running:
            assert process.stderr
            assert any("listening" in line or "before Netfilter" in line for line in process.stderr)
        time.sleep(0.5)
        datagrams(left, 1)
        for address in ("127.0.0.1", "10.9.0.1"):
            right.run(f"ping -n -c 1 {address}")
        said = [process.communicate(timeout=60)[0].splitlines() for process in running]
    theirs, ours = ([re.sub(r"^\S+ |: ICMP .*", "", line) for line in each] for each in said)
    assert ours == theirs
    assert {line.split()[0] for line in ours} == {"right0", "lo"}


def test_a_packet_of_a_file_without_names_tells_the_number():
    (line,) = lines(decoded(build.records([(276, cooked(7), 60)])))
    assert line.split(" ", 1)[1].startswith("ifindex 7 In  IP 10.9.0.1.1 > ")
