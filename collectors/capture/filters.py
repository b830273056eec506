"""Capture filters, compiled by libpcap: also without a device, to see whether one is right and what it says if not."""

from __future__ import annotations

import ctypes
import os
import struct

from collectors.capture.libpcap import NANO, NETMASK_UNKNOWN, Program, libc, libpcap, text
from collectors.wire.packets.bpf import Instruction

ETHERNET = 1  # DLT_EN10MB
ERROR_SIZE = 256  # PCAP_ERRBUF_SIZE
SNAPLEN = 262_144  # bytes of a packet at most, as tcpdump


class FilterError(ValueError):
    """A filter that libpcap does not take, in its own words."""


def compiled_for(capture: int, filter: str, netmask: int = NETMASK_UNKNOWN) -> Program:
    """With the netmask unknown: libpcap would look for an IPv4 address, and fail where there is none."""
    program = Program()
    if "\0" in filter:
        raise FilterError("a filter holds no NUL")
    written = filter.encode("utf-8", "surrogateescape")
    if libpcap().pcap_compile(capture, ctypes.byref(program), written, 1, netmask):
        raise FilterError(text(libpcap().pcap_geterr(capture)))
    return program


def compiled(filter: str, link: int = ETHERNET, snaplen: int = SNAPLEN) -> list[Instruction]:
    """The filter's instructions (code, jt, jf, k) for a link type, without any device; raises FilterError."""
    return closing(libpcap().pcap_open_dead_with_tstamp_precision(link, snaplen, NANO), filter)


def compiled_for_file(filter: str, link: int = ETHERNET, snaplen: int = SNAPLEN) -> list[Instruction]:
    """The same for packets of a file, where nothing can be asked that only the kernel knows of a packet (inbound).

    ``link``: a LINKTYPE_ number, as files have it.
    """
    descriptor = os.memfd_create("filter")
    try:
        os.pwrite(descriptor, struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, link), 0)
        file = libc().fdopen(descriptor, b"rb")
        if not file:
            raise OSError(ctypes.get_errno(), "no memory for a file")
    except OSError:
        os.close(descriptor)
        raise
    said = ctypes.create_string_buffer(ERROR_SIZE)
    capture = libpcap().pcap_fopen_offline_with_tstamp_precision(file, NANO, said)
    if not capture:
        libc().fclose(file)
        raise FilterError(text(said.value))
    return closing(capture, filter, 0)  # as tcpdump -r: ip broadcast is 255.255.255.255 and 0.0.0.0


def closing(capture: int, filter: str, netmask: int = NETMASK_UNKNOWN) -> list[Instruction]:
    """The filter compiled for a capture that is closed then."""
    library = libpcap()
    try:
        program = compiled_for(capture, filter, netmask)
        found = [(step.code, step.jt, step.jf, step.k) for step in program.instructions[: program.length]]
        library.pcap_freecode(ctypes.byref(program))
    finally:
        library.pcap_close(capture)
    return found
