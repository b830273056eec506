"""Talking to drivers: the ethtool netlink family (uapi linux/ethtool_netlink.h) and SIOCETHTOOL (linux/ethtool.h)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator

from collectors.collector import Block
from collectors.host import Host
from collectors.netlink.dump import PATIENCE, answer, open_netlink
from collectors.netlink.receiving import LARGEST
from collectors.wire.netlink import (
    NLM_F_DUMP,
    DecodeError,
    attribute,
    attribute_map,
    attributes,
    messages,
    request,
    text,
)

NETLINK_GENERIC = 16
# uapi linux/genetlink.h: struct genlmsghdr { __u8 cmd; __u8 version; __u16 reserved; };
GENLMSGHDR = struct.Struct("=BBH")
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
ETHTOOL_A_HEADER, ETHTOOL_A_HEADER_DEV_INDEX, ETHTOOL_A_HEADER_DEV_NAME, ETHTOOL_A_HEADER_FLAGS = 1, 1, 2, 3
ETHTOOL_FLAG_COMPACT_BITSETS = 1
NLA_F_NESTED = 0x8000
BODY = 20  # nlmsghdr and genlmsghdr

SIOCETHTOOL = 0x8946
ETHTOOL_GDRVINFO, ETHTOOL_GSTRINGS, ETHTOOL_GSTATS, ETHTOOL_GSSET_INFO = 0x03, 0x1B, 0x1D, 0x37
ETH_SS_STATS, ETH_GSTRING_LEN = 1, 32
# struct ethtool_drvinfo { __u32 cmd; char driver[32], version[32], fw_version[32], bus_info[32], erom_version[32],
#   reserved2[12]; __u32 n_priv_flags, n_stats, testinfo_len, eedump_len, regdump_len; };
DRVINFO = struct.Struct("=I32s32s32s32s32s12s5I")
SLACK = 512  # statistics that a driver may gain between being counted and being read
MOST = 1 << 16


class NoEthtool(OSError):
    """This kernel has no ethtool netlink family (before 5.6)."""


def family(sock: socket.socket) -> int:
    """The family's number, from the list of families: asking by name could load a module."""
    sock.send(request(GENL_ID_CTRL, NLM_F_DUMP, 1, GENLMSGHDR.pack(CTRL_CMD_GETFAMILY, 1, 0)))
    for block in answer(sock):
        found = messages(block.data).of(GENL_ID_CTRL)
        for offset, length in zip(found.offsets.tolist(), found.lengths.tolist(), strict=True):
            inner = attribute_map(found.data[offset + BODY : offset + length].tobytes())
            if text(inner.get(CTRL_ATTR_FAMILY_NAME, b"")) == "ethtool":
                return int.from_bytes(inner[CTRL_ATTR_FAMILY_ID], "little")
    raise NoEthtool(errno.EOPNOTSUPP, "this kernel has no ethtool netlink")


def dumps(host: Host, commands: dict[str, int]) -> Iterator[Block]:
    """One dump over all devices for each command, with compact bit sets; a block's part is the command's name."""
    header = attribute(ETHTOOL_A_HEADER_FLAGS, struct.pack("=I", ETHTOOL_FLAG_COMPACT_BITSETS))
    with open_netlink(host, NETLINK_GENERIC) as sock:
        number = family(sock)
        for part, command in commands.items():
            body = GENLMSGHDR.pack(command, 1, 0) + attribute(NLA_F_NESTED | ETHTOOL_A_HEADER, header)
            sock.send(request(number, NLM_F_DUMP, 1, body))
            yield from answer(sock, part)


def ask(sock: socket.socket, number: int, command: int, ifname: str) -> dict[int, bytes]:
    """The attributes that answer for one device; raises NetlinkError, EOPNOTSUPP where the driver has none."""
    device = attribute(ETHTOOL_A_HEADER_DEV_NAME, ifname.encode("utf-8", "surrogateescape") + b"\0")
    body = GENLMSGHDR.pack(command, 1, 0) + attribute(NLA_F_NESTED | ETHTOOL_A_HEADER, device)
    sock.settimeout(PATIENCE)
    sock.send(request(number, 0, 1, body))
    found = messages(sock.recv(LARGEST)).of(number)
    if not len(found) or found.lengths[0] < BODY:
        raise DecodeError(0, "no answer of the ethtool family")
    return attribute_map(found.data[BODY : int(found.lengths[0])].tobytes())


