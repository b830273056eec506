"""Ways of losing a known number of packets in namespaces, and what was counted of one namespace."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import Any

from collectors.table import Table
from tests.lab import Namespace

PORT = 4791


def inode(namespace: Namespace) -> int:
    return Path(f"/run/netns/{namespace.name}").stat().st_ino


def counted(table: Table, namespace: Namespace) -> list[dict[str, Any]]:
    """The rows of one namespace: others on this machine lose packets too."""
    return [row for row in table.rows() if row.get("netns") == inode(namespace)]


def row(table: Table, namespace: Namespace, reason: str) -> dict[str, Any]:
    (found,) = [entry for entry in counted(table, namespace) if entry["reason"] == reason]
    return found


def send_udp(namespace: Namespace, number: int, to: tuple[str, int], size: int = 10) -> None:
    with namespace.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sender:
        for _ in range(number):
            sender.sendto(bytes(size), to)


def to_closed_port(namespace: Namespace, number: int) -> None:
    send_udp(namespace, number, ("127.0.0.1", 9))


def receiver(namespace: Namespace, kind: int = socket.SOCK_DGRAM) -> socket.socket:
    opened = namespace.host.socket(kind, 0, socket.AF_INET)
    opened.bind(("127.0.0.1", PORT))
    return opened


def tcp_segment(source: int, to: int, sequence: int, flags: int) -> bytes:
    """On loopback; a raw socket adds the IP header."""
    header = struct.pack("!HHIIBBHHH", source, to, sequence, 0, 5 << 4, flags, 1024, 0, 0)
    address = socket.inet_aton("127.0.0.1")
    words = struct.unpack("!16H", address + address + struct.pack("!HH", 6, len(header)) + header)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    return header[:16] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + header[18:]
