"""Capture files in batches, decoded: pcap and pcapng, compressed or not, from a disk, a pipe or standard input."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import cast

import numpy as np

from collectors.table import Gap, Table
from collectors.wire.netlink import DecodeError
from collectors.wire.packets.capture_file import CaptureFile, opened
from collectors.wire.packets.decode import AT_ONCE, KNOWN, decoded
from collectors.wire.packets.records import Records
from nettui.packets.arriving import CUT, GZIP, arriving
from nettui.packets.choice import Choice
from nettui.packets.original import Original, Place

WINDOW = 16 << 20  # bytes of a file that are looked at together
START = 64  # bytes that tell which format it is
EMPTY = Gap("an empty file: not even the header of a capture is there")
SHORTER = Gap("the file became shorter while it was read", "the packets before that are shown")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some packets, in the order of capture: where they stand, and their headers (collectors.wire.packets.columns).

    ``place``: where their bytes can be read again; None: nowhere, they must be kept.
    """

    records: Records
    table: Table
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Packets that stand together."""

    records: Records
    place: Place | None = None


def batches(path: str, expression: str = "") -> Iterator[Batch | Gap]:
    """The packets of a file, "-" for standard input; at last a Gap where it ends in the middle or is corrupt.

    With libpcap's ``expression``, those that it takes, each with its number in the file.
    Raises OSError where it cannot be opened, DecodeError where it is no capture file, FilterError where libpcap refuses
    the expression.
    """
    choice = Choice(expression) if expression else None
    before, links = 0, set[int]()
    for found in parts(path):
        if isinstance(found, Gap):
            yield found
            continue
        links |= set(np.flatnonzero(np.bincount(found.records.links)).tolist())
        for start in range(0, len(found.records), AT_ONCE):
            records = found.records.take(slice(start, start + AT_ONCE))
            if choice is None:
                yield Batch(records, decoded(records, before), found.place)
            elif len(rows := choice.rows(records)):
                chosen = records.take(rows)
                yield Batch(chosen, decoded(chosen, before + rows), found.place)
            before += len(records)
    if choice is not None:
        yield from choice.gaps()
    for link in sorted(links - set(KNOWN["link"])):
        yield Gap(f"packets of link type {link} are not decoded", "their times and sizes are told, and their bytes")


def parts(path: str) -> Iterator[Found | Gap]:
    with sys.stdin.buffer if path == "-" else Path(path).open("rb") as file:
        start = file.read(len(GZIP))
        if start != GZIP and stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            yield from standing(Original(file))
        else:
            yield from streamed(arriving(cast(BufferedReader, file), start))


def standing(file: Original) -> Iterator[Found | Gap]:
    """A file on a disk, window by window; no more of it is kept."""
    if not file.size:
        yield EMPTY
        return
    start = file.octets(0, min(START, file.size))
    form = opened(start)
    if form is None:
        yield cut(len(start)) if len(start) == min(START, file.size) else SHORTER
        return
    at, window = form.begin, WINDOW
    while at < file.size:
        stop = min(at + window, file.size)
        data = file.octets(at, stop)
        part = form.part(data, 0)
        if len(part.records):
            yield Found(part.records, Place(file, at))
        if part.error is not None:
            yield corrupt(part.error, at)
            return
        if at + len(data) < stop:
            yield SHORTER
            return
        if part.end == 0 and stop == file.size:
            yield cut(len(data))
            return
        at, window = at + part.end, max(WINDOW, part.wanted)


def streamed(chunks: Iterator[bytes | Gap]) -> Iterator[Found | Gap]:
    """What arrives, as soon as it is there; only the packet that is still arriving is kept."""
    form: CaptureFile | None = None
    held, wanted = bytearray(), 1
    before = 0  # bytes of the stream that are not kept
    for chunk in chunks:
        if isinstance(chunk, Gap):
            yield cut(len(held)) if chunk is CUT and held else chunk
            return
        held += chunk
        if len(held) < wanted:
            continue
        data, at = np.frombuffer(held, np.uint8), 0
        if form is None:
            form = opened(data)
            at = form.begin if form else 0
        while form is not None and at + wanted <= len(data):
            part = form.part(data, at)
            if len(part.records):
                yield Found(part.records)
            if part.error is not None:
                yield corrupt(part.error, before)
                return
            at, wanted = part.end, part.wanted
        held, before = bytearray(data[at:]), before + at
    if held:
        yield cut(len(held))
    elif form is None:
        yield EMPTY


def cut(size: int) -> Gap:
    return Gap(f"the last packet is cut off: {size:,} bytes of it are there", "the packets before it are whole")


def corrupt(error: DecodeError, before: int) -> Gap:
    """``before``: bytes that stood before those in which the error has its place."""
    return Gap(str(DecodeError(error.offset + before, error.why)), "the packets before that are shown")
