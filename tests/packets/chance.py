"""Packets put together by chance: every header that is decoded, with other values and in other company each time."""

from __future__ import annotations

import ipaddress
import random
import struct

from tests.packets import build
from tests.packets.build import IPV4, IPV6, TCP, UDP, Captured

VLANS = (0x8100, 0x88A8)
PIECES = (0,) * 12 + (0x2000, 0x20B9, 0xB9)  # whole, the first fragment, one in the middle, the last
QUIET = range(20000, 30000)  # ports whose data tshark leaves alone


class Chance:
    """One source of packets; the same ``seed`` gives the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def frame(self) -> bytes:
        kind, payload = self.network(2)
        for place in range(self.random.choice((0, 0, 0, 1, 2))):
            tag = build.tag(kind, self.random.randrange(1, 4095), self.random.randrange(8))
            kind, payload = VLANS[place], tag + payload
        ends = bytes(self.random.randrange(1, 127) * 2 for _ in range(12))
        return ends + struct.pack("!H", kind) + payload

    def network(self, deeper: int) -> tuple[int, bytes]:
        """``deeper``: packets that may be inside one another, itself counted."""
        if self.random.random() < 0.03:
            return build.ARP, build.arp(self.random.choice((1, 2)))
        return (IPV4, self.ipv4(deeper)) if self.random.random() < 0.5 else (IPV6, self.ipv6(deeper))

    def ipv4(self, deeper: int, pieces: tuple[int, ...] = PIECES) -> bytes:
        protocol, payload = self.transport(IPV4, deeper)
        fragment = self.random.choice((0, 0, 0x4000, 0x8000)) | self.random.choice(pieces)
        options = self.random.choice((b"",) * 4 + (b"\x94\4\0\0", b"\1\1\1\0", b"\x94\4\0\0\1\1\1\1"))
        octets = bytearray(
            build.ip4(self.four(), self.four(), protocol, payload, ttl=self.byte(), ident=self.u16(),
                      fragment=fragment, options=options)
        )  # fmt: skip
        octets[1] = self.byte()  # service; whether the checksum is right does not matter
        return bytes(octets)

    def ipv6(self, deeper: int) -> bytes:
        following, payload = self.transport(IPV6, deeper)
        headers = [self.options, self.routing, self.authentication, self.fragment]
        for header in self.random.sample(headers, self.random.choice((0, 0, 0, 0, 1, 2))):
            following, payload = header(following, payload)
        start = struct.pack("!I", 6 << 28 | self.random.randrange(1 << 28))
        return start + build.ip6(self.six(), self.six(), following, payload, hops=self.byte())[4:]

    def options(self, following: int, payload: bytes) -> tuple[int, bytes]:
        return 60, build.options6(following) + payload

    def routing(self, following: int, payload: bytes) -> tuple[int, bytes]:
        return 43, bytes([following, 2, 4, 0]) + bytes(4) + b"\xfd" + bytes(15) + payload

    def fragment(self, following: int, payload: bytes) -> tuple[int, bytes]:
        """The first one, or the only one."""
        more, ident = self.random.choice((0, 1)), self.random.randrange(1 << 32)
        return 44, build.fragment6(following, 0, more, ident) + payload

    def authentication(self, following: int, payload: bytes) -> tuple[int, bytes]:
        return 51, struct.pack("!BBHII", following, 4, 0, 4711, 1) + bytes(12) + payload

    def transport(self, kind: int, deeper: int) -> tuple[int, bytes]:
        makers = [self.tcp, self.udp, self.sctp, self.icmp if kind == IPV4 else self.icmp6, self.application]
        if deeper > 1:
            makers += [self.tunnel, self.error if kind == IPV4 else self.error6]
        return self.random.choice(makers)()

    def tcp(self) -> tuple[int, bytes]:
        known = (b"\2\4" + self.octets(2), b"\3\3" + bytes([self.random.randrange(15)]), b"\4\2", b"\1", b"\1",
                 b"\x08\x0a" + self.octets(8), b"\5\x12" + self.octets(16))  # fmt: skip
        options = b"".join(self.random.sample(known, self.random.randrange(5)))
        options += b"\1" * (-len(options) % 4)
        return TCP, build.tcp(build.A, build.B, (self.port(), self.port()), self.random.randrange(256),
                              seq=self.random.randrange(1 << 32), ack=self.random.randrange(1 << 32),
                              window=self.u16(), options=options, data=self.data())  # fmt: skip

    def udp(self) -> tuple[int, bytes]:
        return UDP, build.udp(self.port(), self.port(), self.data())

    def sctp(self) -> tuple[int, bytes]:
        chunks = {
            0: self.octets(12) + b"data!",
            1: bytes(16),
            3: bytes(12),
            4: b"\0\1\0\6hb",
            7: bytes(4),
            11: b"",
            14: b"",
        }
        kinds = self.random.choices(list(chunks), k=self.random.randrange(1, 4))
        return 132, build.sctp(*(build.chunk(kind, chunks[kind]) for kind in kinds))

    def icmp(self) -> tuple[int, bytes]:
        return 1, build.icmp(self.random.choice((0, 8)), 0, self.octets(4) + self.data())

    def icmp6(self) -> tuple[int, bytes]:
        kind, rest = self.random.choice((128, 129)), self.octets(4) + self.data()
        return 58, build.icmp6(build.A6, build.B6, kind, 0, rest)

    def error(self) -> tuple[int, bytes]:
        kind, code = self.random.choice(((3, 0), (3, 1), (3, 3), (3, 13), (11, 0), (11, 1), (3, 4)))
        rest = struct.pack("!HH", 0, self.random.randrange(68, 9000)) if (kind, code) == (3, 4) else bytes(4)
        return 1, build.icmp(kind, code, rest + self.ipv4(1, (0,)))  # of a quoted fragment tshark tells no transport

    def error6(self) -> tuple[int, bytes]:
        kind, code = self.random.choice(((1, 0), (1, 4), (3, 0), (2, 0)))
        rest = struct.pack("!I", self.random.randrange(1280, 9000)) if kind == 2 else bytes(4)
        return 58, build.icmp6(build.A6, build.B6, kind, code, rest + self.ipv6(1))

    def tunnel(self) -> tuple[int, bytes]:
        kind, inner = self.network(1)
        bridged = build.ethernet(kind, inner)
        vni, flags = (
            self.random.randrange(1 << 24),
            {name: self.random.random() < 0.5 for name in ("check", "sequence")},
        )
        key = self.random.choice((None, self.random.randrange(1 << 32)))
        plain = (4, inner) if kind == IPV4 else (41, inner) if kind == IPV6 else (47, build.gre(kind, inner, key=key))
        return self.random.choice((
            plain,
            (47, build.gre(kind, inner, key=key, **flags)),
            (47, build.gre(0x6558, bridged, key=key)),
            (UDP, build.udp(self.port(), 4789, struct.pack("!II", 0x08000000, vni << 8) + bridged)),
            (UDP, build.udp(self.port(), 6081, struct.pack("!BBHI", 0, 0, 0x6558, vni << 8) + bridged)),
        ))  # fmt: skip

    def application(self) -> tuple[int, bytes]:
        labels = [self.label() for _ in range(self.random.randrange(1, 5))]
        asked, kind = build.name(*labels), self.random.choice((1, 2, 5, 12, 15, 16, 28, 33, 65, 255))
        code, answers = self.random.randrange(6), self.random.randrange(2)
        rest = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + b"\1\2\3\4" if answers else b""
        question = build.dns(asked, kind, flags=0x0100)
        answer = build.dns(asked, kind, flags=0x8180 | code, answers=answers, rest=rest)
        ends = (self.port(), 443)
        return self.random.choice((
            (UDP, build.udp(self.port(), 53, question)),
            (UDP, build.udp(53, self.port(), answer)),
            (UDP, build.udp(5353, 5353, answer)),
            (TCP, build.tcp(build.A, build.B, (53, self.port()), 24, data=struct.pack("!H", len(answer)) + answer)),
            (TCP, build.tcp(build.A, build.B, ends, 24, data=build.client_hello(b".".join(labels)))),
        ))  # fmt: skip

    def label(self) -> bytes:
        return bytes(
            self.random.choice(b"abcdefghijklmnopqrstuvwxyz0123456789-_") for _ in range(self.random.randrange(1, 20))
        )

    def four(self) -> str:
        return f"10.{self.byte()}.{self.byte()}.{self.random.randrange(1, 255)}"

    def six(self) -> str:
        return str(ipaddress.ip_address(b"\xfd" + self.octets(15)))

    def octets(self, count: int) -> bytes:
        return self.random.randbytes(count)

    def data(self) -> bytes:
        return b"x" * self.random.choice((0, 0, 1, 33, 100))

    def port(self) -> int:
        return self.random.choice(QUIET)

    def byte(self) -> int:
        return self.random.randrange(1, 256)

    def u16(self) -> int:
        return self.random.randrange(65536)


def packets(seed: int, count: int) -> list[Captured]:
    chance = Chance(seed)
    return [(1, packet, len(packet)) for packet in (chance.frame() for _ in range(count))]
