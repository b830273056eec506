"""Ways of losing TCP segments to full buffers and closed windows, and connections to peers that fall silent."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.loss.frames import ACK
from tests.loss.peer import Flow, connected
from tests.loss.userfault import Stalled
from tests.loss.way import Lab, adjust, way

SEGMENTS, CONNECTIONS = 23, 7
TCP_USER_TIMEOUT = 18
ECE = 64  # a flag that keeps the kernel from joining segments
SENT = 997
SCALED = b"\1\3\3\7"  # window scale option: without it a window is never taken back


def small_buffer(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel's least: 2304


def ahead(flow: Flow, number: int = SEGMENTS, at: int = 10_000) -> int:
    """Segments ahead of their turn, none next to another."""
    for step in range(number):
        flow.send(data=b"ahead", seq=at + 100 * step)
    return number


def retransmits_at_once(lab: Lab) -> None:
    adjust(lab.right, {"ipv4/tcp_rto_min_us": 5000})


def send_apart(sock: socket.socket) -> None:
    """Five segments of 100 bytes."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(5):
        sock.send(b"x" * 100)


@way("tcp", "TcpExt.BeyondWindow", reason="TCP_INVALID_END_SEQUENCE")
def tcp_more_than_the_window(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/tcp_invalid_ratelimit": 0})
    [(flow, _)] = connected(lab, prepare=small_buffer)
    flow.send(data=b"unread")
    flow.seq += 6

    def lose() -> int:
        for _ in range(SEGMENTS):
            flow.send(data=b"x" * 1400)
        return SEGMENTS

    return lose


@way("tcp", "TcpExt.TCPZeroWindowDrop", reason="TCP_ZEROWINDOW")
def tcp_window_closed(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/tcp_shrink_window": 1, "ipv4/tcp_invalid_ratelimit": 0})
    [(flow, sock)] = connected(lab, options=SCALED)
    ahead(flow)
    small_buffer(sock)
    flow.send(data=b"old", seq=-100)  # answered with the window of now

    def lose() -> int:
        for _ in range(SEGMENTS):
            flow.send(data=b"now")
        return SEGMENTS

    return lose


@way("tcp", "TcpExt.TCPOFODrop", reason="PROTO_MEM")
def tcp_no_room_for_what_is_ahead(lab: Lab) -> Callable[[], int]:
    [(flow, sock)] = connected(lab)
    ahead(flow)
    small_buffer(sock)
    return lambda: ahead(flow, at=20_000)


@way("tcp", "TcpExt.OfoPruned", reason="TCP_OFO_QUEUE_PRUNE")
def tcp_what_was_ahead_pruned(lab: Lab) -> Callable[[], int]:
    ends = connected(lab, CONNECTIONS)
    for flow, sock in ends:
        ahead(flow)
        small_buffer(sock)

    def lose() -> int:
        for flow, _ in ends:
            flow.send(data=b"now")
        return CONNECTIONS  # times that this happened

    return lose


@way("tcp", "TcpExt.TCPRcvQDrop", reason="PROTO_MEM")
def tcp_receive_buffer_full(lab: Lab) -> Callable[[], int]:
    ends = connected(lab, CONNECTIONS)
    for flow, sock in ends:
        for _ in range(4):
            flow.send(data=b"x" * 1000)
            flow.seq += 1000
        small_buffer(sock)

    def lose() -> int:
        for flow, _ in ends:
            flow.send(ACK | ECE, b"x" * 1000)  # not the fast path, which takes it
        return CONNECTIONS

    return lose


@way("tcp", "TcpExt.TCPBacklogDrop", reason="SOCKET_BACKLOG")
def tcp_process_stands_still_with_its_socket_locked(lab: Lab) -> Callable[[], int]:
    [(flow, sock)] = connected(lab)
    stalled = lab.stack.enter_context(Stalled(sock))

    def lose() -> int:
        flow.send(data=b"x" * 100)
        stalled.wait()
        for number in range(1, SENT):
            flow.send(ACK | ECE * (number % 2), b"x" * 100, seq=100 * number)
        return SENT - stalled.taken() // 100

    return lose


@way("tcp", "TcpExt.TCPAbortOnTimeout")
def tcp_given_up(lab: Lab) -> Callable[[], int]:
    retransmits_at_once(lab)
    ends = connected(lab, CONNECTIONS)

    def lose() -> int:
        for _, sock in ends:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 20)
            sock.send(b"nobody answers")
        return CONNECTIONS

    return lose


@way("tcp", "TcpExt.TCPTimeouts", at_least=True)
def tcp_silent_peer(lab: Lab) -> Callable[[], int]:
    retransmits_at_once(lab)
    ends = connected(lab, CONNECTIONS)

    def lose() -> int:
        for _, sock in ends:
            sock.send(b"nobody answers")
        return CONNECTIONS

    return lose


@way("tcp", "Tcp.RetransSegs")
def tcp_lost_on_the_way(lab: Lab) -> Callable[[], int]:
    """Three acknowledgements that do not go on tell that a segment is lost; it is sent again."""
    ends = connected(lab, CONNECTIONS)

    def lose() -> int:
        for flow, sock in ends:
            send_apart(sock)
            for _ in range(3):
                flow.send()
            flow.send(ack=500)
        return CONNECTIONS

    return lose


@way("tcp", "TcpExt.TCPRetransFail", reason="NETFILTER_DROP", at_least=True)
def tcp_dropped_on_its_own_way_out(lab: Lab) -> Callable[[], int]:
    ends = connected(lab, CONNECTIONS)
    for _, sock in ends:
        send_apart(sock)
    lab.right.run(
        "nft add table ip t",
        "nft add chain ip t out { type filter hook output priority 0 ; }",
        "nft add rule ip t out tcp sport 80 drop",
    )

    def lose() -> int:
        for flow, _ in ends:
            for _ in range(3):
                flow.send()
        return CONNECTIONS

    return lose
