"""Bytes of a pipe or a compressed file as they arrive, unpacked (gzip, RFC 1952)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from itertools import chain

from collectors.table import Gap

CHUNK = 1 << 20  # bytes that are handed on together, at most
GZIP = b"\x1f\x8b"
WITH_HEADER = 31  # of zlib's wbits: the largest window, in gzip's own header and trailer
CUT = Gap("the compressed file is cut off", "the packets before that are shown")


def arriving(file: BufferedReader, start: bytes) -> Iterator[bytes | Gap]:
    """What is there, as soon as it is; ``start``: bytes that were read of it already, two at least if it has them."""
    chunks = chain([start], iter(lambda: file.read1(CHUNK), b""))
    return unpacked(chunks) if start.startswith(GZIP) else chunks


def unpacked(chunks: Iterator[bytes]) -> Iterator[bytes | Gap]:
    """Of one member after the other, with zeros between them; at last a Gap where it is cut off or corrupt."""
    member = None
    for chunk in chunks:
        while chunk := chunk if member else chunk.lstrip(b"\0"):
            member = member or zlib.decompressobj(WITH_HEADER)
            before = member.copy()
            try:
                while octets := member.decompress(chunk, CHUNK):
                    yield octets
                    chunk, before = member.unconsumed_tail, member.copy()
            except zlib.error as error:
                yield sound(before, chunk)
                why = str(error).rpartition(": ")[2]
                yield Gap(f"the compressed file is corrupt: {why}", "the packets before that are shown")
                return
            chunk, member = member.unused_data, None if member.eof else member
    if member:
        yield CUT


def sound(member: zlib._Decompress, chunk: bytes) -> bytes:
    """What comes before that which is corrupt: zlib keeps it for itself when both come together."""
    found = []
    with suppress(zlib.error):
        for at in range(len(chunk)):
            found.append(member.decompress(chunk[at : at + 1]))
    return b"".join(found)
