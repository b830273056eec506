"""Netlink messages and attributes: where they start, how long they are, what they report (uapi linux/netlink.h)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN = 1, 2, 3, 4
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK = 0x001, 0x002, 0x004
NLM_F_DUMP_INTR = 0x010
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200  # in NLMSG_ERROR and NLMSG_DONE
NLM_F_DUMP = 0x300
NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS = 1, 2
NLA_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

# struct nlmsghdr { __u32 nlmsg_len; __u16 nlmsg_type; __u16 nlmsg_flags; __u32 nlmsg_seq; __u32 nlmsg_pid; };
NLMSGHDR = struct.Struct("=IHHII")
# struct nlattr { __u16 nla_len; __u16 nla_type; };
NLATTR = struct.Struct("=HH")


class DecodeError(ValueError):
    """Bytes that are not what the protocol says; ``offset`` is where in the buffer."""

    def __init__(self, offset: int, why: str) -> None:
        super().__init__(f"malformed at byte {offset}: {why}")
        self.offset, self.why = offset, why


class NetlinkError(OSError):
    """The kernel's refusal: ``errno``, and the extended-ack text where it gave one."""


SHORT = 2048  # bytes in which a walk is quicker than a search


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of one buffer, in order: ``data`` (bytes,) uint8; offsets, lengths, types, flags (n,)."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.intp]
    lengths: NDArray[np.uint32]
    types: NDArray[np.uint16]
    flags: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def interrupted(self) -> bool:
        return bool((self.flags & NLM_F_DUMP_INTR).any())

    def of(self, *types: int) -> Messages:
        """Only the messages of these types, in order."""
        kept = self.types == types[0]
        for further in types[1:]:  # np.isin takes ten times as long
            kept |= self.types == further
        return self if kept.all() else self.take(kept)

    def take(self, kept: NDArray[np.bool_]) -> Messages:
        """Only the messages for which ``kept`` is true, in order."""
        return Messages(self.data, self.offsets[kept], self.lengths[kept], self.types[kept], self.flags[kept])


def messages(buffer: bytes | memoryview | NDArray[np.uint8]) -> Messages:
    """Find the messages of a buffer of whole messages.

    Raises DecodeError for a length that is below the header's or beyond the buffer, and NetlinkError for the
    first NLMSG_ERROR or failed NLMSG_DONE that carries an errno (an acknowledgement, errno 0, is no error).
    """
    data = buffer if isinstance(buffer, np.ndarray) else np.frombuffer(buffer, np.uint8)
    size = len(data)
    if size % 4:
        data = np.concatenate([data, np.zeros(-size % 4, np.uint8)])
    offsets = message_offsets(data.view(np.uint32), size)
    words, halves = data.view(np.uint32), data.view(np.uint16)
    found = Messages(data, offsets, words[offsets >> 2], halves[(offsets >> 1) + 2], halves[(offsets >> 1) + 3])
    for at in np.flatnonzero((found.types == NLMSG_ERROR) | (found.types == NLMSG_DONE)).tolist():
        check(found, at)
    return found


