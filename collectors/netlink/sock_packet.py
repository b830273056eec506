"""Packet sockets, from sock_diag's packet_diag (uapi linux/packet_diag.h)."""

from __future__ import annotations

import socket
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netlink.names import NameBits
from collectors.netlink.sock_columns import COLUMNS, TCP_CLOSE, put_known, put_memory, state
from collectors.table import Table
from collectors.values import Cell, Index
from collectors.wire.netlink import Messages
from collectors.wire.shapes import Shape, shapes

PACKET_DIAG_INFO, PACKET_DIAG_MCLIST, PACKET_DIAG_RX_RING, PACKET_DIAG_TX_RING, PACKET_DIAG_FANOUT = range(5)
PACKET_DIAG_UID, PACKET_DIAG_MEMINFO, PACKET_DIAG_FILTER = 5, 6, 7
PACKET_SHOW = 0x01 | 0x04 | 0x08 | 0x10 | 0x20  # info with uid, rings, fanout, meminfo, filter

# struct packet_diag_msg { __u8 pdiag_family, pdiag_type; __u16 pdiag_num; __u32 pdiag_ino, pdiag_cookie[2]; }
PACKET_DIAG_MSG = np.dtype(
    [
        ("pdiag_family", "u1"),
        ("pdiag_type", "u1"),
        ("pdiag_num", "<u2"),
        ("pdiag_ino", "<u4"),
        ("pdiag_cookie", "<u8"),
    ]
)
# struct packet_diag_info
PACKET_DIAG_INFO_FIELDS = np.dtype(
    [
        ("pdi_index", "<u4"),
        ("pdi_version", "<u4"),
        ("pdi_reserve", "<u4"),
        ("pdi_copy_thresh", "<u4"),
        ("pdi_tstamp", "<u4"),
        ("pdi_flags", "<u4"),
    ]
)
# struct packet_diag_ring, in ss's words
RING = ("blk_size", "blk_nr", "frm_size", "frm_nr", "tmo", "sizeof_priv", "features")
FANOUT = ("hash", "lb", "cpu", "roll", "random", "qm", "cbpf", "ebpf")
FLAGS = NameBits({1: "running", 2: "auxdata", 4: "origdev", 8: "vnethdr", 16: "loss"})
NETIDS: dict[int, str] = {socket.SOCK_RAW: "p_raw", socket.SOCK_DGRAM: "p_dgr"}
# uapi linux/if_ether.h, in iproute2's words
ETHER_TYPES = {
    0x0001: "802_3", 0x0003: "all", 0x0004: "802_2", 0x0800: "ip", 0x0806: "arp", 0x8035: "rarp", 0x8100: "802.1Q",
    0x86DD: "ipv6", 0x8809: "slow", 0x8847: "mpls_uc", 0x8848: "mpls_mc", 0x8863: "ppp_disc", 0x8864: "ppp_ses",
    0x888E: "802.1X", 0x88A8: "802.1ad", 0x88CC: "LLDP", 0x88F7: "ptp",
}  # fmt: skip


def request_body() -> bytes:
    """struct packet_diag_req for all sockets."""
    return struct.pack("=BBHIIII", socket.AF_PACKET, 0, 0, 0, PACKET_SHOW, 0, 0)


def rows(messages: Messages) -> Table:
    draft = Draft(COLUMNS, len(messages))
    draft.same("family", "packet")
    draft.same("state", state(TCP_CLOSE))
    for shape in shapes(messages, PACKET_DIAG_MSG.itemsize):
        header, at = shape.header(PACKET_DIAG_MSG), shape.at
        draft.named("netid", np.ascontiguousarray(header["pdiag_type"]), netid, at)
        draft.named("protocol", header["pdiag_num"], ether_type, at)
        put_known(draft, "inode", header["pdiag_ino"], at)
        draft.numbers("cookie", header["pdiag_cookie"], at)
        put_attributes(draft, shape)
        memory = put_memory(draft, shape, PACKET_DIAG_MEMINFO)
        if "skmem_rmem_alloc" in memory:
            draft.numbers("recv_q", memory["skmem_rmem_alloc"], at)
    return draft.table()


def put_attributes(draft: Draft, shape: Shape) -> None:
    at = shape.at
    if PACKET_DIAG_UID in shape:
        draft.numbers("uid", shape.number("<u4", PACKET_DIAG_UID), at)
    if PACKET_DIAG_INFO in shape:
        put_info(draft, at, shape.struct(PACKET_DIAG_INFO_FIELDS, PACKET_DIAG_INFO))
    for name, number in (("ring_rx", PACKET_DIAG_RX_RING), ("ring_tx", PACKET_DIAG_TX_RING)):
        if number in shape:
            draft.spelled(name, shape.bytes_of(number), ring, at)
    if PACKET_DIAG_FANOUT in shape:
        draft.named("fanout", shape.number("<u4", PACKET_DIAG_FANOUT), fanout, at)
    if PACKET_DIAG_FILTER in shape:
        draft.numbers("bpf_filter", shape.bytes_of(PACKET_DIAG_FILTER).shape[1] // 8, at)  # struct sock_filter


def put_info(draft: Draft, at: Index, info: dict[str, NDArray[Any]]) -> None:
    if "pdi_flags" in info:
        put_known(draft, "oif", info["pdi_index"], at)
        draft.numbers("packet_version", info["pdi_version"], at)
        draft.numbers("copy_thresh", info["pdi_copy_thresh"], at)
        draft.named("packet_flags", info["pdi_flags"], FLAGS, at)


def netid(kind: int) -> str:
    return NETIDS.get(kind, f"p_{kind}")


def ether_type(number: int) -> str | None:
    """What the socket receives; nothing when it is 0."""
    return ETHER_TYPES.get(number, f"[{number}]") if number else None


def ring(value: bytes) -> dict[str, Cell] | None:
    return dict(zip(RING, struct.unpack_from("=7I", value), strict=True)) if len(value) >= 28 else None


def fanout(number: int) -> Cell:
    kind = number >> 16 & 0xFF
    return {"id": number & 0xFFFF, "type": FANOUT[kind] if kind < len(FANOUT) else hex(kind)}
