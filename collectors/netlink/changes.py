"""Which tables have changed, heard on rtnetlink's multicast groups (uapi linux/rtnetlink.h RTNLGRP_*)."""

from __future__ import annotations

import errno
import socket
import struct

from collectors.host import Host
from collectors.netlink.dump import NETLINK_ROUTE, SOL_NETLINK, open_netlink

NETLINK_ADD_MEMBERSHIP = 1
LARGEST = 1 << 20
MOST = 4096  # datagrams taken in one go

# RTNLGRP_LINK, NEIGH, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE, NEXTHOP
GROUPS = (1, 3, 5, 7, 8, 9, 11, 19, 32)
# message type without its lowest bits (NEW, DEL, GET) -> tables that it tells of. When a device comes, goes or goes
# down, and for IPv4 routes when an address goes, the kernel does without a word: it removes and marks routes
# (net/ipv4/fib_frontend.c, fib_disable_ip), removes nexthops (nexthop_flush_dev), detaches rules (detach_rules).
OBJECTS = {
    16: ("links", "routes", "rules", "nexthops"), 20: ("addresses", "routes"), 24: ("routes",), 28: ("neighbours",),
    32: ("rules",), 104: ("nexthops", "routes"),
}  # fmt: skip
# tables that change only when the kernel says so; not links, whose counters move silently, nor addresses, whose
# lifetimes do, nor neighbours, whose ages and states short of reachable, stale and failed do (net/core/neighbour.c)
FOLLOWED = frozenset({"routes", "rules", "nexthops"})


class Changes:
    """A socket in the host's namespace that hears of changes from now on."""

    def __init__(self, host: Host) -> None:
        self._sock = open_netlink(host, NETLINK_ROUTE)
        try:
            self._sock.bind((0, 0))
            for group in GROUPS:
                self._sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
        except OSError:
            self._sock.close()
            raise

    def heard(self) -> set[str]:
        """Tables that changed since the last call; all of them when messages were lost."""
        changed: set[str] = set()
        for _ in range(MOST):
            try:
                data = self._sock.recv(LARGEST, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                changed.update(*OBJECTS.values())
                continue
            if len(data) >= 16:
                (kind,) = struct.unpack_from("=H", data, 4)
                changed.update(OBJECTS.get(kind & ~3, ()))
        return changed

    def close(self) -> None:
        self._sock.close()
