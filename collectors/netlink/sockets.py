"""Sockets of every kind, from NETLINK_SOCK_DIAG; where the kernel's handler is not at hand, from /proc/net."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from collectors.collector import Block, Collector, Raw
from collectors.host import Host
from collectors.netlink import sock_inet, sock_netlink, sock_packet, sock_proc, sock_unix
from collectors.netlink.dump import NETLINK_SOCK_DIAG, decode_dump, dump
from collectors.netlink.modules import at_hand, missing
from collectors.netlink.sock_columns import COLUMNS
from collectors.netlink.sock_inet import IPPROTO_DCCP, IPPROTO_MPTCP, IPPROTO_SCTP, IPPROTO_UDPLITE
from collectors.table import Gap, Table, concatenate
from collectors.wire.netlink import DecodeError, Messages, NetlinkError, messages

SOCK_DIAG_BY_FAMILY = 20
LISTED = "proc-"  # parts that are files of /proc/net
SHORT = 1024  # bytes: a refusal is shorter


@dataclass(frozen=True, slots=True)
class Part:
    """One dump: what it asks for, the modules that answer it, and where else the same sockets are listed.

    ``file``: below /proc/net, "" where there is none; ``protocols``: names in /proc/net/protocols.
    """

    name: str
    body: bytes
    rows: Callable[[Messages], Table]
    modules: tuple[str, ...]
    file: str = ""
    protocols: tuple[str, ...] = ()


def inet_parts(netid: str, protocol: int, module: str, files: tuple[str, str], *protocols: str) -> tuple[Part, Part]:
    """The dumps of one protocol over IPv4 and over IPv6."""
    rows = partial(sock_inet.rows, netid=netid)
    four, six = (sock_inet.request_body(family, protocol) for family in (socket.AF_INET, socket.AF_INET6))
    modules = ("inet_diag", module)
    return (
        Part(netid, four, rows, modules, files[0], protocols),
        Part(f"{netid}6", six, rows, modules, files[1], tuple(f"{name}v6" for name in protocols)),
    )


PARTS = (
    *inet_parts("tcp", socket.IPPROTO_TCP, "tcp_diag", ("tcp", "tcp6")),
    *inet_parts("mptcp", IPPROTO_MPTCP, "mptcp_diag", ("", ""), "MPTCP"),
    *inet_parts("udp", socket.IPPROTO_UDP, "udp_diag", ("udp", "udp6")),
    *inet_parts("udplite", IPPROTO_UDPLITE, "udp_diag", ("udplite", "udplite6")),
    *inet_parts("raw", socket.IPPROTO_RAW, "raw_diag", ("raw", "raw6")),
    *inet_parts("sctp", IPPROTO_SCTP, "sctp_diag", ("", ""), "SCTP"),
    *inet_parts("dccp", IPPROTO_DCCP, "dccp_diag", ("", ""), "DCCP"),
    Part("unix", sock_unix.request_body(), sock_unix.rows, ("unix_diag",), "unix"),
    Part("packet", sock_packet.request_body(), sock_packet.rows, ("af_packet_diag",), "packet"),
    Part("netlink", sock_netlink.request_body(), sock_netlink.rows, ("netlink_diag",), "netlink"),
)
ALWAYS_FILES = ("icmp", "icmp6")  # ping sockets have no sock_diag handler


def read(host: Host) -> Iterator[Block | Gap]:
    present = at_hand(host)
    for part in PARTS:
        lacking = missing(part.modules, present)
        if lacking:
            names = " and ".join(lacking)
            yield from instead(host, part, f"{names} not loaded, and not loaded by asking", f"modprobe {lacking[-1]}")
        else:
            yield from asked(host, part, dump(host, NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, part.body, part.name))
    for name in ALWAYS_FILES:
        yield from file_block(host, name)


def asked(host: Host, part: Part, blocks: Iterator[Block]) -> Iterator[Block | Gap]:
    """The dump's blocks, or the listing in its place where the kernel refuses it."""
    first = next(blocks, None)
    if first is None:
        return
    try:
        if len(first.data) < SHORT:
            messages(first.data)
    except NetlinkError as error:
        unknown = error.errno == errno.ENOENT
        why = f"this kernel has no {part.modules[-1]}" if unknown else f"sock_diag refused: {error.strerror}"
        yield from instead(host, part, why, "")
        return
    yield first
    yield from blocks


def instead(host: Host, part: Part, why: str, remedy: str) -> Iterator[Block | Gap]:
    """What /proc/net lists of a part, and a Gap if it lists any: with fewer columns, or only their number."""
    blocks = list(file_block(host, part.file)) if part.file else []
    yield from blocks
    if any(bytes(block.data).count(b"\n") > 1 for block in blocks):
        yield Gap(f"{part.name} sockets as /proc/net/{part.file} lists them, with fewer columns: {why}", remedy)
    elif part.protocols and (count := sock_proc.in_use(host, part.protocols)):
        yield Gap(f"{count} {part.name} sockets are not shown: {why}", remedy)


def file_block(host: Host, name: str) -> Iterator[Block]:
    """A listing of /proc/net as a block; nothing when this kernel has none."""
    try:
        yield Block(LISTED + name, host.read(f"net/{name}"))
    except FileNotFoundError:
        return


def decode(raw: Raw) -> Table:
    """Sockets of all parts, those of the dumps first."""
    return decoded(raw, DECODERS)


def decoded(raw: Raw, decoders: Mapping[str, Callable[[Messages], Table]]) -> Table:
    """Sockets of the dumps, by each part's decoder, then those that /proc/net lists."""
    listed: list[Table] = []

    def dumped() -> Iterator[Block | Gap]:
        for item in raw:
            if isinstance(item, Block) and item.part.startswith(LISTED):
                listed.append(sock_proc.rows(item.part.removeprefix(LISTED), bytes(item.data)))
            elif isinstance(item, Block) and item.part not in decoders:
                raise DecodeError(0, f"no such part of the sockets: {item.part!r}")
            else:
                yield item

    table = decode_dump(dumped(), decoders, [SOCK_DIAG_BY_FAMILY])
    return concatenate([table, *(part for part in listed if len(part))])


DECODERS = {part.name: part.rows for part in PARTS}
SOCKETS = Collector("sockets", COLUMNS, read, decode, "NETLINK_SOCK_DIAG and /proc/net", every=2.0)
