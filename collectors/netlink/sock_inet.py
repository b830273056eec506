"""TCP, MPTCP, UDP, UDP-Lite, RAW, SCTP and DCCP sockets, from sock_diag's inet_diag (uapi linux/inet_diag.h)."""

from __future__ import annotations

import socket
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.netlink.names import FORMS, NameBits
from collectors.netlink.sock_columns import (
    COLUMNS,
    TCP_LISTEN,
    put_known,
    put_memory,
    put_queues,
    put_states,
    shutdown,
    state,
)
from collectors.netlink.sock_tcp_info import INET_DIAG_INFO, divided, put_tcp_info
from collectors.netlink.sock_upper import mptcp_info, mptcp_traffic, upper_layer
from collectors.table import Table
from collectors.values import IPV4, Cell, Index
from collectors.wire.netlink import Messages, attribute, text
from collectors.wire.shapes import Shape, shapes

IPPROTO_DCCP, IPPROTO_SCTP, IPPROTO_UDPLITE, IPPROTO_MPTCP = 33, 132, 136, 262
INET_DIAG_VEGASINFO, INET_DIAG_CONG, INET_DIAG_TOS, INET_DIAG_TCLASS, INET_DIAG_SKMEMINFO = 3, 4, 5, 6, 7
INET_DIAG_SHUTDOWN, INET_DIAG_DCTCPINFO, INET_DIAG_SKV6ONLY, INET_DIAG_LOCALS, INET_DIAG_PEERS = 8, 9, 11, 12, 13
INET_DIAG_MARK, INET_DIAG_BBRINFO, INET_DIAG_CLASS_ID, INET_DIAG_ULP_INFO = 15, 16, 17, 19
INET_DIAG_CGROUP_ID, INET_DIAG_SOCKOPT = 21, 22
INET_DIAG_REQ_PROTOCOL = 3
# All that idiag_ext can ask for but INET_DIAG_MEMINFO, whose four numbers INET_DIAG_SKMEMINFO repeats. Attributes
# beyond 8 come without being asked for; INET_DIAG_MD5SIG, which holds keys, is never looked at.
EXTENSIONS = 0xFE

# struct inet_diag_msg { __u8 idiag_family, idiag_state, idiag_timer, idiag_retrans; struct inet_diag_sockid id;
# __u32 idiag_expires, idiag_rqueue, idiag_wqueue, idiag_uid, idiag_inode; } with struct inet_diag_sockid { __be16
# idiag_sport, idiag_dport; __be32 idiag_src[4], idiag_dst[4]; __u32 idiag_if, idiag_cookie[2]; } in its place
INET_DIAG_MSG = np.dtype(
    [
        ("idiag_family", "u1"),
        ("idiag_state", "u1"),
        ("idiag_timer", "u1"),
        ("idiag_retrans", "u1"),
        ("idiag_sport", ">u2"),
        ("idiag_dport", ">u2"),
        ("idiag_src", "u1", 16),
        ("idiag_dst", "u1", 16),
        ("idiag_if", "<u4"),
        ("idiag_cookie", "<u8"),
        ("idiag_expires", "<u4"),
        ("idiag_rqueue", "<u4"),
        ("idiag_wqueue", "<u4"),
        ("idiag_uid", "<u4"),
        ("idiag_inode", "<u4"),
    ]
)
TIMERS = (None, "on", "keepalive", "timewait", "persist", "unknown")
SCTP_STATES = (  # enum sctp_cmd_state, of associations
    "CLOSED", "COOKIE-WAIT", "COOKIE-ECHOED", "ESTAB", "SHUTDOWN-PENDING", "SHUTDOWN-SENT", "SHUTDOWN-RECEIVED",
    "ACK-SENT",
)  # fmt: skip
# struct inet_diag_sockopt's bits, in ss's words (ss --inet-sockopt)
SOCKOPTS = NameBits(
    {
        0x001: "recverr",
        0x002: "is_icsk",
        0x004: "freebind",
        0x008: "hdrincl",
        0x010: "mc_loop",
        0x020: "transparent",
        0x040: "mc_all",
        0x080: "nodefrag",
        0x100: "bind_addr_no_port",
        0x200: "recverr_rfc4884",
        0x400: "defer_connect",
    }
)
# /etc/protocols of every distribution
PROTOCOLS = {
    1: "icmp", 2: "igmp", 4: "ipencap", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah",
    58: "ipv6-icmp", 88: "eigrp", 89: "ospf", 103: "pim", 112: "vrrp", 115: "l2tp", 132: "sctp", 255: "raw",
}  # fmt: skip
FAMILIES: dict[int, str] = {socket.AF_INET: "inet", socket.AF_INET6: "inet6"}
PLAIN_NUMBERS = (("mark", "<u4", INET_DIAG_MARK), ("class_id", "<u4", INET_DIAG_CLASS_ID),
                 ("cgroup", "<u8", INET_DIAG_CGROUP_ID), ("tos", "u1", INET_DIAG_TOS),
                 ("tclass", "u1", INET_DIAG_TCLASS), ("v6only", "u1", INET_DIAG_SKV6ONLY))  # fmt: skip
