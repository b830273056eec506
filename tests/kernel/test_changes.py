"""What the multicast groups tell, and that nothing is missed when they tell too much."""

import socket
import time

from collectors.netlink.changes import FOLLOWED, Changes
from tests.lab import Namespace, joined_pair, namespace, needs_root

pytestmark = needs_root


def heard_of(inside: Namespace, *commands: str) -> set[str]:
    changes = Changes(inside.host)
    try:
        inside.run(*(f"ip {command}" for command in commands))
        time.sleep(0.05)
        return changes.heard()
    finally:
        changes.close()


def test_each_kind_of_change_is_heard_as_its_table():
    with joined_pair() as (left, _):
        assert "addresses" in heard_of(left, "address add 10.9.0.77/24 dev left0")
        assert "routes" in heard_of(left, "route add 198.51.100.0/24 via 10.9.0.2")
        assert "routes" in heard_of(left, "route add 2001:db8::/32 via fd09::2")
        assert "rules" in heard_of(left, "rule add fwmark 23 table 23")
        assert "rules" in heard_of(left, "-6 rule add fwmark 23 table 23")
        assert "neighbours" in heard_of(left, "neigh add 10.9.0.9 lladdr 02:00:00:00:00:09 dev left0")
        assert "nexthops" in heard_of(left, "nexthop add id 23 via 10.9.0.2 dev left0")
        assert {"links", "routes"} <= heard_of(left, "link set left0 mtu 1400")


def test_what_a_device_takes_along_silently_counts_as_changed():
    with joined_pair() as (left, _):
        left.ip("nexthop add id 23 via 10.9.0.2 dev left0")
        assert "nexthops" in heard_of(left, "link set left0 down")
        assert left.json("ip -j nexthop") == []
        left.ip("rule add iif later0 table 23")
        assert "rules" in heard_of(left, "link add later0 type veth peer name later1")


def test_silence_is_silence():
    with namespace() as inside:
        assert heard_of(inside, "link show") == set()


def test_when_messages_were_lost_every_followed_table_counts_as_changed():
    with namespace() as inside:
        changes = Changes(inside.host)
        changes._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        inside.ip(*(f"route add blackhole 198.51.{i >> 8}.{i & 255}" for i in range(1009)))
        assert changes.heard() >= FOLLOWED
        assert changes.heard() == set()  # the socket goes on hearing after the loss
        inside.ip("rule add fwmark 23 table 23")
        time.sleep(0.05)
        assert changes.heard() == {"rules"}
        changes.close()
