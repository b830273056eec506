"""Filters over the packets of files: the same packets as tcpdump takes, and any program as libpcap itself runs it."""

from __future__ import annotations

import ctypes
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.capture.filters import FilterError, compiled, compiled_for_file
from collectors.capture.libpcap import Instruction, Program, libpcap
from collectors.table import Gap
from collectors.wire.packets import bpf
from collectors.wire.packets.records import Records
from nettui.packets.choice import Choice
from nettui.packets.reading import Batch, batches
from tests.capture.traffic import needs_tcpdump
from tests.packets import build

FILTERS = (
    "tcp", "udp", "ip", "ip6", "arp", "rarp", "icmp", "icmp6", "sctp", "igmp", "ah", "not ip", "ip proto 47",
    "ip6 proto 17", "ip proto \\tcp or ip6 proto \\tcp", "ip protochain 6", "ip6 protochain 17", "ip6 protochain 58",
    "tcp port 80", "udp port 53", "port 53", "src port 40000", "dst port 9", "sctp port 7", "portrange 1-100",
    "tcp portrange 40000-40002", "src portrange 1-2", "not port 80", "host 10.9.0.1", "src host 10.9.0.2",
    "dst host fd09::2", "host 10.9.0.1 and host 10.9.0.2", "net 10.9", "src net 10.9.0.0/24", "dst net 10.0.0.0/8",
    "net 192.168.0.0/16", "ip6 net fd09::/64", "src net fd09::/16", "ether host 02:00:00:00:00:01",
    "ether src 02:00:00:00:00:01", "ether dst 02:00:00:00:00:01", "ether proto 0x4321", "ether proto \\arp",
    "ether broadcast", "ether multicast", "ip multicast", "ip6 multicast", "ip broadcast", "vlan", "vlan 100",
    "vlan and tcp", "vlan 200 and vlan 300", "vlan and vlan and ip", "mpls", "pppoes", "llc", "stp", "len > 100",
    "less 70", "greater 1000", "len % 3 == 1", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[tcpflags] == tcp-syn", "tcp[13] & 0x12 = 0x12", "tcp[((tcp[12] & 0xf0) >> 2):2] = 0x1603", "udp[4:2] > 20",
    "icmp[icmptype] = icmp-echo", "icmp[0] == 3 and icmp[1] == 4", "icmp6[icmp6type] = 135", "ip[8] < 2",
    "ip[0] & 0xf != 5", "ip[6:2] & 0x1fff != 0", "ip[2:2] * 3 - 7 > len / 2", "ip[4:4] ^ ip[12:4] > 0x100",
    "ether[20] << 3 >= 64", "ether[0] | ether[1] = 2", "ip6[6] = 0", "0 - ip[1] = 0", "geneve", "geneve 77 and udp",
    "inbound", "outbound", "ifindex 2", "geneve and tcp", "portrange 5-1",
)  # fmt: skip


def of_every_link() -> dict[int, list[build.Captured]]:
    found: dict[int, list[build.Captured]] = {}
    for link, packet, length in build.everything():
        for kept in (len(packet), min(len(packet), 60), min(len(packet), 30)):
            found.setdefault(link, []).append((link, packet[:kept], length))
    return found


@needs_tcpdump
@pytest.mark.parametrize("link", sorted(of_every_link()))
def test_a_filter_takes_the_packets_that_tcpdump_takes_or_is_refused_in_the_same_words(tmp_path: Path, link: int):
    path, taken = tmp_path / "all.pcap", tmp_path / "taken.pcap"
    build.write(path, link, of_every_link()[link])
    for expression in FILTERS:
        command = ["tcpdump", "-n", "--nano", "-r", str(path), "-w", str(taken), expression]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        if told.returncode:
            with pytest.raises(FilterError) as refused:
                assert times(path, expression), expression
            assert str(refused.value) in told.stderr, expression
        else:
            assert times(path, expression) == times(taken), expression


def times(path: Path, expression: str = "") -> list[int]:
    found: list[int] = []
    for batch in batches(str(path), expression):
        assert isinstance(batch, Batch)
        assert batch.table["time"].cells() == [10**9 * n + n for n in batch.table["number"].cells()] or not expression
        found += batch.records.times.tolist()
    return found


class Header(ctypes.Structure):
    """struct pcap_pkthdr"""

    _fields_ = (
        ("seconds", ctypes.c_long),
        ("part", ctypes.c_long),
        ("captured", ctypes.c_uint),
        ("len", ctypes.c_uint),
    )