# struct tcp_bbr_info { __u32 bbr_bw_lo, bbr_bw_hi, bbr_min_rtt, bbr_pacing_gain, bbr_cwnd_gain; }, gains in 1/256
BBR = np.dtype([("bw", "<u8"), ("mrtt", "<u4"), ("pacing_gain", "<u4"), ("cwnd_gain", "<u4")])


def request_body(family: int, protocol: int) -> bytes:
    """struct inet_diag_req_v2 for all sockets of a family and protocol, in every state."""
    number = protocol if protocol < 256 else 0
    body = struct.pack("=4BI48x", family, number, EXTENSIONS, 0, 0xFFFFFFFF)
    return body if number else body + attribute(INET_DIAG_REQ_PROTOCOL, struct.pack("=I", protocol))


def rows(messages: Messages, netid: str) -> Table:
    """One row per inet_diag_msg of one protocol."""
    draft = Draft(COLUMNS, len(messages))
    draft.same("netid", netid)
    for shape in shapes(messages, INET_DIAG_MSG.itemsize):
        header = shape.header(INET_DIAG_MSG)
        put_identity(draft, shape, header, netid)
        put_timer(draft, shape.at, header)
        put_attributes(draft, shape)
        put_memory(draft, shape, INET_DIAG_SKMEMINFO)
        for part, listening in divided(shape, header["idiag_state"] == TCP_LISTEN):
            put_state_of(draft, part, listening, netid)
    return draft.table()


def put_identity(draft: Draft, shape: Shape, header: NDArray[np.void], netid: str) -> None:
    at, family = shape.at, header["idiag_family"]
    forms = FORMS[family]
    width = 4 if (forms == IPV4).all() else 16
    draft.named("family", family, lambda number: FAMILIES.get(number, str(number)), at)
    for name, member in (("src", "idiag_src"), ("dst", "idiag_dst")):
        draft.addresses(name, header[member][:, :width], forms, at)
    for name, member in (("sport", "idiag_sport"), ("dport", "idiag_dport"), ("oif", "idiag_if")):
        put_known(draft, name, header[member], at)
    put_known(draft, "inode", header["idiag_inode"], at)
    draft.numbers("cookie", header["idiag_cookie"], at)
    if INET_DIAG_SKMEMINFO in shape:  # a whole socket; connection requests and TIME-WAIT leftovers have no owner
        draft.numbers("uid", header["idiag_uid"], at)
    if netid == "raw":
        draft.named("protocol", header["idiag_sport"], protocol_name, at)


def put_state_of(draft: Draft, shape: Shape, listening: bool, netid: str) -> None:
    """What depends on the state: its name, the queues, struct tcp_info or mptcp_info."""
    header = shape.header(INET_DIAG_MSG)
    if netid == "sctp" and INET_DIAG_PEERS in shape:
        draft.named("state", header["idiag_state"], association_state, shape.at)
    else:
        put_states(draft, header["idiag_state"], shape.at)
    put_queues(draft, header["idiag_rqueue"], header["idiag_wqueue"], listening and netid != "sctp", shape.at)
    if INET_DIAG_INFO not in shape or netid == "sctp":
        return
    if netid != "mptcp":
        put_tcp_info(draft, shape, listening)
    elif not listening:
        for name, numbers in mptcp_traffic(shape, INET_DIAG_INFO):
            draft.numbers(name, numbers, shape.at)
        draft.spelled("mptcp", shape.bytes_of(INET_DIAG_INFO), mptcp_info, shape.at)


