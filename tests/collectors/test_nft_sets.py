"""Sets, their elements and objects from recorded dumps; flowtables, which that kernel lacked, from made messages."""

from __future__ import annotations

import errno
import itertools
import struct

import pytest
from hypothesis import given

from collectors.collector import Block
from collectors.draft import of_rows
from collectors.host import Host
from collectors.netfilter import nfnetlink
from collectors.netfilter.nft.element_places import counted, listed
from collectors.netfilter.nft.elements import elements_text
from collectors.netfilter.nft.model import NFT_SET_INTERVAL, NFT_SET_MAP, Context, NftSet
from collectors.netfilter.nft.set_messages import decode_elements
from collectors.netfilter.nft.uapi import NFT_MSG_NEWSET, NFT_MSG_NEWSETELEM
from collectors.netfilter.nft_objects import NFT_OBJECTS
from collectors.netfilter.set_elements import SET_ELEMENTS, decoded
from collectors.netfilter.sets import SETS
from collectors.table import Gap
from collectors.wire.netlink import NLMSGHDR, DecodeError, NetlinkError, attribute, messages
from tests.collectors.hostile import cut_blocks, cut_messages, mutations, quick, stands
from tests.record import recorded

BLOCKS = {name: recorded(name) for name in ("sets", "set_elements", "nft_objects")}
COLLECTORS = {"sets": SETS, "set_elements": SET_ELEMENTS, "nft_objects": NFT_OBJECTS}
CONTEXT = Context(nfnetlink.NFPROTO_IPV4)
SERVICE, ADDRESS, VERDICT = 13, 7, 0xFFFFFF00


def element(key: bytes | None, *more: bytes) -> bytes:
    """The payload of one NFTA_LIST_ELEM."""
    return (attribute(1, attribute(1, key)) if key is not None else b"") + b"".join(more)


def end(key: bytes) -> bytes:
    return element(key, attribute(3, struct.pack(">I", 1)))


def message(kind: int, *attributes: bytes, family: int = 2) -> bytes:
    body = nfnetlink.header(family) + b"".join(attributes)
    return NLMSGHDR.pack(16 + len(body), nfnetlink.kind(nfnetlink.NFTABLES, kind), 2, 1, 0) + body


def elements_message(name: bytes, *payloads: bytes) -> bytes:
    inside = b"".join(attribute(1, payload) for payload in payloads)
    return message(NFT_MSG_NEWSETELEM, attribute(1, b"t\0"), attribute(2, name + b"\0"), attribute(3, inside))


def text(elements: list[bytes], **described) -> str:
    found = NftSet(2, "t", "s", key_type=SERVICE, key_length=2, elements=elements, **described)
    return elements_text(found, CONTEXT)


def port(number: int) -> bytes:
    return struct.pack(">H", number)


def test_single_keys_stand_in_order():
    assert text([element(port(443)), element(port(22)), element(port(80))]) == "{ 22, 80, 443 }"


def test_two_bounds_make_an_interval_and_the_last_may_be_open():
    bounds = [end(port(0)), element(port(22)), end(port(23)), element(port(80)), end(port(91)), element(port(1024))]
    assert text(bounds, flags=NFT_SET_INTERVAL) == "{ 22, 80-90, 1024-65535 }"
    assert text(list(reversed(bounds)), flags=NFT_SET_INTERVAL) == "{ 22, 80-90, 1024-65535 }"


def test_intervals_that_touch_share_no_end():
    bounds = [element(port(10)), element(port(20)), end(port(30))]
    assert text(bounds, flags=NFT_SET_INTERVAL) == "{ 10-19, 20-29 }"


def test_an_address_range_that_is_a_prefix_is_told_as_one():
    def address(last: int) -> bytes:
        return bytes([10, 0, 0, last])

    bounds = [element(address(0)), end(address(4)), element(address(5)), end(address(8))]
    found = NftSet(2, "t", "s", flags=NFT_SET_INTERVAL, key_type=ADDRESS, key_length=4, elements=bounds)
    assert elements_text(found, CONTEXT) == "{ 10.0.0.0/30, 10.0.0.5-10.0.0.7 }"


