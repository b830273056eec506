"""A TCP stream is what its ends sent, however its segments came, and as tshark follows it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettui.packets.reading import Batch, batches
from nettui.packets.store import Kept
from nettui.packets.stream import WAITING, Segment, Stream, followed, lines
from tests.loss.frames import ACK, FIN, PSH, SYN, tcp
from tests.packets import build
from tests.packets.build import A6, B6, A, B

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="needs tshark")
CLIENT, SERVER = 40000, 80
Frame = bytes
MISSING = re.compile(rb"\[(\d+) bytes missing in capture file\]\0?")


def there(flags: int, seq: int, ack: int = 0, data: bytes = b"") -> Frame:
    return build.over4(6, tcp(A, B, (CLIENT, SERVER), flags, seq=seq % 2**32, ack=ack % 2**32, data=data))


def back(flags: int, seq: int, ack: int = 0, data: bytes = b"") -> Frame:
    inside = tcp(B, A, (SERVER, CLIENT), flags, seq=seq % 2**32, ack=ack % 2**32, data=data)
    return build.ethernet(0x0800, build.ip4(B, A, 6, inside))


def greeting(seq: int = 100, other: int = 900) -> list[Frame]:
    return [there(SYN, seq), back(SYN | ACK, other, seq + 1), there(ACK, seq + 1, other + 1)]


def written(path: Path, frames: Sequence[Frame], size: int = 1 << 18) -> Path:
    build.write(path, 1, [(1, frame[:size], len(frame)) for frame in frames])
    return path


def kept(path: Path) -> list[Kept]:
    found = [batch for batch in batches(str(path)) if isinstance(batch, Batch)]
    return [Kept(batch.records, batch.table) for batch in found]


def stream(path: Path, number: int = 1) -> Stream:
    all_of_it = kept(path)
    row = next(each.table().row(each.row(number)) for each in all_of_it if each.begin <= number <= each.end)
    return followed(all_of_it, row, number)


def ours(found: Stream) -> list[tuple[bool, bytes]]:
    """Parts of one direction that follow each other as one, with tshark's words for what is missing."""
    told: list[tuple[bool, bytes]] = []
    for part in found.parts:
        octets = (b"[%d bytes missing in capture file]" % part.lost if part.lost else b"") + part.octets
        if told and told[-1][0] == part.back:
            told[-1] = part.back, told[-1][1] + octets
        else:
            told.append((part.back, octets))
    return told


