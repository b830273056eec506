"""Names of reasons and protocols, and of the event's fields on kernels old and new."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.tracing.event import event
from collectors.tracing.names import protocol_name, reason_name
from collectors.wire.netlink import DecodeError

# of Linux 6.18 and 5.15, shortened
NEW = b"""name: kfree_skb
ID: 2310
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:void * skbaddr;	offset:8;	size:8;	signed:0;
	field:void * location;	offset:16;	size:8;	signed:0;
	field:void * rx_sk;	offset:24;	size:8;	signed:0;
	field:unsigned short protocol;	offset:32;	size:2;	signed:0;
	field:enum skb_drop_reason reason;	offset:36;	size:4;	signed:0;

print fmt: "skbaddr=%p reason: %s", REC->skbaddr, __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 12, "NETFILTER_DROP" })
"""  # noqa: E501
OLD = b"""name: kfree_skb
ID: 1391
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:void * skbaddr;	offset:8;	size:8;	signed:0;
	field:void * location;	offset:16;	size:8;	signed:0;
	field:unsigned short protocol;	offset:24;	size:2;	signed:0;

print fmt: "skbaddr=%p protocol=%u location=%p", REC->skbaddr, REC->protocol, REC->location
"""


def test_a_reason_has_the_kernels_name_without_its_prefix():
    assert reason_name(3, {3: "SKB_DROP_REASON_NO_SOCKET"}, {}) == "NO_SOCKET"
    assert reason_name(12, {12: "NETFILTER_DROP"}, {}) == "NETFILTER_DROP"
    assert reason_name(99, {}, {}) == "99"


def test_a_subsystems_reason_has_its_name_and_a_number():
    subsystems = {1: "MAC80211_UNUSABLE", 3: "OPENVSWITCH"}
    assert reason_name(1 << 16 | 5, {}, subsystems) == "mac80211.5"
    assert reason_name(3 << 16 | 2, {}, subsystems) == "openvswitch.2"
    assert reason_name(7 << 16 | 2, {}, {}) == "subsystem7.2"


def test_a_protocol_is_named_as_tc_names_it():
    assert [protocol_name(number) for number in (0x0800, 0x86DD, 0x8100, 0x88CC, 0)] == [
        "ip",
        "ipv6",
        "802.1Q",
        "0x88CC",
        None,
    ]


def test_the_events_fields_are_taken_from_where_this_kernel_has_them():
    found = event(NEW)
    assert found.number == 2310
    assert found.keys == ("location", "protocol", "reason")
    assert found.record.itemsize == 40
    assert found.record.fields is not None
    assert found.record.fields["reason"][1] == 36
    assert found.reasons == {2: "NOT_SPECIFIED", 12: "NETFILTER_DROP"}


def test_a_kernel_before_reasons_has_none():
    found = event(OLD)
    assert found.keys == ("location", "protocol")
    assert found.reasons == {}


@pytest.mark.parametrize("part", [b"ID: 2310", b"void * location", b"common_type"])
def test_a_format_without_what_is_needed_is_told(part):
    with pytest.raises(DecodeError):
        event(NEW.replace(part, b""))


@pytest.mark.parametrize(
    ("part", "wrong"), [(b"offset:36", b"offset:999999999"), (b"offset:16;\tsize:8", b"offset:16;\tsize:3")]
)
def test_a_format_that_makes_no_sense_is_told(part, wrong):
    with pytest.raises(DecodeError):
        event(NEW.replace(part, wrong))


@given(st.integers(0, len(NEW)), st.binary(max_size=30))
def test_a_broken_format_gives_an_event_or_an_error(at, wrong):
    with contextlib.suppress(DecodeError):
        event(NEW[:at] + wrong + NEW[at + len(wrong) :])
