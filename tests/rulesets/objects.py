"""Objects that rules name and that no tool at hand makes: accounting objects and conntrack timeout policies."""

from __future__ import annotations

import socket
import struct

from collectors.wire.netlink import NLM_F_ACK, attribute, messages, request
from tests.lab import Namespace

NFNL_SUBSYS_ACCT, NFNL_SUBSYS_CTNETLINK_TIMEOUT = 7, 8
NLM_F_CREATE = 0x400


def accounting(inside: Namespace, name: str) -> None:
    """NFNL_MSG_ACCT_NEW with NFACCT_NAME."""
    ask(inside, NFNL_SUBSYS_ACCT, 0, attribute(1, name.encode() + b"\0"))


def timeout_policy(inside: Namespace, name: str, protocol: int, family: int = socket.AF_INET) -> None:
    """IPCTNL_MSG_TIMEOUT_NEW with CTA_TIMEOUT_NAME, _L3PROTO, _L4PROTO and _DATA."""
    body = attribute(1, name.encode() + b"\0") + attribute(2, struct.pack(">H", family))
    body += attribute(3, bytes([protocol])) + attribute(4 | 0x8000, attribute(1 | 0x8000, struct.pack(">I", 77)))
    ask(inside, NFNL_SUBSYS_CTNETLINK_TIMEOUT, 0, body)


def ask(inside: Namespace, subsystem: int, message: int, attributes: bytes) -> None:
    with inside.host.socket(socket.SOCK_RAW, 12) as sock:
        header = bytes([socket.AF_UNSPEC, 0, 0, 0])
        sock.send(request(subsystem << 8 | message, NLM_F_ACK | NLM_F_CREATE, 1, header + attributes))
        messages(sock.recv(65536))  # raises what the kernel refuses
