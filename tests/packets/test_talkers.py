"""Top talkers: the sums of plain dictionaries over the same packets, and those of tshark's statistics."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.table import Table
from collectors.wire.packets.columns import COLUMNS
from nettui.packets import talkers
from nettui.packets.flows import Flows
from nettui.packets.reading import Batch, batches
from nettui.rates import with_rates
from tests.packets import build, chance
from tests.packets.test_owners import SOCKETS, held, owned, table

HOSTILE = "\x1b]0;owned\x07[red]\udcff\n"
Packet = dict[str, Any]
NAMES = st.sampled_from(("10.0.0.1", "10.0.0.2", "fd00::1", "255.255.255.255", "::"))
PORTS = st.sampled_from((1, 53, 65535))
KINDS = st.sampled_from((("TCP", "tcp"), ("DNS", "udp"), ("UDP", "udp"), (HOSTILE, HOSTILE)))
NAMED = ("protocol", "proto", "src", "sport", "dst", "dport", "length", "time")
WITH_PORTS = st.builds(
    lambda kind, *ends: dict(zip(NAMED, (*kind, *ends), strict=True)),
    KINDS, NAMES, PORTS, NAMES, PORTS, st.integers(0, 2**32 - 1), st.integers(0, 2**62),
)  # fmt: skip
PLAIN = st.builds(
    lambda src, dst, size: {"protocol": "ICMP", "proto": "icmp", "src": src, "dst": dst, "length": size, "time": 1},
    NAMES, NAMES, st.integers(0, 9000),
)  # fmt: skip
ARP = st.builds(lambda size: {"protocol": "ARP", "length": size, "time": 2}, st.integers(0, 99))
UNKNOWN = st.builds(lambda size: {"length": size, "time": 3}, st.integers(0, 99))
BATCHES = st.lists(st.lists(WITH_PORTS | PLAIN | ARP | UNKNOWN, max_size=12), min_size=1, max_size=4)


def counted(parts: Sequence[Sequence[Packet]]) -> tuple[Table, Table]:
    """Flows and protocols, batch by batch."""
    flows, protocols = Flows(), talkers.Protocols()
    for part in parts:
        batch = table(COLUMNS, part)
        flows.add(batch)
        protocols.add(batch)
    return flows.table(), protocols.table()


def told(found: Table, *keys: str) -> dict[Any, tuple[Any, ...]]:
    rest = [column.name for column in found.columns if column.name not in keys]
    rows = list(found.rows())
    by_key = {tuple(row.get(key) for key in keys): tuple(row[name] for name in rest) for row in rows}
    assert len(by_key) == len(rows)
    return by_key


def sums(
    packets: Sequence[Packet], keys: Callable[[Packet], Iterator[tuple[Any, tuple[int, ...]]]]
) -> dict[Any, tuple[int, ...]]:
    """For each key the sums of its counts."""
    found: dict[Any, list[int]] = defaultdict(list)
    for packet in packets:
        for key, counts in keys(packet):
            before = found[key] or [0] * len(counts)
            found[key] = [one + other for one, other in zip(before, counts, strict=True)]
    return {key: tuple(counts) for key, counts in found.items()}


def ends(packet: Packet) -> frozenset[Any]:
    """The flow of a packet, whichever direction it goes."""
    sides = ((packet["src"], packet.get("sport")), (packet["dst"], packet.get("dport")))
    return frozenset({("proto", packet["proto"]), *sides})


def number_of_flows(packets: Sequence[Packet], has: Callable[[Packet], bool]) -> int:
    return len({ends(packet) for packet in packets if has(packet)})


@settings(max_examples=200, deadline=None)
@given(BATCHES)
def test_addresses_are_those_of_plain_dictionaries(parts: list[list[Packet]]):
    packets = [packet for part in parts for packet in part if "src" in packet]
    expected = sums(packets, lambda p: iter([
        ((p["src"],), (1, p["length"], 0, 0)), ((p["dst"],), (0, 0, 1, p["length"])),
    ]))  # fmt: skip
    found = told(talkers.addresses(counted(parts)[0]), "address")
    assert {key: counts[:4] for key, counts in found.items()} == expected
    for (address,), counts in found.items():
        assert counts[4] == number_of_flows(packets, lambda p, a=address: a in (p["src"], p["dst"]))  # type: ignore[misc]


@settings(max_examples=200, deadline=None)
@given(BATCHES)
def test_ports_and_protocols_are_those_of_plain_dictionaries(parts: list[list[Packet]]):
    flows, protocols = counted(parts)
    packets = [packet for part in parts for packet in part]
    smaller = [p for p in packets if p.get("sport") is not None]

    def port(packet: Packet) -> tuple[str, int]:
        return packet["proto"], min(packet["sport"], packet["dport"])

    found = told(talkers.ports(flows), "proto", "port")
    assert {key: counts[:2] for key, counts in found.items()} == sums(
        smaller, lambda p: iter([(port(p), (1, p["length"]))])
    )
    for key, counts in found.items():
        assert counts[2] == number_of_flows(smaller, lambda p, k=key: port(p) == k)  # type: ignore[misc]
    expected = sums(packets, lambda p: iter([((p.get("protocol"),), (1, p["length"]))]))
    assert told(protocols, "protocol") == expected


@settings(max_examples=100, deadline=None)
@given(BATCHES)
def test_processes_have_all_packets_of_their_flows(parts: list[list[Packet]]):
    flows, _ = counted(parts)
    here = [held(proto, "UNCONN" if proto == "udp" else "LISTEN", "0.0.0.0", 53, "0.0.0.0", None, pid)
            for proto, pid in (("udp", 7), ("tcp", 8))]  # fmt: skip
    found = told(talkers.processes(owned(flows, table(SOCKETS, here))), "process", "pid")
    packets = [packet for part in parts for packet in part if "src" in packet]

    def holder(packet: Packet) -> tuple[str | None, int | None]:
        sides = [(packet[end], packet.get(port)) for end, port in (("src", "sport"), ("dst", "dport"))]
        pid = {"udp": 7, "tcp": 8}.get(packet["proto"])
        return (f"p{pid}", pid) if pid and any(p == 53 and ":" not in a for a, p in sides) else (None, None)

    expected = sums(packets, lambda p: iter([(holder(p), (1, p["length"]))]))
    assert {key: counts[:2] for key, counts in found.items()} == expected
    for key, counts in found.items():
        assert counts[2] == number_of_flows(packets, lambda p, k=key: holder(p) == k)  # type: ignore[misc]


@settings(max_examples=50, deadline=None)
@given(BATCHES)
def test_the_largest_come_first_and_each_has_a_rate(parts: list[list[Packet]]):
    flows, protocols = counted(parts)
    for found in (talkers.addresses(flows), talkers.ports(flows), protocols):
        both = [row.get("bytes", 0) + row.get("bytes_sent", 0) + row.get("bytes_received", 0) for row in found.rows()]
        assert both == sorted(both, reverse=True)
        rates = [column.name for column in found.columns if column.kind == "counter"]
        assert rates
        assert len(with_rates(found, found, 1.0)) == len(found)


def test_nothing_is_no_rows():
    flows, protocols = counted([[]])
    for found in (talkers.addresses(flows), talkers.ports(flows), talkers.processes(owned(flows, None)), protocols):
        assert len(found) == 0


def test_names_of_protocols_and_processes_are_kept_as_they_are():
    packet = {
        "protocol": HOSTILE,
        "proto": "tcp",
        "src": "10.0.0.1",
        "sport": 1,
        "dst": "10.0.0.2",
        "dport": 2,
        "length": 5,
        "time": 1,
    }
    flows, protocols = counted([[packet], [packet]])
    assert [row["protocol"] for row in protocols.rows()] == [HOSTILE]
    sockets = table(SOCKETS, [{**held("tcp", "ESTAB", "10.0.0.1", 1, "10.0.0.2", 2, 9), "process": HOSTILE}])
    assert [row["process"] for row in talkers.processes(owned(flows, sockets)).rows()] == [HOSTILE]


@pytest.mark.skipif(not shutil.which("tshark"), reason="needs tshark")
def test_endpoints_are_those_of_tshark(tmp_path: Path):
    path = tmp_path / "packets"
    alone = [
        (1, packet, len(packet)) for name, packet in build.FRAMES.items() if name.startswith(("tcp", "udp:", "pad"))
    ]
    whole = [p for p in chance.packets(3, 400) if len(set(row_of(p)) & {"inner_src", "quoted_src", "fragment"}) == 0]
    whole = [p for p in whole if row_of(p).get("proto") != "ah"]  # tshark counts what stands behind it
    build.write(path, 1, alone + whole)
    flows = Flows()
    for batch in batches(str(path)):
        assert isinstance(batch, Batch)
        flows.add(batch.table.take(batch.table["family"].present().nonzero()[0]))
    found = told(talkers.addresses(flows.table()), "address")
    sent = {key: (counts[0] + counts[2], counts[1] + counts[3], *counts[:4]) for (key,), counts in found.items()}
    assert {**statistics(path, "ip"), **statistics(path, "ipv6")} == sent
    by_port: dict[str, int] = defaultdict(int)
    for row in flows.table().rows():
        if row["proto"] in ("tcp", "udp"):
            by_port[row["proto"]] += row["packets"] + row["packets_back"]
    for proto, packets in by_port.items():
        assert sum(counts[0] for counts in statistics(path, proto).values()) == 2 * packets


def row_of(captured: build.Captured) -> dict[str, Any]:
    from collectors.wire.packets.decode import decoded

    return decoded(build.records([captured])).row(0)


def statistics(path: Path, kind: str) -> dict[str, tuple[int, ...]]:
    """Packets, bytes, packets and bytes sent, packets and bytes received: of each end (with its port)."""
    words = ["tshark", "-n", "-r", str(path), *(f"-o{kind}.defragment:FALSE" for kind in ("ip", "ipv6"))]
    done = subprocess.run(
        [*words, "-q", "-z", f"endpoints,{kind}"], capture_output=True, text=True, check=True, timeout=60
    )
    rows = [re.split(r"\s+", line.strip()) for line in done.stdout.splitlines() if re.match(r"[\da-f.:]+ ", line)]
    ported = kind in ("tcp", "udp")
    found = {" ".join(row[: 1 + ported]): row[1 + ported :] for row in rows}
    return {name: tuple(map(int, (c[0], c[1], c[2], c[3], c[4], c[5]))) for name, c in found.items()}
