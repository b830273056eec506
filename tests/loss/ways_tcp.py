"""Ways of losing TCP segments and connections: handshakes, sequence numbers, checks, closes."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from tests.loss.frames import ACK, PSH, RST, SYN
from tests.loss.peer import Flow, Peer, connected, listener, timestamps
from tests.loss.way import Lab, adjust, way

SEGMENTS, CONNECTIONS = 23, 7
EACH = {"ipv4/tcp_invalid_ratelimit": 0}  # each doubtful segment is answered


def each(flow: Flow, number: int = SEGMENTS, flags: int = ACK, data: bytes = b"", **how: int) -> int:
    """The same segment again and again."""
    for _ in range(number):
        flow.send(flags, data, **how)  # type: ignore[arg-type]
    return number


@way("tcp", "Tcp.OutRsts", reason="NO_SOCKET")
def tcp_syn_to_closed_port(lab: Lab) -> Callable[[], int]:
    flow = Peer(lab).flow(port=81)
    return lambda: each(flow, flags=SYN)


@way("tcp", "Tcp.OutRsts", reason="TCP_FLAGS")
def tcp_connection_from_before_a_restart(lab: Lab) -> Callable[[], int]:
    flow = Peer(lab).flow()
    listener(lab)
    return lambda: each(flow, data=b"are you there?")


@way("tcp", "TcpExt.ListenOverflows")
def tcp_accept_queue_full(lab: Lab) -> Callable[[], int]:
    peer = Peer(lab)
    listener(lab, backlog=0)
    peer.flow().open()
    flow = peer.flow()
    return lambda: each(flow, flags=SYN)


@way("tcp", "TcpExt.ListenOverflows", reason="TCP_LISTEN_OVERFLOW")
def tcp_accept_queue_full_at_last_ack(lab: Lab) -> Callable[[], int]:
    peer = Peer(lab)
    listener(lab, backlog=CONNECTIONS - 1)  # takes one more
    half = [peer.flow().half_open() for _ in range(2 * CONNECTIONS)]
    while half[CONNECTIONS:]:
        half.pop().send()

    def lose() -> int:
        for flow in half:
            flow.send()
        return len(half)

    return lose


@way("tcp", "TcpExt.TCPReqQFullDrop")
def tcp_syn_queue_full(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/tcp_syncookies": 0})
    peer = Peer(lab)
    listener(lab, backlog=4)  # takes one more
    for _ in range(5):
        peer.flow().half_open()
    flow = peer.flow()
    return lambda: each(flow, flags=SYN)


@way("tcp", "TcpExt.ListenDrops")
def tcp_last_quarter_of_syn_queue(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/tcp_syncookies": 0, "ipv4/tcp_max_syn_backlog": 8})
    peer = Peer(lab)
    listener(lab)
    for _ in range(7):
        peer.flow().half_open()
    flow = peer.flow()
    return lambda: each(flow, flags=SYN)


@way("tcp", "TcpExt.SyncookiesFailed")
def tcp_ack_without_syn_cookie(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/tcp_syncookies": 2})
    peer = Peer(lab)
    listener(lab)
    peer.flow().half_open()
    flow = peer.flow()
    return lambda: each(flow)


@way("tcp", "Tcp.InCsumErrors", reason="TCP_CSUM")
def tcp_bad_checksum(lab: Lab) -> Callable[[], int]:
    peer = Peer(lab)
    listener(lab)
    flow = peer.flow()
    return lambda: each(flow, flags=SYN, wrong=1)


@way("tcp", "TcpExt.PAWSEstab", reason="TCP_RFC7323_PAWS")
def tcp_timestamp_from_before(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, EACH)
    [(flow, _)] = connected(lab, options=timestamps(5000), then=timestamps(5000))
    flow.options = timestamps(4000)
    return lambda: each(flow, data=b"lost")


@way("tcp", "TcpExt.TCPChallengeACK", reason="TCP_TOO_OLD_ACK")
def tcp_ack_much_too_old(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, EACH)
    [(flow, _)] = connected(lab)
    return lambda: each(flow, data=b"lost", ack=-100_000)


@way("tcp", "TcpExt.TCPChallengeACK", reason="TCP_ACK_UNSENT_DATA")
def tcp_ack_of_what_was_not_sent(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, EACH)
    [(flow, _)] = connected(lab)
    return lambda: each(flow, data=b"lost", ack=100_000)


@way("tcp", "TcpExt.BeyondWindow", reason="TCP_INVALID_SEQUENCE")
def tcp_beyond_window(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, EACH)
    [(flow, _)] = connected(lab)
    return lambda: each(flow, data=b"lost", seq=10_000_000)


@way("tcp", "TcpExt.DelayedACKLost", reason="TCP_OLD_DATA")
def tcp_data_again(lab: Lab) -> Callable[[], int]:
    [(flow, _)] = connected(lab)
    flow.send(data=b"once")
    return lambda: each(flow, data=b"once")


@way("tcp", "TcpExt.DelayedACKLost", reason="TCP_OLD_SEQUENCE")
def tcp_data_of_long_ago(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, EACH)
    [(flow, _)] = connected(lab)
    return lambda: each(flow, data=b"once", seq=-100)


@way("tcp", "TcpExt.TCPOFOMerge", reason="TCP_OFOMERGE")
def tcp_data_ahead_again(lab: Lab) -> Callable[[], int]:
    [(flow, _)] = connected(lab)
    flow.send(data=b"ahead", seq=100)
    return lambda: each(flow, data=b"ahead", seq=100)


@way("tcp", "TcpExt.TCPSYNChallenge", reason="TCP_INVALID_SYN")
def tcp_syn_in_open_connection(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, EACH)
    [(flow, _)] = connected(lab)
    return lambda: each(flow, flags=SYN)


@way("tcp", None, reason="TCP_FLAGS")
def tcp_flags_without_sense(lab: Lab) -> Callable[[], int]:
    [(flow, _)] = connected(lab)
    return lambda: each(flow, flags=PSH, data=b"lost")


@way("tcp", "Tcp.EstabResets")
def tcp_reset_by_peer(lab: Lab) -> Callable[[], int]:
    ends = connected(lab, CONNECTIONS)
    return lambda: sum(each(flow, 1, RST) for flow, _ in ends)


@way("tcp", "TcpExt.TCPChallengeACK", reason="TCP_RESET")
def tcp_reset_that_does_not_fit(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, EACH)
    [(flow, _)] = connected(lab)
    return lambda: each(flow, flags=RST, seq=100)


@way("tcp", "TcpExt.EmbryonicRsts")
def tcp_reset_while_half_open(lab: Lab) -> Callable[[], int]:
    peer = Peer(lab)
    listener(lab)
    half = [peer.flow().half_open() for _ in range(CONNECTIONS)]
    return lambda: sum(each(flow, 1, RST) for flow in half)


@way("tcp", "Tcp.AttemptFails")
def tcp_connect_refused(lab: Lab) -> Callable[[], int]:
    def lose() -> int:
        for _ in range(CONNECTIONS):
            with lab.right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET) as sock:
                assert sock.connect_ex(("10.9.0.1", 81)) != 0
        return CONNECTIONS

    return lose


@way("tcp", "TcpExt.TCPAbortOnClose")
def tcp_closed_with_data_unread(lab: Lab) -> Callable[[], int]:
    ends = connected(lab, CONNECTIONS)
    for flow, _ in ends:
        flow.send(data=b"unread")

    def lose() -> int:
        for _, sock in ends:
            sock.close()
        return CONNECTIONS

    return lose


@way("tcp", "TcpExt.TCPAbortOnData")
def tcp_closed_by_reset(lab: Lab) -> Callable[[], int]:
    ends = connected(lab, CONNECTIONS)

    def lose() -> int:
        for _, sock in ends:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        return CONNECTIONS

    return lose


@way("tcp", "TcpExt.TCPAbortOnData", reason="TCP_ABORT_ON_DATA")
def tcp_data_after_close(lab: Lab) -> Callable[[], int]:
    ends = connected(lab, CONNECTIONS)
    for _, sock in ends:
        sock.close()
    return lambda: sum(each(flow, 1, data=b"too late") for flow, _ in ends)


@way("tcp", "TcpExt.TCPTimeWaitOverflow")
def tcp_too_many_in_time_wait(lab: Lab) -> Callable[[], int]:
    adjust(lab.right, {"ipv4/tcp_max_tw_buckets": 0})
    ends = connected(lab, CONNECTIONS)
    for _, sock in ends:
        sock.close()
    return lambda: sum(each(flow, 1, ACK | 1, ack=1) for flow, _ in ends)


@way("tcp", "TcpExt.TCPAbortOnLinger")
def tcp_closed_without_waiting_for_the_peer(lab: Lab) -> Callable[[], int]:
    ends = connected(lab, CONNECTIONS)
    for flow, sock in ends:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, -1)
        sock.shutdown(socket.SHUT_WR)
        flow.send(ack=1)

    def lose() -> int:
        for _, sock in ends:
            sock.close()
        return CONNECTIONS

    return lose
