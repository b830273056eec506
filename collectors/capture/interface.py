"""One network interface as the capture needs it, by RTM_GETLINK: whether it is there and up, and what it lost."""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import dataclass

from collectors.netlink.dump import ask
from collectors.wire.netlink import NetlinkError, attribute, attribute_map, text

RTM_GETLINK = 18
# uapi linux/rtnetlink.h, struct ifinfomsg { u8 family; u8 pad; u16 type; s32 index; u32 flags; u32 change; }
IFINFOMSG = struct.Struct("=BxHiII")
HEADER = 16
IFF_UP = 1
IFLA_IFNAME, IFLA_MTU, IFLA_STATS64 = 3, 4, 23
RX_FIFO_ERRORS, RX_MISSED_ERRORS = 14, 15  # of the numbers of struct rtnl_link_stats64
LONGEST = 15  # bytes of a name
# libpcap takes these for other things than interfaces, and some of those make the kernel load modules
OTHERS = ("bluetooth", "dbus-", "nflog", "nfqueue", "usbmon")


@dataclass(frozen=True, slots=True)
class Interface:
    """``missed``: packets that it had no room for (rx_missed_errors, rx_fifo_errors)."""

    name: str
    index: int
    up: bool
    mtu: int
    missed: int


def interface(sock: socket.socket, name: str, index: int = 0) -> Interface | None:
    """By index where it is given, else by name; None where there is none. ``sock``: open_netlink's, NETLINK_ROUTE."""
    asked = b"" if index else attribute(IFLA_IFNAME, os.fsencode(name) + b"\0")
    try:
        found = ask(sock, RTM_GETLINK, IFINFOMSG.pack(0, 0, index, 0, 0) + asked)
    except NetlinkError as error:
        if error.errno in (errno.ENODEV, errno.EINVAL, errno.ERANGE):
            return None
        raise
    body = found.data[HEADER : int(found.lengths[0])].tobytes()
    _, _, number, flags, _ = IFINFOMSG.unpack_from(body)
    told = attribute_map(body[IFINFOMSG.size :])
    mtu = int.from_bytes(told.get(IFLA_MTU, b""), "little")
    called = text(told.get(IFLA_IFNAME, b""))
    return Interface(called, number, bool(flags & IFF_UP), mtu, lost(told.get(IFLA_STATS64, b"")))


def lost(statistics: bytes) -> int:
    if len(statistics) < (RX_MISSED_ERRORS + 1) * 8:
        return 0
    fifo, missed = struct.unpack_from("=2Q", statistics, RX_FIFO_ERRORS * 8)
    return int(fifo + missed)


def refused_name(name: str) -> str:
    """Why no interface can be meant by that name; empty where one can be."""
    if not name or len(os.fsencode(name)) > LONGEST or "/" in name or "\0" in name:
        return f"no interface can be called {name!r}"
    if name.startswith(OTHERS):
        return f"libpcap takes {name!r} for something other than a network interface, which is not captured here"
    return ""
