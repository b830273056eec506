"""Sockets as /proc/net lists them, decoded to the columns that sock_diag gives, as far as they go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink import sock_netlink, sock_packet, sock_unix
from collectors.netlink.sock_columns import COLUMNS, TCP_CLOSE, TCP_LISTEN, TCP_TIME_WAIT, put_known, state
from collectors.netlink.sock_inet import TIMERS, protocol_name
from collectors.table import Table
from collectors.values import IPV4, IPV6, WHOLE
from collectors.wire.netlink import DecodeError

USER_HZ = 100
TCP_SYN_RECV = 3
# net/unix/af_unix.c, unix_seq_show: Num RefCount Protocol Flags Type St Inode Path
UNIX_LINE = re.compile(
    rb"[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ ([0-9A-F]{8}) ([0-9A-F]{4}) ([0-9A-F]{2}) +(\d+)(?: (.*))?\Z", re.S
)
SO_ACCEPTCON = 0x10000
CONNECTED = (2, 3)  # SS_CONNECTING, SS_CONNECTED: both stand for TCP_ESTABLISHED there

Lines = Sequence[bytes]


def rows(name: str, data: bytes) -> Table:
    """The sockets of one file of /proc/net; raises DecodeError for a line that is not of its form."""
    kind = name.removesuffix("6")
    lines = [line for line in data.split(b"\n")[1:] if line]
    try:
        if kind in OTHERS:
            return OTHERS[kind](lines)
        return inet_rows(kind, name != kind, lines)
    except (ValueError, IndexError, OverflowError) as error:
        raise DecodeError(0, f"/proc/net/{name}: {error}") from error


def in_use(host: Host, protocols: Sequence[str]) -> int:
    """How many sockets of these protocols /proc/net/protocols counts: name, size, sockets, …"""
    lines = host.read("net/protocols").split(b"\n")[1:]
    words = [line.split() for line in lines]
    return sum(int(word[2]) for word in words if len(word) > 2 and word[0].decode("ascii", "replace") in protocols)


def inet_rows(netid: str, six: bool, lines: Lines) -> Table:
    """sl local remote st tx:rx tr:when retrnsmt uid timeout inode ref pointer; then drops, or what TCP has."""
    draft = Draft(COLUMNS, len(lines))
    draft.same("netid", "icmp6" if six and netid == "icmp" else netid)
    draft.same("family", "inet6" if six else "inet")
    if not lines:
        return draft.table()
    words = [line.split() for line in lines]
    _, local, remote, states, queues, timers, retrans, uid, _, inode = zip(*(word[:10] for word in words), strict=True)
    put_ends(draft, six, local, remote)
    numbers = hexadecimal(states, "u1")
    draft.named("state", numbers, state)
    put_queues(draft, netid, numbers, queues)
    put_timer(draft, timers, retrans)
    put_owner(draft, numbers, decimal(uid), decimal(inode))
    if netid == "raw":
        draft.named("protocol", hexadecimal([end.split(b":")[1] for end in local], "u2"), protocol_name)
    if netid == "tcp":
        put_known(draft, "cwnd", decimal([word[15] if len(word) > 16 else b"0" for word in words]), WHOLE)
    else:
        draft.numbers("drops", decimal([word[12] for word in words]))
    return draft.table()


def put_ends(draft: Draft, six: bool, local: Lines, remote: Lines) -> None:
    """Ends as ADDRESS:PORT, the address as 32-bit words of this machine's byte order."""
    for name, port, ends in (("src", "sport", local), ("dst", "dport", remote)):
        octets = bytes.fromhex(b"".join(end.split(b":")[0] for end in ends).decode("ascii"))
        turned = np.frombuffer(octets, "<u4").byteswap().view(np.uint8).reshape(len(ends), -1)
        if turned.shape[1] != (16 if six else 4):
            raise ValueError(f"an address of {turned.shape[1]} bytes")
        draft.addresses(name, turned, IPV6 if six else IPV4)
        put_known(draft, port, hexadecimal([end.split(b":")[1] for end in ends], "u2"), WHOLE)


def put_queues(draft: Draft, netid: str, states: NDArray[Any], queues: Lines) -> None:
    sent, received = (hexadecimal([queue.split(b":")[side] for queue in queues], "u4") for side in (0, 1))
    listening = states == TCP_LISTEN if netid == "tcp" else np.zeros(len(states), bool)
    draft.numbers("recv_q", received)
    draft.numbers("send_q", sent, known=~listening)  # of a listener sock_diag gives the accept queue's limit
    draft.numbers("backlog", received, known=listening)


