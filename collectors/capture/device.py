"""A device opened for capture, in whichever namespace it is: the filter, what libpcap says against it, and notes."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Literal, NamedTuple

from collectors.capture.dumper import Dumper
from collectors.capture.filters import SNAPLEN, compiled_for
from collectors.capture.interface import Interface, interface, refused_name
from collectors.capture.libpcap import (
    DIRECTIONS,
    IFACE_NOT_UP,
    NANO,
    NO_SUCH_DEVICE,
    PERM_DENIED,
    PROMISC_PERM_DENIED,
    Program,
    Stat,
    libpcap,
    text,
)
from collectors.capture.notes import notes
from collectors.host import Host
from collectors.netlink.dump import NETLINK_ROUTE, open_netlink
from collectors.table import Gap

ANY = "any"
BUFFER = 64 << 20  # bytes that the kernel may hold before it drops
BLOCK = 50  # milliseconds until the kernel hands over a block that is not full
COOKED = 276  # DLT_LINUX_SLL2, which tells the interface of each packet on "any"
SIOCGIFNAME = 0x8910  # uapi linux/sockios.h
PRECISION = {0: 1000, 1: 1}  # of libpcap's stamps, in nanoseconds

PERMITTED = (
    "run it by sudo, or give it this one capability: as root, `setpriv --reuid USER --init-groups "
    "--inh-caps +net_raw --ambient-caps +net_raw nettui …`, or AmbientCapabilities=CAP_NET_RAW in a unit of systemd"
)
NOT_UP = "`ip link set dev DEVICE up` brings it up; nothing arrives before"


State = Literal["up", "down", "gone"]


class CaptureError(OSError):
    """Nothing can be captured (any more): ``gap`` tells why, and what would help."""

    def __init__(self, number: int, gap: Gap) -> None:
        super().__init__(number, f"{gap.reason}: {gap.remedy}" if gap.remedy else gap.reason)
        self.gap = gap


class Written(NamedTuple):
    """``packets`` of a dispatch that were written; ``more``: there may be further ones already."""

    packets: int
    more: bool


@dataclass(frozen=True, slots=True)
class Statistics:
    """Since the device was opened: packets that passed the filter, and of these what the kernel's buffer had no room
    for; ``interface``: what the device itself lost since then, None on "any"."""

    received: int
    dropped: int
    interface: int | None
    state: State


class Device:
    """An active capture that never waits; one thread at a time uses it, but any may compile a filter for it."""

    def __init__(self, capture: int, sock: socket.socket, found: Interface | None, notes: tuple[Gap, ...]) -> None:
        self._lib, self._open, self._sock, self._found = libpcap(), capture, sock, found
        self._compiling = threading.Lock()
        self._dump = ctypes.cast(self._lib.pcap_dump, ctypes.c_void_p)
        self._received, self._drops, self._missed = Wrapping(), Wrapping(), 0
        self.name = found.name if found else ANY
        self.notes = notes
        self.link: int = self._lib.pcap_datalink(capture)
        self.link_name = text(self._lib.pcap_datalink_val_to_name(self.link))
        self.snaplen: int = self._lib.pcap_snapshot(capture)
        self.unit = PRECISION[self._lib.pcap_get_tstamp_precision(capture)]

    @property
    def _capture(self) -> int:
        """Not 0, which libpcap would follow."""
        if not self._open:
            raise ValueError(f"{self.name}: the capture is closed")
        return self._open

    def descriptor(self) -> int:
        """Readable when there are packets; of the capture, closed with it."""
        return int(self._lib.pcap_get_selectable_fd(self._capture))

    def dumper(self, descriptor: int) -> Dumper:
        return Dumper(self._capture, descriptor)

    def dispatch(self, most: int, dumper: Dumper) -> Written:
        """Write what is there, ``most`` packets at most; CaptureError when the capture has ended."""
        count = self._lib.pcap_dispatch(self._capture, most, self._dump, dumper.pointer)
        if count == -1:
            raise CaptureError(errno.ENETDOWN, Gap(f"{self.name}: {text(self._lib.pcap_geterr(self._capture))}"))
        return Written(max(count, 0), count == most)

    def compiled(self, filter: str) -> Program:
        """A filter for this capture. Name servers are asked for the names in it, which takes its time.

        Raises FilterError, ValueError where the capture is closed.
        """
        with self._compiling:
            return compiled_for(self._capture, filter)

    def filter(self, program: Program) -> None:
        """Another one from now on, in place of the one that is; raises CaptureError."""
        filtered(self._capture, program)

    def statistics(self) -> Statistics:
        """libpcap's own figure of what the device lost is of sysfs, which shows another namespace's devices."""
        stat = Stat()
        if self._lib.pcap_stats(self._capture, ctypes.byref(stat)):
            stat = Stat(self._received.last, self._drops.last, 0)  # the device is gone: nothing more has come
        received, dropped = self._received.add(stat.recv), self._drops.add(stat.drop)
        if self._found is None:
            return Statistics(received, dropped, None, "up")
        now = interface(self._sock, self._found.name, self._found.index)
        if now is None:
            return Statistics(received, dropped, self._missed, "gone")
        self._missed = max(now.missed - self._found.missed, self._missed)
        return Statistics(received, dropped, self._missed, "up" if now.up else "down")

    def name_of(self, ifindex: int) -> str | None:
        """The device of a number, in the capture's namespace; None where there is none, or after the end."""
        try:
            found = fcntl.ioctl(self._sock, SIOCGIFNAME, struct.pack("16si20x", b"", ifindex))
        except (OSError, ValueError, struct.error):
            return None
        return os.fsdecode(found[:16].split(b"\0")[0])

    def close(self) -> None:
        with self._compiling:
            if self._open:
                capture, self._open = self._open, 0
                self._lib.pcap_close(capture)
                self._sock.close()