def bitset(value: bytes) -> dict[str, bool]:
    """ETHTOOL_A_BITSET_*, by name: each bit that is mentioned, and whether it is set."""
    inner = attribute_map(value)
    found: dict[str, bool] = {}
    for _, bit in attributes(inner.get(3, b"")):  # ETHTOOL_A_BITSET_BITS
        entry = attribute_map(bit)  # ETHTOOL_A_BITSET_BIT_INDEX, _NAME, _VALUE
        name = text(entry[2]) if 2 in entry else str(int.from_bytes(entry.get(1, b""), "little"))
        found[name] = 3 in entry or 1 in inner  # ETHTOOL_A_BITSET_NOMASK: the mentioned ones are the set ones
    return found


def driver(sock: socket.socket, ifname: str) -> bytes | None:
    """struct ethtool_drvinfo of one device, None where it has no driver to speak of."""
    return ioctl(sock, ifname, struct.pack("=I", ETHTOOL_GDRVINFO), DRVINFO.size)


def ioctl(sock: socket.socket, ifname: str, command: bytes, size: int) -> bytes | None:
    """SIOCETHTOOL: struct ifreq { char ifr_name[16]; void *ifr_data; …40 bytes }; None where the driver cannot.

    Raises OSError, ENODEV where there is no such device.
    """
    name = ifname.encode("utf-8", "surrogateescape")
    if len(name) > 15:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    buffer = ctypes.create_string_buffer(command, size)
    asked = struct.pack("16sP16x", name, ctypes.addressof(buffer))
    try:
        fcntl.ioctl(sock, SIOCETHTOOL, asked)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EINVAL):
            return None
        raise
    return buffer.raw


def counted(sock: socket.socket, ifname: str) -> list[tuple[str, int]]:
    """The driver's own statistics, as ethtool -S lists them."""
    names, values = statistics(sock, ifname)
    return list(zip(texts(names), struct.unpack(f"={len(values) // 8}Q", values), strict=True))


def texts(names: bytes) -> list[str]:
    """Names of ETH_GSTRING_LEN bytes each."""
    return [text(names[at : at + ETH_GSTRING_LEN]) for at in range(0, len(names), ETH_GSTRING_LEN)]


def statistics(sock: socket.socket, ifname: str) -> tuple[bytes, bytes]:
    """Names, ETH_GSTRING_LEN bytes each, and as many __u64 values; none where the driver keeps no statistics."""
    # struct ethtool_sset_info { __u32 cmd; __u32 reserved; __u64 sset_mask; __u32 data[]; }
    asked = struct.pack("=IIQI", ETHTOOL_GSSET_INFO, 0, 1 << ETH_SS_STATS, 0)
    sizes = ioctl(sock, ifname, asked, len(asked))
    count = struct.unpack_from("=I", sizes, 16)[0] if sizes and struct.unpack_from("=Q", sizes, 8)[0] else 0
    if not 0 < count <= MOST:
        return b"", b""
    # struct ethtool_gstrings { __u32 cmd; __u32 string_set; __u32 len; __u8 data[]; }
    room = count + SLACK
    names = ioctl(sock, ifname, struct.pack("=III", ETHTOOL_GSTRINGS, ETH_SS_STATS, count), 12 + room * ETH_GSTRING_LEN)
    # struct ethtool_stats { __u32 cmd; __u32 n_stats; __u64 data[]; }
    values = ioctl(sock, ifname, struct.pack("=II", ETHTOOL_GSTATS, count), 8 + room * 8)
    if names is None or values is None:
        return b"", b""
    count = min(count, struct.unpack_from("=I", names, 8)[0], struct.unpack_from("=I", values, 4)[0])
    return names[12 : 12 + count * ETH_GSTRING_LEN], values[8 : 8 + count * 8]
