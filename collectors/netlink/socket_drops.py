"""Sockets that refused packets, and listeners whose connections wait, from NETLINK_SOCK_DIAG."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink.dump import NETLINK_SOCK_DIAG, dumps, open_netlink
from collectors.netlink.modules import at_hand, missing
from collectors.netlink.receiving import Receiver
from collectors.netlink.sock_columns import COLUMNS as SOCKET_COLUMNS
from collectors.netlink.sock_columns import SK_MEMINFO, TCP_LISTEN
from collectors.netlink.sock_inet import INET_DIAG_MSG, INET_DIAG_SKMEMINFO
from collectors.netlink.sock_netlink import NETLINK_DIAG_MEMINFO, NETLINK_DIAG_MSG
from collectors.netlink.sock_packet import PACKET_DIAG_MEMINFO, PACKET_DIAG_MSG
from collectors.netlink.sockets import LISTED, PARTS, SOCK_DIAG_BY_FAMILY, Part, asked, decoded, instead
from collectors.table import Gap, Table
from collectors.wire.netlink import NLMSG_DONE, NLMSGHDR, Messages
from collectors.wire.shapes import shapes

# struct inet_diag_req_v2 { __u8 sdiag_family, sdiag_protocol, idiag_ext, pad; __u32 idiag_states; … }
REQUEST = struct.Struct("=4BI")
# A TCP connection's drops are duplicates and segments out of window for the greatest part, and there may be a million.
WANTED = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "packet", "netlink")
MEMORY = {"packet": (PACKET_DIAG_MSG, PACKET_DIAG_MEMINFO), "netlink": (NETLINK_DIAG_MSG, NETLINK_DIAG_MEMINFO)}
NAMES = (
    "netid", "family", "state", "recv_q", "backlog", "backlog_limit", "src", "sport", "dst", "dport", "oif",
    "protocol", "inode", "cookie", "uid", "skmem_rmem_alloc", "skmem_rcvbuf", "drops",
)  # fmt: skip
COLUMNS = tuple(column for column in SOCKET_COLUMNS if column.name in NAMES)
NONE = Draft(COLUMNS, 0).table()
END = NLMSGHDR.pack(20, NLMSG_DONE, 0, 0, 0) + bytes(4)
DATAGRAMS = 16  # received at a time: half a MiB


def narrowed(part: Part) -> Part:
    """The same dump with the memory counters alone, of TCP only the sockets that listen; its rows as ``telling``."""
    rows = partial(told, part)
    if part.name in MEMORY:
        return replace(part, rows=rows)
    family, protocol, _, _, states = REQUEST.unpack_from(part.body)
    if protocol == socket.IPPROTO_TCP:
        states = 1 << TCP_LISTEN
    head = REQUEST.pack(family, protocol, 1 << (INET_DIAG_SKMEMINFO - 1), 0, states)
    return replace(part, body=head + part.body[REQUEST.size :], rows=rows)


def told(part: Part, messages: Messages) -> Table:
    wanted = telling(part.name, messages)
    return part.rows(wanted).select([column.name for column in COLUMNS]) if len(wanted) else NONE


def telling(name: str, messages: Messages) -> Messages:
    """The sockets that dropped anything, and the listeners that have connections waiting: few among many."""
    header, memory = MEMORY.get(name, (INET_DIAG_MSG, INET_DIAG_SKMEMINFO))
    wanted = np.zeros(len(messages), np.bool_)
    for shape in shapes(messages, header.itemsize):
        if memory in shape and "drops" in (known := shape.struct(SK_MEMINFO, memory)):
            wanted[shape.at] = known["drops"] > 0
        if header is INET_DIAG_MSG:
            head = shape.header(header)
            wanted[shape.at] |= (head["idiag_state"] == TCP_LISTEN) & (head["idiag_rqueue"] > 0)
    return messages.take(wanted)


ASKED = tuple(narrowed(part) for part in PARTS if part.name in WANTED)
DECODERS = {part.name: part.rows for part in ASKED}


def read(host: Host) -> Iterator[Block | Gap]:
    """The parts that have any sockets: on most hosts half of them have none."""
    present, receiver = at_hand(host), Receiver(DATAGRAMS)
    with open_netlink(host, NETLINK_SOCK_DIAG) as sock:
        for part in ASKED:
            lacking = missing(part.modules, present)
            if lacking:
                names = " and ".join(lacking)
                found = instead(host, part, f"{names} not loaded, and not loaded by asking", f"modprobe {lacking[-1]}")
            else:
                answer = dumps(sock, SOCK_DIAG_BY_FAMILY, [part.body], part.name, receiver)
                found = asked(host, part, (block for block in answer if not empty(block)))
            yield from (item for item in found if isinstance(item, Gap) or not empty(item))


def empty(block: Block) -> bool:
    """A listing with its heading alone, or an answer that ends at once, without an error."""
    if block.part.startswith(LISTED):
        return bytes(block.data).count(b"\n") <= 1
    return len(block.data) == len(END) and bytes(block.data[4:6]) == END[4:6] and bytes(block.data[16:]) == END[16:]


def decode(raw: Raw) -> Table:
    return decoded(raw, DECODERS)


SOCKET_DROPS = Collector("socket_drops", COLUMNS, read, decode, "NETLINK_SOCK_DIAG and /proc/net")
