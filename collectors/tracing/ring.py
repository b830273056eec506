"""Pages of a trace buffer as trace_pipe_raw gives them: the events in them, as records."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.tracing.event import Event

# include/linux/ring_buffer.h and events/header_page, header_event
# struct buffer_data_page { u64 time_stamp; local_t commit; unsigned char data[]; }; commit: bits 30, 31 are flags
PAGE = struct.Struct("<QQ")
COMMITTED = (1 << 30) - 1
# struct ring_buffer_event { u32 type_len:5, time_delta:27; u32 array[]; }; type_len 1 to 28: words of data behind it
KIND = 31
PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31


def records(page: bytes, event: Event) -> NDArray[np.void]:
    """The events of that one kind in a page, (n,) of its record; what is cut short or of another kind is left out."""
    parts = [part for part in runs(page, event.record) if len(part)]
    found = np.concatenate(parts) if parts else np.empty(0, event.record)
    mine: NDArray[np.void] = found[found["common_type"] == event.number]
    return mine


def runs(page: bytes, record: np.dtype[np.void]) -> Iterator[NDArray[np.void]]:
    """Events of the record's length that follow each other, as one array at a time."""
    if len(page) < PAGE.size:
        return
    committed = PAGE.unpack_from(page)[1] & COMMITTED
    data = page[PAGE.size : PAGE.size + min(committed, len(page) - PAGE.size) // 4 * 4]
    words = np.frombuffer(data, "<u4")
    at, stride = 0, record.itemsize // 4 + 1
    while at < len(words):
        if int(words[at]) & KIND == stride - 1:
            count = run(words[at::stride][: (len(words) - at) // stride] & KIND, stride - 1)
            if not count:
                return  # the last one is cut short
            rows = np.frombuffer(data, np.uint8, count * stride * 4, at * 4).reshape(count, stride * 4)
            yield np.ascontiguousarray(rows[:, 4:]).view(record)[:, 0]
            at += count * stride
        else:
            at += skipped(words, at)


def run(kinds: NDArray[np.integer[Any]], usual: int) -> int:
    """How many are the usual one before the first that is not."""
    others = kinds != usual
    return int(others.argmax()) if others.any() else len(kinds)


def skipped(words: NDArray[np.uint32], at: int) -> int:
    """Words up to the next event, from one that is not ours; all that are left where there is none."""
    head = int(words[at])
    kind, left = head & KIND, len(words) - at
    if kind in (TIME_EXTEND, TIME_STAMP):
        return 2
    if kind == PADDING and not head >> 5:
        return left
    if kind in (0, PADDING):
        return 1 + -(-int(words[at + 1]) // 4) if left > 1 else left
    return 1 + kind
