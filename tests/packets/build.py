"""Packets of every protocol that is decoded, made by hand, and a small writer of pcap files."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import numpy as np

from collectors.wire.packets.records import Records
from tests.loss.frames import ACK, ARP, FIN, IPV4, IPV6, PSH, RST, SYN, TCP, UDP, URG, checksum, icmp, icmp6, tcp
from tests.loss.frames import ethernet as frame
from tests.loss.frames import ipv4 as ip4
from tests.loss.frames import ipv6 as ip6

A, B, A6, B6 = "10.9.0.1", "10.9.0.2", "fd09::1", "fd09::2"
ONE, TWO = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
SACKED = struct.pack("!4I", 1000, 2000, 3000, 4000)
STAMPS = struct.pack("!II", 123456, 654321)
Captured = tuple[int, bytes, int]  # LINKTYPE_, bytes that were kept, bytes on the wire


def ethernet(kind: int, payload: bytes) -> bytes:
    return frame(TWO, ONE, kind, payload)


def over4(protocol: int, payload: bytes, **more: int) -> bytes:
    return ethernet(IPV4, ip4(A, B, protocol, payload, **more))  # type: ignore[arg-type]


def over6(following: int, payload: bytes, **more: int) -> bytes:
    return ethernet(IPV6, ip6(A6, B6, following, payload, **more))


def udp(sport: int, dport: int, data: bytes = b"data", length: int | None = None) -> bytes:
    """Without a checksum, which IPv4 allows."""
    return struct.pack("!4H", sport, dport, 8 + len(data) if length is None else length, 0) + data


def tag(kind: int, number: int, priority: int = 0) -> bytes:
    """A VLAN's, and the ethertype of what follows."""
    return struct.pack("!HH", priority << 13 | number, kind)


