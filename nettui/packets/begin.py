"""Sessions begun: of a device, or of a file."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from collectors import Host
from collectors.capture.device import CaptureError, opened
from collectors.capture.filters import ETHERNET, FilterError, compiled
from collectors.capture.libpcap import NoLibpcap
from collectors.table import Gap
from nettui.packets.live import RING, LiveCapture
from nettui.packets.reading import Batch, batches
from nettui.packets.session import Session
from nettui.snapshot import gap

M_ARENA_MAX = -8  # malloc.h of glibc
BUFFER = 32 << 20  # bytes that the kernel may hold before it drops
UNPACKED = 1 << 30  # bytes of a compressed file that are kept


def of_device(host: Host, device: str, expression: str, ring: int = RING, **how: Any) -> Session | Gap:
    """A capture that has begun, or why there is none. ``device``: a name or "any"; ``expression``: libpcap's filter.

    ``ring``: bytes of packets that are kept; ``how``: as collectors.capture.device.opened takes it.
    """
    try:
        found = opened(host, device, expression, **{"buffer": BUFFER, **how})
    except CaptureError as error:
        return error.gap
    except FilterError as error:
        return Gap(f"{expression}: {error}", "man 7 pcap-filter tells the language")
    except Exception as error:  # whatever libpcap or the namespace makes of it
        return gap(error)
    share_heap()
    live = LiveCapture(found, ring)
    session = Session(found.name, live.batches(), live)
    session.start()
    return session


def share_heap() -> None:
    """Let threads to come allocate from one heap: with one each, what comes and goes leaves tens of MB behind."""
    with suppress(AttributeError, OSError):  # a C library that has no such thing
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def of_file(path: str, expression: str = "") -> Session | Gap:
    """Packets of a file (pcap, pcapng, gzip) that libpcap's ``expression`` takes, being read; or why they are not."""
    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        return Gap(f"{path}: {error.strerror or error}")
    session = Session(path, affordable(batches(path, expression)))
    session.start()
    return session


def affordable(found: Iterator[Batch | Gap]) -> Iterator[Batch | Gap]:
    """All of a file that is looked at where it stands; of one that was unpacked into memory, what may be kept there."""
    kept = 0
    for batch in found:
        if isinstance(batch, Batch) and batch.place is None:
            kept += batch.records.data.nbytes
            if kept > UNPACKED:
                yield Gap(
                    f"what follows is not shown: it is more than {UNPACKED >> 20:,} MiB when unpacked",
                    "gunzip it: a file that is not compressed is looked at where it stands",
                )
                return
        yield batch


def wrong(expression: str, link: int = ETHERNET) -> str:
    """What libpcap says against a filter for packets of a link type, "" where it takes it."""
    try:
        compiled(expression, link)
    except FilterError as error:
        return str(error)
    except NoLibpcap:
        return ""  # told when the capture is asked for
    return ""
