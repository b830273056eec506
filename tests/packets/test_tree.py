"""The headers of one packet as nettui's own tree: the decoder's values, at the places that tshark has them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.values import Cell
from collectors.wire.packets.decode import DEEPEST, LAYERS, decoded
from nettui.packets.dissect import Dissector
from nettui.packets.headers import layers
from nettui.packets.tree import Node, headers
from tests.packets import build

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="needs tshark")
CAPTURED = [(name, 1, octets) for name, octets in build.FRAMES.items()]
CAPTURED += [(f"link {link}, {at}", link, octets) for at, (link, octets, _) in enumerate(build.others())]
LINES = {  # columns of the decoder, and the lines that tell the same
    "smac": ("Source: {}", "Sender MAC address: {}"), "dmac": ("Destination: {}",), "ifindex": ("Interface index: {}",),
    "vlan": ("VLAN {}",), "inner_vlan": ("VLAN {}",), "src": ("Source Address: {}", "Sender IP address: {}"),
    "dst": ("Destination Address: {}", "Target IP address: {}"), "ttl": ("Time to Live: {}", "Hop Limit: {}"),
    "sport": ("Source Port: {}", "Source port: {}"), "dport": ("Destination Port: {}", "Destination port: {}"),
    "seq": ("Sequence Number (raw): {}",), "ack": ("Acknowledgment number (raw): {}",), "window": ("Window: {}",),
    "mss": ("MSS Value: {}",), "wscale": ("Shift count: {}",), "tsval": ("Timestamp value: {}",),
    "tsecr": ("Timestamp echo reply: {}",), "icmp_type": ("Type: {}",), "icmp_code": ("Code: {}",),
    "icmp_id": ("Identifier: {}",), "icmp_seq": ("Sequence Number: {}",),
    "icmp_mtu": ("MTU of next hop: {}", "MTU: {}"),
    "dns_name": ("Name: {}",), "dns_type": ("Type: {}",), "dns_answers": ("Answer RRs: {}",),
    "sni": ("Server Name: {}",), "vni": ("VXLAN Network Identifier (VNI): {}", "Virtual Network Identifier (VNI): {}"),
}  # fmt: skip
HEXED = {"gre_key": "Key: 0x{:08x}", "vtag": "Verification tag: 0x{:08x}", "dns_id": "Transaction ID: 0x{:04x}",
         "flow_label": "Flow Label: 0x{:05x}"}  # fmt: skip


def every(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from every(node.children)


def words(text: str) -> str:
    """Without the drawing of bits."""
    return text.rpartition(" = ")[2] if text[:1] in ".01" else text


def lines_of(column: str, cell: Cell) -> list[str]:
    name = column.removeprefix("inner_") if column != "inner_vlan" else column
    name = name.removeprefix("quoted_")
    if name in HEXED:
        return [HEXED[name].format(cell)]
    return [line.format(cell) for line in LINES.get(name, ())]


@pytest.mark.parametrize(("link", "octets"), [packet[1:] for packet in CAPTURED], ids=[name for name, *_ in CAPTURED])
def test_every_value_of_the_decoder_is_a_line(link: int, octets: bytes):
    row = decoded(build.records([(link, octets, len(octets))])).row(0)
    texts = {words(node.text) for node in every(headers(octets, link))}
    missing = [column for column, cell in row.items() if (some := lines_of(column, cell)) and not texts & set(some)]
    assert not missing


@needs_tshark
@pytest.mark.parametrize(
    "name", ["tcp: syn", "tcp: sack", "tcp: client hello", "udp: dns answer", "icmp: need-frag", "icmp6: too big",
             "arp reply", "vlan", "vxlan", "geneve", "sctp data", "gre with all", "hop-by-hop", "first fragment6"],
)  # fmt: skip
def test_lines_that_tshark_has_too_are_at_the_same_places(name: str):
    octets = build.FRAMES[name]
    theirs: dict[str, set[tuple[int, int]]] = {}
    for node in every(Dissector().dissect(octets, 1, 0, len(octets)).tree):
        theirs.setdefault(words(node.text), set()).add((node.start, node.length))
    ours = (
        node for node in every(headers(octets, 1)) if not node.children
    )  # what a header includes is a matter of taste
    shared = [node for node in ours if words(node.text) in theirs]
    assert len(shared) >= 9
    assert not [node for node in shared if (node.start, node.length) not in theirs[words(node.text)]]


@pytest.mark.parametrize(("link", "octets"), [packet[1:] for packet in CAPTURED], ids=[name for name, *_ in CAPTURED])
def test_children_lie_within_their_header_and_headers_leave_nothing_out(link: int, octets: bytes):
    tree = headers(octets, link)
    check(tree, 0, len(octets))
    covered = sorted((node.start, node.start + node.length) for node in tree[1:] if node.length)
    end = 0
    for start, stop in covered:
        assert start <= end
        end = max(end, stop)
    assert end == len(octets)


def check(nodes: tuple[Node, ...], start: int, end: int) -> None:
    for node in nodes:
        assert start <= node.start
        assert node.length >= 0
        assert node.start + node.length <= end
        check(node.children, node.start, node.start + node.length)


def test_the_quoted_packet_is_inside_the_error():
    tree = headers(build.FRAMES["icmp: need-frag"], 1)
    inside = [node.text for node in tree[3].children]
    assert "Internet Protocol Version 4, Src: 10.9.0.2, Dst: 10.9.0.1" in inside
    assert "User Datagram Protocol, Src Port: 7, Dst Port: 9999" in inside


def test_padding_is_no_part_of_what_ip_carries():
    last = headers(build.FRAMES["padding"], 1)[-1]
    assert (last.text, last.length) == ("Trailer (6 bytes)", 6)


def test_a_link_type_that_is_not_known_has_only_bytes():
    assert [node.text for node in headers(b"abc", 4711)] == [
        "Frame: 3 bytes captured, link type 4711",
        "Data (3 bytes)",
    ]
    assert len(headers(b"", 1)) == 1


def test_the_same_headers_are_known_as_to_the_decoder():
    assert set(LAYERS) - set(layers.LAYERS) == {("tag", 0), ("tags", 0)}  # which only tell VLANs apart


@pytest.mark.parametrize("cut", range(0, 130, 3))
@pytest.mark.parametrize("name", ["tcp: sack", "tcp: client hello", "udp: dns answer", "icmp6: too big", "vxlan"])
def test_a_packet_that_was_cut_anywhere_says_so_and_no_more(name: str, cut: int):
    octets = build.FRAMES[name][:cut]
    tree = headers(octets, 1)
    check(tree, 0, len(octets))
    if cut < 34:
        assert any("cut off" in node.text for node in every(tree)) == (cut not in (0, 14))


def test_tunnels_in_tunnels_come_to_an_end():
    octets = build.FRAMES["ipip"][14:34] * 200
    assert len(headers(octets, 101)) <= DEEPEST + 3


OCTETS = st.one_of(st.binary(max_size=300), st.sampled_from(list(build.FRAMES.values())))


@settings(max_examples=1500, deadline=None)
@given(OCTETS, st.sampled_from([0, 1, 12, 101, 108, 113, 228, 229, 276, 999]), st.data())
def test_whatever_the_bytes_the_tree_stays_within_them(octets: bytes, link: int, data: st.DataObject):
    changed = bytearray(octets)
    for _ in range(data.draw(st.integers(0, 8))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    found = bytes(changed)[: data.draw(st.integers(0, len(changed)))]
    check(headers(found, link), 0, len(found))
