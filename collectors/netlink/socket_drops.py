"""Sockets that refuse packets: queues and drops of those that listen or take datagrams, from NETLINK_SOCK_DIAG."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import replace

from collectors.collector import Block, Collector, Raw
from collectors.host import Host
from collectors.netlink.modules import at_hand, missing
from collectors.netlink.sock_columns import COLUMNS as SOCKET_COLUMNS
from collectors.netlink.sockets import PARTS, Part, asked, instead
from collectors.netlink.sockets import decode as decode_sockets
from collectors.table import Gap, Table

TCP_LISTEN = 10
INET_DIAG_SKMEMINFO = 7
# struct inet_diag_req_v2 { __u8 sdiag_family, sdiag_protocol, idiag_ext, pad; __u32 idiag_states; … }
REQUEST = struct.Struct("=4BI")
# A TCP connection's drops are duplicates and segments out of window for the greatest part, and there may be a million.
WANTED = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "packet", "netlink")
NAMES = (
    "netid", "family", "state", "recv_q", "backlog", "backlog_limit", "src", "sport", "dst", "dport", "oif",
    "protocol", "inode", "cookie", "uid", "skmem_rmem_alloc", "skmem_rcvbuf", "drops",
)  # fmt: skip
COLUMNS = tuple(column for column in SOCKET_COLUMNS if column.name in NAMES)


def narrowed(part: Part) -> Part:
    """The same dump with the memory counters alone, of TCP only the sockets that listen."""
    if part.name in ("packet", "netlink"):
        return part
    family, protocol, _, _, states = REQUEST.unpack_from(part.body)
    if protocol == socket.IPPROTO_TCP:
        states = 1 << TCP_LISTEN
    head = REQUEST.pack(family, protocol, 1 << (INET_DIAG_SKMEMINFO - 1), 0, states)
    return replace(part, body=head + part.body[REQUEST.size :])


ASKED = tuple(narrowed(part) for part in PARTS if part.name in WANTED)


def read(host: Host) -> Iterator[Block | Gap]:
    present = at_hand(host)
    for part in ASKED:
        lacking = missing(part.modules, present)
        if lacking:
            names = " and ".join(lacking)
            yield from instead(host, part, f"{names} not loaded, and not loaded by asking", f"modprobe {lacking[-1]}")
        else:
            yield from asked(host, part)


def decode(raw: Raw) -> Table:
    return decode_sockets(raw).select([column.name for column in COLUMNS])


SOCKET_DROPS = Collector("socket_drops", COLUMNS, read, decode, "NETLINK_SOCK_DIAG and /proc/net")
