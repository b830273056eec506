"""What libpcap writes of a capture: whole packets behind the header of a pcap file, with nanoseconds."""

from __future__ import annotations

import ctypes
import errno
import os

from collectors.capture.libpcap import libc, libpcap, text

BUFFER = 256 << 10  # bytes that wait for a flush
IOFBF = 0  # stdio.h


class Dumper:
    """Packets of one device into one descriptor, as a pcap file with nanoseconds."""

    def __init__(self, capture: int, descriptor: int) -> None:
        self._lib = libpcap()
        own = os.dup(descriptor)
        file = libc().fdopen(own, b"wb")
        if not file:
            os.close(own)
            raise OSError(ctypes.get_errno(), "no memory for a file")
        libc().setvbuf(file, None, IOFBF, BUFFER)
        self._file = file
        self.pointer: int | None = self._lib.pcap_dump_fopen(capture, file)
        if not self.pointer:
            libc().fclose(file)
            raise OSError(errno.EIO, text(self._lib.pcap_geterr(capture)))

    def flush(self) -> int:
        """Bytes that stand in the file now; raises OSError where it takes no more."""
        if self._lib.pcap_dump_flush(self.pointer) or libc().ferror(self._file):
            number = ctypes.get_errno() or errno.EIO
            raise OSError(number, os.strerror(number))
        return self.position()

    def position(self) -> int:
        """Bytes that were written, whether they stand in the file yet or not."""
        return int(self._lib.pcap_dump_ftell64(self.pointer))

    def close(self) -> None:
        if self.pointer:
            self._lib.pcap_dump_close(self.pointer)
            self.pointer = None
