"""Whose flows they are: beside a search row by row, with sockets as the kernel tells them."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.capture.ring import Ring
from collectors.draft import of_rows
from collectors.table import Column, Table
from collectors.values import ABSENT, IPV4, IPV6, Addresses
from collectors.wire.packets.decode import decoded
from nettui import sources
from nettui.packets import flows, talkers
from nettui.packets.flows import Flows
from nettui.packets.owners import owned
from tests.capture.traffic import recording, records, until
from tests.lab import joined_pair, needs_root

Row = Mapping[str, Any]
SOCKETS = (
    *(Column(name, "text") for name in ("netid", "state", "process")),
    *(Column(name, "address") for name in ("src", "dst")),
    *(Column(name, "u2") for name in ("sport", "dport")),
    Column("pid", "u4"), Column("v6only", "bool"),
)  # fmt: skip
ME, ME6, PEER, PEER6, OTHER = "10.9.0.2", "fd09::2", "10.9.0.1", "fd09::1", "10.9.0.3"


def table(columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    plain = of_rows([column for column in columns if column.dtype != "address"], rows).table()
    names = [column.name for column in columns if column.dtype == "address"]
    return plain.extended(columns, {name: addresses([row.get(name) for row in rows]) for name in names})


def addresses(texts: Sequence[str | None]) -> Addresses:
    packed = [ip_address(text).packed if text else b"" for text in texts]
    octets = np.frombuffer(b"".join(each.ljust(16, b"\0") for each in packed), np.uint8).reshape(-1, 16)
    return Addresses(octets, np.array([{0: ABSENT, 4: IPV4, 16: IPV6}[len(each)] for each in packed], np.uint8))


def flow(proto: str, src: str, sport: int | None, dst: str, dport: int | None) -> Row:
    return {"proto": proto, "src": src, "sport": sport, "dst": dst, "dport": dport, "packets": 1, "bytes": 60}


def held(netid: str, state: str, src: str, sport: int, dst: str, dport: int | None, pid: int, **more: Any) -> Row:
    return {
        "netid": netid, "state": state, "src": src, "sport": sport, "dst": dst, "dport": dport, "pid": pid,
        "process": f"p{pid}", **more,
    }  # fmt: skip


def owners(found: Sequence[Row], sockets: Sequence[Row]) -> list[Any]:
    told = list(owned(table(flows.COLUMNS, found), table(SOCKETS, sockets)).rows())
    assert all(row.get("process") == (f"p{row['pid']}" if "pid" in row else None) for row in told)
    return [row.get("pid") for row in told]


LOCAL = held("tcp", "ESTAB", ME, 22, OTHER, 999, 1)  # by which this host's address is known


def test_a_connection_is_found_whoever_began_it():
    sockets = [LOCAL, held("tcp", "ESTAB", ME, 80, PEER, 40000, 7), held("tcp", "ESTAB", ME6, 50000, PEER6, 443, 8)]
    found = [flow("tcp", PEER, 40000, ME, 80), flow("tcp", ME, 80, PEER, 40000), flow("tcp", PEER6, 443, ME6, 50000)]
    assert owners([*found, flow("udp", PEER, 40000, ME, 80)], sockets) == [7, 7, 8, None]


def test_ipv4_of_an_ipv6_socket_is_ipv4():
    sockets = [LOCAL, held("tcp", "ESTAB", f"::ffff:{ME}", 80, f"::ffff:{PEER}", 40000, 7)]
    assert owners([flow("tcp", PEER, 40000, ME, 80)], sockets) == [7]


def test_a_socket_without_a_peer_serves_its_port_at_its_address():
    sockets = [
        LOCAL,
        held("udp", "UNCONN", ME, 53, "0.0.0.0", None, 7),
        held("udp", "UNCONN", PEER, 54, "0.0.0.0", None, 8),
    ]
    assert owners([flow("udp", PEER, 4000, ME, 53), flow("udp", OTHER, 4000, ME, 54)], sockets) == [7, None]


def test_what_goes_to_the_same_port_elsewhere_is_not_of_the_server_here():
    sockets = [LOCAL, held("udp", "UNCONN", "0.0.0.0", 53, "0.0.0.0", None, 7)]
    assert owners([flow("udp", ME, 4000, PEER, 53), flow("udp", PEER, 4000, ME, 53)], sockets) == [None, 7]
    forwarded = flow("udp", OTHER, 4000, PEER, 53)
    assert owners([forwarded], sockets) == [None]
    assert owners([forwarded], sockets[1:]) == [7]  # no address of this host is known


def test_a_connection_that_has_gone_is_of_the_process_that_listens():
    sockets = [
        LOCAL,
        held("tcp", "LISTEN", "::", 80, "::", None, 7, v6only=False),
        held("tcp", "LISTEN", "::", 81, "::", None, 8, v6only=True),
    ]
    found = [flow("tcp", PEER, 40000, ME, 80), flow("tcp", ME, 40000, PEER, 80), flow("tcp", PEER, 40000, ME, 81)]
    assert owners(found, sockets) == [7, None, None]


def test_groups_and_loopback_are_on_this_host_too():
    sockets = [LOCAL, held("udp", "UNCONN", "0.0.0.0", 5353, "0.0.0.0", None, 7)]
    for address in ("224.0.0.251", "255.255.255.255", "127.0.0.1"):
        assert owners([flow("udp", PEER, 4000, address, 5353)], sockets) == [7]


def test_without_sockets_or_flows_nobody_is_told():
    assert owners([flow("tcp", PEER, 1, ME, 2)], []) == [None]
    assert owners([], [LOCAL]) == []
    told = owned(table(flows.COLUMNS, [flow("icmp", PEER, None, ME, None)]), None)
    assert not talkers.processes(told).row(0).get("process")


NAMES = st.sampled_from((ME, ME6, PEER, PEER6))
PORTS = st.sampled_from((1, 2))
PROTOCOLS = st.sampled_from(("tcp", "udp"))
FLOWS = st.builds(flow, PROTOCOLS, NAMES, PORTS, NAMES, PORTS)
BOUND = st.builds(held, PROTOCOLS, st.just("ESTAB"), NAMES, PORTS, NAMES, PORTS, st.integers(1, 99))
ALONE = st.builds(held, st.just("udp"), st.just("UNCONN"), st.sampled_from((ME, "0.0.0.0", "::")), PORTS,
                  st.just("::"), st.none(), st.integers(1, 99))  # fmt: skip


def searched(wanted: Row, sockets: Sequence[Row]) -> set[int]:
    """Those that may be told, row by row."""
    sides = [(wanted["src"], wanted["sport"]), (wanted["dst"], wanted["dport"])]
    mine = [row for row in sockets if row["netid"] == wanted["proto"]]
    for one, other in (sides, sides[::-1]):
        if found := [row for row in mine if ((row["src"], row["sport"]), (row["dst"], row["dport"])) == (one, other)]:
            return {row["pid"] for row in found}
    alone = [row for row in mine if row["dport"] is None]
    for side in sides:
        if found := [row for row in alone if (row["src"], row["sport"]) == side]:
            return {row["pid"] for row in found}
    here = {row["src"] for row in sockets} - {"0.0.0.0", "::"}
    for address, port in sides:
        serving = ("::",) if ":" in address else ("0.0.0.0", "::")
        found = [row for row in alone if row["src"] in serving and row["sport"] == port]
        if found and (not here or address in here):
            return {row["pid"] for row in found}
    return set()


@settings(max_examples=300, deadline=None)
@given(st.lists(FLOWS, max_size=8), st.lists(BOUND | ALONE, max_size=8))
def test_a_search_row_by_row_finds_the_same(found: list[Row], sockets: list[Row]):
    for wanted, pid in zip(found, owners(found, sockets), strict=True):
        assert pid in (searched(wanted, sockets) or {None})


@pytest.mark.root
@needs_root
def test_the_server_of_both_families_is_told_of_connections_over_ipv4():
    with joined_pair() as (left, right):
        server = right.host.inside(
            lambda: socket.create_server(("::", 7001), family=socket.AF_INET6, dualstack_ipv6=True)
        )
        ring = Ring(1 << 20)
        with recording(right, "right0", "tcp", ring=ring) as recorder:
            client = left.host.inside(lambda: socket.create_connection(("10.9.0.2", 7001), 5))
            accepted, _ = server.accept()
            assert until(lambda: recorder.counts.captured >= 3)
        told = Flows()
        told.add(decoded(records(ring)[0]))
        sockets = sources.read(("sockets",), right.host).tables["sockets"]
        (row,) = talkers.processes(owned(told.table(), sockets)).rows()
        assert (row["pid"], row["flows"]) == (os.getpid(), 1)
        for each in (client, accepted, server):
            each.close()
