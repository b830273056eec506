"""Frames made by hand, right ones and wrong ones: Ethernet, ARP, IPv4, IPv6, UDP, TCP, ICMP."""

from __future__ import annotations

import socket
import struct

IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
ICMP, TCP, UDP, FRAGMENT, ICMPV6, NOTHING, OPTIONS, UDPLITE = 1, 6, 17, 44, 58, 59, 60, 136
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
DONT_FRAGMENT, MORE_FRAGMENTS = 0x4000, 0x2000


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(to: bytes, of: bytes, kind: int, payload: bytes) -> bytes:
    return to + of + struct.pack("!H", kind) + payload


def ipv4(
    src: str,
    dst: str,
    protocol: int,
    payload: bytes = b"",
    *,
    version: int = 4,
    ttl: int = 64,
    ident: int = 1,
    fragment: int = 0,
    options: bytes = b"",
    length: int | None = None,
    wrong: int = 0,
) -> bytes:
    """``fragment``: flags and offset; ``length``: what the header claims; ``wrong``: by how much its checksum is."""
    size = 20 + len(options)
    claimed = size + len(payload) if length is None else length
    ends = socket.inet_aton(src) + socket.inet_aton(dst)
    start = struct.pack("!BBHHHBB", version << 4 | size // 4, 0, claimed, ident, fragment, ttl, protocol)
    check = checksum(start + b"\0\0" + ends + options) ^ wrong
    return start + struct.pack("!H", check) + ends + options + payload


def ipv6(
    src: str,
    dst: str,
    following: int,
    payload: bytes = b"",
    *,
    version: int = 6,
    hops: int = 64,
    length: int | None = None,
) -> bytes:
    claimed = len(payload) if length is None else length
    start = struct.pack("!IHBB", version << 28, claimed, following, hops)
    return start + socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + payload


def transport(src: str, dst: str, protocol: int, segment: bytes, at: int, wrong: int = 0) -> bytes:
    """The segment with the checksum at ``at`` filled in, over the addresses too."""
    family = socket.AF_INET6 if ":" in src else socket.AF_INET
    ends = socket.inet_pton(family, src) + socket.inet_pton(family, dst)
    check = checksum(ends + struct.pack("!II", len(segment), protocol) + segment) ^ wrong
    return segment[:at] + struct.pack("!H", check) + segment[at + 2 :]


def udp(src: str, dst: str, port: int, data: bytes = b"lost", *, length: int | None = None, wrong: int = 0) -> bytes:
    claimed = 8 + len(data) if length is None else length
    return transport(src, dst, UDP, struct.pack("!HHHH", 4000, port, claimed, 0) + data, 6, wrong)


def tcp(
    src: str,
    dst: str,
    ports: tuple[int, int],
    flags: int,
    *,
    seq: int = 1,
    ack: int = 0,
    window: int = 65535,
    options: bytes = b"",
    data: bytes = b"",
    wrong: int = 0,
) -> bytes:
    """``ports``: of the source and of the destination; ``options``: a multiple of four bytes."""
    offset = (20 + len(options)) // 4 << 4
    start = struct.pack("!HHIIBBHHH", *ports, seq % 2**32, ack % 2**32, offset, flags, window, 0, 0)
    return transport(src, dst, TCP, start + options + data, 16, wrong)


def icmp(kind: int, code: int, rest: bytes = b"\0\1\0\1", *, wrong: int = 0) -> bytes:
    check = checksum(struct.pack("!BBH", kind, code, 0) + rest) ^ wrong
    return struct.pack("!BBH", kind, code, check) + rest


def icmp6(src: str, dst: str, kind: int, code: int, rest: bytes = b"\0\1\0\1", *, wrong: int = 0) -> bytes:
    return transport(src, dst, ICMPV6, struct.pack("!BBH", kind, code, 0) + rest, 2, wrong)
