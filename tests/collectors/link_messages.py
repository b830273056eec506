"""Link messages assembled by hand from the uapi headers, for kinds that the kernel of a test machine need not have."""

from __future__ import annotations

import socket
import struct

from collectors.wire.netlink import NLMSGHDR, attribute

RTM_NEWLINK, NLMSG_DONE, NLM_F_MULTI = 16, 3, 2
IFLA_IFNAME, IFLA_LINKINFO, IFLA_TXQLEN = 3, 18, 13
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA = 1, 2, 4, 5


def u8(number: int, value: int) -> bytes:
    return attribute(number, struct.pack("=B", value))


def u16(number: int, value: int) -> bytes:
    return attribute(number, struct.pack("=H", value))


def u32(number: int, value: int) -> bytes:
    return attribute(number, struct.pack("=I", value))


def be16(number: int, value: int) -> bytes:
    return attribute(number, struct.pack(">H", value))


def be32(number: int, value: int) -> bytes:
    return attribute(number, struct.pack(">I", value))


def ip(number: int, value: str) -> bytes:
    family = socket.AF_INET6 if ":" in value else socket.AF_INET
    return attribute(number, socket.inet_pton(family, value))


def octets(number: int, value: str) -> bytes:
    return attribute(number, bytes.fromhex(value))


def link(index: int, name: str, *attributes: bytes, kind: int = 1) -> bytes:
    """One RTM_NEWLINK message of an Ethernet device that is up."""
    body = struct.pack("=BBHiII", 0, 0, kind, index, 0x1043, 0)
    body += attribute(IFLA_IFNAME, name.encode() + b"\0") + u32(IFLA_TXQLEN, 1000) + b"".join(attributes)
    return NLMSGHDR.pack(16 + len(body), RTM_NEWLINK, NLM_F_MULTI, 1, 1) + body


def of_kind(index: int, kind: str, data: bytes) -> bytes:
    inside = attribute(IFLA_INFO_KIND, kind.encode() + b"\0") + attribute(IFLA_INFO_DATA, data)
    return link(index, f"k{index}", attribute(IFLA_LINKINFO, inside))


def port_of(index: int, kind: str, data: bytes) -> bytes:
    inside = attribute(IFLA_INFO_SLAVE_KIND, kind.encode() + b"\0") + attribute(IFLA_INFO_SLAVE_DATA, data)
    return link(index, f"k{index}", attribute(IFLA_LINKINFO, inside))


def done() -> bytes:
    return NLMSGHDR.pack(20, NLMSG_DONE, NLM_F_MULTI, 1, 1) + bytes(4)


