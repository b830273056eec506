"""Protocol counters beside ``nstat``, and the levels beside /proc."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from collectors import collect
from collectors.values import Cell
from tests.lab import Namespace, needs_root
from tests.parity.peer import settled
from tests.socket_scenes import sockets

pytestmark = [pytest.mark.root, needs_root]


@pytest.fixture(scope="module")
def inside() -> Iterator[Namespace]:
    with sockets() as made:
        yield made


def rows(inside: Namespace) -> list[dict[str, Cell]]:
    return list(collect("protocols", inside.host).rows())


def test_every_counter_is_as_nstat_shows_it(inside: Namespace) -> None:
    def attempt() -> list[str]:
        peer = json.loads(inside.run("nstat --json -a -s -z"))["kernel"]
        assert len(peer) > 300
        ours = {row["nstat"]: row.get("value", row.get("level")) for row in rows(inside) if "nstat" in row}
        found = [
            f"{name}: {ours.get(name)}, nstat says {value}" for name, value in peer.items() if ours.get(name) != value
        ]
        # what nstat calls useless, and this table calls a level
        left = ours.keys() - peer.keys()
        useless = {f"Tcp{name}" for name in ("RtoAlgorithm", "RtoMin", "RtoMax", "MaxConn", "CurrEstab")}
        return found + ([f"not in nstat: {left}"] if left - useless - {"IpForwarding", "IpDefaultTTL"} else [])

    assert not (found := settled(attempt)), "\n".join(found)


def test_the_levels_are_those_of_sockstat_and_snmp(inside: Namespace) -> None:
    levels = {row["counter"]: row["level"] for row in rows(inside) if "level" in row}
    sockstat = inside.run("cat /proc/net/sockstat") + inside.run("cat /proc/net/sockstat6")
    for line in sockstat.splitlines():
        title, *words = re.split(r":? ", line)
        for name, value in zip(words[::2], words[1::2], strict=True):
            if name != "mem":  # of the whole host
                assert levels[f"sockstat.{title}.{name}"] == int(value)
    established = sum(row["state"] in ("ESTAB", "CLOSE-WAIT") for row in sockets_of(inside))
    assert levels["Tcp.CurrEstab"] == established


def sockets_of(inside: Namespace) -> list[dict[str, Cell]]:
    return [row for row in collect("sockets", inside.host).rows() if row["netid"] == "tcp"]
