"""Settings from written messages and files: devices' arrays of any length, values that are no number, hostile bytes."""

from __future__ import annotations

import struct
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from collectors.collector import Block
from collectors.netlink.settings import AF_INET, AF_INET6, IFLA_AF_SPEC, IFLA_IFNAME, SETTINGS
from collectors.wire.netlink import NLMSGHDR, attribute
from tests.collectors.hostile import cut_messages, stands


def link(name: bytes, inet: list[int] | None = None, inet6: list[int] | None = None) -> bytes:
    families = b""
    for family, kind, array in ((AF_INET, 1, inet), (AF_INET6, 2, inet6)):
        if array is not None:
            families += attribute(family, attribute(kind, struct.pack(f"={len(array)}i", *array)))
    body = bytes(16) + attribute(IFLA_IFNAME, name + b"\0") + attribute(IFLA_AF_SPEC, families)
    return NLMSGHDR.pack(16 + len(body), 16, 2, 1, 0) + body


def told(*blocks: Block) -> dict[object, tuple[object, object]]:
    return {row["name"]: (row["value"], row.get("number")) for row in SETTINGS.decode(iter(blocks)).rows()}


def test_devices_settings_are_spelled_as_sysctl_does():
    found = told(Block("devices", link(b"eth0.5", list(range(30)), [7] * 4)))
    assert found["net.ipv4.conf.eth0/5.rp_filter"] == ("7", 7)
    assert found["net.ipv4.conf.eth0/5.promote_secondaries"] == ("19", 19)
    assert found["net.ipv6.conf.eth0/5.accept_ra"] == ("7", 7)
    assert "net.ipv6.conf.eth0/5.disable_ipv6" not in found  # an older kernel's array is shorter


def test_a_device_without_a_family_has_no_settings_of_it():
    assert told(Block("devices", link(b"can0"))) == {}


def test_files_are_told_and_only_one_number_is_a_number():
    found = told(
        Block("ipv4/tcp_mem", b"191979\t255973\t383958\n"),
        Block("core/default_qdisc", b"fq_codel\n"),
        Block("ipv4/ip_forward", b"1\n"),
        Block("ipv4/icmp_ratelimit", b"99999999999999999999\n"),
    )
    assert found == {
        "net.ipv4.tcp_mem": ("191979 255973 383958", None),
        "net.core.default_qdisc": ("fq_codel", None),
        "net.ipv4.ip_forward": ("1", 1),
        "net.ipv4.icmp_ratelimit": ("99999999999999999999", None),
    }


def test_a_message_cut_at_any_byte_is_a_table_or_a_decode_error():
    whole = [Block("devices", link(b"eth0", list(range(33)), list(range(50))) + link(b"eth1", [1], [2]))]
    for blocks in chain(cut_messages(whole)):
        stands(SETTINGS, blocks)


@given(st.binary(max_size=80))
def test_a_file_with_any_bytes_is_a_table(data: bytes):
    assert len(SETTINGS.decode(iter([Block("ipv4/tcp_mem", data)]))) == 1