QUALITY = attribute(1, struct.pack("=II", 1, 5)) + attribute(1, struct.pack("=II", 2, 6))
AD_INFO = u16(1, 3) + u16(2, 2) + u16(3, 15) + u16(4, 33) + octets(5, "0200000000aa")
# linux/if_link.h, linux/if_tunnel.h: kind -> IFLA_INFO_DATA
KINDS: dict[str, bytes] = {
    "vlan": be16(5, 0x8100) + u16(1, 100) + attribute(2, struct.pack("=II", 0x15, 0xFFFFFFFF))
    + attribute(3, QUALITY) + attribute(4, QUALITY),
    "vlan stacked": be16(5, 0x88A8) + u16(1, 4094) + attribute(2, struct.pack("=II", 1, 1)),
    "bond": u8(1, 4) + u32(2, 1) + u32(3, 100) + u32(4, 200) + u32(5, 300) + u8(6, 1) + u32(7, 0) + u32(9, 0)
    + u32(10, 0) + u8(12, 1) + u8(13, 0) + u8(14, 1) + u32(15, 1) + u8(16, 1) + u8(17, 0) + u32(18, 1) + u32(19, 1)
    + u32(20, 1) + u8(21, 1) + u8(22, 1) + attribute(23, AD_INFO) + u16(24, 65535) + u16(25, 0)
    + octets(26, "020000000001") + u8(27, 1) + u32(28, 0) + u8(29, 1) + u8(30, 2),
    "bond arp": u8(1, 1) + u32(7, 1000) + attribute(8, ip(0, "10.0.0.1") + ip(1, "10.0.0.2")) + u32(9, 3) + u32(10, 1)
    + u32(11, 1) + attribute(31, ip(0, "fd00::1")),
    "bond odd": u8(1, 99) + u32(2, 77) + u32(9, 3),
    "geneve": u32(1, 7000) + ip(2, "192.0.2.9") + u8(3, 64) + u8(4, 0x10) + be16(5, 6081) + u8(8, 1) + u8(9, 0)
    + u8(10, 1) + be32(11, 0x12345) + u8(13, 1),
    "geneve six": u32(1, 7001) + ip(7, "2001:db8::9") + u8(3, 0) + u8(12, 1) + u8(4, 1) + be16(5, 6081) + u8(13, 0),
    "geneve external": u32(1, 0) + attribute(6, b"") + be16(5, 6081) + u8(8, 1),
    "ipvlan": u16(1, 2) + u16(2, 1),
    "ipvlan bridge": u16(1, 0) + u16(2, 0),
    "ipvtap": u16(1, 1) + u16(2, 2),
    "vrf": u32(1, 1000),
    "gre": u32(1, 1) + octets(2, "b000") + octets(3, "2000") + be32(4, 7) + be32(5, 8) + ip(6, "10.0.0.1")
    + ip(7, "10.0.0.2") + u8(8, 255) + u8(9, 1) + u8(10, 1) + u8(19, 1) + u32(20, 0x20) + u16(14, 1)
    + u16(15, 3) + be16(16, 5000) + be16(17, 6000),
    "gretap": octets(2, "0000") + octets(3, "0000") + be32(4, 7) + be32(5, 8) + ip(6, "0.0.0.0") + ip(7, "10.0.0.2")
    + u8(8, 0) + u8(9, 0) + u8(10, 0) + u16(14, 0) + u16(15, 0) + be16(16, 0) + be16(17, 0),
    "gretap external": ip(6, "0.0.0.0") + ip(7, "0.0.0.0") + u8(8, 0) + u8(9, 0) + attribute(18, b"") + u16(14, 0),
    "erspan": octets(2, "3000") + octets(3, "3000") + be32(4, 1) + be32(5, 1) + ip(6, "10.0.0.1") + ip(7, "10.0.0.2")
    + u8(8, 64) + u8(10, 1) + u32(20, 0) + u8(22, 2) + u8(23, 1) + u16(24, 0x1F),
    "ip6gre": u32(1, 0) + octets(2, "2000") + octets(3, "2000") + be32(4, 1) + be32(5, 2) + ip(6, "fd00::1")
    + ip(7, "fd00::2") + u8(8, 64) + u8(11, 4) + be32(12, 0x0AB12345) + u32(13, 0) + u32(20, 3),
    "ip6gretap": ip(6, "::") + ip(7, "fd00::2") + u8(8, 64) + u8(11, 4) + be32(12, 0) + u32(13, 0x37) + u32(20, 3),
    "ipip": u32(1, 1) + ip(2, "10.0.0.1") + ip(3, "10.0.0.2") + u8(4, 64) + u8(5, 0x10) + u8(10, 1) + u8(9, 4)
    + u32(20, 0) + u16(15, 2) + u16(16, 1) + be16(17, 0) + be16(18, 5555),
    "ipip any": u32(1, 0) + ip(2, "0.0.0.0") + ip(3, "0.0.0.0") + u8(4, 0) + u8(5, 0) + u8(10, 0) + u8(9, 0)
    + u16(15, 0),
    "sit": ip(2, "10.0.0.1") + ip(3, "0.0.0.0") + u8(4, 64) + u8(5, 1) + u8(10, 1) + u16(8, 1) + u8(9, 41)
    + ip(11, "2001:db8::") + ip(12, "10.0.0.0") + u16(13, 32) + u16(14, 8) + u16(15, 0) + u32(20, 9),
    "sit plain": ip(2, "10.0.0.1") + ip(3, "10.0.0.9") + u8(4, 64) + u8(10, 1) + u16(8, 0) + u8(9, 41)
    + ip(11, "2002::") + ip(12, "0.0.0.0") + u16(13, 16) + u16(14, 0),
    "ip6tnl": u32(1, 1) + ip(2, "fd00::1") + ip(3, "fd00::2") + u8(4, 64) + u8(6, 4) + be32(7, 0x0AB12345) + u32(8, 0)
    + u8(9, 41) + u32(20, 0x10) + u16(15, 0),
    "ip6tnl flags": ip(2, "::") + ip(3, "fd00::2") + u8(4, 64) + u8(6, 4) + be32(7, 0) + u32(8, 0x7F) + u8(9, 4),
    "ip6tnl external": ip(2, "::") + ip(3, "::") + u8(4, 0) + u8(9, 0) + attribute(19, b""),
    "vti": u32(1, 1) + be32(2, 1) + be32(3, 2) + ip(4, "10.0.0.1") + ip(5, "10.0.0.2") + u32(6, 5),
    "vti6": be32(2, 1) + be32(3, 2) + ip(4, "fd00::1") + ip(5, "fd00::2") + u32(6, 0),
    "vxlan": u32(1, 42) + ip(2, "239.1.1.1") + u32(3, 1) + ip(4, "10.0.0.1") + u8(5, 9) + u8(6, 4) + u8(7, 1)
    + u32(8, 0) + u32(9, 100) + attribute(10, struct.pack(">HH", 1000, 2000)) + u8(11, 1) + u8(12, 1) + u8(13, 1)
    + u8(14, 1) + be16(15, 4789) + u8(18, 0) + u8(19, 1) + u8(20, 1) + u8(21, 1) + u8(22, 1) + attribute(23, b"")
    + be32(26, 0x54321) + attribute(27, b"") + u8(29, 2),
    "vxlan six": u32(1, 43) + ip(16, "fd00::9") + ip(17, "fd00::1") + u8(5, 0) + u8(28, 1) + u8(6, 1) + u8(7, 0)
    + u32(8, 300) + be16(15, 8472) + u8(25, 0) + u8(29, 1),
    "macvlan": u32(1, 16) + u16(2, 3) + u32(6, 2) + attribute(5, octets(4, "020000000001") + octets(4, "020000000002"))
    + u32(7, 1000) + u32(8, 1000),
    "bridge": u8(7, 1) + be16(8, 0x8100) + u16(9, 0x4005) + octets(11, "8000020000000001")
    + octets(10, "1000020000000002") + attribute(16, struct.pack("=Q", 12345)) + u16(39, 1) + u8(41, 1) + u8(45, 0)
    + octets(20, "0180c2000000") + attribute(46, struct.pack("=II", 3, 3)),
}  # fmt: skip
PORTS: dict[str, bytes] = {
    "bond": u8(1, 1) + u8(2, 2) + u32(3, 7) + octets(4, "020000000003") + u16(5, 0) + u16(6, 2) + u8(7, 0x3D)
    + u16(8, 0x05) + u32(9, 1),
    "vrf": u32(1, 1000),
    "bridge": u8(1, 4) + u16(2, 32) + u32(3, 100) + u8(4, 1) + u8(8, 0) + u16(17, 0x8001) + u16(18, 1)
    + attribute(23, struct.pack("=Q", 99)) + u8(27, 1) + u16(31, 0x4007) + u32(34, 1) + u8(39, 1),
}  # fmt: skip