def theirs(path: Path, which: int = 0) -> list[tuple[bool, bytes]]:
    command = ["tshark", "-n", "-r", str(path), "-q", "-z", f"follow,tcp,raw,{which}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    begin = next(at for at, line in enumerate(said) if line.startswith("Node 1:")) + 1
    told: list[tuple[bool, bytes]] = []
    for line in said[begin:-1]:
        answer, octets = line.startswith("\t"), MISSING.sub(rb"[\1 bytes missing in capture file]", bytes.fromhex(line))
        if told and told[-1][0] == answer:
            told[-1] = answer, told[-1][1] + octets
        else:
            told.append((answer, octets))
    return told


CHATS = {
    "question and answer": [
        *greeting(),
        there(PSH | ACK, 101, 901, b"GET / HTTP/1.0\r\n\r\n"),
        back(ACK, 901, 119),
        back(PSH | ACK, 901, 119, b"HTTP/1.0 200 OK\r\n\r\n" + bytes(range(256))),
        there(ACK, 119, 1176),
        back(FIN | ACK, 1176, 119),
        there(FIN | ACK, 119, 1177),
    ],
    "twice the same": [
        *greeting(),
        there(PSH | ACK, 101, 901, b"hello"),
        there(PSH | ACK, 101, 901, b"hello"),
        there(PSH | ACK, 101, 901, b"hello, world"),
        there(PSH | ACK, 108, 901, b"world!"),
        back(PSH | ACK, 901, 114, b"yes"),
    ],
    "in another order": [
        *greeting(),
        there(ACK, 111, 901, b"third"),
        there(ACK, 106, 901, b"other"),
        there(ACK, 101, 901, b"first"),
        back(PSH | ACK, 901, 116, b"all three"),
    ],
    "missing and acknowledged": [
        *greeting(),
        there(ACK, 101, 901, b"first"),
        there(ACK, 116, 901, b"third"),
        back(ACK, 901, 121),
        there(PSH | ACK, 121, 901, b"fourth"),
        back(PSH | ACK, 901, 127, b"bye"),
    ],
    "kept alive": [
        *greeting(),
        there(PSH | ACK, 101, 901, b"hello"),
        back(ACK, 901, 106),
        there(ACK, 105, 901, b"\0"),
        back(ACK, 901, 106),
        there(PSH | ACK, 106, 901, b"again"),
    ],
    "begun twice": [
        *greeting(),
        there(PSH | ACK, 101, 901, b"one"),
        there(SYN, 100),
        there(PSH | ACK, 104, 901, b"two"),
        back(PSH | ACK, 901, 107, b"yes"),
        back(SYN | ACK, 900, 101),
        back(PSH | ACK, 904, 107, b"more"),
    ],
    "from the middle on": [
        there(PSH | ACK, 5000, 7000, b"question"),
        back(PSH | ACK, 7000, 5008, b"answer"),
        there(PSH | ACK, 5008, 7006, b"thanks"),
    ],
    "beyond the largest number": [
        *greeting(2**32 - 4),
        there(PSH | ACK, 2**32 - 3, 901, b"abcdefghij"),
        there(PSH | ACK, 7, 901, b"klm"),
        back(PSH | ACK, 901, 10, b"nop"),
    ],
}


@needs_tshark
@pytest.mark.parametrize("name", CHATS)
def test_it_is_followed_as_tshark_does(name: str, tmp_path: Path):
    path = written(tmp_path / "chat.pcap", CHATS[name])
    assert ours(stream(path)) == theirs(path)


def test_any_packet_of_it_leads_to_all_of_it(tmp_path: Path):
    path = written(tmp_path / "chat.pcap", CHATS["question and answer"])
    first, answer = stream(path, 1), stream(path, 6)
    assert [(part.back, part.octets) for part in answer.parts] == [(not p.back, p.octets) for p in first.parts]


def test_a_second_connection_between_the_same_ends_is_another(tmp_path: Path):
    chat = [*greeting(), there(PSH | ACK, 101, 901, b"one"), *greeting(5000, 90), there(PSH | ACK, 5001, 91, b"two")]
    path = written(tmp_path / "chat.pcap", chat)
    assert [part.octets for part in stream(path, 2).parts] == [b"one"]
    assert [part.octets for part in stream(path, 8).parts] == [b"two"]


def test_what_the_snaplen_cut_is_told_as_lost(tmp_path: Path):
    chat = [*greeting(), there(PSH | ACK, 101, 901, b"x" * 100), there(PSH | ACK, 201, 901, b"y" * 10)]
    found = stream(written(tmp_path / "chat.pcap", chat, 54 + 40))
    assert [(part.octets, part.lost) for part in found.parts] == [(b"x" * 40, 0), (b"y" * 10, 60)]
    assert "[60 bytes are not in the capture]" in [line for _, line in lines(found, 80)]


def test_ipv6_and_tags_do_not_matter(tmp_path: Path):
    inside = build.ip6(A6, B6, 6, tcp(A6, B6, (1, 2), PSH | ACK, seq=9, data=b"six"))
    frames = [build.ethernet(0x8100, build.tag(0x86DD, 7) + inside) + bytes(9)]
    assert [part.octets for part in stream(written(tmp_path / "six.pcap", frames)).parts] == [b"six"]


def test_a_long_stream_is_cut_and_says_so():
    found = Stream(most=10)
    for at in range(5):
        found.add(Segment(at + 1, False, ".", at * 4, 0, b"abcd", 4))
    assert b"".join(part.octets for part in found.parts) == b"abcdabcdab"
    assert found.cut


def flight(count: int, step: int = 1) -> Stream:
    """The first byte is missing; ``count`` segments of a byte follow, each ``step`` behind the one before."""
    found = Stream()
    found.add(Segment(1, False, "S", 100, 0, b"", 0))
    for at in range(count):
        found.add(Segment(at + 2, False, ".", 102 + at * step, 0, b"x", 1))
    return found


def test_many_segments_may_wait_for_one():
    found = flight(WAITING)
    assert not found.parts
    found.add(Segment(9999, False, ".", 101, 0, b"f", 1))
    assert [len(found.parts), found.parts[0].octets] == [WAITING + 1, b"f"]
    assert not any(part.lost for part in found.parts)


def test_a_gap_that_nobody_acknowledges_hides_nothing_behind_it():
    found = flight(WAITING + 1000, step=2)
    found.finish()
    assert len(found.parts) == WAITING + 1000
    assert all(part.lost == 1 for part in found.parts)


def test_bytes_that_wait_have_a_bound():
    found = Stream(most=100)
    found.add(Segment(1, False, "S", 100, 0, b"", 0))
    for at in range(4):
        found.add(Segment(at + 2, False, ".", 102 + at * 40, 0, bytes(40), 40))
    assert (found.parts[0].lost, len(found.parts[0].octets), found.parts[0].number) == (1, 40, 4)
    assert found.cut


def test_a_stream_of_many_parts_or_lines_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nettui.packets.stream.PARTS", 10)
    monkeypatch.setattr("nettui.packets.stream.LINES", 5)
    found = Stream()
    for at in range(11):
        found.add(Segment(at + 1, False, ".", at, 0, b"a", 1))
    assert (len(found.parts), found.cut) == (10, True)
    assert [text for _, text in lines(found, 80)] == ["a"] * 5 + ["[what follows is not shown: the stream is longer]"]
    found = Stream()
    found.add(Segment(1, False, ".", 1, 0, b"a\nb\n" * 3, 12))
    assert [text for _, text in lines(found, 80)][-2:] == ["a", "[what follows is not shown: the stream is longer]"]


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.data())
def test_however_it_is_divided_repeated_and_mixed_it_is_the_same(octets: bytes, data: st.DataObject):
    begin = data.draw(st.integers(0, 2**32 - 1))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(octets)), max_size=8)) | {0, len(octets)})
    pieces = list(pairwise(cuts))
    pieces += data.draw(st.lists(st.sampled_from(pieces), max_size=4)) if pieces else []
    order = data.draw(st.permutations(pieces))
    found = Stream()
    found.add(Segment(1, False, "S", begin, 0, b"", 0))
    for number, (start, end) in enumerate(order, 2):
        found.add(Segment(number, False, ".", (begin + 1 + start) % 2**32, 0, octets[start:end], end - start))
    found.finish()
    assert b"".join(part.octets for part in found.parts) == octets
    assert not any(part.lost for part in found.parts)


def test_lines_are_letters_only():
    found = Stream()
    found.add(Segment(1, False, ".", 1, 0, b"a\x1b[31mb\tc\r\n\xff\x00", 12))
    assert list(lines(found, 4)) == [(False, "a.[3"), (False, "1mb "), (False, "c"), (False, "..")]
