"""The columns of every kind of socket, what their numbers mean, and what all kinds have: states and memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netlink.sock_tcp_info import COLUMNS as TCP_INFO_COLUMNS
from collectors.table import Column
from collectors.values import Index
from collectors.wire.shapes import Shape

# uapi linux/tcp.h and include/net/tcp_states.h, in ss's words
STATES = (
    "UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN", "CLOSE-WAIT",
    "LAST-ACK", "LISTEN", "CLOSING", "SYN-RECV", "BOUND-INACTIVE",
)  # fmt: skip
TCP_TIME_WAIT, TCP_CLOSE, TCP_LISTEN = 6, 7, 10

# uapi linux/sock_diag.h, SK_MEMINFO_*: __u32 each, in this order; more may follow
SK_MEMINFO = np.dtype(
    [
        ("skmem_rmem_alloc", "<u4"),
        ("skmem_rcvbuf", "<u4"),
        ("skmem_wmem_alloc", "<u4"),
        ("skmem_sndbuf", "<u4"),
        ("skmem_fwd_alloc", "<u4"),
        ("skmem_wmem_queued", "<u4"),
        ("skmem_optmem", "<u4"),
        ("skmem_backlog", "<u4"),
        ("drops", "<u4"),  # since 4.7
    ]
)

COLUMNS = (
    Column("netid", "text", "key", help="tcp, mptcp, udp, udplite, raw, icmp, sctp, u_str, u_dgr, u_seq, p_raw, nl, …"),
    Column("family", "text", "label", help="inet, inet6, unix, packet or netlink"),
    Column("state", "text", "label", help="ESTAB, LISTEN, UNCONN, TIME-WAIT, …, as ss names them"),
    Column("recv_q", "u4", "gauge", "B", "received and not read by the owner; of a TCP or UNIX listener: connections"),
    Column("send_q", "u4", "gauge", "B", "sent and not acknowledged; of a TCP or UNIX listener: connections at most"),
    Column("backlog", "u4", "gauge", "", "a listener's connections that wait for accept()"),
    Column("backlog_limit", "u4", "gauge", "", "how many may wait"),
    Column("src", "address", "label", help="local address"),
    Column("sport", "u2", "label", help="local port; of a raw socket its protocol, of a ping socket its identifier"),
    Column("dst", "address", "label", help="peer's address"),
    Column("dport", "u2", "label", help="peer's port"),
    Column("oif", "u4", "label", help="index of the interface it is bound to"),
    Column("path", "text", "label", help="UNIX: its path; each NUL byte of an abstract name is @"),
    Column("peer_inode", "u4", "label", help="UNIX: the socket it is connected to"),
    Column("protocol", "text", "label", help="raw: IP protocol; packet: what it receives; netlink: family"),
    Column("inode", "u4", "key", help="the socket's inode, as in /proc/PID/fd"),
    Column("cookie", "u8", "key", help="the kernel's number of the socket (sk:)"),
    Column("uid", "u4", "label", help="user that made it"),
    Column("mark", "u4", "label", help="mark of its packets (fwmark:)"),
    Column("cgroup", "u8", "label", help="inode of its control group"),
    Column("timer", "text", "label", help="on (retransmission), keepalive, timewait, persist"),
    Column("timer_expires", "u4", "gauge", "ms", "when the timer fires"),
    Column("timer_retrans", "u4", "gauge", "", "how often it fired in a row"),
    Column("shutdown", "text", "label", help="directions still open: <-> both, <-- receive, --> send, --- none"),
    Column("v6only", "bool", "label", help="takes IPv6 only"),
    Column("tos", "u1", "label", help="type of service of its packets"),
    Column("tclass", "u1", "label", help="traffic class of its packets"),
    Column("class_id", "u4", "label", help="traffic control class (net_cls) or priority"),
    Column("sockopts", "json", "label", help="socket options that are set; 5.13"),
    Column("skmem_rmem_alloc", "u4", "gauge", "B", "memory of the receive queue (r)"),
    Column("skmem_rcvbuf", "u4", "gauge", "B", "its limit (rb)"),
    Column("skmem_wmem_alloc", "u4", "gauge", "B", "memory of packets on their way out (t)"),
    Column("skmem_sndbuf", "u4", "gauge", "B", "limit of the send buffer (tb)"),
    Column("skmem_fwd_alloc", "u4", "gauge", "B", "memory reserved ahead (f)"),
    Column("skmem_wmem_queued", "u4", "gauge", "B", "memory of the send queue (w)"),
    Column("skmem_optmem", "u4", "gauge", "B", "memory of options (o)"),
    Column("skmem_backlog", "u4", "gauge", "B", "packets that wait while the owner holds the socket (bl)"),
    Column("drops", "u4", "counter", "packets", "packets that the socket refused (d); 4.7"),
    Column("cong", "text", "label", help="congestion control"),
    *TCP_INFO_COLUMNS,
    Column("bbr_bw", "u8", "gauge", "B/s", "BBR: bandwidth; ss shows bits"),
    Column("bbr_mrtt", "u4", "gauge", "us", "BBR: least round-trip time"),
    Column("bbr_pacing_gain", "f4", "gauge", "", "BBR: gain of the pace"),
    Column("bbr_cwnd_gain", "f4", "gauge", "", "BBR: gain of the congestion window"),
    Column("dctcp", "json", "label", help="DCTCP: ce_state, alpha, ab_ecn, ab_tot"),
    Column("vegas", "json", "label", help="Vegas and its kin: rttcnt, rtt, minrtt"),
    Column("ulp", "text", "label", help="upper layer protocol: tls, mptcp, …"),
    Column("ulp_info", "json", "label", help="its details"),
    Column("mptcp", "json", "label", help="MPTCP: subflows, addresses, token, sequence numbers"),
    Column("locals", "json", "label", help="SCTP: all local addresses"),
    Column("peers", "json", "label", help="SCTP: all addresses of the peer; UNIX listener: inodes of those that wait"),
    Column("vfs_inode", "u4", "label", help="UNIX: inode of the path"),
    Column("vfs_dev", "u4", "label", help="UNIX: device of the path's file system"),
    Column("packet_version", "u4", "label", help="packet: ring format TPACKET_V1, 2, 3 as 0, 1, 2 (ver:)"),
    Column("copy_thresh", "u4", "label", "B", "packet: size from which packets are copied too"),
    Column("packet_flags", "json", "label", help="packet: running, auxdata, origdev, vnethdr, loss"),
    Column("ring_rx", "json", "label", help="packet: receive ring"),
    Column("ring_tx", "json", "label", help="packet: transmit ring"),
    Column("fanout", "json", "label", help="packet: group and way of sharing packets"),
    Column("bpf_filter", "u4", "label", help="packet: instructions of its filter"),
    Column("portid", "u4", "label", help="netlink: its address, often a process id; 0: the kernel's"),
    Column("dst_portid", "u4", "label", help="netlink: address it is connected to"),
    Column("dst_group", "u4", "label", help="netlink: group it is connected to"),
    Column("groups", "json", "label", help="netlink: multicast groups"),
    Column("netlink_flags", "json", "label", help="netlink: options that are set"),
)


def put_states(draft: Draft, states: NDArray[np.uint8], at: Index) -> None:
    draft.named("state", states, state, at)


def state(number: int) -> str:
    return STATES[number] if number < len(STATES) else str(number)


def put_queues(draft: Draft, received: NDArray[Any], sent: NDArray[Any], listening: bool, at: Index) -> None:
    """Receive and send queue; of a listener these are the accept queue's length and limit."""
    draft.numbers("recv_q", received, at)
    draft.numbers("send_q", sent, at)
    if listening:
        draft.numbers("backlog", received, at)
        draft.numbers("backlog_limit", sent, at)


def put_memory(draft: Draft, shape: Shape, number: int) -> dict[str, NDArray[Any]]:
    """The columns of a SK_MEMINFO attribute; gives its fields back."""
    if number not in shape:
        return {}
    memory = shape.struct(SK_MEMINFO, number)
    for name, values in memory.items():
        draft.numbers(name, values, shape.at)
    return memory


def put_known(draft: Draft, name: str, numbers: NDArray[Any], at: Index) -> None:
    """Numbers of which 0 means that there is none."""
    known = numbers != 0
    if known.any():
        draft.numbers(name, numbers, at, None if known.all() else known)


def shutdown(mask: int) -> str:
    """The directions that are open, drawn as ss does: RCV_SHUTDOWN is 1, SEND_SHUTDOWN 2."""
    return ("-" if mask & 1 else "<") + "-" + ("-" if mask & 2 else ">")
