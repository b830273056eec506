"""What rides on TCP: upper layer protocols (TLS, MPTCP subflows) and MPTCP connections (uapi linux/{tls,mptcp}.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.netlink.names import NameBits
from collectors.values import Cell
from collectors.wire.netlink import DecodeError, attribute_map, text
from collectors.wire.shapes import Shape

INET_ULP_INFO_NAME, INET_ULP_INFO_TLS, INET_ULP_INFO_MPTCP = 1, 2, 3
TLS_INFO_VERSION, TLS_INFO_CIPHER, TLS_INFO_TXCONF, TLS_INFO_RXCONF = 1, 2, 3, 4
TLS_INFO_ZC_RO_TX, TLS_INFO_RX_NO_PAD = 5, 6
TLS_VERSIONS = {0x0303: "1.2", 0x0304: "1.3"}
TLS_CIPHERS = {
    51: "aes-gcm-128",
    52: "aes-gcm-256",
    53: "aes-ccm-128",
    54: "chacha20-poly1305",
    55: "sm4-gcm",
    56: "sm4-ccm",
    57: "aria-gcm-128",
    58: "aria-gcm-256",
}
TLS_CONF = {1: "none", 2: "sw", 3: "hw", 4: "hw-record"}
# MPTCP_SUBFLOW_ATTR_*: number -> ss's word
SUBFLOW = {1: "token_rem", 2: "token_loc", 3: "rel_write_seq", 4: "seq", 5: "sfseq", 6: "ssnoff", 7: "maplen",
           8: "flags", 9: "id_rem", 10: "id_loc"}  # fmt: skip
MPTCP_FLAGS = NameBits({1: "fallback", 2: "remote_key"})
SUBFLOW_FLAGS = "MmJjBbecv"  # MPTCP_SUBFLOW_FLAG_*, from bit 0 on, as ss spells them

# struct mptcp_info: member, type, ss's word ("" = not among the details). Late ones: csum_enabled 5.14,
# retransmits to bytes_acked 6.5, subflows_total 6.8, last_* 6.10.
MPTCP_INFO = (
    ("subflows", "B", "subflows"),
    ("add_addr_signal", "B", "add_addr_signal"),
    ("add_addr_accepted", "B", "add_addr_accepted"),
    ("subflows_max", "B", "subflows_max"),
    ("add_addr_signal_max", "B", "add_addr_signal_max"),
    ("add_addr_accepted_max", "B", "add_addr_accepted_max"),
    ("padding", "2x", ""),
    ("flags", "I", "flags"),
    ("token", "I", "token"),
    ("write_seq", "Q", "write_seq"),
    ("snd_una", "Q", "snd_una"),
    ("rcv_nxt", "Q", "rcv_nxt"),
    ("local_addr_used", "B", "local_addr_used"),
    ("local_addr_max", "B", "local_addr_max"),
    ("csum_enabled", "B", "csum_enabled"),
    ("padding", "x", ""),
    ("retransmits", "I", "retransmits"),
    ("bytes", "32x", ""),  # see MPTCP_TRAFFIC
    ("subflows_total", "B", "subflows_total"),
)
# of these the columns are TCP's own
MPTCP_TRAFFIC = np.dtype(
    {
        "names": ["bytes_retrans", "bytes_sent", "bytes_received", "bytes_acked", "lastsnd", "lastrcv", "lastack"],
        "formats": ["<u8", "<u8", "<u8", "<u8", "<u4", "<u4", "<u4"],
        "offsets": [48, 56, 64, 72, 84, 88, 92],
    }
)


def mptcp_traffic(shape: Shape, number: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Bytes and times of MPTCP connections, by column."""
    yield from shape.struct(MPTCP_TRAFFIC, number).items()


def mptcp_info(value: bytes) -> dict[str, Cell] | None:
    """The other members of struct mptcp_info, as far as this kernel's struct reaches; None for an empty one."""
    found: dict[str, Cell] = {}
    at = 0
    for _, kind, name in MPTCP_INFO:
        size = struct.calcsize("=" + kind)
        if at + size > len(value):
            break
        if name:
            (found[name],) = struct.unpack_from("=" + kind, value, at)
        at += size
    if isinstance(bits := found.get("flags"), int):
        found["flags"] = MPTCP_FLAGS(bits)
    return found or None


def upper_layer(value: bytes) -> tuple[str | None, Cell]:
    """INET_DIAG_ULP_INFO: the protocol's name, and its details or None."""
    try:
        inner = attribute_map(value)
        name = text(inner[INET_ULP_INFO_NAME]) if INET_ULP_INFO_NAME in inner else None
        if INET_ULP_INFO_TLS in inner:
            return name, tls(attribute_map(inner[INET_ULP_INFO_TLS]))
        if INET_ULP_INFO_MPTCP in inner:
            return name, subflow(attribute_map(inner[INET_ULP_INFO_MPTCP]))
    except DecodeError:
        return None, None
    return name, None


def tls(inner: dict[int, bytes]) -> Cell:
    found: dict[str, Cell] = {}
    for number, word, known in (
        (TLS_INFO_VERSION, "version", TLS_VERSIONS),
        (TLS_INFO_CIPHER, "cipher", TLS_CIPHERS),
        (TLS_INFO_RXCONF, "rxconf", TLS_CONF),
        (TLS_INFO_TXCONF, "txconf", TLS_CONF),
    ):
        if number in inner:
            value = int.from_bytes(inner[number], "little")
            found[word] = known.get(value, hex(value))
    for number, word in ((TLS_INFO_ZC_RO_TX, "zc_ro_tx"), (TLS_INFO_RX_NO_PAD, "no_pad_rx")):
        if number in inner:
            found[word] = True
    return found


def subflow(inner: dict[int, bytes]) -> Cell:
    """A subflow of MPTCP; ``flags`` are ss's letters."""
    found: dict[str, Cell] = {
        word: int.from_bytes(inner[number], "little") for number, word in SUBFLOW.items() if number in inner
    }
    if isinstance(bits := found.get("flags"), int):
        found["flags"] = "".join(letter for place, letter in enumerate(SUBFLOW_FLAGS) if bits >> place & 1)
    return found
