"""Receiving many netlink messages by one system call, recvmmsg(2), which Python's socket does not have."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.host import libc

LARGEST = 256 << 10  # bytes that one datagram may have; the kernel fills some 32 KiB of them


# <bits/types/struct_iovec.h>, <bits/socket.h>: struct iovec, and struct msghdr with the length that recvmmsg adds
class Iovec(ctypes.Structure):
    _fields_ = (("iov_base", ctypes.c_size_t), ("iov_len", ctypes.c_size_t))


class Msghdr(ctypes.Structure):
    _fields_ = (
        ("msg_name", ctypes.c_size_t),
        ("msg_namelen", ctypes.c_uint),
        ("msg_iov", ctypes.c_size_t),
        ("msg_iovlen", ctypes.c_size_t),
        ("msg_control", ctypes.c_size_t),
        ("msg_controllen", ctypes.c_size_t),
        ("msg_flags", ctypes.c_int),
    )


class Mmsghdr(ctypes.Structure):
    _fields_ = (("msg_hdr", Msghdr), ("msg_len", ctypes.c_uint))


IOVEC, MMSGHDR = np.dtype(Iovec), np.dtype(Mmsghdr)


class Receiver:
    """Room for ``most`` datagrams, used again by each call: only pages that are written to take memory."""

    def __init__(self, most: int) -> None:
        self._room = np.empty((most, LARGEST), np.uint8)
        self._vectors, self._heads = np.zeros(most, IOVEC), np.zeros(most, MMSGHDR)
        self._vectors["iov_base"] = addresses(self._room)
        self._vectors["iov_len"] = LARGEST
        self._heads["msg_hdr"]["msg_iov"] = addresses(self._vectors)
        self._heads["msg_hdr"]["msg_iovlen"] = 1
        self._recvmmsg = libc().recvmmsg

    def receive(self, sock: socket.socket, most: int, kept: int = 0) -> list[NDArray[np.uint8]]:
        """Up to ``most`` datagrams that are there, as views that a later call overwrites; [] where there is none.

        ``kept``: how many of those received before it leaves as they are; they count among ``most``.
        A netlink socket in the middle of a dump makes its next part at once, within the same call.
        """
        count = self._recvmmsg(
            sock.fileno(),
            ctypes.c_void_p(self._heads.ctypes.data + kept * self._heads.itemsize),
            min(most, len(self._heads)) - kept,
            socket.MSG_DONTWAIT,
            None,
        )
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return []
            raise OSError(number, os.strerror(number))
        lengths = self._heads["msg_len"][kept : kept + count].tolist()
        return [self._room[at, :length] for at, length in enumerate(lengths, kept)]


def addresses(array: NDArray[Any]) -> NDArray[np.uintp]:
    """Where each of its first axis' elements stands in memory."""
    return array.ctypes.data + np.arange(len(array), dtype=np.uintp) * np.uintp(array.strides[0])
