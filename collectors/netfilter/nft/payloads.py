"""What attributes of nf_tables hold: numbers, and the user data that nft keeps there (libnftnl udata.h)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from collectors.wire.netlink import DecodeError, text

NFTNL_UDATA_COMMENT = 0  # of tables, chains, rules, elements and objects alike


def number(found: Mapping[int, bytes], attribute: int) -> int:
    """An unsigned number of any width, 0 where there is none."""
    value = found.get(attribute, b"")
    if len(value) > 8:
        raise DecodeError(0, f"a number of {len(value)} bytes")
    return int.from_bytes(value, "big")


def signed(found: Mapping[int, bytes], attribute: int) -> int:
    """A signed number of 32 bits, 0 where there is none."""
    value = found.get(attribute, bytes(4))
    if len(value) != 4:
        raise DecodeError(0, f"a signed number of {len(value)} bytes")
    return int(struct.unpack(">i", value)[0])


def userdata(value: bytes) -> dict[int, bytes]:
    """libnftnl's TLVs { u8 type; u8 length; value } by type; what does not fit behind them is left out."""
    found, at = {}, 0
    while at + 2 <= len(value) and at + 2 + value[at + 1] <= len(value):
        found[value[at]] = value[at + 2 : at + 2 + value[at + 1]]
        at += 2 + value[at + 1]
    return found


def comment(value: bytes) -> str | None:
    """The comment in user data, None where there is none."""
    found = userdata(value).get(NFTNL_UDATA_COMMENT)
    return None if found is None else text(found)
