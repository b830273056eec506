"""Ways of losing TCP segments to what a socket asks of them: signatures, TTL, a filter; and to broken headers."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Callable

from tests.loss import frames
from tests.loss.frames import ACK, SYN
from tests.loss.peer import PEER, PORT, RIGHT, Flow, Peer, connected, listener, timestamps
from tests.loss.way import Lab, adjust, way

SEGMENTS, CONNECTIONS = 23, 7
TCP_MD5SIG, IP_MINTTL, SO_ATTACH_FILTER = 14, 21, 26
MD5 = bytes((1, 1, 19, 18)) + bytes(16)  # the option, with a signature of zeros


def each(flow: Flow, flags: int = SYN, data: bytes = b"", options: bytes | None = None, ttl: int = 64) -> int:
    for _ in range(SEGMENTS):
        flow.send(flags, data, options=options, ttl=ttl)
    return SEGMENTS


def signed(sock: socket.socket) -> None:
    """struct tcp_md5sig: segments of the peer must be signed."""
    address = struct.pack("=H2s4s", socket.AF_INET, bytes(2), socket.inet_aton(PEER)).ljust(128, b"\0")
    key = struct.pack("=BBHi80s", 0, 0, 3, 0, b"key")
    sock.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, address + key)


def near(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 255)


def refusing(sock: socket.socket) -> None:
    """A filter of one instruction, that takes nothing (struct sock_fprog)."""
    program = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0), 8)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(program)))


def connecting(lab: Lab) -> Flow:
    """The right end has sent its SYN, and waits for an answer."""
    peer = Peer(lab)
    sock = lab.stack.enter_context(lab.right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET))
    sock.setblocking(False)
    sock.bind((RIGHT, 30000))
    sock.connect_ex((PEER, PORT))
    return Flow(peer, PORT, 30000, ack=peer.receive(PORT).seq + 1)


@way("tcp", "TcpExt.TCPMD5NotFound", reason="TCP_MD5NOTFOUND")
def tcp_without_signature(lab: Lab) -> Callable[[], int]:
    flow = Peer(lab).flow()
    listener(lab, prepare=signed)
    return lambda: each(flow)


@way("tcp", "TcpExt.TCPMD5Failure", reason="TCP_MD5FAILURE")
def tcp_wrong_signature(lab: Lab) -> Callable[[], int]:
    flow = Peer(lab).flow()
    listener(lab, prepare=signed)
    return lambda: each(flow, options=MD5)


@way("tcp", "TcpExt.TCPMD5Unexpected", reason="TCP_MD5UNEXPECTED")
def tcp_signature_that_nobody_asked_for(lab: Lab) -> Callable[[], int]:
    flow = Peer(lab).flow()
    listener(lab)
    return lambda: each(flow, options=MD5)


@way("tcp", "TcpExt.TCPMinTTLDrop", reason="TCP_MINTTL")
def tcp_from_too_far(lab: Lab) -> Callable[[], int]:
    flow = Peer(lab).flow()
    listener(lab, prepare=near)
    return lambda: each(flow, ttl=254)


@way("socket", "socket.drops", scope="tcp", reason="SOCKET_FILTER")
def tcp_filter_of_listener(lab: Lab) -> Callable[[], int]:
    flow = Peer(lab).flow()
    listener(lab, prepare=refusing)
    return lambda: each(flow)


@way("tcp", "Tcp.InErrs", reason="PKT_TOO_SMALL")
def tcp_header_too_short(lab: Lab) -> Callable[[], int]:
    peer = Peer(lab)
    header = struct.pack("!HHIIBBHHH", 1, PORT, 1, 0, 4 << 4, SYN, 1, 0, 0)  # claims 16 bytes
    segment = frames.transport(PEER, RIGHT, frames.TCP, header, 16)

    def lose() -> int:
        for _ in range(SEGMENTS):
            peer.send(segment)
        return SEGMENTS

    return lose


@way("tcp", None, reason="TCP_INVALID_ACK_SEQUENCE")
def tcp_answer_to_another_attempt(lab: Lab) -> Callable[[], int]:
    flow = connecting(lab)
    return lambda: sum(flow.send(SYN | ACK, ack=1000) is None for _ in range(SEGMENTS))


@way("tcp", "TcpExt.PAWSTimewait", reason="TCP_RFC7323_TW_PAWS")
def tcp_old_timestamp_in_time_wait(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/tcp_invalid_ratelimit": 0})
    [(flow, sock)] = connected(lab, options=timestamps(5000), then=timestamps(5000))
    sock.close()
    flow.send(ACK | frames.FIN, ack=1)
    flow.seq += 1
    return lambda: each(flow, ACK, b"late", options=timestamps(4000))


@way("tcp", "TcpExt.PAWSOldAck", reason="TCP_RFC7323_PAWS_ACK")
def tcp_late_acknowledgements(lab: Lab) -> Callable[[], int]:
    [(flow, _)] = connected(lab, options=timestamps(5000), then=timestamps(5000))
    return lambda: sum(flow.send(seq=-10, options=timestamps(4990)) is None for _ in range(SEGMENTS))


@way("tcp", "TcpExt.TSEcrRejected", reason="TCP_RFC7323_TSECR")
def tcp_last_ack_echoes_what_was_not_sent(lab: Lab) -> Callable[[], int]:
    peer = Peer(lab)
    listener(lab)
    half = [peer.flow().half_open(timestamps(5000)) for _ in range(CONNECTIONS)]
    return lambda: sum(flow.send(options=timestamps(5001, 1)) is None for flow in half)


@way("tcp", "TcpExt.PAWSActive", reason="TCP_RFC7323_PAWS")
def tcp_answer_echoes_what_was_not_sent(lab: Lab) -> Callable[[], int]:
    flow = connecting(lab)
    return lambda: each(flow, SYN | ACK, options=timestamps(5000, 1))
