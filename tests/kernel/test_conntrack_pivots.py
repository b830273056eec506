"""From a socket to its conntrack entry and back, through NAT too, and from an expectation to its master."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from collectors.table import Table
from nettui import sources
from nettui.panels.registry import panel
from nettui.query import compile
from nettui.tui.jumps import pivots
from tests import conntrack_scenes
from tests.conntrack_scenes import Lab
from tests.lab import Namespace, needs_root

pytestmark = [pytest.mark.root, needs_root]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with conntrack_scenes.busy() as made:
        yield made


def read(where: Namespace, section: str) -> Table:
    return sources.read([section], where.host).tables[section]


def followed(section: str, row: dict, label: str, tables: dict[str, Table]) -> list[dict]:
    """The rows that a pivot of this row leads to."""
    (jump,) = [jump for jump in pivots(panel(section), row) if jump.label == label]
    assert not jump.missing
    table = tables[jump.panel]
    return list(table.rows(np.flatnonzero(compile(jump.where, table.columns).mask(table))))


def one(table: Table, **wanted: object) -> dict:
    (row,) = [row for row in table.rows() if all(row.get(name) == value for name, value in wanted.items())]
    return row


def test_a_socket_leads_to_its_entry_although_its_packets_were_redirected_to_it(lab):
    tables = {name: read(lab.router, name) for name in ("sockets", "conntrack")}
    socket = one(tables["sockets"], netid="tcp", sport=8081, state="ESTAB")
    (entry,) = followed("sockets", socket, "its conntrack entry", tables)
    assert (entry["dport"], entry["nat"], entry["nat_dport"]) == (81, "DNAT", 8081)
    assert followed("conntrack", entry, "socket that answers", tables) == [socket]


def test_an_entry_leads_to_the_socket_that_began_it_and_the_one_that_answers_elsewhere(lab):
    entry = one(read(lab.router, "conntrack"), dport=82)
    (near,) = followed("conntrack", entry, "socket that began it", {"sockets": read(lab.client, "sockets")})
    (far,) = followed("conntrack", entry, "socket that answers", {"sockets": read(lab.server, "sockets")})
    assert (near["dst"], near["dport"]) == ("10.1.0.1", 82)
    assert (far["dst"], far["sport"]) == ("10.2.0.1", 8080)  # masqueraded


def test_an_expectation_leads_to_its_master_and_the_master_to_it(lab):
    tables = {name: read(lab.router, name) for name in ("expectations", "conntrack")}
    expected = one(tables["expectations"], dport=30000)
    (master,) = followed("expectations", expected, "flow whose helper expects it", tables)
    assert (master["dport"], master["helper"]) == (21, "ftp")
    assert followed("conntrack", master, "flows that it expects", tables) == [expected]


def test_an_entry_without_ports_leads_to_no_socket(lab):
    ping = one(read(lab.router, "conntrack"), proto="icmp")
    found = [jump.missing for jump in pivots(panel("conntrack"), ping) if "socket" in jump.label]
    assert found == ["sport", "reply_sport"]
