"""Ids of network namespaces: the dump of rtnetlink RTM_GETNSID, and what its messages hold (linux/net_namespace.h)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from collectors.collector import Block
from collectors.netlink.dump import answer
from collectors.wire.netlink import NLM_F_DUMP, DecodeError, Messages, attribute_map, request

RTM_NEWNSID, RTM_GETNSID = 88, 90
RTGENMSG = bytes(4)  # struct rtgenmsg { unsigned char rtgen_family; }, padded
NETNSA_NSID = 1


def dump_ids(sock: socket.socket) -> Iterator[Block]:
    sock.send(request(RTM_GETNSID, NLM_F_DUMP, 1, RTGENMSG))
    return answer(sock)


def known_ids(found: Messages) -> list[int]:
    """NETNSA_NSID of each message; not assigned (-1) is no id."""
    ids = []
    of = found.of(RTM_NEWNSID)
    for offset, length in zip(of.offsets.tolist(), of.lengths.tolist(), strict=True):
        if length < 20:
            raise DecodeError(offset, f"namespace message of {length} bytes")
        value = attribute_map(found.data[offset + 20 : offset + length].tobytes()).get(NETNSA_NSID, b"")
        if len(value) < 4:
            raise DecodeError(offset, "namespace message without an id")
        ids.append(int.from_bytes(value[:4], "little", signed=True))
    return [number for number in ids if number >= 0]
