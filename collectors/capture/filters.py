"""Capture filters, compiled by libpcap: also without a device, to see whether one is right and what it says if not."""

from __future__ import annotations

import ctypes

from collectors.capture.libpcap import NANO, NETMASK_UNKNOWN, Program, libpcap, text

ETHERNET = 1  # DLT_EN10MB
SNAPLEN = 262_144  # bytes of a packet at most, as tcpdump


class FilterError(ValueError):
    """A filter that libpcap does not take, in its own words."""


def compiled_for(capture: int, filter: str) -> Program:
    """With the netmask unknown: libpcap would look for an IPv4 address, and fail where there is none."""
    program = Program()
    if "\0" in filter:
        raise FilterError("a filter holds no NUL")
    written = filter.encode("utf-8", "surrogateescape")
    if libpcap().pcap_compile(capture, ctypes.byref(program), written, 1, NETMASK_UNKNOWN):
        raise FilterError(text(libpcap().pcap_geterr(capture)))
    return program


def compiled(filter: str, link: int = ETHERNET, snaplen: int = SNAPLEN) -> list[tuple[int, int, int, int]]:
    """The filter's instructions (code, jt, jf, k) for a link type, without any device; raises FilterError."""
    library = libpcap()
    dead = library.pcap_open_dead_with_tstamp_precision(link, snaplen, NANO)
    try:
        program = compiled_for(dead, filter)
        found = [(step.code, step.jt, step.jf, step.k) for step in program.instructions[: program.length]]
        library.pcap_freecode(ctypes.byref(program))
    finally:
        library.pcap_close(dead)
    return found
