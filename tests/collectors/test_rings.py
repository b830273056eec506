"""Rings and channels from written messages and hostile ones."""

from __future__ import annotations

import struct

import pytest

from collectors.collector import Block
from collectors.netlink.rings import RINGS
from collectors.wire.netlink import NLMSGHDR, DecodeError, attribute
from tests.collectors.hostile import cut_messages, stands


def message(index: int, name: bytes, **numbers: int) -> bytes:
    header = attribute(1, struct.pack("=I", index)) + attribute(2, name + b"\0")
    body = struct.pack("=BBH", 16, 1, 0) + attribute(1, header)
    body += b"".join(attribute(int(number[1:]), struct.pack("=I", value)) for number, value in numbers.items())
    return NLMSGHDR.pack(16 + len(body), 21, 2, 1, 0) + body


BLOCKS = [
    Block("rings", message(2, b"eth0", _2=4096, _6=512, _5=4096, _9=256) + message(3, b"eth1", _2=64, _6=64)),
    Block("channels", message(2, b"eth0", _5=8, _9=2)),
]


def test_a_device_has_one_row_with_both():
    eth0, eth1 = RINGS.decode(iter(BLOCKS)).rows()
    assert eth0 == {"ifindex": 2, "ifname": "eth0", "rx": 512, "rx_max": 4096, "tx": 256, "tx_max": 4096,
                    "combined": 2, "combined_max": 8}  # fmt: skip
    assert eth1 == {"ifindex": 3, "ifname": "eth1", "rx": 64, "rx_max": 64}


def test_a_message_without_a_device_is_a_decode_error():
    body = struct.pack("=BBH", 16, 1, 0) + attribute(6, struct.pack("=I", 1))
    with pytest.raises(DecodeError, match="without a device"):
        RINGS.decode(iter([Block("rings", NLMSGHDR.pack(16 + len(body), 21, 2, 1, 0) + body)]))


def test_a_dump_cut_at_any_byte_is_a_table_or_a_decode_error():
    for blocks in cut_messages(BLOCKS):
        stands(RINGS, blocks)