def put_timer(draft: Draft, at: Index, header: NDArray[np.void]) -> None:
    timer = np.ascontiguousarray(header["idiag_timer"])
    running = timer != 0
    if running.any():
        known = None if running.all() else running
        draft.named("timer", timer, lambda number: TIMERS[min(number, 5)], at)
        draft.numbers("timer_expires", header["idiag_expires"], at, known)
        draft.numbers("timer_retrans", header["idiag_retrans"], at, known)


def put_attributes(draft: Draft, shape: Shape) -> None:
    at = shape.at
    for name, dtype, number in PLAIN_NUMBERS:
        if number in shape:
            draft.numbers(name, shape.number(dtype, number), at)
    if INET_DIAG_SHUTDOWN in shape:
        draft.named("shutdown", np.ascontiguousarray(shape.number("u1", INET_DIAG_SHUTDOWN)), shutdown, at)
    if INET_DIAG_SOCKOPT in shape:
        draft.named("sockopts", shape.number("<u2", INET_DIAG_SOCKOPT), SOCKOPTS, at)
    for name, number, speller in (
        ("cong", INET_DIAG_CONG, text),
        ("dctcp", INET_DIAG_DCTCPINFO, dctcp),
        ("vegas", INET_DIAG_VEGASINFO, vegas),
        ("locals", INET_DIAG_LOCALS, socket_addresses),
        ("peers", INET_DIAG_PEERS, socket_addresses),
    ):
        if number in shape:
            draft.spelled(name, shape.bytes_of(number), speller, at)
    if INET_DIAG_BBRINFO in shape:
        put_bbr(draft, at, shape.struct(BBR, INET_DIAG_BBRINFO))
    if INET_DIAG_ULP_INFO in shape:
        value = shape.bytes_of(INET_DIAG_ULP_INFO)
        draft.spelled("ulp", value, lambda octets: upper_layer(octets)[0], at)
        draft.spelled("ulp_info", value, lambda octets: upper_layer(octets)[1], at)


def put_bbr(draft: Draft, at: Index, info: dict[str, NDArray[Any]]) -> None:
    for member, numbers in info.items():
        draft.numbers(f"bbr_{member}", numbers / 256 if member.endswith("gain") else numbers, at)


def protocol_name(number: int) -> str:
    return PROTOCOLS.get(number, str(number))


def association_state(number: int) -> str:
    return SCTP_STATES[number] if number < len(SCTP_STATES) else state(number)


def dctcp(value: bytes) -> dict[str, Cell] | None:
    """struct tcp_dctcp_info { __u16 dctcp_enabled, dctcp_ce_state; __u32 dctcp_alpha, dctcp_ab_ecn, dctcp_ab_tot; }"""
    if len(value) < 16:
        return None
    enabled, *numbers = struct.unpack_from("=HHIII", value)
    return dict(zip(("ce_state", "alpha", "ab_ecn", "ab_tot"), numbers, strict=True)) if enabled else {"fallback": True}


def vegas(value: bytes) -> dict[str, Cell] | None:
    """struct tcpvegas_info { __u32 tcpv_enabled, tcpv_rttcnt, tcpv_rtt, tcpv_minrtt; }"""
    if len(value) < 16:
        return None
    enabled, *numbers = struct.unpack_from("=IIII", value)
    return {"enabled": bool(enabled), **dict(zip(("rttcnt", "rtt", "minrtt"), numbers, strict=True))}


def socket_addresses(value: bytes) -> list[Cell]:
    """An array of struct sockaddr_storage, 128 bytes each: port and address in network order."""
    found: list[Cell] = []
    for at in range(0, len(value) - 127, 128):
        family = int.from_bytes(value[at : at + 2], "little")
        if family == socket.AF_INET:
            found.append(socket.inet_ntop(family, value[at + 4 : at + 8]))
        elif family == socket.AF_INET6:
            found.append(socket.inet_ntop(family, value[at + 8 : at + 24]))
    return found
