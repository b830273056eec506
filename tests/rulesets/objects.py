"""Objects that rules name and that no tool at hand makes: accounting objects and conntrack timeout policies."""

from __future__ import annotations

import socket
import struct

from collectors.wire.netlink import NLM_F_ACK, attribute, messages, request
from tests.lab import Namespace

NFNL_SUBSYS_ACCT, NFNL_SUBSYS_CTNETLINK_TIMEOUT = 7, 8
NFT_MSG_NEWRULE = 10 << 8 | 6
NLM_F_CREATE, NLM_F_APPEND = 0x400, 0x800


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


def rule_with(inside: Namespace, family: int, table: str, chain: str, userdata: bytes) -> None:
    """A rule with a counter and whatever user data: NFT_MSG_NEWRULE in a batch, as nft never sends it."""
    body = bytes([family, 0, 0, 0]) + attribute(1, table.encode() + b"\0") + attribute(2, chain.encode() + b"\0")
    counter = attribute(1 | 0x8000, attribute(1, b"counter\0"))
    body += attribute(4 | 0x8000, counter) + attribute(7, userdata)
    to_nftables = bytes([0, 0, 0, 10])
    with inside.host.socket(socket.SOCK_RAW, 12) as sock:
        sock.send(
            request(16, 0, 1, to_nftables)  # NFNL_MSG_BATCH_BEGIN
            + request(NFT_MSG_NEWRULE, NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND, 2, body)
            + request(17, 0, 3, to_nftables)
        )
        messages(sock.recv(65536))
