"""Conntrack entries as they begin, change and end, from ctnetlink's multicast groups (NFNLGRP_CONNTRACK_*).

A kernel at its default (nf_conntrack_events=2, since 5.19) prepares events only for flows that begin while somebody
listens: of those that are older it tells neither change nor end. The kernel keeps what has not been read in a buffer
of RECEIVE_BUFFER bytes, and says so when that did not suffice.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from types import TracebackType
from typing import Self

import numpy as np

from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.conntrack import entries
from collectors.netfilter.conntrack.columns import COLUMNS as ENTRY_COLUMNS
from collectors.netlink.dump import SOL_NETLINK, open_netlink
from collectors.table import Column, Gap, Table
from collectors.values import Codes, Numbers, Values, constant
from collectors.wire.netlink import messages

GROUPS = (1, 2, 3)  # NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY
NETLINK_ADD_MEMBERSHIP = 1
NLM_F_CREATE = 0x400
CT_NEW, CT_DELETE = (nfnetlink.kind(nfnetlink.CTNETLINK, message) for message in (0, 2))
LARGEST = 64 << 10  # bytes of a datagram
MOST = 1 << 20  # bytes that are taken in one go
LOST = Gap("events were lost: they came faster than they were read", "follow fewer of them to a quicker reader")

EVENTS = ("NEW", "UPDATE", "DESTROY")
OWN_COLUMNS = (
    Column("event", "text", help="NEW, UPDATE or DESTROY"),
    Column("heard", "u8", "label", "ns", "when it was heard of, since the epoch"),
)
COLUMNS = (*ENTRY_COLUMNS, *OWN_COLUMNS)


class Events:
    """A socket in the host's namespace that hears of flows from now on; a context manager that closes it."""

    def __init__(self, host: Host) -> None:
        lacking = nfnetlink.absence(host, nfnetlink.CTNETLINK)  # joining a group too makes the kernel load the module
        if lacking:
            raise FileNotFoundError(errno.ENOENT, f"{lacking.reason}; {lacking.remedy}")
        self._sock = open_netlink(host, nfnetlink.NETLINK_NETFILTER)
        try:
            self._sock.bind((0, 0))
            for group in GROUPS:
                self._sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
        except OSError:
            self._sock.close()
            raise

    def heard(self, seconds: float) -> Table:
        """What has happened since the last call, waited for ``seconds`` at most; with LOST when some of it was lost."""
        parts: list[bytes] = []
        lost, taken = False, 0
        select.select([self._sock], [], [], seconds)
        while taken < MOST:
            try:
                part = self._sock.recv(LARGEST, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                lost = True
                continue
            parts.append(part + bytes(-len(part) % 4))
            taken += len(part)
        return decode(b"".join(parts), time.time_ns()).with_gaps([LOST] if lost else [])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sock.close()


def decode(data: bytes, now: int) -> Table:
    """One row per event of whole messages, in order; ``now``: nanoseconds since the epoch."""
    found = messages(data).of(CT_NEW, CT_DELETE)
    table = entries.lasting(entries.rows(found), now / entries.NANOSECONDS)
    codes = np.where(found.types == CT_DELETE, 2, np.where(found.flags & NLM_F_CREATE, 0, 1)).astype(np.int8)
    own: dict[str, Values] = {"event": Codes(codes, EVENTS), "heard": Numbers(constant(now, len(found), np.uint64))}
    return table.extended(OWN_COLUMNS, own)
