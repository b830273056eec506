"""What no field of tshark tells, or tells otherwise: names of protocols, what was cut, hostile names, depth."""

from __future__ import annotations

import struct

import pytest

from collectors.values import Cell
from collectors.wire.packets.dns import question
from collectors.wire.packets.tls import server_name
from collectors.wire.packets.transport import flags_text
from tests.packets import build
from tests.packets.build import FRAMES, IPV4, TCP, UDP, A, B


def row(packet: bytes, link: int = 1, length: int | None = None) -> dict[str, Cell]:
    from collectors.wire.packets.decode import decoded

    table = decoded(build.records([(link, packet, len(packet) if length is None else length)]))
    return table.row(0)


@pytest.mark.parametrize(
    ("name", "protocol", "proto"),
    [
        ("tcp: ack", "TCP", "tcp"),
        ("tcp: client hello elsewhere", "TLS", "tcp"),
        ("tcp: tls data", "TLS", "tcp"),
        ("tcp6: dns", "DNS", "tcp"),
        ("udp: mdns", "DNS", "udp"),
        ("icmp: echo", "ICMP", "icmp"),
        ("icmp6: too big", "ICMPv6", "ipv6-icmp"),
        ("icmp: need-frag", "ICMP", "icmp"),
        ("hop-by-hop", "ICMPv6", "ipv6-icmp"),
        ("three extensions", "UDP", "udp"),
        ("last fragment6", "IPv6", "udp"),
        ("last fragment", "IPv4", "udp"),
        ("authenticated", "TCP", "ah"),
        ("authenticated6", "TCP", "tcp"),
        ("no next header", "IPv6", "ipv6-nonxt"),
        ("ospf", "OSPF", "ospf"),
        ("a protocol without a name", "IPv4", "253"),
        ("arp reply", "ARP", None),
        ("spanning tree", "STP", None),
        ("unknown ethertype", "ETHERNET", None),
        ("sctp data", "SCTP", "sctp"),
        ("gre with all", "TCP", "gre"),
        ("6in4", "UDP", "ipv6"),
        ("ipip", "TCP", "ipencap"),
        ("vxlan", "TCP", "udp"),
        ("geneve", "TCP", "udp"),
    ],
)
def test_the_innermost_protocol_is_named(name: str, protocol: str, proto: str | None):
    found = row(FRAMES[name])
    assert (found["protocol"], found.get("proto")) == (protocol, proto)
    assert "cut" not in found


@pytest.mark.parametrize(
    ("name", "size", "cut"),
    [
        ("tcp: syn", 13, "ETHERNET"),
        ("tcp: syn", 33, "IPv4"),
        ("ip options", 38, "IPv4"),
        ("tcp: syn", 53, "TCP"),
        ("tcp: syn", 55, "TCP"),
        ("tcp: syn", 74, None),
        ("three extensions", 56, "IPv6"),
        ("udp: dns question", 50, "DNS"),
        ("udp: dns question", 60, "DNS"),
        ("icmp: port unreachable", 60, None),
        ("vlan", 15, "VLAN"),
        ("gre6 with key", 40, "GRE"),
        ("vxlan", 60, "ETHERNET"),
        ("arp request", 30, "ARP"),
    ],
)
def test_the_header_that_was_cut_is_named(name: str, size: int, cut: str | None):
    packet = FRAMES[name]
    assert row(packet[:size], length=len(packet)).get("cut") == cut


def test_ports_and_sequence_of_a_cut_or_quoted_segment_are_told():
    found = row(FRAMES["tcp: syn"][:42])
    assert (found["sport"], found["dport"], found["seq"], found["cut"]) == (40000, 80, 2**32 - 1, "TCP")
    assert "ack" not in found
    found = row(FRAMES["icmp: time exceeded about tcp"])
    assert (found["quoted_proto"], found["quoted_sport"], found["quoted_seq"]) == ("tcp", 40000, 2**32 - 1)
    assert "quoted_flags" not in found


def test_padding_is_no_payload():
    assert row(FRAMES["padding"])["payload"] == 0
    assert row(FRAMES["padding6"])["payload"] == 0


def test_a_header_that_claims_less_than_itself_ends_there():
    for claimed in (1, 19):
        found = row(build.over4(TCP, build.SEGMENTS["ack"], length=claimed))
        assert (found["src"], found["ip_length"], "sport" in found) == (A, claimed, False)
    segment = build.SEGMENTS["ack"]
    found = row(build.over4(TCP, segment[:12] + b"\x40" + segment[13:]))
    assert (found["sport"], "payload" in found) == (40000, False)


