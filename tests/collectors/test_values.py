"""Column storage keeps absence apart from zero, order natural, and constants small."""

import numpy as np
import pytest

from collectors.values import (
    ABSENT,
    IPV4,
    IPV6,
    LINK_LAYER,
    Addresses,
    Codes,
    Numbers,
    constant,
    is_constant,
)


def addresses(*rows: tuple[bytes, int, int]) -> Addresses:
    width = max(len(row[0]) for row in rows)
    octets = np.array([list(row[0].ljust(width, b"\0")) for row in rows], np.uint8).reshape(len(rows), width)
    return Addresses(octets, np.array([row[1] for row in rows], np.uint8), np.array([row[2] for row in rows], np.uint8))


def sorted_cells(values: Numbers | Codes | Addresses) -> list[object]:
    return values.take(np.lexsort(values.sort_keys())).cells()


MIXED = addresses(
    (bytes([10, 0, 0, 1]), IPV4, 32),
    (bytes([10, 0, 0, 0]), IPV4, 8),
    (bytes(4), IPV4, 0),
    (b"", ABSENT, 255),
    (bytes([0xFD, *bytes(14), 1]), IPV6, 64),
    (bytes([2, 0, 0, 0, 0, 9]), LINK_LAYER + 6, 255),
)


def test_addresses_are_written_as_ip_writes_them():
    assert MIXED.cells() == ["10.0.0.1", "10.0.0.0/8", "default", None, "fd00::1/64", "02:00:00:00:00:09"]


def test_addresses_sort_by_number_and_absent_ones_last():
    assert sorted_cells(MIXED)[0] == "default"
    assert sorted_cells(MIXED)[1:3] == ["10.0.0.0/8", "10.0.0.1"]
    assert sorted_cells(MIXED)[-1] is None


def test_text_sorts_naturally_and_absent_last():
    assert sorted_cells(Codes.of(["veth10", None, "veth2", "br0"])) == ["br0", "veth2", "veth10", None]


def test_absent_numbers_are_not_zero_and_sort_last():
    values = Numbers(np.array([5, 0, 3]), np.array([True, False, True]))
    assert values.cells() == [5, None, 3]
    assert sorted_cells(values) == [3, 5, None]


def test_lists_and_objects_are_pooled_by_value():
    codes = Codes.of([["UP"], ["UP"], {"a": 1}, None, []])
    assert len(codes.pool) == 3
    assert codes.cells() == [["UP"], ["UP"], {"a": 1}, None, []]


def test_true_and_one_are_different_cells():
    assert Codes.of([True, 1, "1"]).cells() == [True, 1, "1"]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_concatenated_columns_hold_the_rows_of_their_parts(rows: int):
    numbers = Numbers(np.arange(rows), None)
    assert Numbers.concatenate([numbers, Numbers(np.array([7]), np.array([False]))]).cells() == [*range(rows), None]
    codes = Codes.of(["a", "b", None][:rows])
    assert Codes.concatenate([codes, Codes.of(["b", "c"])]).cells() == [*codes.cells(), "b", "c"]
    taken = MIXED.take(slice(0, rows))
    assert Addresses.concatenate([taken, MIXED]).cells() == taken.cells() + MIXED.cells()


def test_constant_parts_stay_a_constant():
    parts = [Codes(constant(0, 3, np.int8), ("main",)), Codes(constant(1, 4, np.int8), ("x", "main"))]
    joined = Codes.concatenate(parts)
    assert is_constant(joined.codes)
    assert joined.cells() == ["main"] * 7


def test_different_constants_do_not_become_one():
    parts = [Codes(constant(0, 2, np.int8), ("main",)), Codes(constant(0, 1, np.int8), ("local",))]
    assert Codes.concatenate(parts).cells() == ["main", "main", "local"]


def test_a_test_is_asked_once_for_each_pool_entry_and_never_for_absence():
    asked: list[object] = []
    codes = Codes.of(["a", "b", None, "a"])
    assert codes.matching(lambda cell: asked.append(cell) is None and cell == "a").tolist() == [
        True,
        False,
        False,
        True,
    ]
    assert asked == ["a", "b"]


def test_more_than_127_and_32767_names_keep_apart():
    for count in (126, 127, 128, 129, 32766, 32768, 32769):
        names = [f"n{i}" for i in range(count)]
        assert Codes.concatenate([Codes.of(names), Codes.of([None])]).cells() == [*names, None]