def by_libpcap(program: list[bpf.Instruction], records: Records) -> list[bool]:
    """pcap_offline_filter, packet by packet."""
    steps = (Instruction * len(program))(*(Instruction(*step) for step in program))
    whole = Program(len(program), steps)
    library = libpcap()
    found = []
    for row in range(len(records)):
        at, size = int(records.at[row]), int(records.captured[row])
        header = Header(0, 0, size, int(records.lengths[row]))
        octets = records.data[at : at + size].tobytes()
        found.append(bool(library.pcap_offline_filter(ctypes.byref(whole), ctypes.byref(header), octets)))
    return found


def mixed() -> Records:
    """Packets cut anywhere."""
    dice = random.Random(7)
    captured = build.everything()
    return build.records([(link, p[: dice.randrange(len(p) + 1)], length) for link, p, length in captured * 3])


OFFSETS = st.one_of(st.integers(0, 80), st.sampled_from([0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 4, 2**32 - 1]))
NUMBERS = st.one_of(st.integers(0, 255), st.integers(0, 2**32 - 1))
LOADS = st.tuples(
    st.sampled_from([0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0xB1]), st.just(0), st.just(0), OFFSETS
)  # fmt: skip
PLAIN = st.tuples(st.sampled_from([0x00, 0x01, 0x80, 0x81, 0x07, 0x87, 0x84]), st.just(0), st.just(0), NUMBERS)
MEMORY = st.tuples(st.sampled_from([0x60, 0x61, 0x02, 0x03]), st.just(0), st.just(0), st.integers(0, 15))
SHIFTS = (0x60, 0x70)  # by a constant of 32 and more, C leaves to the processor what becomes of the number
COUNTED = st.tuples(
    st.sampled_from([0x04 | operation for operation in bpf.OPERATIONS]), st.just(0), st.just(0),
    st.one_of(st.integers(1, 31), st.integers(1, 2**32 - 1)),
).filter(lambda step: step[0] & 0xF0 not in SHIFTS or step[3] < 32)  # fmt: skip
BY_X = st.tuples(st.sampled_from([0x0C | operation for operation in bpf.OPERATIONS]), *[st.just(0)] * 3)
JUMPS = st.tuples(
    st.sampled_from([5 | test | source for test in bpf.TESTS for source in (0, 8)]), st.integers(0, 6),
    st.integers(0, 6), NUMBERS,
)  # fmt: skip
FORWARD = st.tuples(st.just(0x05), st.just(0), st.just(0), st.integers(0, 6))
RETURNS = st.tuples(st.sampled_from([0x06, 0x16]), st.just(0), st.just(0), st.sampled_from([0, 1, 262144]))
STEPS = st.one_of(LOADS, LOADS, PLAIN, MEMORY, COUNTED, BY_X, JUMPS, JUMPS, FORWARD, RETURNS)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_any_program_takes_what_libpcap_takes_by_it(steps: list[bpf.Instruction]):
    zeroed = [(0x02, 0, 0, word) for word in range(16)]  # libpcap's scratch words begin as anything
    program = [*zeroed, *steps, *[(0x16, 0, 0, 0)] * 8]  # where the last jumps lead
    records = mixed()
    assert bpf.passing(program, records).tolist() == by_libpcap(program, records)


@pytest.mark.parametrize("expression", ["tcp port 443 or udp", "ip6 protochain 58", "tcp[2:2] > ip[2:2] and len < 99"])
def test_filters_over_packets_cut_anywhere(expression: str):
    records, program = mixed(), compiled(expression)
    assert bpf.passing(program, records).tolist() == by_libpcap(program, records)


def test_blocks_are_one_after_the_other(monkeypatch: pytest.MonkeyPatch):
    records, program = mixed(), compiled("udp")
    whole = bpf.passing(program, records)
    monkeypatch.setattr(bpf, "AT_ONCE", 7)
    assert np.array_equal(bpf.passing(program, records), whole)
    assert len(bpf.passing(program, records.take(slice(0, 0)))) == 0


def test_each_link_type_of_a_file_has_a_program_of_its_own():
    records, choice = build.records(build.everything()), Choice("ip6 and udp")
    expected = [
        row
        for row in range(len(records))
        if by_libpcap(program(int(records.links[row])), records.take([row]))[0]  # type: ignore[arg-type]
    ]
    assert choice.rows(records).tolist() == expected
    assert len(set(records.links[expected].tolist())) > 4
    assert list(choice.gaps()) == []


def program(link: int) -> list[bpf.Instruction]:
    try:
        return compiled_for_file("ip6 and udp", link)
    except FilterError:
        return [(6, 0, 0, 0)]


def test_a_link_type_where_the_filter_cannot_be_asked_is_told():
    choice = Choice("ether host 02:00:00:00:00:01")
    assert len(choice.rows(build.records(build.everything())))
    (first, *_) = gaps = list(choice.gaps())
    assert isinstance(first, Gap)
    assert any("link type 101 no packet is shown" in gap.reason for gap in gaps)
