"""Addresses beside ``ip -j -d addr``, in the same order, and the chains that the kernel makes of them."""

from __future__ import annotations

import itertools

import pytest

from collectors import collect
from collectors.netlink.addresses import COLUMNS
from tests import scenes
from tests.lab import Namespace, needs_root
from tests.parity.peer import Document, differences, settled

pytestmark = [pytest.mark.root, needs_root]

OWN = {
    "ifindex": "of the link that ip puts the address under; compared by it",
    "flags": "the words of the boolean keys in one list; compared in a test of its own",
    "position": "the order of ip's list; compared in a test of its own",
    "primary": "ip does not tell it; compared with what the kernel removes",
    "protocol": "iproute2 6.1 does not know IFA_PROTO",
    "cstamp": "ip does not tell it",
    "tstamp": "ip does not tell it",
}
CLOSE = {"valid_life_time": 1.0, "preferred_life_time": 1.0}


def peers(inside: Namespace) -> list[Document]:
    return [
        {"ifindex": link["ifindex"], **address}
        for link in inside.json("ip -j -d address show")
        for address in link["addr_info"]
    ]


def test_every_field_of_every_address_is_told_as_ip_tells_it():
    def attempt() -> list[str]:
        rows = list(collect("addresses", inside.host).rows())
        rows.sort(key=lambda row: row["ifindex"])
        return [
            difference
            for row, peer in itertools.zip_longest(rows, peers(inside), fillvalue={})
            for difference in differences(row, peer, COLUMNS, own=OWN, close=CLOSE)
        ]

    with scenes.addresses() as inside:
        assert not settled(attempt)


def test_flags_lists_the_words_that_ip_tells():
    words = [column.path for column in COLUMNS if column.dtype == "bool"]
    with scenes.addresses() as inside:
        rows = {(row["ifindex"], row["local"]): row["flags"] for row in collect("addresses", inside.host).rows()}
        told = {(peer["ifindex"], peer["local"]): [word for word in words if word in peer] for peer in peers(inside)}
    assert rows == told
    seen = set(itertools.chain.from_iterable(rows.values()))
    assert {"secondary", "temporary", "dynamic", "deprecated", "nodad", "noprefixroute", "mngtmpaddr", "home"} <= seen


def test_position_is_the_place_in_the_kernels_list():
    with scenes.addresses() as inside:
        rows = list(collect("addresses", inside.host).rows())
        told = peers(inside)
    for family in ("inet", "inet6"):
        ours = [
            row["local"]
            for row in sorted(rows, key=lambda row: (row["ifindex"], row["position"]))
            if row["family"] == family
        ]
        assert ours == [peer["local"] for peer in told if peer["family"] == family]


@pytest.mark.parametrize("primary", ["10.9.0.1/24", "10.8.0.1/16", "10.6.0.1/24"])
def test_the_secondaries_of_a_primary_are_those_that_go_with_it(primary):
    """Without promote_secondaries the kernel removes with a primary exactly what depends on it."""
    with scenes.addresses() as inside:
        before = list(collect("addresses", inside.host).rows())
        inside.ip(f"address del {primary} dev left0")
        left = {row["local"] for row in collect("addresses", inside.host).rows()}
    depending = {row["local"] for row in before if row.get("primary") == primary.partition("/")[0]}
    assert depending
    assert {row["local"] for row in before} - left == depending | {primary.partition("/")[0]}


def test_a_temporary_address_names_the_managed_address_of_its_prefix():
    with scenes.addresses() as inside:
        rows = list(collect("addresses", inside.host).rows())
    (temporary,) = [row for row in rows if row.get("temporary")]
    assert temporary["primary"] == "fd08::1"
    assert temporary["local"].startswith("fd08::")
