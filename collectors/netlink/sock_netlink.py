"""Netlink sockets, from sock_diag's netlink_diag (uapi linux/netlink_diag.h)."""

from __future__ import annotations

import socket
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netlink.names import NameBits, configured
from collectors.netlink.sock_columns import COLUMNS, TCP_CLOSE, put_known, put_memory, state
from collectors.table import Table
from collectors.values import Cell, Index
from collectors.wire.netlink import Messages
from collectors.wire.shapes import Shape, shapes

NETLINK_DIAG_MEMINFO, NETLINK_DIAG_GROUPS, NETLINK_DIAG_FLAGS = 0, 1, 4
NDIAG_SHOW = 0x01 | 0x02 | 0x08  # meminfo, groups, flags (since 4.6)
NDIAG_PROTO_ALL = 0xFF
NETLINK_CONNECTED = 1

# struct netlink_diag_msg { __u8 ndiag_family, ndiag_type, ndiag_protocol, ndiag_state;
# __u32 ndiag_portid, ndiag_dst_portid, ndiag_dst_group, ndiag_ino, ndiag_cookie[2]; }
NETLINK_DIAG_MSG = np.dtype(
    [
        ("ndiag_family", "u1"),
        ("ndiag_type", "u1"),
        ("ndiag_protocol", "u1"),
        ("ndiag_state", "u1"),
        ("ndiag_portid", "<u4"),
        ("ndiag_dst_portid", "<u4"),
        ("ndiag_dst_group", "<u4"),
        ("ndiag_ino", "<u4"),
        ("ndiag_cookie", "<u8"),
    ]
)
FLAGS = NameBits(
    {1: "cb_running", 2: "pktinfo", 4: "broadcast_error", 8: "no_enobufs", 16: "listen_all_nsid", 32: "cap_ack"}
)
# iproute2's etc/iproute2/nl_protos
PROTOCOLS = {
    0: "rtnl", 1: "unused", 2: "usersock", 3: "fw", 4: "tcpdiag", 5: "nflog", 6: "xfrm", 7: "selinux", 8: "iscsi",
    9: "audit", 10: "fiblookup", 11: "connector", 12: "nft", 13: "ip6fw", 14: "dec-rt", 15: "uevent", 16: "genl",
    18: "scsi-trans", 19: "ecryptfs", 20: "rdma", 21: "crypto",
}  # fmt: skip


def request_body() -> bytes:
    """struct netlink_diag_req for the sockets of all netlink families."""
    return struct.pack("=BBHIIII", socket.AF_NETLINK, NDIAG_PROTO_ALL, 0, 0, NDIAG_SHOW, 0, 0)


def rows(messages: Messages) -> Table:
    """One row per socket: the kernel gives those that listen to multicast groups twice."""
    draft = Draft(COLUMNS, len(messages))
    draft.same("family", "netlink")
    draft.same("netid", "nl")
    draft.same("state", state(TCP_CLOSE))
    for shape in shapes(messages, NETLINK_DIAG_MSG.itemsize):
        header, at = shape.header(NETLINK_DIAG_MSG), shape.at
        draft.named("protocol", np.ascontiguousarray(header["ndiag_protocol"]), protocol_name, at)
        draft.numbers("portid", header["ndiag_portid"], at)
        draft.numbers("cookie", header["ndiag_cookie"], at)
        put_known(draft, "inode", header["ndiag_ino"], at)
        put_peer(draft, at, header)
        put_attributes(draft, shape)
    table = draft.table()
    _, first = np.unique(table.numbers("cookie").numbers, return_index=True)
    return table if len(first) == len(table) else table.take(np.sort(first))


def put_peer(draft: Draft, at: Index, header: NDArray[Any]) -> None:
    connected = header["ndiag_state"] == NETLINK_CONNECTED
    if connected.any():
        draft.numbers("dst_portid", header["ndiag_dst_portid"], at, connected)
        draft.numbers("dst_group", header["ndiag_dst_group"], at, connected)


def put_attributes(draft: Draft, shape: Shape) -> None:
    at = shape.at
    memory = put_memory(draft, shape, NETLINK_DIAG_MEMINFO)
    if "skmem_wmem_alloc" in memory:
        draft.numbers("recv_q", memory["skmem_rmem_alloc"], at)
        draft.numbers("send_q", memory["skmem_wmem_alloc"], at)
    if NETLINK_DIAG_GROUPS in shape:
        draft.spelled("groups", shape.bytes_of(NETLINK_DIAG_GROUPS), groups, at)
    if NETLINK_DIAG_FLAGS in shape:
        draft.named("netlink_flags", shape.number("<u4", NETLINK_DIAG_FLAGS), FLAGS, at)


def protocol_name(number: int) -> str:
    return configured("nl_protos").get(number) or PROTOCOLS.get(number, str(number))


def groups(value: bytes) -> Cell:
    """The numbers of the groups, from 1 on, whose bits are set; None when there are none."""
    bits = int.from_bytes(value, "little")
    return [place + 1 for place in range(len(value) * 8) if bits >> place & 1] or None