def put_timer(draft: Draft, timers: Lines, retrans: Lines) -> None:
    kinds = hexadecimal([timer.split(b":")[0] for timer in timers], "u1")
    expires = hexadecimal([timer.split(b":")[1] for timer in timers], "i8") * (1000 // USER_HZ)
    draft.named("timer", kinds, lambda number: TIMERS[min(number, 5)])
    draft.numbers("timer_expires", np.minimum(expires, 0xFFFFFFFF), known=kinds != 0)
    draft.numbers("timer_retrans", hexadecimal(retrans, "u4"), known=kinds != 0)


def put_owner(draft: Draft, states: NDArray[Any], uid: NDArray[np.int64], inode: NDArray[np.int64]) -> None:
    put_known(draft, "inode", inode, WHOLE)
    draft.numbers("uid", uid, known=(states != TCP_TIME_WAIT) & ((states != TCP_SYN_RECV) | (inode != 0)))


def unix_rows(lines: Lines) -> Table:
    whole: list[bytes] = []
    for line in lines:
        if UNIX_LINE.match(line):
            whole.append(line)
        elif whole:
            whole[-1] += b"\n" + line  # a path that holds a newline
        else:
            raise ValueError("not a UNIX socket's line")
    found = [match.groups() for line in whole if (match := UNIX_LINE.match(line))]
    fields = [words for words in found if int(words[3])]  # without an inode: not accepted yet, sock_diag omits them
    draft = Draft(COLUMNS, len(fields))
    draft.same("family", "unix")
    if not fields:
        return draft.table()
    flags, kinds, states, inodes, paths = zip(*fields, strict=True)
    draft.cells("netid", [sock_unix.netid(int(kind, 16)) for kind in kinds])
    draft.cells("state", [unix_state(int(flag, 16), int(number, 16)) for flag, number in zip(flags, states)])
    put_known(draft, "inode", decimal(inodes), WHOLE)
    draft.cells("path", [sock_unix.path(path) if path else None for path in paths])
    return draft.table()


def unix_state(flags: int, number: int) -> str:
    return "LISTEN" if flags & SO_ACCEPTCON else "ESTAB" if number in CONNECTED else "UNCONN"


def packet_rows(lines: Lines) -> Table:
    """sk RefCnt Type Proto Iface R Rmem User Inode"""
    draft = Draft(COLUMNS, len(lines))
    draft.same("family", "packet")
    draft.same("state", state(TCP_CLOSE))
    if not lines:
        return draft.table()
    _, _, kinds, protocols, indexes, running, memory, uid, inode = zip(
        *(line.split()[:9] for line in lines), strict=True
    )
    draft.cells("netid", [sock_packet.netid(int(kind)) for kind in kinds])
    draft.cells("protocol", [sock_packet.ether_type(int(number, 16)) for number in protocols])
    draft.cells("packet_flags", [["running"] if flag == b"1" else None for flag in running])
    put_known(draft, "oif", decimal(indexes), WHOLE)
    draft.numbers("recv_q", decimal(memory))
    draft.numbers("uid", decimal(uid))
    put_known(draft, "inode", decimal(inode), WHOLE)
    return draft.table()


def netlink_rows(lines: Lines) -> Table:
    """sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; of the groups only the first 32"""
    draft = Draft(COLUMNS, len(lines))
    draft.same("family", "netlink")
    draft.same("netid", "nl")
    draft.same("state", state(TCP_CLOSE))
    if not lines:
        return draft.table()
    _, protocols, portid, groups, received, sent, _, _, drops, inode = zip(
        *(line.split()[:10] for line in lines), strict=True
    )
    draft.named("protocol", decimal(protocols), sock_netlink.protocol_name)
    draft.cells("groups", [sock_netlink.groups(bytes.fromhex(mask.decode("ascii"))[::-1]) for mask in groups])
    for name, values in (("portid", portid), ("recv_q", received), ("send_q", sent), ("drops", drops)):
        draft.numbers(name, decimal(values))
    put_known(draft, "inode", decimal(inode), WHOLE)
    return draft.table()


def hexadecimal(words: Lines, dtype: str) -> NDArray[Any]:
    """Raises OverflowError for what the type does not hold."""
    return np.array([int(word, 16) for word in words], np.int64).astype(dtype)


def decimal(words: Lines) -> NDArray[np.int64]:
    return np.array([int(word) for word in words], np.int64)


OTHERS = {"unix": unix_rows, "packet": packet_rows, "netlink": netlink_rows}
