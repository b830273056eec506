"""Bytes as numbers and letters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nettui.packets.hexdump import HexLine, lines


def test_a_line_has_its_offset_numbers_and_letters():
    found = lines(bytes(range(0x40, 0x52)))
    assert found[0].start == 0
    assert found[0].hex[:3] == ("40", "41", "42")
    assert found[0].text == "@ABCDEFGHIJKLMNO"
    assert found[1] == HexLine(16, ("50", "51"), "PQ")


def test_what_is_not_printable_ascii_is_a_dot():
    assert lines(b"\x1b[31m\x9b\x7f\r\n\xc3\xa4 ~")[0].text == ".[31m...... ~"


def test_no_bytes_are_no_lines():
    assert lines(b"") == []


@given(st.binary(max_size=200), st.integers(1, 40))
def test_all_bytes_are_there_in_order(octets: bytes, width: int):
    found = lines(octets, width)
    assert bytes.fromhex("".join("".join(line.hex) for line in found)) == octets
    assert [line.start for line in found] == list(range(0, len(octets), width))
    assert all(len(line.text) == len(line.hex) <= width for line in found)
    assert all(" " <= letter <= "~" for line in found for letter in line.text)
