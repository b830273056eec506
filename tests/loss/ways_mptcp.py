"""Ways of losing MPTCP subflows and data: joins to nothing, joins without proof, a wrong checksum."""

from __future__ import annotations

import hashlib
import socket
import struct
from collections.abc import Callable

from tests.loss.frames import ACK, PSH, SYN
from tests.loss.peer import PORT, RIGHT, Flow, Peer
from tests.loss.way import Lab, way

SEGMENTS, CONNECTIONS = 23, 7
KIND, IPPROTO_MPTCP = 30, 262
CAPABLE, JOIN = 0x01, 0x10  # subtype in the upper four bits: MP_CAPABLE of version 1, MP_JOIN
HMAC, CHECKSUM = 0x01, 0x80  # flags of MP_CAPABLE
OWN_KEY = b"peer key"


def option(*parts: int | bytes) -> bytes:
    """An MPTCP option: its kind and length, then bytes."""
    body = b"".join(part if isinstance(part, bytes) else bytes([part]) for part in parts)
    return bytes([KIND, 2 + len(body)]) + body


def listening(lab: Lab) -> socket.socket:
    sock = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_STREAM, IPPROTO_MPTCP, socket.AF_INET))
    sock.settimeout(3)
    sock.bind((RIGHT, PORT))
    sock.listen(64)
    return sock


def opened(peer: Peer, flags: int = HMAC) -> tuple[Flow, bytes]:
    """A connection whose handshake lacks its last ACK, and the key of the right end."""
    flow = peer.flow()
    flow.send(SYN, options=option(CAPABLE, flags))
    answer = peer.receive(flow.own)
    at = answer.options.index(bytes([KIND, 12]))
    return flow.take(answer), answer.options[at + 4 : at + 12]


@way("mptcp", "MPTcpExt.MPJoinNoTokenFound")
def mptcp_join_of_no_connection(lab: Lab) -> Callable[[], int]:
    listening(lab)
    flow = Peer(lab).flow()
    join = option(JOIN, 1, b"nobody's", bytes(0))
    return lambda: sum(flow.send(SYN, options=join) is None for _ in range(SEGMENTS))


@way("mptcp", "MPTcpExt.MPJoinAckHMacFailure")
def mptcp_join_without_proof(lab: Lab) -> Callable[[], int]:
    peer, waiting = Peer(lab), listening(lab)
    ends = []
    for _ in range(CONNECTIONS):
        flow, key = opened(peer)
        both = OWN_KEY + key
        flow.send(ACK | PSH, b"data", options=option(CAPABLE, HMAC, both, struct.pack("!H", 4)) + b"\1\1")
        lab.stack.enter_context(waiting.accept()[0])
        token = hashlib.sha256(key).digest()[:4]
        joining = peer.flow()
        joining.send(SYN, options=option(JOIN, 1, token, b"once"))
        ends.append(joining.take(peer.receive(joining.own)))
    return lambda: sum(flow.send(options=option(JOIN, 0, bytes(20))) is None for flow in ends)


@way("mptcp", "MPTcpExt.DataCsumErr")
def mptcp_wrong_checksum(lab: Lab) -> Callable[[], int]:
    peer, waiting = Peer(lab), listening(lab)
    ends = []
    for _ in range(CONNECTIONS):
        flow, key = opened(peer, HMAC | CHECKSUM)
        flow.send(options=option(CAPABLE, HMAC | CHECKSUM, OWN_KEY + key))
        lab.stack.enter_context(waiting.accept()[0])
        ends.append((flow, option(CAPABLE, HMAC | CHECKSUM, OWN_KEY + key, struct.pack("!HH", 4, 0xBAD))))
    return lambda: sum(flow.send(ACK | PSH, b"data", options=first) is None for flow, first in ends)
