"""One traffic, captured at once by all of nettui's ways, by tcpdump and by dumpcap: they agree packet by packet."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from collectors.table import Table
from collectors.wire.packets.columns import COLUMNS
from nettui.packets.line import lines
from nettui.packets.saving import saved
from nettui.packets.session import Session
from nettui.query import compile
from nettui.report.json import objects
from tests.capture.together import (
    FILES,
    FIRST_PORT,
    LAST_PORT,
    Captures,
    Row,
    captured,
    in_order,
    of_file,
    of_session,
    packets,
)
from tests.capture.traffic import needs_tcpdump, needs_tshark, until
from tests.lab import needs_root
from tests.packets.peer import OPTIONS, differences, tshark

pytestmark = [
    pytest.mark.root, needs_root, needs_tcpdump, needs_tshark,
    pytest.mark.skipif(not shutil.which("dumpcap"), reason="dumpcap is not installed"),
]  # fmt: skip
DECODED = {column.name for column in COLUMNS}
APART = ("number", "time", "dev")  # what may differ from capture to capture


@pytest.fixture(scope="module", params=["right0", "any"])
def captures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Captures]:
    with captured(tmp_path_factory.mktemp("captures"), request.param) as found:
        yield found


def rows(tables: list[Table]) -> list[Row]:
    """As the line mode prints them."""
    return [json.loads(text) for table in tables for text in objects(table)]


def told(found: list[Row], apart: Collection[str] = APART) -> list[str]:
    """What is decoded of each packet from marker to marker, in an order that is the same for all captures."""
    begin = next(at for at, row in enumerate(found) if row.get("dport") == FIRST_PORT)
    end = next(at for at, row in enumerate(found) if row.get("dport") == LAST_PORT and row["family"] == "inet6")
    return sorted(content(row, apart) for row in found[begin : end + 1])


def content(row: Row, apart: Collection[str] = APART) -> str:
    return json.dumps({name: row[name] for name in sorted(row) if name in DECODED and name not in apart})


def whole(session: Session) -> Table:
    return session.listing.table(0, len(session.listing))


def test_all_captures_have_the_same_packets_with_the_same_stamps(captures: Captures):
    panel = in_order(packets(of_session(captures.session)))
    assert len(panel) > 250
    for name in FILES:
        found = in_order(packets([batch.records for batch in of_file(captures.file(name))]))
        assert [packet[1:] for packet in found] == [packet[1:] for packet in panel], name
        apart = [abs(one[0] - other[0]) for one, other in zip(found, panel, strict=True)]
        assert max(apart) < 50_000_000, name
        assert apart.count(0) > 150, name  # not of TCP, whose packets bring stamps that are no time of day


def test_the_panel_the_lines_and_the_file_tell_the_same_fields(captures: Captures):
    table = whole(captures.session)
    assert set(table["dev"].cells()) == ({"lo", "right0", "vx"} if captures.on == "any" else {captures.on})
    panel = told(rows([table]))
    assert len(panel) > 250
    assert told(captures.ndjson) == panel
    for name in FILES:
        assert told(rows([batch.table for batch in of_file(captures.file(name))])) == panel, name


def test_the_lines_have_the_stamps_of_the_file_that_is_recorded_with_them(captures: Captures):
    file = rows([batch.table for batch in of_file(captures.file("own.pcap"))])
    assert [row["time"] for row in captures.ndjson] == [row["time"] for row in file]
    assert told(captures.ndjson, ("dev",)) == told(file, ("dev",))


def test_lines_of_text_are_those_of_the_panels_packets(captures: Captures):
    panel, text = (
        [line.partition(" ")[2] for line in found] for found in (lines(whole(captures.session)), captures.text)
    )
    assert len(panel) > 250
    assert Counter(between(text)) == Counter(between(panel))


def between(found: list[str]) -> list[str]:
    """Lines from marker to marker."""
    begin, end = (next(at for at, line in enumerate(found) if f".{port}: UDP" in line and start in line)
                  for port, start in ((FIRST_PORT, "IP "), (LAST_PORT, "IP6 ")))  # fmt: skip
    return found[begin : end + 1]


@pytest.mark.parametrize("name", FILES)
def test_tshark_tells_the_same_fields_of_each_file(captures: Captures, name: str):
    fields = tshark(captures.file(name))
    found = [row for batch in of_file(captures.file(name)) for row in batch.table.rows()]
    assert len(found) == len(fields) > 250
    wrong = [
        f"{row['number']} ({theirs['frame.protocols'][0]}): {said}"
        for row, theirs in zip(found, fields, strict=True)
        for said in differences(row, theirs)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_traffic_had_all_that_is_decoded(captures: Captures):
    table = whole(captures.session)
    seen = set(table["protocol"].cells())
    assert {"TCP", "UDP", "ICMP", "ICMPv6", "ARP", "DNS", "TLS", "SCTP", "IGMP", "OSPF", "UDPLITE", "STP"} <= seen
    for name in (
        "vni",
        "gre_key",
        "sni",
        "dns_name",
        "vlan",
        "inner_vlan",
        "fragment",
        "sack",
        "quoted_sport",
        "chunks",
    ):
        assert table[name].present().any(), name
    empty = {column.name for column in COLUMNS if not table[column.name].present().any()}
    assert empty == ({"cut", "dmac"} if captures.on == "any" else {"ifindex", "direction", "cut"})


def test_what_the_panel_saves_is_what_the_recorded_file_has(captures: Captures, tmp_path: Path):
    path = tmp_path / "saved.pcap"
    saved(captures.session.listing.chosen(), path)
    again = packets([batch.records for batch in of_file(path)])
    assert again == packets(of_session(captures.session))
    recorded = packets([batch.records for batch in of_file(captures.file("own.pcap"))])
    assert [packet[1:] for packet in in_order(again)] == [packet[1:] for packet in in_order(recorded)]


@pytest.mark.parametrize(
    ("where", "theirs"),
    [
        ("proto tcp and payload > 1000", "tcp.len > 1000 && !udp"),
        ("has dns_id", "mdns || dns && !icmp && !icmpv6"),
        ("has fragment and family inet", "ip.flags.mf == 1 || ip.frag_offset > 0"),
        ("vni 4242 and inner_proto tcp", "vxlan.vni == 4242 && tcp && !icmp && !icmpv6"),
        ("flags ~ R", "tcp.flags.reset == 1"),
    ],
)
def test_the_panels_filter_the_lines_filter_and_tsharks_take_the_same(captures: Captures, where: str, theirs: str):
    session, path = captures.session, str(captures.file("own.pcap"))
    session.filter(compile(where, COLUMNS))
    assert until(lambda: session.listing.where is not None)
    panel = rows([whole(session)])
    session.filter(None)
    assert until(lambda: session.listing.where is None)
    nettui = [sys.executable, "-m", "nettui", "capture", "-r", path, "--where", where, "--format", "ndjson"]
    taken = [json.loads(line) for line in output(nettui)]
    numbers = output(
        ["tshark", *(f"-o{option}" for option in OPTIONS), "-nr", path, "-Y", theirs, "-Tfields", "-eframe.number"]
    )
    assert [row["number"] for row in taken] == [int(number) for number in numbers]
    assert len(taken) > 3
    assert sorted(map(content, panel)) == sorted(map(content, taken))


def output(command: list[str]) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
