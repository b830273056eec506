"""ipset's elements from messages, of the types too that the recording kernel lacks."""

from __future__ import annotations

import socket
import struct

import pytest

from collectors.collector import Block
from collectors.netfilter import nfnetlink
from collectors.netfilter.ipset import IPSET_CMD_LIST, decode_names
from collectors.netfilter.set_elements import SET_ELEMENTS
from collectors.netfilter.sets import SETS
from collectors.wire.netlink import NLMSGHDR, DecodeError, attribute
from tests.record import recorded

IP, CIDR, PORT, PROTO, FLAGS, MARK, ETHER, IP2, CIDR2 = 1, 3, 4, 7, 8, 10, 17, 20, 21


def address(number: int, text: str) -> bytes:
    octets = socket.inet_aton(text)
    return attribute(number, attribute(1, octets))


def octet(number: int, value: int) -> bytes:
    return attribute(number, bytes([value]))


def ported(protocol: int, port: int) -> bytes:
    return address(IP, "192.0.2.1") + attribute(PORT, struct.pack(">H", port)) + octet(PROTO, protocol)


def sets_message(kind: str, *members: bytes, index: int = 3) -> bytes:
    inside = b"".join(attribute(7, member) for member in members)
    described = attribute(2, b"s\0") + attribute(3, kind.encode() + b"\0") + octet(5, 2) + octet(4, 1)
    body = (
        nfnetlink.header(2)
        + described
        + attribute(11, struct.pack(">H", index))
        + attribute(7, b"")
        + attribute(8, inside)
    )
    return NLMSGHDR.pack(16 + len(body), nfnetlink.kind(nfnetlink.IPSET, IPSET_CMD_LIST), 2, 1, 0) + body


@pytest.mark.parametrize(
    ("kind", "member", "told"),
    [
        ("hash:ip", address(IP, "192.0.2.1"), "192.0.2.1"),
        ("hash:net", address(IP, "192.0.2.0") + octet(CIDR, 24), "192.0.2.0/24"),
        ("hash:net", address(IP, "192.0.2.1") + octet(CIDR, 32), "192.0.2.1"),
        ("hash:mac", attribute(ETHER, bytes.fromhex("02abcdef0001")), "02:AB:CD:EF:00:01"),
        ("hash:ip,mac", address(IP, "192.0.2.1") + attribute(ETHER, bytes(6)), "192.0.2.1,00:00:00:00:00:00"),
        ("hash:ip,mark", address(IP, "192.0.2.1") + attribute(MARK, bytes([0, 0, 0, 99])), "192.0.2.1,0x00000063"),
        (
            "hash:net,net",
            address(IP, "10.0.0.0") + address(IP2, "192.0.2.0") + octet(CIDR, 8) + octet(CIDR2, 24),
            "10.0.0.0/8,192.0.2.0/24",
        ),
        (
            "hash:net,port,net",
            address(IP, "10.0.0.0") + address(IP2, "192.0.2.0") + octet(CIDR, 8) + octet(CIDR2, 24)
            + attribute(PORT, b"\0\x35") + octet(PROTO, 17),
            "10.0.0.0/8,udp:53,192.0.2.0/24",
        ),
        ("hash:ip,port", ported(1, 0x0800), "192.0.2.1,icmp:echo-request"),
        ("hash:ip,port", ported(1, 0x6307), "192.0.2.1,icmp:99/7"),
        ("hash:ip,port", ported(253, 0), "192.0.2.1,253:0"),
        ("bitmap:port", attribute(PORT, b"\0\x50"), "80"),
    ],
)  # fmt: skip
def test_an_element_is_written_field_by_field_of_its_type(kind, member, told):
    (row,) = SET_ELEMENTS.decode([Block("members", sets_message(kind, member))]).rows()
    assert row == {"world": "ipset", "set": "s", "elem": told}


def test_an_exception_in_a_set_of_networks_is_flagged():
    member = address(IP, "192.0.2.0") + octet(CIDR, 24) + attribute(FLAGS, struct.pack(">I", 4))
    (row,) = SET_ELEMENTS.decode([Block("members", sets_message("hash:net", member))]).rows()
    assert row["flags"] == ["nomatch"]


def test_elements_of_a_long_set_go_on_in_messages_without_its_type():
    first = sets_message("hash:ip", address(IP, "192.0.2.1"))
    body = nfnetlink.header(2) + attribute(2, b"s\0") + attribute(8, attribute(7, address(IP, "192.0.2.2")))
    more = NLMSGHDR.pack(16 + len(body), nfnetlink.kind(nfnetlink.IPSET, IPSET_CMD_LIST), 2, 1, 0) + body
    rows = SET_ELEMENTS.decode([Block("members", first), Block("members", more)]).rows()
    assert [row["elem"] for row in rows] == ["192.0.2.1", "192.0.2.2"]
    assert len(SETS.decode([Block("ipsets", first + more)])) == 1


def test_an_address_of_a_wrong_length_is_malformed():
    member = attribute(IP, attribute(1, b"\1\2\3"))
    with pytest.raises(DecodeError):
        SET_ELEMENTS.decode([Block("members", sets_message("hash:ip", member))])


def test_names_stand_by_index_and_other_blocks_are_passed_over():
    blocks = [Block("rules", b"\xff\xff"), Block("ipsets", sets_message("hash:ip", index=7))]
    assert decode_names(blocks) == {7: "s"}


def test_recorded_members_have_counters_comments_and_marks():
    rows = {(row["set"], row["elem"]): row for row in SET_ELEMENTS.decode(recorded("set_elements")).rows()}
    told = rows["hi", "1.2.3.4"]
    assert (told["packets"], told["bytes"], told["comment"]) == (3, 7, "hello \\ there")
    assert (told["skbmark"], told["skbprio"], told["skbqueue"]) == ("0x12/0xff", "1:2", "3")
    assert rows["n6", "fd00::/8"]["comment"] == "a\x1b[31mb"
    assert rows["hni", "0.0.0.0/0,physdev:eth1"]["flags"] == ["wildcard"]
