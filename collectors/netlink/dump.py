"""Asking the kernel for a netlink dump, and receiving it in blocks of whole messages."""

from __future__ import annotations

import itertools
import select
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from collectors.collector import INTERRUPTED, Block, Raw
from collectors.host import Host
from collectors.netlink.receiving import LARGEST, Receiver
from collectors.table import Gap, Table, concatenate
from collectors.wire.netlink import (
    NLM_F_DUMP,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSGHDR,
    Messages,
    messages,
    request,
)

NETLINK_ROUTE, NETLINK_SOCK_DIAG = 0, 4
SOL_NETLINK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 270, 11, 12
SO_RCVBUFFORCE = 33
FIRST, MOST = 16, 128  # datagrams of the first block, and of each later one: half a MiB, and four
RECEIVE_BUFFER = 8 << 20
PATIENCE = 30.0  # seconds without a message before a dump counts as lost

sequences = itertools.count(1)


def open_netlink(host: Host, protocol: int) -> socket.socket:
    """A netlink socket in the host's namespace, with strict checking and extended acknowledgements where known."""
    sock = host.socket(socket.SOCK_RAW, protocol)
    for level, option, value in (
        (SOL_NETLINK, NETLINK_EXT_ACK, 1),
        (SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1),
        (socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER),
        (socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER),
    ):
        try:
            sock.setsockopt(level, option, value)
        except OSError:
            continue  # an older kernel, or no CAP_NET_ADMIN: the dump works without
    return sock


def dump(host: Host, protocol: int, kind: int, body: bytes, part: str = "") -> Iterator[Block]:
    """One dump request's answer, in blocks of about 4 MiB; each holds whole messages, the last one NLMSG_DONE."""
    with open_netlink(host, protocol) as sock:
        yield from dumps(sock, kind, [body], part)


def dumps(
    sock: socket.socket, kind: int, bodies: Iterable[bytes], part: str = "", receiver: Receiver | None = None
) -> Iterator[Block]:
    """The answers to dump requests of one kind, asked one after the other, together in blocks as ``dump`` gives them.

    What ends an answer stands at the end of its block, so that the messages before it are alike (wire.netlink.chain).
    """
    receiver, most, sequence = receiver or Receiver(MOST), FIRST, next(sequences) & 0xFFFFFFFF
    rows: list[NDArray[np.uint8]] = []
    last: list[NDArray[np.uint8]] = []
    for body in bodies:
        sock.send(request(kind, NLM_F_DUMP, sequence, body))
        ended = False
        while not ended:
            rows += received(sock, receiver, most, len(rows))
            if ended := ends(rows[-1]):
                last.append(rows.pop().copy())
            if len(rows) == most:
                yield Block(part, np.concatenate([*rows, *last]))
                rows, last, most = [], [], MOST
    if last:
        yield Block(part, np.concatenate([*rows, *last]))


def answer(sock: socket.socket, part: str = "", receiver: Receiver | None = None) -> Iterator[Block]:
    """Receive until the message that ends a dump; with a ``receiver`` for whoever has several answers to receive."""
    receiver, most, ended = receiver or Receiver(MOST), FIRST, False
    while not ended:
        found = received(sock, receiver, most)
        ended, most = ends(found[-1]), MOST
        yield Block(part, np.concatenate(found))


def received(sock: socket.socket, receiver: Receiver, most: int, kept: int = 0) -> list[NDArray[np.uint8]]:
    """At least one datagram of a dump, see Receiver.receive; TimeoutError when none comes.

    The kernel queues the next part of a dump while it hands over the one before (netlink_recvmsg calls
    netlink_dump), so a socket with nothing to read has ended, or waits for a kernel short of memory.
    """
    while not (found := receiver.receive(sock, most, kept)):
        if not select.select([sock], [], [], PATIENCE)[0]:
            raise TimeoutError(f"the kernel sent nothing for {PATIENCE:.0f} seconds of a dump")
    return found


def ends(received: NDArray[np.uint8]) -> bool:
    """Whether what one recv gave holds the dump's last message; what cannot be walked is for the decoder to meet."""
    data, at = received.data, 0
    while at + NLMSGHDR.size <= len(data):
        length, kind, *_ = NLMSGHDR.unpack_from(data, at)
        if kind in (NLMSG_DONE, NLMSG_ERROR) or length < NLMSGHDR.size:
            return True
        at += (length + 3) & ~3
    return False


def decode_dump(raw: Raw, decoders: Mapping[str, Callable[[Messages], Table]], kinds: Iterable[int]) -> Table:
    """Decode blocks, each by its part's decoder, into one table; an interrupted dump carries INTERRUPTED.

    ``kinds``: the message types that carry rows.
    """
    wanted = tuple(kinds)
    tables: list[Table] = []
    gaps: list[Gap] = []
    for block in raw:
        if isinstance(block, Gap):
            gaps.append(block)
            continue
        found = messages(block.data)
        if found.interrupted:
            gaps.append(INTERRUPTED)
        rows = found.of(*wanted)
        if len(rows) or not tables:
            tables.append(decoders[block.part](rows))
    if not tables:
        tables.append(next(iter(decoders.values()))(messages(b"")))
    return concatenate(tables).with_gaps(tuple(dict.fromkeys(gaps)))


def answer_one(host: Host, protocol: int, kind: int, body: bytes) -> Messages:
    """The one message that answers a request for a single object; raises NetlinkError for a refusal."""
    with open_netlink(host, protocol) as sock:
        return ask(sock, kind, body)


def ask(sock: socket.socket, kind: int, body: bytes) -> Messages:
    """The same over a socket that is open, and asked nothing else at the moment."""
    sock.settimeout(PATIENCE)
    sock.send(request(kind, 0, next(sequences) & 0xFFFFFFFF, body))
    return messages(sock.recv(LARGEST))
