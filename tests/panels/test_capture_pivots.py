"""From a packet to its socket, conntrack entry and route, as the kernel has them at that moment."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from collectors.capture.ring import Ring
from collectors.wire.packets.decode import decoded
from nettui import sources
from nettui.packets.flows import Flows
from nettui.packets.owners import owned
from nettui.panels.capture import CAPTURE
from nettui.query import compile
from nettui.tui.jumps import pivots
from tests.capture.traffic import recording, records
from tests.lab import joined_pair, needs_root

# whose rule switches connection tracking on
TRACKED = (
    "nft add table ip t",
    "nft add chain ip t c { type filter hook output priority 0; }",
    "nft add rule ip t c ct state new counter",
)
TARGETS = ("sockets", "conntrack", "routes", "neighbours", "addresses", "links")


@pytest.mark.root
@needs_root
def test_a_socket_of_ipv6_is_found_by_the_ipv4_packets_that_it_gets():
    with joined_pair() as (left, right):
        server = right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET6)
        server.bind(("::", 8080))
        server.listen()
        ring = Ring(1 << 20)
        with recording(left, "left0", "tcp", ring=ring):
            client = left.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
            client.connect(("10.9.0.2", 8080))
            other, _ = server.accept()
        packets, sockets = decoded(records(ring)[0]), sources.read(["sockets"], right.host).tables["sockets"]
        (where,) = (jump.where for jump in pivots(CAPTURE, packets.row(0)) if jump.label == "its socket")
        (own,) = sockets.take(np.flatnonzero(compile(where, sockets.columns).mask(sockets))).rows()
        assert (own["src"], own["state"]) == ("::ffff:10.9.0.2", "ESTAB")
        for each in (client, other, server):
            each.close()


@pytest.mark.root
@needs_root
def test_each_pivot_finds_what_the_kernel_has():
    with joined_pair() as (left, right):
        left.run(*TRACKED)
        server = right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
        server.bind(("10.9.0.2", 8080))
        server.listen()
        ring = Ring(1 << 20)
        with recording(left, "left0", "tcp", ring=ring):
            client = left.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
            client.connect(("10.9.0.2", 8080))
            other, _ = server.accept()
            client.sendall(b"hello")
            assert other.recv(5) == b"hello"
        packets = decoded(records(ring)[0])
        tables = sources.read(TARGETS, left.host).tables
        for at in (0, 1):  # sent, and received
            found = {}
            for jump in pivots(CAPTURE, packets.row(at)):
                if jump.where and not jump.missing and not jump.device:
                    table = tables[jump.panel]
                    found[jump.label] = table.take(np.flatnonzero(compile(jump.where, table.columns).mask(table)))
            (own,) = found["its socket"].rows()
            assert (own["src"], own["dport"], own["state"]) == ("10.9.0.1", 8080, "ESTAB")
            (entry,) = found["its conntrack entry"].rows()
            assert (entry["dst"], entry["dport"]) == ("10.9.0.2", 8080)
            for label in ("routes to its destination", "routes to its source", "addresses of this host in it"):
                assert len(found[label]), label
        flows = Flows()
        flows.add(packets)
        (flow,) = owned(flows.table(), tables["sockets"]).rows()
        (held,) = (row for row in tables["sockets"].rows() if row.get("dport") == 8080)
        assert flow.get("pid") == held.get("pid")
        for each in (client, other, server):
            each.close()