def test_what_any_other_key_gets_is_told_by_a_star():
    def verdict(code: int) -> bytes:
        return attribute(2, attribute(2, attribute(1, struct.pack(">i", code))))

    payloads = [element(port(22), verdict(1)), element(None, verdict(0), attribute(3, struct.pack(">I", 2)))]
    assert text(payloads, flags=NFT_SET_MAP, data_type=VERDICT, data_length=16) == "{ 22 : accept, * : drop }"


def test_an_empty_set_has_empty_braces():
    assert text([]) == "{ }"


def test_a_verdict_without_its_code_is_malformed():
    payload = element(port(22), attribute(2, attribute(2, b"")))
    with pytest.raises(DecodeError):
        text([payload], flags=NFT_SET_MAP, data_type=VERDICT, data_length=16)


def test_elements_of_one_set_are_gathered_over_its_messages():
    raw = elements_message(b"a", element(port(1)), element(port(2))) + elements_message(b"b", element(port(3)))
    raw += elements_message(b"a", element(port(4)))
    found = decode_elements([messages(raw)])
    assert found == {
        (2, "t", "a"): [element(port(1)), element(port(2)), element(port(4))],
        (2, "t", "b"): [element(port(3))],
    }


def test_a_bound_that_only_ends_an_interval_is_not_counted():
    raw = elements_message(b"a", end(port(0)), element(port(22)), end(port(23)), element(port(80)))
    assert dict(counted(messages(raw))) == {(2, "t", "a"): 2}


def test_a_comment_that_looks_like_an_end_hides_no_element():
    forged = attribute(6, bytes([0, 12]) + b"abc" + attribute(3, struct.pack(">I", 1)) + b"\0")[:-4]
    ending = attribute(6, attribute(3, struct.pack(">I", 1)))
    raw = elements_message(b"a", element(port(22), forged), element(port(23), ending))
    assert dict(counted(messages(raw))) == {(2, "t", "a"): 2}


def test_an_element_longer_than_its_list_is_malformed():
    raw = messages(elements_message(b"a", element(port(22)))).data.copy()
    raw[-16:-14] = (200, 0)
    with pytest.raises(DecodeError):
        listed(raw, len(raw) - 16, len(raw))


def test_named_sets_have_a_row_and_anonymous_ones_none():
    rows = {row["name"]: row for row in SETS.decode(BLOCKS["sets"]).rows()}
    assert not any(name.startswith("__") for name in rows)
    assert (rows["cci"]["type"], rows["cci"]["elements"], rows["cci"]["flags"]) == (
        "ipv4_addr . inet_service",
        3,
        ["interval"],
    )
    assert (rows["m"]["map"], rows["om"]["map"], rows["pm"]["map"]) == ("verdict", "counter", "ipv4_addr")
    assert (rows["to"]["timeout"], rows["to"]["gc-interval"], rows["to"]["size"]) == (3600, 30, 5000)
    assert rows["alla"]["elements"] == 1, "the kernel's own count has 0 of an interval without an end"
    assert (rows["bi2"]["range"], rows["bi2"]["netmask"]) == ("10.0.0.0-10.0.255.255", 24)


def test_a_kernel_that_counts_none_gives_the_same_rows():
    """Before Linux 6.15 a set has no NFTA_SET_COUNT; here it is made an attribute that nobody knows."""
    blocks = [Block(part, uncounted(data) if part == "sets" else data) for part, data in BLOCKS["sets"]]
    counts = [[row["elements"] for row in SETS.decode(found).rows()] for found in (blocks, BLOCKS["sets"])]
    assert counts[0] == counts[1]


def uncounted(data: bytes) -> bytes:
    head, renamed = struct.pack("=HH", 8, 20), struct.pack("=HH", 8, 0x3FF0)
    assert head in data
    return data.replace(head, renamed)


def test_a_subsystem_that_is_not_there_is_a_gap():
    def refused(host: Host):
        yield Block("sets", NLMSGHDR.pack(36, 2, 0, 1, 0) + struct.pack("=i", -errno.EINVAL) + bytes(16))

    (gap,) = nfnetlink.where_present(Host(), nfnetlink.NFTABLES, refused)
    assert isinstance(gap, Gap)
    assert "no nf_tables" in gap.reason