def test_only_the_first_packet_inside_is_told_and_never_mixed_with_a_deeper_one():
    inner = build.ip4("10.1.1.1", "10.1.1.2", 4, build.ip4("10.2.2.1", "10.2.2.2", UDP, build.udp(1, 53)))
    found = row(build.over4(4, inner))
    assert (found["src"], found["inner_src"], found["inner_proto"]) == (A, "10.1.1.1", "ipencap")
    assert "inner_sport" not in found
    assert (found["protocol"], found["cut"]) == ("DNS", "DNS")


def test_an_error_inside_a_tunnel_quotes_into_no_column():
    error = build.ip4("10.1.1.1", "10.1.1.2", 1, build.MESSAGES["need-frag"])
    found = row(build.over4(4, error))
    assert (found["inner_icmp_type"], found["inner_icmp_code"]) == (3, 4)
    assert not [name for name in found if name.startswith("quoted_")]


def test_a_vlan_inside_a_tunnel_is_not_that_of_the_packet():
    inside = build.ethernet(0x8100, build.tag(IPV4, 99) + build.INSIDE[14:])
    found = row(build.over4(UDP, build.udp(1, 4789, struct.pack("!II", 0x08000000, 42 << 8) + inside)))
    assert (found["vni"], found["inner_src"]) == (42, A)
    assert "vlan" not in found
    assert "inner_vlan" not in found


def test_all_flags_of_tcp_are_told_as_tcpdump_does():
    assert flags_text(0x1FF) == "FSRP.UEWA"
    assert flags_text(0x12) == "S."
    assert row(FRAMES["tcp: accurate ecn"])["flags"] == "SEWA"


def test_a_dns_message_over_tcp_that_is_not_whole_in_its_segment_is_not_guessed():
    message = build.dns(build.name(b"tcp", b"test"))
    for prefix in (len(message) + 1, 11, 0xFFFF):
        segment = build.tcp(A, B, (1, 53), build.ACK, data=struct.pack("!H", prefix) + message)
        assert "dns_id" not in row(build.over4(TCP, segment))


KIND = b"\0\1\0\1"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (b"\0" + KIND, ("", "A")),
        (b"\3www\2de\0" + KIND, ("www.de", "A")),
        (b"\4a.b\\\2\0\xff\0" + KIND, ("a\\.b\\\\.\\000\\255", "A")),
        (b"\5\x1b[0m \0" + KIND, ("\\027[0m\\032", "A")),
        (b"\3www\0\0", ("www", None)),
        (b"\3ww", (None, None)),
        (b"", (None, None)),
        (b"\xc0", (None, None)),
        (b"\xc0\x0c" + KIND, (None, None)),  # to itself
        (b"\xc0\x0e\xc0\x0c" + KIND, (None, None)),  # forward
        (b"\1a\xc0\x0c" + KIND, (None, None)),  # round and round
        (b"\xc0\x00" + KIND, (None, None)),  # into the header
        (b"\x40a\0" + KIND, (None, None)),
        (b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + b"\x3f" + b"c" * 63 + b"\x3f" + b"d" * 63 + b"\0", (None, None)),
        (b"\1a\0" + struct.pack("!HH", 4711, 1), ("a", "TYPE4711")),
    ],
)
def test_hostile_names_have_an_end_and_no_control_characters(asked: bytes, told: tuple[str | None, str | None]):
    assert question(asked) == told


def test_a_server_name_is_told_where_all_of_it_is_there():
    hello = build.client_hello(b"www.example.com")
    for size in range(len(hello)):
        assert server_name(hello[:size]) is None
    assert server_name(hello) == "www.example.com"
    assert server_name(build.client_hello(b"\x1b]0;\\\xff")) == "\\027]0;\\092\\255"


def test_sctp_tells_its_chunks_and_what_they_carry():
    found = row(FRAMES["sctp data"])
    assert (found["chunks"], found["payload"]) == (["SACK", "DATA", "DATA"], 8)
    found = row(build.over4(132, build.sctp(*[build.chunk(3, b"")] * 300)))
    assert (found["chunks"], "payload" in found) == (["SACK"] * 100, False)
