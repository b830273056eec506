"""Matches and targets of xtables: structs told, layouts shared, hostile bytes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.netfilter.xt import extensions, name_files
from collectors.netfilter.xt.setting import Setting
from collectors.wire.netlink import DecodeError
from collectors.wire.templates import Pieces, View, filled, layouts
from tests.collectors.hostile import quick
from tests.xt_vectors import ALL, STRUCTS, Vector

SETS = {0: "allowed", 7: "second"}
SETTING = Setting(2, SETS)
TELLERS = [(kind, *key) for kind in ("match", "target") for key in sorted(extensions.tellers(kind))]


def told_all(kind: str, name: str, revision: int, structs: Sequence[bytes], family: int = 2) -> tuple[list[str], int]:
    """The text of each struct, and how many layouts they have."""
    data = np.frombuffer(b"".join(structs), np.uint8)
    lengths = np.array([len(octets) for octets in structs])
    texts, count = [""] * len(structs), 0

    def tell(view: View) -> Pieces:
        teller = extensions.match if kind == "match" else extensions.target
        return teller(name, revision, view, Setting(family, SETS))

    for rows, octets, pieces in layouts(data, np.cumsum(lengths) - lengths, lengths, tell):
        count += 1
        for row, text in zip(rows.tolist(), filled(pieces, octets), strict=True):
            texts[row] = text
    return texts, count


@pytest.mark.parametrize("vector", STRUCTS, ids=lambda vector: f"{vector.name}-{vector.revision}")
def test_a_struct_is_told_as_iptables_save_prints_it(vector: Vector):
    told, _ = told_all(vector.kind, vector.name, vector.revision, [vector.octets], vector.family)
    assert told == [vector.text]


@pytest.mark.parametrize(
    ("name", "revision", "octets", "text"),
    [
        ("set", 0, b"\7\0" + b"\0\0" + b"\1\0\0\0\2\0\0\0" + bytes(20), "set --match-set second src,dst"),
        ("set", 0, b"\0\0" + b"\0\0" + b"\6\0\0\0" + bytes(24), "set ! --match-set allowed dst"),
        ("set", 1, b"\0\0\2\3", "set ! --match-set allowed src,dst"),
        ("set", 2, b"\0\0\1\x80", "set --match-set allowed dst --return-nomatch"),
        (
            "set", 3, b"\0\0\1\2" + bytes(4) + b"\2" + bytes(7) + b"\5" + bytes(7) + b"\4" + bytes(7) + b"\6" + bytes(7)
            + b"\x18\0\0\0",
            "set --match-set allowed src ! --update-counters ! --update-subcounters ! --packets-eq 5 --bytes-gt 6",
        ),
        ("set", 4, b"\x09\0\1\2" + bytes(40), "set --match-set [set 9] src"),
    ],
)  # fmt: skip
def test_sets_are_named_by_their_index(name, revision, octets, text):
    assert told_all("match", name, revision, [octets])[0] == [f" -m {text}"]


@pytest.mark.parametrize(
    ("revision", "octets", "text"),
    [
        (0, b"\0\0\0\0\1\0\0\0" + bytes(24) + b"\xff\xff" + bytes(30), "SET --add-set allowed src"),
        (1, b"\xff\xff\0\0\7\0\1\0", "SET --del-set second dst"),
        (2, b"\0\0\1\2\xff\xff\0\0\1\0\0\0\x3c\0\0\0", "SET --add-set allowed src --exist --timeout 60"),
    ],
)
def test_earlier_targets_that_fill_sets_are_told(revision, octets, text):
    assert told_all("target", "SET", revision, [octets])[0] == [f" -j {text}"]


def test_an_extension_that_is_not_known_is_named_and_not_guessed():
    assert told_all("match", "surprise", 0, [b"\1\2\3\4"])[0] == [" [match surprise]"]
    assert told_all("target", "LOG", 9, [bytes(32)])[0] == [" [target LOG]"]


@pytest.mark.parametrize(("kind", "name", "revision"), TELLERS)
def test_what_is_the_kernels_own_and_every_value_share_one_layout(kind, name, revision):
    """Two structs of one extension differ in values and in the kernel's pointers: one template tells both."""
    zero = bytes(5000)
    ones = b"\1" * 5000
    texts, count = told_all(kind, name, revision, [zero, ones])
    assert count == 1
    assert texts[0].startswith((" -m ", " -j "))


@pytest.mark.parametrize(("kind", "name", "revision"), TELLERS)
def test_a_struct_cut_short_is_malformed(kind, name, revision):
    size = next(size for size in range(5000) if tellable(kind, name, revision, bytes(size)))
    assert size == 0 or not tellable(kind, name, revision, bytes(size // 2))
    assert all(tellable(kind, name, revision, bytes(size + more)) for more in (1, 8, 100))


def tellable(kind: str, name: str, revision: int, octets: bytes) -> bool:
    with suppress(DecodeError):
        told_all(kind, name, revision, [octets])
        return True
    return False


@quick
@given(st.sampled_from(TELLERS), st.binary(max_size=600), st.sampled_from([2, 10]))
def test_any_bytes_are_told_or_malformed(teller, octets, family):
    with suppress(DecodeError):
        texts, _ = told_all(*teller, [octets * 9], family)
        assert texts[0].startswith((" -m ", " -j "))


LABELS = """# labels
40 forty
0x29 two words \n42 under_score
021 octal
43
18x glued
40 again
088 no-number
"""


def test_labels_have_the_names_of_this_host(tmp_path, monkeypatch):
    (tmp_path / "connlabel.conf").write_text(LABELS)
    monkeypatch.setattr(name_files, "LABELS", tmp_path / "connlabel.conf")
    monkeypatch.setattr("collectors.netfilter.xt.match_conntrack.label_names", name_files.label_names.__wrapped__)
    told, _ = told_all("match", "connlabel", 0, [pack("=HH", bit, 0) for bit in (40, 41, 42, 4, 43, 17, 18)])
    names = [text.split('"')[1] for text in told]
    assert names == ["forty", "two words", "42", "4", "43", "octal", "x glued"]


def test_groups_have_the_names_of_this_host_unless_they_are_masked(tmp_path, monkeypatch):
    (tmp_path / "group").write_text("5 five\n0x10 sixteen # remark\nrubbish\n5 again\n")
    monkeypatch.setattr(name_files, "IPROUTE2", tmp_path)
    monkeypatch.setattr("collectors.netfilter.xt.fields.iproute2_names", name_files.iproute2_names.__wrapped__)
    structs = [pack("=5I", 1, 5, ALL, 0, 0), pack("=5I", 6, 0, 0, 16, ALL), pack("=5I", 1, 5, 0xFF, 0, 0)]
    told, _ = told_all("match", "devgroup", 0, structs)
    assert told == [" -m devgroup --src-group five", " -m devgroup --dst-group sixteen",
                    " -m devgroup --src-group 0x5/0xff"]  # fmt: skip


def test_a_hostile_comment_is_passed_on_as_it_is():
    raw = b"\x1b]0;x\x07[/bold]\xff".ljust(256, b"\0")
    assert told_all("match", "comment", 0, [raw])[0] == [' -m comment --comment "\x1b]0;x\x07[/bold]\udcff"']
