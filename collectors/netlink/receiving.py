"""Receiving many netlink messages by one system call, recvmmsg(2), which Python's socket does not have."""

from __future__ import annotations

import ctypes
import errno
import os
import socket

import numpy as np
from numpy.typing import NDArray

from collectors.host import libc

LARGEST = 256 << 10  # bytes that one datagram may have; the kernel fills some 32 KiB of them
# <bits/socket.h>, struct msghdr with the length that recvmmsg adds: struct mmsghdr, 64-bit
MMSGHDR = np.dtype(
    {
        "names": ["msg_iov", "msg_iovlen", "msg_flags", "msg_len"],
        "formats": ["<u8", "<u8", "<i4", "<u4"],
        "offsets": [16, 24, 48, 56],
        "itemsize": 64,
    }
)
IOVEC = np.dtype([("iov_base", "<u8"), ("iov_len", "<u8")])


class Receiver:
    """Room for ``most`` datagrams, used again by each call: only pages that are written to take memory."""

    def __init__(self, most: int) -> None:
        self._room = np.empty((most, LARGEST), np.uint8)
        self._vectors = np.zeros(most, IOVEC)
        self._heads = np.zeros(most, MMSGHDR)
        self._vectors["iov_base"] = self._room.ctypes.data + np.arange(most, dtype=np.uint64) * np.uint64(LARGEST)
        self._vectors["iov_len"] = LARGEST
        self._heads["msg_iov"] = self._vectors.ctypes.data + np.arange(most, dtype=np.uint64) * np.uint64(16)
        self._heads["msg_iovlen"] = 1

    def receive(self, sock: socket.socket, most: int) -> list[NDArray[np.uint8]]:
        """Up to ``most`` datagrams that are there, as views that the next call overwrites; [] where there is none.

        A netlink socket in the middle of a dump makes its next part at once, within the same call.
        """
        count = libc().recvmmsg(
            sock.fileno(),
            ctypes.c_void_p(self._heads.ctypes.data),
            min(most, len(self._heads)),
            socket.MSG_DONTWAIT,
            None,
        )
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return []
            raise OSError(number, os.strerror(number))
        return [self._room[at, :length] for at, length in enumerate(self._heads["msg_len"][:count].tolist())]
