"""Capture files: every format that editcap writes, against tshark; truncated, corrupt and growing ones."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.wire.netlink import DecodeError
from collectors.wire.packets.capture_file import FEW, CaptureFile, Part, alike, opened
from collectors.wire.packets.pcap_file import MOST, SIZE
from collectors.wire.packets.pcapng_file import FACES

needs_tshark = pytest.mark.skipif(not shutil.which("editcap"), reason="editcap and tshark are not installed")
SIZES = (60, 60, 1514, *[64] * 40, 60, 74, 1, 0)  # with a run of one size
Packets = list[tuple[int, int, int]]  # nanoseconds, captured, length


def pcap(order: str = "<", magic: int = 0xA1B23C4D, link: int = 1, head: bytes = b"", snaplen: int = 96) -> bytes:
    unit = 1 if magic == 0xA1B23C4D else 1000
    written = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for number, size in enumerate(SIZES):
        body = bytes([number]) * min(size, snaplen)
        seconds, rest = 1_700_000_000 + number, number * 1_001_000 // unit
        written.append(struct.pack(f"{order}IIII", seconds, rest, len(body), size) + head + body)
    return b"".join(written)


def expected(snaplen: int = 96) -> Packets:
    return [
        ((1_700_000_000 + number) * 10**9 + number * 1_001_000, min(size, snaplen), size)
        for number, size in enumerate(SIZES)
    ]


def packets(part: Part) -> Packets:
    found = part.records
    return list(zip(found.times.tolist(), found.captured.tolist(), found.lengths.tolist(), strict=True))


def read(data: bytes) -> tuple[CaptureFile, Part]:
    held = np.frombuffer(data, np.uint8)
    file = opened(held)
    assert file is not None
    return file, file.part(held, file.begin)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "head"), [(0xA1B2C3D4, b""), (0xA1B23C4D, b""), (0xA1B2CD34, bytes(8))])
def test_pcap_of_either_byte_order_and_unit(order: str, magic: int, head: bytes):
    data = pcap(order, magic, head=head)
    _, part = read(data)
    assert packets(part) == expected()
    assert (part.end, part.error) == (len(data), None)
    assert set(part.records.links.tolist()) == {1}
    for row in range(len(SIZES)):
        start, count = int(part.records.at[row]), int(part.records.captured[row])
        assert data[start : start + count] == bytes([row]) * count


def test_a_frame_check_sequence_in_the_link_word_is_not_a_link_type():
    _, part = read(pcap(link=0x4400_0001))
    assert set(part.records.links.tolist()) == {1}


@needs_tshark
@pytest.mark.parametrize("form", ["pcap", "nsecpcap", "pcapng", "modpcap"])
def test_what_editcap_writes_is_read_as_tshark_reads_it(tmp_path: Path, form: str):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(pcap())
    subprocess.run(["editcap", "-F", form, source, target], check=True, capture_output=True)
    _, part = read(target.read_bytes())
    assert part.error is None
    fields = ["-e", "frame.time_epoch", "-e", "frame.cap_len", "-e", "frame.len"]
    told = subprocess.run(
        ["tshark", "-r", target, "-T", "fields", *fields], check=True, capture_output=True, text=True
    ).stdout
    wanted = [line.split("\t") for line in told.splitlines()]
    assert packets(part) == [
        (int(seconds) * 10**9 + int(rest), int(captured), int(length))
        for time, captured, length in wanted
        for seconds, rest in [time.split(".")]
    ]


def blocks(order: str = "<", resolution: int = 9, name: bytes = b"eth0") -> list[bytes]:
    """A section, an interface, packets of every kind of block."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack(f"{order}II", kind, 12 + len(body)) + body + struct.pack(f"{order}I", 12 + len(body))

    options = struct.pack(f"{order}HH", 2, len(name)) + name + bytes(-len(name) % 4)
    options += struct.pack(f"{order}HHB3x", 9, 1, resolution) + struct.pack(f"{order}HHq", 14, 8, 5)
    units = 2 ** (resolution & 127) if resolution & 128 else 10**resolution
    ticks = 1_700_000_000 * units + units // 2
    times = struct.pack(f"{order}II", ticks >> 32, ticks & 0xFFFFFFFF)
    sizes = struct.pack(f"{order}II", 5, 90)
    return [
        block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)),
        block(1, struct.pack(f"{order}HHI", 113, 0, 96) + options),
        block(6, struct.pack(f"{order}I", 0) + times + sizes + b"enhan"),
        block(2, struct.pack(f"{order}HH", 0, 7) + times + sizes + b"older"),
        block(5, bytes(12)),  # statistics of an interface: no packet
        block(3, struct.pack(f"{order}I", 6) + b"simple"),
    ]


