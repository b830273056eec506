"""Capture files in batches, decoded: pcap and pcapng, compressed or not, from a disk, a pipe or standard input."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from collectors.table import Gap, Table
from collectors.wire.netlink import DecodeError
from collectors.wire.packets.capture_file import CaptureFile, opened
from collectors.wire.packets.decode import AT_ONCE, KNOWN, decoded
from collectors.wire.packets.records import Records
from nettui.packets.choice import Choice

WINDOW = 32 << 20  # bytes of a file that are looked at together
CHUNK = 1 << 20  # bytes of a stream
GZIP = b"\x1f\x8b"
Octets = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some packets, in the order of capture: where they stand, and their headers (collectors.wire.packets.columns)."""

    records: Records
    table: Table


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
        links |= set(np.flatnonzero(np.bincount(found.links)).tolist())
        for start in range(0, len(found), AT_ONCE):
            records = found.take(slice(start, start + AT_ONCE))
            if choice is None:
                yield Batch(records, decoded(records, before))
            elif len(rows := choice.rows(records)):
                chosen = records.take(rows)
                yield Batch(chosen, decoded(chosen, before + rows))
            before += len(records)
    if choice is not None:
        yield from choice.gaps()
    for link in sorted(links - set(KNOWN["link"])):
        yield Gap(f"packets of link type {link} are not decoded", "their times and sizes are told, and their bytes")


def parts(path: str) -> Iterator[Records | Gap]:
    with sys.stdin.buffer if path == "-" else Path(path).open("rb") as file:
        if stat.S_ISREG(file_mode(file)) and file.read(2) != GZIP:
            yield from whole(np.memmap(file, np.uint8, "r")) if size(file) else [EMPTY]
        elif path != "-" and stat.S_ISREG(file_mode(file)):
            file.seek(0)
            yield from streamed(cast(BinaryIO, gzip.GzipFile(fileobj=file)))
        else:
            yield from streamed(file)


EMPTY = Gap("an empty file: not even the header of a capture is there")
CUT = Gap("the compressed file is cut off", "the packets before that are shown")


def whole(data: Octets) -> Iterator[Records | Gap]:
    """A file that is there, window by window; bytes are read when they are looked at."""
    file = opened(data)
    if file is None:
        yield cut(data, 0)
        return
    at, window = file.begin, WINDOW
    while at < len(data):
        part = file.part(data[: at + window], at)
        if len(part.records):
            yield part.records
        if part.error is not None:
            yield corrupt(part.error)
            return
        if part.end == at:  # larger than the window, or cut off
            if at + window >= len(data):
                yield cut(data, at)
                return
            window *= 2
        at = part.end


def streamed(file: BinaryIO) -> Iterator[Records | Gap]:
    """What arrives, as soon as it is there; only the packet that is still arriving is kept."""
    form: CaptureFile | None = None
    data: Octets = np.zeros(0, np.uint8)
    before = 0  # bytes of the stream that are not kept
    for chunk in chunks(file):
        if isinstance(chunk, Gap):
            yield cut(data, 0) if chunk is CUT and len(data) else chunk
            return
        data = np.concatenate([data, np.frombuffer(chunk, np.uint8)])
        at = 0
        if form is None:
            form = opened(data)
            at = form.begin if form else 0
        while form is not None:
            part = form.part(data, at)
            if len(part.records):
                yield part.records
            if part.error is not None:
                yield corrupt(part.error, before)
                return
            if part.end == at:
                break
            at = part.end
        data, before = data[at:].copy(), before + at
    if len(data):
        yield cut(data, 0)
    elif form is None:
        yield EMPTY


def chunks(file: BinaryIO) -> Iterator[bytes | Gap]:
    """Until the end, or until what is compressed cannot be read."""
    try:
        while chunk := arrived(file):
            yield chunk
    except EOFError:
        yield CUT
    except (gzip.BadGzipFile, zlib.error) as error:
        yield Gap(f"the compressed file is corrupt: {error}", "the packets before that are shown")


def arrived(file: BinaryIO) -> bytes:
    """What is there, at most a chunk; waits for the first byte, and for no further one."""
    read = getattr(file, "read1", file.read)
    return cast(bytes, read(CHUNK))


def cut(data: Octets, at: int) -> Gap:
    return Gap(
        f"the last packet is cut off: {len(data) - at:,} bytes of it are there", "the packets before it are whole"
    )


def corrupt(error: DecodeError, before: int = 0) -> Gap:
    """``before``: bytes that stood before those in which the error has its place."""
    return Gap(str(DecodeError(error.offset + before, error.why)), "the packets before that are shown")


def file_mode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_mode


def size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
