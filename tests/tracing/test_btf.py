"""Types of the kernel: places of members however they are nested, and hostile BTF."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.tracing.btf import ENUM, PTR, TYPEDEF, VMLINUX, Btf
from collectors.tracing.program import layout
from collectors.wire.netlink import DecodeError
from tests.tracing.blobs import Types, small_kernel

needs_btf = pytest.mark.skipif(not VMLINUX.exists(), reason="this kernel has no BTF")


def everything(types: Btf) -> None:
    types.offset("sk_buff", "dev")
    types.offset("net_device", "nd_net", "net")
    types.enumerators("skb_drop_reason")
    types.tracepoint("kfree_skb")


def test_a_member_is_found_inside_members_without_a_name():
    types = Btf(small_kernel())
    assert types.offset("sk_buff", "dev") == 16
    assert types.offset("sk_buff", "dev_scratch") == 16
    assert types.offset("sk_buff", "sk") == 32


def test_a_member_is_found_through_typedefs_and_beside_bit_fields():
    types = Btf(small_kernel())
    assert types.offset("net_device", "nd_net", "net") == 16
    assert types.offset("net", "inum") == 4


def test_a_tracepoint_tells_what_it_hands_over():
    found = Btf(small_kernel()).tracepoint("kfree_skb").arguments
    assert [(a.kind, a.name) for a in found] == [(PTR, "sk_buff"), (PTR, ""), (ENUM, "skb_drop_reason")]
    assert len(Btf(small_kernel(with_reason=False)).tracepoint("kfree_skb").arguments) == 2


@pytest.mark.parametrize("names", [("sk_buff", "nothing"), ("nothing", "dev"), ("empty", "dev")])
def test_what_a_kernel_has_not_got_is_a_key_error(names):
    with pytest.raises(KeyError, match=r"nothing|dev"):
        Btf(small_kernel()).offset(*names)


def test_btf_that_is_cut_short_anywhere_is_told():
    blob = small_kernel()
    for length in range(len(blob)):
        with pytest.raises(DecodeError):
            Btf(blob[:length])


def test_types_inside_themselves_end():
    types = Types()
    types.structure("sk_buff", ("", 1, 0))
    types.add(TYPEDEF, "btf_trace_kfree_skb", 2)
    found = Btf(types.blob())
    with pytest.raises(KeyError):
        found.offset("sk_buff", "dev")
    with pytest.raises(DecodeError):
        found.tracepoint("kfree_skb")


@pytest.mark.timeout(10)
def test_types_that_occur_ever_more_often_inside_each_other_end():
    """Twice in each of 2,000: searched at each place, it would be 2 to the power of 2,000 of them."""
    types = Types()
    for number in range(2, 2002):
        types.structure("sk_buff" if number == 2 else "", ("", number, 0), ("", number, 64))
    types.structure("", ("dev", 1, 8))
    found = Btf(types.blob())
    assert found.offset("sk_buff", "dev") >= 1
    with pytest.raises(KeyError):
        found.offset("sk_buff", "nothing")


def test_a_tracepoint_that_points_to_itself_ends():
    types = Types()
    types.add(TYPEDEF, "btf_trace_kfree_skb", 2)
    types.add(PTR, size=2)
    with pytest.raises(DecodeError):
        Btf(types.blob()).tracepoint("kfree_skb")


def test_a_kind_of_a_later_kernel_is_told():
    types = Types()
    types.add(25)
    with pytest.raises(DecodeError, match="not known"):
        Btf(types.blob())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_broken_bytes_give_an_answer_or_an_error_that_is_expected(data):
    blob = bytearray(small_kernel())
    for _ in range(data.draw(st.integers(1, 4))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodeError, KeyError):
        everything(Btf(bytes(blob)))


@needs_btf
def test_the_running_kernel_has_all_that_the_program_reads():
    types = Btf.read()
    found = layout(types, types.enumerators("skb_drop_reason"))
    assert found.skb_dev == 16, "where it has been since 4.14"
    assert len({found.dev_net, found.dev_ifindex, found.net_ops, found.net_inum}) == 4


@needs_btf
def test_the_running_kernels_types_are_read_quickly():
    times = []
    for _ in range(3):
        begun = time.process_time()
        types = Btf.read()
        layout(types, types.enumerators("skb_drop_reason"))
        times.append(time.process_time() - begun)
    assert min(times) < 0.15
