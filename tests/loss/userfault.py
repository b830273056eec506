"""Stalled: a thread that stands still within recv(), its socket locked, at a page that userfaultfd(2) holds back."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import select
import socket
import struct
import threading

SYS_USERFAULTFD = {"x86_64": 323, "aarch64": 282}[os.uname().machine]
# <linux/userfaultfd.h>
UFFD_API, UFFDIO_REGISTER_MODE_MISSING = 0xAA, 1
UFFDIO_API, UFFDIO_REGISTER, UFFDIO_ZEROPAGE = 0xC018AA3F, 0xC020AA00, 0xC020AA04
LONG = 10.0  # seconds after which a test gives up


class Stalled:
    """While open, what comes for ``sock`` goes to its backlog."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._descriptor = ctypes.CDLL(None, use_errno=True).syscall(SYS_USERFAULTFD, os.O_CLOEXEC)
        assert self._descriptor >= 0, os.strerror(ctypes.get_errno())
        self._first: list[int] = []
        self._thread = threading.Thread(target=self._receive, daemon=True)

    def __enter__(self) -> Stalled:
        self._at = ctypes.addressof(ctypes.c_char.from_buffer(self._page))
        fcntl.ioctl(self._descriptor, UFFDIO_API, bytearray(struct.pack("=3Q", UFFD_API, 0, 0)))
        held = struct.pack("=4Q", self._at, mmap.PAGESIZE, UFFDIO_REGISTER_MODE_MISSING, 0)
        fcntl.ioctl(self._descriptor, UFFDIO_REGISTER, bytearray(held))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)  # lets it go on, whatever happened
        self._thread.join(LONG)

    def wait(self) -> None:
        """Until it stands still."""
        assert select.select([self._descriptor], [], [], LONG)[0], "the thread did not touch its page"

    def taken(self) -> int:
        """Lets it go on; how many bytes the socket had kept."""
        zeros = struct.pack("=4Q", self._at, mmap.PAGESIZE, 0, 0)
        fcntl.ioctl(self._descriptor, UFFDIO_ZEROPAGE, bytearray(zeros))
        self._thread.join(LONG)
        total = sum(self._first)
        self._sock.settimeout(0.2)
        try:
            while got := len(self._sock.recv(1 << 20)):
                total += got
        except TimeoutError:
            return total
        return total

    def _receive(self) -> None:
        self._first.append(self._sock.recv_into(self._page, 100))
