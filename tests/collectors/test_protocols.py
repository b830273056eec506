"""Protocol counters from recorded and from hostile files."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import Host
from collectors.collector import Block
from collectors.proc import protocols
from collectors.values import Cell
from collectors.wire.netlink import DecodeError
from tests.record import recorded


def by_counter(*blocks: Block) -> dict[Cell, dict[str, Cell]]:
    return {row["counter"]: row for row in protocols.decode(blocks).rows()}


def test_recorded_files_give_every_group():
    found = by_counter(*recorded("protocols"))
    assert {row["group"] for row in found.values()} >= {
        "Ip", "Icmp", "Tcp", "Udp", "UdpLite", "TcpExt", "IpExt", "MPTcpExt", "Ip6", "Icmp6", "Udp6", "UdpLite6",
        "sockstat",
    }  # fmt: skip
    assert found["Tcp.ActiveOpens"]["value"] == 10
    assert found["TcpExt.ListenDrops"] == {
        "counter": "TcpExt.ListenDrops", "group": "TcpExt", "name": "ListenDrops", "nstat": "TcpExtListenDrops",
        "value": 0,
    }  # fmt: skip
    assert found["UdpLite6.InDatagrams"]["nstat"] == "UdpLite6InDatagrams"
    assert found["Ip6.InReceives"]["value"] == found["Ip6.OutRequests"]["value"]


def test_a_setting_or_level_is_no_counter():
    found = by_counter(*recorded("protocols"))
    assert (found["Tcp.MaxConn"]["level"], "value" in found["Tcp.MaxConn"]) == (-1, False)
    assert found["Tcp.CurrEstab"]["level"] == 15
    assert (found["sockstat.UDP.inuse"]["level"], "nstat" in found["sockstat.UDP.inuse"]) == (2, False)
    assert all(("value" in row) != ("level" in row) for row in found.values())


def test_counters_of_64_bits_are_whole():
    found = by_counter(Block("netstat", b"IpExt: InOctets\nIpExt: 18446744073709551615\n"))
    assert found["IpExt.InOctets"]["value"] == 18446744073709551615


@pytest.mark.parametrize(
    ("part", "data"),
    [
        ("snmp", b"Ip: A B\nIp: 1\n"),
        ("snmp", b"Ip: A\nTcp: 1\n"),
        ("snmp", b"Ip: A\n"),
        ("snmp", b"Ip: A\nIp: x\n"),
        ("snmp", b"\n\n"),
        ("snmp", b"Ip: A\nIp: -1\n"),
        ("netstat", b"IpExt: A\nIpExt: 18446744073709551616\n"),
        ("snmp6", b"Ip6InReceives\n"),
        ("sockstat", b"TCP: inuse\n"),
    ],
)
def test_a_malformed_file_is_an_error_that_names_it(part: str, data: bytes):
    with pytest.raises(DecodeError):
        protocols.decode([Block(part, data)])


def test_a_kernel_without_ipv6_has_no_gap_and_one_without_snmp_has(tmp_path: Path):
    folder = tmp_path / "thread-self/net"
    folder.mkdir(parents=True)
    for name in ("netstat", "sockstat"):
        (folder / name).write_bytes(b"")
    table = protocols.decode(protocols.read(Host(proc=tmp_path)))
    assert len(table) == 0
    assert [gap.reason for gap in table.gaps] == ["/proc/net/snmp is not present in this kernel"]


def test_files_cut_at_every_byte_give_a_table_or_an_error():
    for block in recorded("protocols"):
        for cut in range(len(block.data)):
            outcome(Block(block.part, bytes(block.data)[:cut]))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 4), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=6))
def test_changed_bytes_give_a_table_or_an_error(which: int, changes: list[tuple[int, int]]):
    block = recorded("protocols")[which]
    data = bytearray(block.data)
    for place, value in changes:
        data[place % len(data)] = value
    outcome(Block(block.part, bytes(data)))


def outcome(block: Block) -> None:
    with contextlib.suppress(DecodeError):
        list(protocols.decode([block]).rows())
