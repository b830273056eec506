"""UNIX sockets, from sock_diag's unix_diag (uapi linux/unix_diag.h)."""

from __future__ import annotations

import socket
import struct

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netlink.sock_columns import (
    COLUMNS,
    TCP_LISTEN,
    put_known,
    put_memory,
    put_queues,
    put_states,
    shutdown,
)
from collectors.netlink.sock_tcp_info import divided
from collectors.table import Table
from collectors.values import Cell
from collectors.wire.netlink import Messages
from collectors.wire.shapes import Shape, shapes

UNIX_DIAG_NAME, UNIX_DIAG_VFS, UNIX_DIAG_PEER, UNIX_DIAG_ICONS, UNIX_DIAG_RQLEN = range(5)
UNIX_DIAG_MEMINFO, UNIX_DIAG_SHUTDOWN, UNIX_DIAG_UID = 5, 6, 7
UDIAG_SHOW = 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x20 | 0x40  # name, vfs, peer, icons, rqlen, meminfo, uid (since 5.3)

# struct unix_diag_msg { __u8 udiag_family, udiag_type, udiag_state, pad; __u32 udiag_ino, udiag_cookie[2]; }
UNIX_DIAG_MSG = np.dtype(
    [
        ("udiag_family", "u1"),
        ("udiag_type", "u1"),
        ("udiag_state", "u1"),
        ("pad", "u1"),
        ("udiag_ino", "<u4"),
        ("udiag_cookie", "<u8"),
    ]
)
VFS = np.dtype([("vfs_inode", "<u4"), ("vfs_dev", "<u4")])  # struct unix_diag_vfs
RQLEN = np.dtype([("udiag_rqueue", "<u4"), ("udiag_wqueue", "<u4")])  # struct unix_diag_rqlen
NETIDS: dict[int, str] = {socket.SOCK_STREAM: "u_str", socket.SOCK_DGRAM: "u_dgr", socket.SOCK_SEQPACKET: "u_seq"}


def request_body() -> bytes:
    """struct unix_diag_req for all sockets in every state."""
    return struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, UDIAG_SHOW, 0, 0)


def rows(messages: Messages) -> Table:
    draft = Draft(COLUMNS, len(messages))
    draft.same("family", "unix")
    for shape in shapes(messages, UNIX_DIAG_MSG.itemsize):
        header, at = shape.header(UNIX_DIAG_MSG), shape.at
        draft.named("netid", np.ascontiguousarray(header["udiag_type"]), netid, at)
        put_states(draft, np.ascontiguousarray(header["udiag_state"]), at)
        put_known(draft, "inode", header["udiag_ino"], at)
        draft.numbers("cookie", header["udiag_cookie"], at)
        put_attributes(draft, shape)
        put_memory(draft, shape, UNIX_DIAG_MEMINFO)
        if UNIX_DIAG_RQLEN in shape:
            for part, listening in divided(shape, header["udiag_state"] == TCP_LISTEN):
                put_lengths(draft, part, listening)
    return draft.table()


def put_lengths(draft: Draft, shape: Shape, listening: bool) -> None:
    queues: dict[str, NDArray[np.uint32]] = shape.struct(RQLEN, UNIX_DIAG_RQLEN)
    if len(queues) == 2:
        put_queues(draft, queues["udiag_rqueue"], queues["udiag_wqueue"], listening, shape.at)


def put_attributes(draft: Draft, shape: Shape) -> None:
    at = shape.at
    if UNIX_DIAG_NAME in shape:
        draft.spelled("path", shape.bytes_of(UNIX_DIAG_NAME), path, at)
    if UNIX_DIAG_PEER in shape:
        put_known(draft, "peer_inode", shape.number("<u4", UNIX_DIAG_PEER), at)
    if UNIX_DIAG_UID in shape:
        draft.numbers("uid", shape.number("<u4", UNIX_DIAG_UID), at)
    if UNIX_DIAG_ICONS in shape:
        draft.spelled("peers", shape.bytes_of(UNIX_DIAG_ICONS), inodes, at)
    if UNIX_DIAG_VFS in shape:
        for name, numbers in shape.struct(VFS, UNIX_DIAG_VFS).items():
            draft.numbers(name, numbers, at)
    if UNIX_DIAG_SHUTDOWN in shape:
        draft.named("shutdown", np.ascontiguousarray(shape.number("u1", UNIX_DIAG_SHUTDOWN)), shutdown, at)


def netid(kind: int) -> str:
    return NETIDS.get(kind, f"u_{kind}")


def inodes(value: bytes) -> Cell:
    """The sockets that wait for accept(), None for none; one that waits with 0 is not connected any more."""
    found: list[Cell] = [inode for (inode,) in struct.iter_unpack("=I", value[: len(value) & ~3]) if inode]
    return found or None


def path(value: bytes) -> str | None:
    """A path up to its NUL; an abstract name begins with NUL, and ss shows each of its NULs as @."""
    if value.startswith(b"\0"):
        value = value.replace(b"\0", b"@")
    return value.split(b"\0", 1)[0].decode("utf-8", "surrogateescape") or None