def name(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def dns(asked: bytes, kind: int = 1, *, flags: int = 0x0100, answers: int = 0, rest: bytes = b"") -> bytes:
    return struct.pack("!6H", 0xBEEF, flags, 1, answers, 0, 0) + asked + struct.pack("!HH", kind, 1) + rest


def client_hello(host: bytes) -> bytes:
    server = struct.pack("!HBH", 3 + len(host), 0, len(host)) + host
    extensions = struct.pack("!HHHH", 43, 3, 0x0203, 0x0400)[:-1] + struct.pack("!HH", 0, len(server)) + server
    body = b"\3\3" + bytes(32) + b"\4sess" + struct.pack("!HH", 2, 0x1301) + b"\1\0"
    body += struct.pack("!H", len(extensions)) + extensions
    return struct.pack("!BHHB", 22, 0x0301, len(body) + 4, 1) + len(body).to_bytes(3, "big") + body


def chunk(kind: int, body: bytes) -> bytes:
    return struct.pack("!BBH", kind, 3, 4 + len(body)) + body + bytes(-len(body) % 4)


def sctp(*chunks: bytes) -> bytes:
    return struct.pack("!HHII", 5000, 6000, 0xDEADBEEF, 0) + b"".join(chunks)


def arp(operation: int) -> bytes:
    ends = ONE + socket.inet_aton(A) + bytes(6) + socket.inet_aton(B)
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + ends


def cooked(kind: int, direction: int, payload: bytes) -> bytes:
    return struct.pack("!HHH", direction, 1, 6) + ONE + b"\0\0" + struct.pack("!H", kind) + payload


def cooked2(kind: int, direction: int, payload: bytes) -> bytes:
    return struct.pack("!HHIHBB", kind, 0, 7, 1, direction, 6) + ONE + b"\0\0" + payload


def gre(kind: int, payload: bytes, *, key: int | None = None, check: bool = False, sequence: bool = False) -> bytes:
    flags = 0x8000 * check | 0x2000 * (key is not None) | 0x1000 * sequence
    more = b"" if key is None else struct.pack("!I", key)
    found = struct.pack("!HH", flags, kind) + bytes(4) * check + more + b"\0\0\0\5" * sequence + payload
    return found[:4] + struct.pack("!H", checksum(found)) + found[6:] if check else found


def fragment6(following: int, offset: int, more: int, ident: int = 77) -> bytes:
    return struct.pack("!BBHI", following, 0, offset | more, ident)


def options6(following: int, content: bytes = b"\1\4\0\0\0\0") -> bytes:
    return bytes([following, (len(content) + 2) // 8 - 1]) + content


SEGMENTS = {
    "syn": tcp(A, B, (40000, 80), SYN, seq=2**32 - 1, options=b"\2\4\5\xb4\4\2\x08\x0a" + STAMPS + b"\1\3\3\7"),
    "syn-ack": tcp(A, B, (80, 40000), SYN | ACK, seq=5, ack=7, options=b"\2\4\5\xb4\1\1\4\2\1\3\3\0"),
    "ack": tcp(A, B, (40000, 80), ACK, seq=9, ack=8, window=0),
    "push with stamps": tcp(A, B, (40000, 80), PSH | ACK, options=b"\1\1\x08\x0a" + STAMPS, data=b"x" * 33),
    "sack": tcp(A, B, (40000, 80), ACK, options=b"\1\1\x08\x0a" + STAMPS + b"\1\1\5\x12" + SACKED),
    "sack of one block": tcp(A, B, (40000, 80), ACK, options=b"\5\x0a" + SACKED[:8] + b"\0\0"),
    "all flags": tcp(A, B, (1, 2), FIN | SYN | RST | PSH | ACK | URG | 64 | 128),
    "no flags": tcp(A, B, (1, 2), 0),
    "accurate ecn": (lambda s: s[:12] + b"\x51" + s[13:])(tcp(A, B, (1, 2), SYN | 64 | 128)),
    "options that end early": tcp(A, B, (1, 2), ACK, options=b"\0\2\4\5"),
    "an unknown option": tcp(A, B, (1, 2), ACK, options=b"\xfe\6abcd\1\1"),
    "client hello": tcp(A, B, (40001, 443), PSH | ACK, data=client_hello(b"www.example.com")),
    "client hello elsewhere": tcp(A, B, (40001, 4443), PSH | ACK, data=client_hello(b"other.example.com")),
    "tls data": tcp(A, B, (443, 40001), PSH | ACK, data=b"\x17\3\3\0\x10" + bytes(16)),
    "dns": tcp(
        A, B, (40002, 53), PSH | ACK, data=(lambda m: struct.pack("!H", len(m)) + m)(dns(name(b"tcp", b"test")))
    ),
}
ANSWER = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + b"\1\2\3\4"
DATAGRAMS = {
    "empty": udp(4000, 9, b""),
    "some": udp(4000, 9),
    "dns question": udp(4000, 53, dns(name(b"www", b"example", b"com"))),
    "dns answer": udp(53, 4000, dns(name(b"www", b"example", b"com"), flags=0x8180, answers=1, rest=ANSWER)),
    "dns of no such name": udp(53, 4000, dns(name(b"nowhere", b"test"), 28, flags=0x8183)),
    "dns of an unknown type": udp(4000, 53, dns(name(b"a-b_c"), 4711)),
    "mdns": udp(5353, 5353, dns(name(b"_http", b"_tcp", b"local"), 12, flags=0)),
}
QUOTED = ip4(B, A, UDP, udp(7, 9999, b"12345678"))
QUOTED6 = ip6(B6, A6, TCP, tcp(B6, A6, (22, 50000), SYN, seq=31337))
MESSAGES = {
    "echo": icmp(8, 0, struct.pack("!HH", 4711, 3) + b"x" * 56),
    "echo reply": icmp(0, 0, struct.pack("!HH", 4711, 3) + b"x" * 56),
    "need-frag": icmp(3, 4, struct.pack("!HH", 0, 1400) + QUOTED),
    "port unreachable": icmp(3, 3, bytes(4) + QUOTED[:28]),
    "time exceeded about tcp": icmp(11, 0, bytes(4) + ip4(B, A, TCP, SEGMENTS["syn"])[:28]),
    "redirect": icmp(5, 1, socket.inet_aton(A) + QUOTED),
    "about an echo": icmp(3, 1, bytes(4) + ip4(B, A, 1, icmp(8, 0))),
    "timestamp": icmp(13, 0, bytes(16)),
}
MESSAGES6 = {
    "echo": icmp6(A6, B6, 128, 0, struct.pack("!HH", 815, 9) + b"x" * 56),
    "echo reply": icmp6(A6, B6, 129, 0, struct.pack("!HH", 815, 9)),
    "too big": icmp6(A6, B6, 2, 0, struct.pack("!I", 1280) + QUOTED6),
    "unreachable": icmp6(A6, B6, 1, 4, bytes(4) + QUOTED6),
    "neighbour solicitation": icmp6(A6, B6, 135, 0, bytes(4) + socket.inet_pton(socket.AF_INET6, B6) + b"\1\1" + ONE),
}
INSIDE = over4(TCP, SEGMENTS["syn"])
INSIDE6 = over6(UDP, udp(1234, 9))
ROUTING = bytes([UDP, 2, 4, 0]) + bytes(4) + socket.inet_pton(socket.AF_INET6, B6)
AUTHENTICATION = struct.pack("!BBHII", TCP, 4, 0, 0x1234, 1) + bytes(12)
FRAMES = {
    **{f"tcp: {told}": over4(TCP, segment) for told, segment in SEGMENTS.items()},
    **{f"tcp6: {told}": over6(TCP, segment) for told, segment in SEGMENTS.items()},
    **{f"udp: {told}": over4(UDP, datagram) for told, datagram in DATAGRAMS.items()},
    **{f"icmp: {told}": over4(1, message) for told, message in MESSAGES.items()},
    **{f"icmp6: {told}": over6(58, message) for told, message in MESSAGES6.items()},
    "padding": over4(TCP, SEGMENTS["ack"]) + bytes(6),
    "padding6": over6(UDP, udp(1, 2, b"")) + b"\xff" * 9,
    "ip options": ethernet(IPV4, ip4(A, B, UDP, udp(1, 2), options=b"\x94\4\0\0\1\1\1\0")),
    "service": (lambda p: p[:15] + b"\xbb" + p[16:])(over4(UDP, udp(1, 2))),
    "do not fragment": over4(UDP, udp(1, 2), fragment=0x4000, ident=0xABCD, ttl=1),
    "first fragment": over4(UDP, udp(1, 2, b"x" * 16, length=1000), fragment=0x2000),
    "middle fragment": over4(UDP, b"\0\x35\0\x35" * 8, fragment=0x2000 | 185),
    "last fragment": over4(UDP, b"\0\x35\0\x35" * 8, fragment=370),
    "flow label": (lambda p: p[:14] + b"\x6a\xb1\x23\x45" + p[18:])(over6(UDP, udp(1, 2))),
    "hop-by-hop": over6(0, options6(58, b"\5\2\0\0\1\0") + MESSAGES6["neighbour solicitation"]),
    "destination options": over6(60, options6(UDP, b"\1\x0c" + bytes(12)) + udp(1, 2)),
    "routing": over6(43, ROUTING + udp(1, 2)),
    "three extensions": over6(0, options6(60) + options6(43) + ROUTING + udp(1, 2)),
    "authenticated": over4(51, AUTHENTICATION + SEGMENTS["ack"]),
    "authenticated6": over6(51, AUTHENTICATION + SEGMENTS["ack"]),
    "first fragment6": over6(44, fragment6(UDP, 0, 1) + udp(1, 2, b"x" * 16, length=1000)),
    "last fragment6": over6(44, fragment6(UDP, 1448, 0) + b"\0\x35" * 10),
    "atomic fragment6": over6(44, fragment6(UDP, 0, 0) + udp(1, 2)),
    "no next header": over6(59, b"", length=0),
    "igmp": over4(2, b"\x16\0\0\0" + socket.inet_aton("239.1.1.1")),
    "ospf": over4(89, bytes(24)),
    "a protocol without a name": over4(253, b"12345678"),
    "arp request": ethernet(ARP, arp(1)) + bytes(18),
    "arp reply": ethernet(ARP, arp(2)),
    "vlan": ethernet(0x8100, tag(IPV4, 100, 5) + INSIDE[14:]),
    "qinq": ethernet(0x88A8, tag(0x8100, 200) + tag(IPV6, 300, 7) + INSIDE6[14:]),
    "old qinq": ethernet(0x9100, tag(0x8100, 201) + tag(ARP, 301) + arp(1)),
    "three vlans": ethernet(0x8100, tag(0x8100, 1) + tag(0x8100, 2) + tag(IPV4, 3) + INSIDE[14:]),
    "spanning tree": ethernet(38, b"\x42\x42\3" + bytes(35)) + bytes(8),
    "snap": ethernet(8 + len(INSIDE) - 14, b"\xaa\xaa\3\0\0\0\x08\0" + INSIDE[14:]),
    "unknown ethertype": ethernet(0x4321, b"something"),
    "sctp init": over4(132, sctp(chunk(1, bytes(16)))),
    "sctp data": over4(132, sctp(chunk(3, bytes(12)), chunk(0, bytes(12) + b"hello"), chunk(0, bytes(12) + b"you"))),
    "udplite": over4(136, udp(7, 8, b"lite", length=8)),
    "gre": over4(47, gre(IPV4, INSIDE[14:])),
    "gre6 with key": over4(47, gre(IPV6, INSIDE6[14:], key=99)),
    "gre with all": over4(47, gre(IPV4, INSIDE[14:], key=2**32 - 1, check=True, sequence=True)),
    "gre with ethernet": over6(47, gre(0x6558, INSIDE, sequence=True)),
    "ipip": over4(4, INSIDE[14:]),
    "6in4": over4(41, INSIDE6[14:]),
    "4in6": over6(4, INSIDE[14:]),
    "ip6ip6": over6(41, INSIDE6[14:]),
    "vxlan": over4(UDP, udp(50000, 4789, struct.pack("!II", 0x08000000, 42 << 8) + INSIDE)),
    "vxlan at linux's port": over6(UDP, udp(50000, 8472, struct.pack("!II", 0x08000000, 0xFFFFFF00) + INSIDE6)),
    "geneve": over4(UDP, udp(50000, 6081, struct.pack("!BBHI", 1, 0, 0x6558, 77 << 8) + b"\1\2\3\0" + INSIDE)),
}
JUMBO = struct.pack("!BBBBI", UDP, 0, 0xC2, 4, 8 + 12 + 70000) + udp(1, 2, b"x" * 70012, length=0)
# larger than the length fields tell: what TSO and GRO make
LARGE = {
    "tso": over4(TCP, tcp(A, B, (1, 2), ACK, data=b"x" * 70000), length=0),
    "tso6": over6(TCP, SEGMENTS["push with stamps"] + b"x" * 70000, length=0),
    "jumbogram": over6(0, JUMBO, length=0),
}


def others() -> list[Captured]:
    """Of other link layers."""
    four, six = INSIDE[14:], INSIDE6[14:]
    found = [(113, cooked(IPV4, direction, four)) for direction in range(5)]
    found += [(276, cooked2(IPV6, direction, six)) for direction in range(5)]
    found += [
        (113, cooked(ARP, 4, arp(1))),
        (276, cooked2(0x8100, 0, tag(IPV4, 5) + four)),
        (113, cooked(4, 0, b"BB\3" + bytes(35))),
    ]
    found += [(101, four), (101, six), (228, four), (229, six)]
    found += [(0, struct.pack("<I", 2) + four), (0, struct.pack(">I", 24) + six), (0, struct.pack("<I", 30) + six)]
    found += [(108, struct.pack(">I", 2) + four), (108, struct.pack(">I", 28) + six)]
    return [(link, packet, len(packet)) for link, packet in found]


def everything() -> list[Captured]:
    return [(1, packet, len(packet)) for packet in FRAMES.values()] + others()


def records(captured: list[Captured], between: bytes = b"", before: bytes = b"") -> Records:
    """Packets in one buffer, with ``between`` behind each of them."""
    at, pieces, offset = [], [before], len(before)
    for _, packet, _ in captured:
        at.append(offset)
        pieces += [packet, between]
        offset += len(packet) + len(between)
    count = len(captured)
    return Records(
        np.frombuffer(b"".join(pieces), np.uint8),
        np.array(at, np.intp),
        np.array([len(packet) for _, packet, _ in captured], np.uint32),
        np.array([length for _, _, length in captured], np.uint32),
        np.arange(count, dtype=np.int64),
        np.array([link for link, _, _ in captured], np.uint16),
        np.full(count, -1, np.int16),
    )


def write(path: Path, link: int, captured: list[Captured]) -> None:
    """A pcap file of packets of one link type, a second and a nanosecond between them."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link))
        for number, (_, packet, length) in enumerate(captured, 1):
            out.write(struct.pack("<4I", number, number, len(packet), length) + packet)
