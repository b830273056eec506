"""What a list says of each packet, and what a line says of one in a tunnel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.wire.packets.decode import decoded
from nettui.packets.info import infos
from nettui.packets.judged import NONE, Marks, marked
from nettui.packets.line import lines
from tests.packets import build

ADDRESSES = (build.A, build.B)


def info(*frames: bytes) -> list[str]:
    records = build.records([(1, frame, len(frame)) for frame in frames])
    return infos(marked(decoded(records), NONE), records)


def segment(data: bytes = b"", flags: int = build.PSH | build.ACK, **more: int) -> bytes:
    return build.over4(build.TCP, build.tcp(*ADDRESSES, (4000, 80), flags, data=data, **more))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ("tcp: syn", "  SYN      win 65535 mss 1460"),
        ("tcp: ack", "~ ACK      zero window"),
        ("tcp: sack", "  ACK      SACK 1000-2000 3000-4000"),
        ("tcp: no flags", "  no flags"),
        ("tcp: client hello", "  PSH ACK  87 B  ClientHello www.example.com"),
        ("tcp: tls data", "  PSH ACK  21 B  TLS application data"),
        ("udp: some", "  4 B  data"),
        ("udp: dns question", "  A? www.example.com"),
        ("udp: dns of no such name", "~ AAAA nowhere.test  NXDOMAIN"),
        ("icmp: port unreachable", "x port unreachable  of 10.9.0.2.7 > 10.9.0.1.9999 udp"),
        ("icmp6: too big", "~ packet too big  mtu 1280  of fd09::2.22 > fd09::1.50000 tcp"),
        ("arp request", "  who-has 10.9.0.2 tell 10.9.0.1"),
        ("arp reply", "  10.9.0.1 is-at 02:00:00:00:00:01"),
        ("vxlan", "  VXLAN vni 42  10.9.0.1.40000 > 10.9.0.2.80: tcp Flags [S], seq 4294967295"),
        ("6in4", "  IP in IP  fd09::1.1234 > fd09::2.9: udp"),
        ("first fragment", "  992 B  xxxxxxxxxxxxxxxx  first fragment"),
        ("igmp", "  igmp, length 42"),
    ],
)
def test_a_packet_says_what_it_is(frame: str, said: str):
    assert info(build.FRAMES[frame]) == [said]


def test_each_packet_has_its_own_payload():
    assert info(segment(b"GET / HTTP/1.1\r\nHost: x"), segment(flags=build.ACK), segment(b"SSH-2.0-OpenSSH_9\r\n")) == [
        "  PSH ACK  23 B  GET / HTTP/1.1",
        "  ACK",
        "  PSH ACK  19 B  SSH-2.0-OpenSSH_9",
    ]


def test_what_tells_of_loss_and_refusal_has_a_sign():
    frames = [segment(b"again"), segment(b"gap"), segment(flags=build.RST), segment(b"shut", window=0)]
    records = build.records([(1, frame, len(frame)) for frame in frames])
    marks = Marks(np.array([0]), np.array([1]), np.array([7]))
    assert infos(marked(decoded(records), marks), records) == [
        "! PSH ACK  sent again or late  5 B  again",
        "! PSH ACK  7 B missing before  3 B",
        "x RST",
        "~ PSH ACK  4 B  zero window  shut",
    ]


def test_names_are_told_inside_a_tunnel_too():
    asked = build.over4(build.UDP, build.udp(4000, 53, build.dns(build.name(b"db", b"test"))))
    greeted = segment(build.client_hello(b"www.test"))
    assert [text.rpartition(": ")[2] for text in info(*(build.over4(47, build.gre(build.IPV4, inside[14:]))
                                                        for inside in (asked, greeted)))] == [
        "udp  db.test ?",
        "tcp Flags [P.], seq 1  ClientHello www.test",
    ]  # fmt: skip


def test_escape_sequences_and_few_letters_are_not_text():
    assert info(segment(b"\x1b]0;owned\x07"), segment(b"ok\n"), segment(b"text\x1b[31m")) == [
        "  PSH ACK  10 B",
        "  PSH ACK  3 B",
        "  PSH ACK  9 B  text",
    ]


@pytest.mark.parametrize("size", range(0, 150, 7))
def test_what_was_cut_off_is_not_told(size: int):
    records = build.records([(1, frame[:size], len(frame)) for frame in build.FRAMES.values()])
    assert all(text.strip() for text in infos(marked(decoded(records), NONE), records))


@given(st.lists(st.binary(max_size=120), min_size=1, max_size=8))
def test_any_bytes_have_words(frames: list[bytes]):
    records = build.records([(1, frame, len(frame)) for frame in frames])
    told = infos(marked(decoded(records), NONE), records)
    assert all(text.strip() for text in told)
    assert all(text.isprintable() for text in told)


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        ("gre",
         "IP 10.9.0.1 > 10.9.0.2: GRE: IP 10.9.0.1.40000 > 10.9.0.2.80: tcp Flags [S], seq 4294967295, length 98"),
        ("gre6 with key",
         "IP 10.9.0.1 > 10.9.0.2: GRE key 99: IP6 fd09::1.1234 > fd09::2.9: udp, length 94"),
        ("6in4", "IP 10.9.0.1 > 10.9.0.2: IP6 fd09::1.1234 > fd09::2.9: udp, length 86"),
        ("geneve", "IP 10.9.0.1.50000 > 10.9.0.2.6081: Geneve vni 77: "
                   "IP 10.9.0.1.40000 > 10.9.0.2.80: tcp Flags [S], seq 4294967295, length 128"),
    ],
)  # fmt: skip
def test_a_line_tells_both_the_tunnel_and_the_packet_inside(frame: str, line: str):
    packet = build.FRAMES[frame]
    (told,) = lines(decoded(build.records([(1, packet, len(packet))])))
    assert told.partition(" ")[2] == line