class Wrapping:
    """A counter of 32 bits, continued."""

    def __init__(self) -> None:
        self.total, self.last = 0, 0

    def add(self, now: int) -> int:
        self.total += (now - self.last) & 0xFFFFFFFF
        self.last = now
        return self.total


def opened(
    host: Host,
    name: str = ANY,
    filter: str = "",
    *,
    snaplen: int = SNAPLEN,
    promiscuous: bool = False,
    buffer: int = BUFFER,
    direction: str = "both",
    immediate: bool = False,
) -> Device:
    """An active, non-blocking capture; raises CaptureError, FilterError, NoLibpcap, NoSuchNamespace.

    ``name``: of an interface of the host's namespace, or "any". ``direction``: in, out or both. ``immediate``: each
    packet at once, which costs more.
    """
    library = libpcap()
    with host.pinned() as pinned:
        sock = open_netlink(pinned, NETLINK_ROUTE)  # stays in the namespace, whatever becomes of its name
        capture = 0
        try:
            found = None if name == ANY else looked_up(sock, name)
            capture = pinned.inside(lambda: created(name))
            configured(capture, snaplen, promiscuous and name != ANY, buffer, immediate)
            warning = pinned.inside(lambda: activated(capture, name))
            if name == ANY:
                library.pcap_set_datalink(capture, COOKED)  # an older libpcap stays with the one that it has
            filtered(capture, compiled_for(capture, filter))
            directed(capture, direction)
            return Device(capture, sock, found, (*warning, *notes(pinned, found, direction, snaplen)))
        except BaseException:
            if capture:
                library.pcap_close(capture)
            sock.close()
            raise


def looked_up(sock: socket.socket, name: str) -> Interface:
    """By netlink: asking by ioctl would let the kernel load a module of that name."""
    if reason := refused_name(name):
        raise CaptureError(errno.ENODEV, Gap(reason))
    found = interface(sock, name)
    if found is None:
        raise CaptureError(errno.ENODEV, Gap(f"there is no interface {name!r}", "`ip link` lists those there are"))
    return found


def created(name: str) -> int:
    said = ctypes.create_string_buffer(256)
    capture = libpcap().pcap_create(os.fsencode(name), said)
    if not capture:
        raise CaptureError(errno.ENODEV, Gap(f"{name}: {text(said.value)}"))
    return int(capture)


def configured(capture: int, snaplen: int, promiscuous: bool, buffer: int, immediate: bool) -> None:
    for setting, value in (
        ("snaplen", min(max(snaplen, 1), SNAPLEN)),
        ("promisc", promiscuous),
        ("timeout", BLOCK),
        ("buffer_size", buffer),
        ("immediate_mode", immediate),
        ("tstamp_precision", NANO),
    ):
        getattr(libpcap(), f"pcap_set_{setting}")(capture, int(value))


def activated(capture: int, name: str) -> tuple[Gap, ...]:
    """What libpcap warns of, as an interface of a type that it does not know; raises CaptureError."""
    status = libpcap().pcap_activate(capture)
    said = text(libpcap().pcap_geterr(capture)) or text(libpcap().pcap_statustostr(status))
    if status >= 0:
        return (Gap(f"{name}: {said}"),) if status else ()
    if status in (PERM_DENIED, PROMISC_PERM_DENIED):
        raise CaptureError(errno.EPERM, Gap(f"capturing on {name} needs CAP_NET_RAW ({said})", PERMITTED))
    if status == IFACE_NOT_UP:
        raise CaptureError(errno.ENETDOWN, Gap(f"{name} is not up", NOT_UP.replace("DEVICE", name)))
    if status == NO_SUCH_DEVICE:
        raise CaptureError(errno.ENODEV, Gap(f"there is no interface {name!r} any more ({said})"))
    raise CaptureError(errno.EIO, Gap(f"{name}: {said}"))


def filtered(capture: int, program: Program) -> None:
    """What waits in the kernel's buffer passes the new filter, too, or is left out."""
    failed = libpcap().pcap_setfilter(capture, ctypes.byref(program))
    libpcap().pcap_freecode(ctypes.byref(program))
    if failed:
        raise CaptureError(errno.EIO, Gap(text(libpcap().pcap_geterr(capture))))


def directed(capture: int, direction: str) -> None:
    """One direction or both, and reads that return at once."""
    said = ctypes.create_string_buffer(256)
    if libpcap().pcap_setdirection(capture, DIRECTIONS[direction]) or libpcap().pcap_setnonblock(capture, 1, said):
        raise CaptureError(errno.EIO, Gap(text(said.value or libpcap().pcap_geterr(capture))))
