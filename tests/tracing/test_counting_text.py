"""What tracefs gives: pages of a buffer and a histogram's text, whole, broken and cut short.

The histogram's text is made up after the kernel's documentation: the kernel that the tests run on has none.
"""

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collectors.tracing.event import event
from collectors.tracing.histogram import counts, trigger
from collectors.tracing.ring import records
from tests.tracing.test_names import NEW

EVENT = event(NEW)
TIME_EXTEND = struct.pack("<II", 30, 7)
LARGE = struct.pack("<II", 0, 12) + bytes(8)  # type_len 0: its length stands behind it
OTHER = struct.pack("<I", 2) + bytes(8)
HISTOGRAM = b"""# event histogram
#
# trigger info: hist:keys=reason,location,protocol:vals=hitcount:sort=hitcount:size=16384 [active]
#

{ reason:          3, location: 18446744071595910988, protocol:       2048 } hitcount:         23
{ reason:         12, location: 18446744071595910000, protocol:      34525 } hitcount:         29

Totals:
    Hits: 54
    Entries: 2
    Dropped: 2
"""


def one(location: int, reason: int = 3, number: int = EVENT.number) -> bytes:
    return struct.pack("<IHxxIQQQHxxI", 10, number, 0, 0, location, 0, 0x0800, reason)


def page(*events: bytes, flags: int = 0) -> bytes:
    data = b"".join(events)
    return struct.pack("<QQ", 0, len(data) | flags) + data + bytes(4096 - 16 - len(data))


def test_every_event_of_a_page_is_found_whatever_stands_between():
    found = records(page(TIME_EXTEND, one(1), one(2), LARGE, one(3), OTHER, TIME_EXTEND, one(4), flags=3 << 30), EVENT)
    assert found["location"].tolist() == [1, 2, 3, 4]
    assert found["reason"].tolist() == [3] * 4
    assert found["protocol"].tolist() == [0x0800] * 4


def test_an_event_of_another_kind_is_left_out():
    assert records(page(one(1), one(2, number=5), one(3)), EVENT)["location"].tolist() == [1, 3]


def test_padding_ends_a_page():
    assert records(page(one(1), struct.pack("<I", 29), one(2)), EVENT)["location"].tolist() == [1]


@given(st.binary(max_size=300), st.integers(0, 400))
def test_a_broken_page_gives_what_can_be_read(noise, cut):
    whole = struct.pack("<QQ", 0, 400) + one(1) + noise + one(2)
    assert len(records(whole[:cut], EVENT)) <= 2 + len(noise) // 44
    assert len(records(struct.pack("<QQ", 0, 1 << 29) + noise, EVENT)) <= len(noise) // 44


def test_a_histogram_gives_its_keys_and_what_it_could_not_keep():
    found = counts(HISTOGRAM)
    assert found.keys["reason"].tolist() == [3, 12]
    assert found.keys["location"].tolist() == [18446744071595910988, 18446744071595910000]
    assert found.keys["protocol"].tolist() == [0x0800, 0x86DD]
    assert not found.keys["netns"].any()
    assert found.drops.tolist() == [23, 29]
    assert found.lost == 2


def test_a_histogram_without_reasons_is_one_by_function():
    found = counts(b"{ location: 18446744071595910988, protocol:       2048 } hitcount:         23\n")
    assert found.keys["reason"].tolist() == [0]
    assert found.drops.tolist() == [23]
    assert trigger(("location", "protocol")).startswith("hist:keys=location,protocol:")


@given(st.integers(0, len(HISTOGRAM)), st.text("0123456789 {}:,\nabc", max_size=40))
def test_a_broken_histogram_gives_what_can_be_read(at, wrong):
    found = counts(HISTOGRAM[:at] + wrong.encode() + HISTOGRAM[at:])
    assert len(found.keys) == len(found.drops)
    assert found.keys.dtype.itemsize == 24
    assert found.drops.dtype == np.uint64


def test_numbers_that_do_not_fit_are_left_out():
    huge = b"9" * 6000
    assert (
        len(counts(b"{ location: %s, reason: 3 } hitcount: 2\n{ location: 3 } hitcount: %s\n" % (huge, huge)).keys) == 0
    )
    assert len(counts(b"{ location: 1, reason: 99999999999 } hitcount: 2\n").keys) == 0
