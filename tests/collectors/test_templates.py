"""Templates: what is looked at divides layouts, what is left open is told for each record."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from collectors.wire.netlink import DecodeError, attribute, messages, request
from collectors.wire.places import attribute_places
from collectors.wire.templates import View, filled, layouts, numbers


def spread(records: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Records at odd distances in one buffer: data, offsets, lengths."""
    data, offsets = bytearray(), []
    for number, record in enumerate(records):
        data += bytes(number % 3)
        offsets.append(len(data))
        data += record
    return np.frombuffer(bytes(data), np.uint8), np.array(offsets), np.array([len(record) for record in records])


def record(kind: int, port: int, count: int, name: bytes = b"") -> bytes:
    return struct.pack(">HHQ", kind, port, count) + name


def tell(view: View) -> list:
    word = "tcp" if view.number(">H") == 6 else "udp"
    port = view.part(2, 2).hole(lambda octets: str(int.from_bytes(octets, "big")))
    return [f"{word} 100% dport ", port, " ", view.part(12).hole(bytes.decode), view.part(4).place(">u8")]


def test_records_of_one_layout_are_told_by_one_call_each_with_its_own_values():
    asked = []

    def counting(view: View) -> list:
        asked.append(view)
        return tell(view)

    records = [record(6, 80 + row, row) for row in range(50)] + [record(17, 53, 1 << 40)]
    said, counts = [""] * 51, [0] * 51
    for rows, octets, pieces in layouts(*spread(records), counting):
        for row, text, count in zip(rows, filled(pieces[:-1], octets), numbers(pieces[-1], octets), strict=True):
            said[row], counts[row] = text, int(count)
    assert len(asked) == 2
    assert said[:2] == ["tcp 100% dport 80 ", "tcp 100% dport 81 "]
    assert said[50] == "udp 100% dport 53 "
    assert counts == [*range(50), 1 << 40]


def test_a_byte_that_is_both_looked_at_and_left_open_divides_layouts():
    def careless(view: View) -> list:
        hole = view.part(2, 2).hole(lambda octets: octets.hex())
        return ["well known " if view.number(">H", 2) < 1024 else "high ", hole]

    found = [
        filled(pieces, octets)
        for _, octets, pieces in layouts(*spread([record(6, 80, 0), record(6, 8080, 0)]), careless)
    ]
    assert found == [["well known 0050"], ["high 1f90"]]


def test_bytes_that_no_one_named_are_part_of_the_layout_and_ignored_ones_are_not():
    def silent(view: View) -> list:
        return ["x"]

    def ignoring(view: View) -> list:
        view.ignore()
        return ["x"]

    records = spread([record(6, row, 0) for row in range(4)])
    assert len(list(layouts(*records, silent))) == 4
    assert len(list(layouts(*records, ignoring))) == 1


def test_records_of_different_lengths_and_of_none_are_told():
    records = spread([b"", record(6, 1, 0, b"abc"), b"", record(6, 2, 0, b"abcdefgh!")])
    found = {}
    for rows, octets, pieces in layouts(*records, lambda view: tell(view)[:-1] if len(view) else ["nothing"]):
        found.update(zip(rows.tolist(), filled(pieces, octets), strict=True))
    assert found == {0: "nothing", 1: "tcp 100% dport 1 abc", 2: "nothing", 3: "tcp 100% dport 2 abcdefgh!"}


def test_a_part_beyond_the_record_is_a_fault_of_the_data():
    view = View(record(6, 80, 0))
    for asked in (
        lambda: view.part(4, 9),
        lambda: view.part(13),
        lambda: view.part(2, 2).number(">I"),
        lambda: view.part(11).place(">u8"),
    ):
        with pytest.raises(DecodeError):
            asked()


def test_attributes_of_a_view_are_checked():
    good = attribute(1, b"abc") + attribute(0x8000 | 2, b"\x00\x05")
    found = View(good).attribute_map()
    assert (found[1].octets(), found[2].number(">H")) == (b"abc", 5)
    for bad in (b"\x03\x00\x01\x00", b"\x0c\x00\x01\x00abcd"):
        with pytest.raises(DecodeError):
            View(bad).attribute_map()


def test_places_of_attributes_are_those_of_each_message():
    bodies = [attribute(1, bytes(size)) + attribute(7, b"end") for size in (1, 4, 9)] + [attribute(7, b"")]
    found = messages(b"".join(request(20, 0, 1, bytes(4) + body) for body in bodies))
    places = attribute_places(found, 4)
    data = found.data.tobytes()
    assert places[1].payloads(data) == [bytes(1), bytes(4), bytes(9), None]
    assert places[7].payloads(data) == [b"end", b"end", b"end", b""]


def test_a_malformed_attribute_is_told_with_its_place():
    found = messages(request(20, 0, 1, bytes(4) + attribute(1, b"ok") + b"\xff\x00\x01\x00"))
    with pytest.raises(DecodeError, match="attribute length 255"):
        attribute_places(found, 4)


def test_a_class_is_part_of_the_layout_where_its_bytes_are_not():
    def by_range(view: View) -> list:
        kind = view.part(2, 2).classified(lambda octets: "low" if octets < b"\x04\x00" else "high")
        return [kind, " ", view.part(2, 2).hole(bytes.hex)]

    ports = spread([record(6, port, 0) for port in (80, 8080, 443, 9090, 22)])
    found = [filled(pieces, octets) for _, octets, pieces in layouts(*ports, by_range)]
    assert found == [["low 0050", "low 01bb", "low 0016"], ["high 1f90", "high 2382"]]