HALF = (1_700_000_005 * 10**9 + 500_000_000, 5, 90)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [6, 9, 3, 128 + 20])
def test_pcapng_has_enhanced_old_and_simple_packets(order: str, resolution: int):
    data = b"".join(blocks(order, resolution))
    _, part = read(data)
    assert packets(part) == [HALF, HALF, (0, 6, 6)]
    assert part.records.names == ("eth0",)
    assert set(part.records.links.tolist()) == {113}
    assert [bytes(part.records.data[at : at + 5]) for at in part.records.at] == [b"enhan", b"older", b"simpl"]


def test_sections_of_both_byte_orders_follow_each_other():
    held = np.frombuffer(
        b"".join([*blocks("<", name=b"a"), *blocks(">", name=b"b"), *blocks("<", name=b"c")]), np.uint8
    )
    file = opened(held)
    assert file is not None
    at, found, devices = file.begin, [], []
    while at < len(held):
        part = file.part(held, at)
        assert part.error is None
        assert part.end > at
        at = part.end
        found += packets(part)
        devices += [part.records.names[device] for device in part.records.devices]
    assert found == [HALF, HALF, (0, 6, 6)] * 3
    assert devices == ["a"] * 3 + ["b"] * 3 + ["c"] * 3


@pytest.mark.parametrize("data", [pcap(), b"".join(blocks()), b"".join(blocks(">"))], ids=["pcap", "little", "big"])
def test_a_file_cut_anywhere_gives_what_is_whole_and_goes_on_when_it_grows(data: bytes):
    whole = packets(read(data)[1])
    for size in range(len(data)):
        held = np.frombuffer(data[:size], np.uint8)
        file = opened(held)
        if file is None:
            continue
        first = file.part(held, file.begin)
        assert first.error is None
        assert first.end <= size
        rest = file.part(np.frombuffer(data, np.uint8), first.end)
        assert packets(first) + packets(rest) == whole


def test_lengths_that_cannot_be_end_with_an_error_behind_what_is_whole():
    data = bytearray(pcap())
    struct.pack_into("<I", data, SIZE + 2 * (16 + 60) + 8, 0xFFFFFFF0)
    _, part = read(bytes(data))
    assert packets(part) == expected()[:2]
    assert isinstance(part.error, DecodeError)
    assert part.error.offset == part.end == SIZE + 2 * (16 + 60)
    for changed in ({4: b"\x07\0\0\0"}, {20: b"\xff\xff\xff\x7f"}, {8: b"\x09\0\0\0"}):
        told = [bytearray(block) for block in blocks()]
        for at, value in changed.items():
            told[2][at : at + 4] = value
        _, part = read(b"".join(map(bytes, told)))
        assert isinstance(part.error, DecodeError)
        assert part.error.offset == part.end == len(told[0]) + len(told[1])
        assert packets(part) == []


def test_what_is_no_capture_file_is_told():
    with pytest.raises(DecodeError, match="neither pcap nor pcapng: it begins with 4e 4f 50 45"):
        opened(np.frombuffer(b"NOPE, this is text", np.uint8))
    assert opened(np.frombuffer(b"", np.uint8)) is None


@given(
    st.sampled_from([pcap(), pcap(">"), b"".join(blocks()), b"".join(blocks(">"))]),
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=8)), max_size=6),
)
def test_bytes_changed_anywhere_never_point_outside_the_file(data: bytes, changes: list[tuple[int, bytes]]):
    changed = bytearray(data)
    for at, value in changes:
        at %= len(changed)
        changed[at : at + len(value)] = value[: len(changed) - at]
    held = np.frombuffer(bytes(changed), np.uint8)
    try:
        file = opened(held)
    except DecodeError:
        return
    if file is None:
        return
    at = file.begin
    while True:
        part = file.part(held, at)
        records = part.records
        assert (records.at >= 0).all()
        assert (records.at + records.captured.astype(np.int64) <= len(held)).all()
        assert part.end >= at
        if part.error or part.end == at:
            assert part.error or at + part.wanted > len(held)
            return
        at = part.end