def message_offsets(words: NDArray[np.uint32], size: int) -> NDArray[np.intp]:
    """Byte offset of each message: one stride for a run of equal lengths, one search for a dump of many lengths."""
    runs: list[NDArray[np.intp]] = []
    lengths = words.data
    at, searched = 0, False
    while at < size:
        length = lengths[at >> 2] if size - at >= 16 else 0
        if length < 16 or length > size - at:
            raise DecodeError(at, f"message length {length} with {size - at} bytes left")
        stride = (length + 3) & ~3
        run = run_length(words, at >> 2, stride >> 2, length, (size - at) // stride or 1)
        if run > 1:
            runs.append(np.arange(at, at + run * stride, stride))
            at += run * stride
        elif not searched and size - at > SHORT:
            searched = True
            at = chain(words, at, size, runs)
        else:
            at = step(lengths, at, size, runs)
    return np.concatenate(runs) if runs else np.empty(0, np.intp)


def run_length(words: NDArray[np.uint32], at: int, stride: int, length: int, most: int) -> int:
    """How many messages of exactly this length follow each other from ``at`` (in words)."""
    if most < 16 or words[at + stride] != length:
        return 1
    differing = words[at : at + most * stride : stride] != length
    first = int(differing.argmax())
    return first if differing[first] else most


def chain(words: NDArray[np.uint32], at: int, size: int, runs: list[NDArray[np.intp]]) -> int:
    """The messages from ``at`` on whose type, flags, sequence and port are the first one's; the offset behind them.

    They are searched for in the whole buffer at once. Only those count of which each begins where the one before
    ends, so that what looks like a header inside a message is none.
    """
    first, last = at >> 2, (size >> 2) - 3
    found = np.flatnonzero(words[first + 1 : last + 1] == words[first + 1]) + first
    for word in (2, 3):
        found = found[words[found + word] == words[first + word]]
    lengths = words[found].astype(np.intp)
    ends = found + ((lengths + 3) >> 2)
    broken = np.flatnonzero((ends[:-1] != found[1:]) | (lengths[:-1] < NLMSGHDR.size))
    kept = found[: broken[0] if len(broken) else len(found) - 1] << 2  # the one behind them is looked at by the caller
    runs.append(kept)
    return int(ends[len(kept) - 1]) << 2 if len(kept) else at


def step(lengths: memoryview, at: int, size: int, runs: list[NDArray[np.intp]]) -> int:
    """Walk up to 256 messages one by one; returns the offset behind them."""
    found: list[int] = []
    last = size - 16
    while at <= last and len(found) < 256:
        length = lengths[at >> 2]
        if length < 16 or length > size - at:
            break
        found.append(at)
        at += (length + 3) & ~3
    runs.append(np.array(found, np.intp))
    return at


def check(found: Messages, row: int) -> None:
    """Raise the error that an NLMSG_ERROR or NLMSG_DONE carries, with the kernel's own words."""
    offset, length = int(found.offsets[row]), int(found.lengths[row])
    kind, flags = int(found.types[row]), int(found.flags[row])
    body = found.data[offset + 16 : offset + length].tobytes()
    if len(body) < 4:
        if kind == NLMSG_DONE:
            return
        raise DecodeError(offset, "error message without an error number")
    (error,) = struct.unpack_from("=i", body)
    if not error:
        return
    if not 0 < -error < 4096:  # MAX_ERRNO
        raise DecodeError(offset, f"error number {error}")
    raise NetlinkError(-error, extended_ack(body, kind, flags) or os.strerror(-error))


def extended_ack(body: bytes, kind: int, flags: int) -> str:
    """The text of NLMSGERR_ATTR_MSG behind an error message's body, "" where there is none."""
    if not flags & NLM_F_ACK_TLVS:
        return ""
    start = 4
    if kind == NLMSG_ERROR and len(body) >= 20:
        echoed = 16 if flags & NLM_F_CAPPED else struct.unpack_from("=I", body, 4)[0]
        start = 4 + ((echoed + 3) & ~3)
    try:
        texts = [value for number, value in attributes(body[start:]) if number == NLMSGERR_ATTR_MSG]
    except DecodeError:
        return ""
    return text(texts[0]) if texts else ""


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Attribute numbers (flags masked out) and payloads of one attribute stream, in order, as they stand.

    For the few and irregular: distinct nested values. Columns of many messages come from wire.shapes.
    """
    at = 0
    while len(data) - at >= 4:
        length, number = NLATTR.unpack_from(data, at)
        if length < 4 or length > len(data) - at:
            raise DecodeError(at, f"attribute length {length} with {len(data) - at} bytes left")
        yield number & NLA_TYPE_MASK, data[at + 4 : at + length]
        at += (length + 3) & ~3


def attribute_map(data: bytes) -> dict[int, bytes]:
    """Attributes by number; of a repeated one the last, as the kernel's own nla_parse does."""
    return dict(attributes(data))


def text(value: bytes) -> str:
    """A NUL-terminated kernel string; bytes that are not UTF-8 survive as surrogates, to be scrubbed when shown."""
    return value.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def attribute(number: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes, for a request."""
    length = 4 + len(value)
    return NLATTR.pack(length, number) + value + bytes(-length % 4)


def request(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One request message; ``body`` is the family's header with the attributes behind it."""
    return NLMSGHDR.pack(16 + len(body), kind, NLM_F_REQUEST | flags, sequence, 0) + body