def test_no_permission_is_no_absence():
    def refused(host: Host):
        yield Block("sets", NLMSGHDR.pack(36, 2, 0, 1, 0) + struct.pack("=i", -errno.EPERM) + bytes(16))

    with pytest.raises(NetlinkError):
        list(nfnetlink.where_present(Host(), nfnetlink.NFTABLES, refused))


def test_a_flowtable_tells_its_hook_and_devices():
    devices = attribute(1, b"eth0\0") + attribute(1, b"eth1\0")
    hook = attribute(1, struct.pack(">I", 0)) + attribute(2, struct.pack(">i", 5)) + attribute(3, devices)
    raw = message(
        22,
        attribute(1, b"t\0"),
        attribute(2, b"fast\0"),
        attribute(3, hook),
        attribute(4, struct.pack(">I", 3)),
        attribute(5, struct.pack(">Q", 9)),
        attribute(7, struct.pack(">I", 3)),
        family=1,
    )
    (row,) = NFT_OBJECTS.decode([Block("flowtables", raw)]).rows()
    assert row == {
        "world": "nft", "family": "inet", "table": "t", "type": "flowtable", "name": "fast",
        "text": "hook ingress priority filter + 5 devices = { eth0, eth1 } flags offload counter",
        "references": 3, "hook": "ingress", "prio": 5, "dev": ["eth0", "eth1"], "flags": ["offload", "counter"],
        "handle": 9,
    }  # fmt: skip


def test_an_object_of_an_unknown_kind_has_a_row_without_text():
    raw = message(
        18, attribute(1, b"t\0"), attribute(2, b"n\0"), attribute(3, struct.pack(">I", 77)), attribute(4, b"")
    )
    (row,) = NFT_OBJECTS.decode([Block("objects", raw)]).rows()
    assert row["type"] == "object 77"
    assert "text" not in row


def test_an_unknown_expression_of_an_element_is_named_and_no_more():
    unknown = attribute(7, attribute(1, b"novel\0") + attribute(2, b"\1\2\3"))
    assert text([element(port(22), unknown)]) == "{ 22 [expr novel] }"


@pytest.mark.parametrize(("whole", "told"), [(True, ["10-19", "30-65535"]), (False, ["10-19"])])
def test_an_interval_whose_end_was_not_read_is_left_out(whole, told):
    described = (
        attribute(number, struct.pack(">I", value)) for number, value in ((3, NFT_SET_INTERVAL), (4, SERVICE), (5, 2))
    )
    entry = message(NFT_MSG_NEWSET, attribute(1, b"t\0"), attribute(2, b"a\0"), *described)
    bounds = elements_message(b"a", element(port(10)), end(port(20)), element(port(30)))
    found = decoded([Block("sets", entry), Block("elements", bounds)], whole)
    assert [row["elem"] for row in found.rows()] == told


@pytest.mark.parametrize("name", COLLECTORS)
def test_a_dump_cut_short_is_a_table_or_a_decode_error(name):
    blocks = BLOCKS[name]
    for cut in itertools.islice(cut_messages(blocks), 0, None, 5):
        stands(COLLECTORS[name], [*blocks[:1], *cut])
    for cut in itertools.islice(cut_blocks(blocks), 0, None, 101):
        stands(COLLECTORS[name], cut)


@quick
@given(mutations(BLOCKS["sets"]))
def test_sets_with_changed_bytes_are_a_table_or_a_decode_error(blocks):
    stands(SETS, blocks)


@quick
@given(mutations(BLOCKS["set_elements"]))
def test_elements_with_changed_bytes_are_a_table_or_a_decode_error(blocks):
    stands(SET_ELEMENTS, blocks)


@quick
@given(mutations(BLOCKS["nft_objects"]))
def test_objects_with_changed_bytes_are_a_table_or_a_decode_error(blocks):
    stands(NFT_OBJECTS, blocks)


def test_numbers_of_64_bits_beside_smaller_ones_stay_what_they_are():
    """numpy takes such a list for floats."""
    draft = of_rows(NFT_OBJECTS.columns, [{"quota": (1 << 64) - 1}, {"quota": 5}, {}])
    assert draft.table()["quota"].cells() == [(1 << 64) - 1, 5, None]