def section(order: str = "<") -> bytes:
    return blocks(order)[0]


def face(order: str = "<") -> bytes:
    return struct.pack(f"{order}IIHHII", 1, 20, 1, 0, 65535, 20)


def enhanced(size: int, face: int = 0, order: str = "<") -> bytes:
    padded = size + 3 & ~3
    head = struct.pack(f"{order}IIIIIII", 6, 32 + padded, face, 0, 1, size, size)
    return head + bytes(padded) + struct.pack(f"{order}I", 32 + padded)


FORMS = {
    "pcap": (pcap()[:SIZE], lambda size: struct.pack("<IIII", 1, 0, size, size) + bytes(size)),
    "pcapng": (section() + face(), enhanced),
    "pcapng, the other byte order": (section(">") + face(">"), lambda size: enhanced(size, order=">")),
}


@pytest.mark.parametrize("form", FORMS)
def test_runs_of_every_length_are_found_whole(form: str):
    head, packet = FORMS[form]
    sizes = [size for count in (1, 31, 32, 33, 34, 96, 97, 98, 300) for size in (*[66] * count, 60)]
    _, part = read(head + b"".join(map(packet, sizes)) + packet(66)[:-1])
    assert part.records.captured.tolist() == sizes
    assert part.wanted == len(packet(66))


@pytest.mark.parametrize("form", FORMS)
def test_bursts_are_read_as_fast_as_others(form: str):
    head, packet = FORMS[form]
    data = head + (packet(66) * 10 + packet(60)) * 6000
    began = time.process_time()
    assert len(read(data)[1].records) == 66_000
    assert time.process_time() - began < 0.4


def test_of_many_that_are_the_same_few_are_looked_at_first():
    asked = list[slice]()

    def same(rows: slice) -> np.ndarray:
        asked.append(rows)
        return np.arange(1000)[rows] < 100

    assert alike(same, 1000) == 100
    assert asked == [slice(0, FEW), slice(FEW, 3 * FEW)]
    assert alike(lambda rows: np.ones(77, bool)[rows], 77) == 77
    assert alike(same, 0) == 0


def test_sections_of_the_other_byte_order_cost_what_others_do():
    began = time.process_time()
    _, part = read(section(">") * 20_000 + face(">") + enhanced(60, order=">"))
    assert len(part.records) == 1
    assert time.process_time() - began < 0.4


def test_interfaces_of_sections_that_were_read_are_forgotten():
    held = np.frombuffer(
        (section(">") + face(">") + enhanced(5, order=">") + section() + face() + enhanced(5)) * 9, "u1"
    )
    file, at, parts = opened(held), 0, 0
    assert file is not None
    while at < len(held):
        part = file.part(held, at)
        assert (len(part.records), len(part.records.names), part.error) == (1, 1, None)
        at, parts = part.end, parts + 1
    assert parts == 18


def test_a_section_has_as_many_interfaces_as_there_are_but_not_without_end():
    _, part = read(section() + face() * 40_000 + enhanced(5, 39_999) + enhanced(5, 1))
    assert part.records.devices.tolist() == [39_999, 1]
    _, part = read(section() + face() * (FACES + 1))
    assert part.error is not None
    assert part.error.why == "a section of more than 65,536 interfaces"


@pytest.mark.parametrize("snaplen", [0, 65535, 0xFFFFFFFF])
def test_whatever_the_file_says_a_packet_has_its_bound(snaplen: int):
    def after(size: int) -> Part:
        return read(pcap(snaplen=96)[:16] + struct.pack("<II", snaplen, 1) + struct.pack("<IIII", 0, 0, size, size))[1]

    bound = MOST if snaplen > MOST else 1 << 20
    assert after(bound).error is None
    assert after(bound).wanted == 16 + bound
    assert after(bound + 1).error is not None


@pytest.mark.parametrize("data", [pcap(), b"".join(blocks()), b"".join(blocks(">"))], ids=["pcap", "little", "big"])
def test_with_what_is_wanted_one_more_is_whole_and_with_less_none(data: bytes):
    held = np.frombuffer(data, np.uint8)
    for size in range(SIZE, len(data)):
        file = opened(held[:size])
        assert file is not None
        part = file.part(held[:size], file.begin)
        enough = part.end + part.wanted
        assert size < enough <= len(data)
        assert file.part(held[: enough - 1], part.end).end == part.end
