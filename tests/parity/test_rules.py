"""Policy rules beside ``ip -j -d rule``, in the same order."""

from __future__ import annotations

import socket
import struct

import pytest

from collectors import collect
from collectors.netlink.rules import COLUMNS, RTM_NEWRULE
from collectors.wire.netlink import NLM_F_ACK, NetlinkError, attribute, messages, request
from tests import scenes
from tests.lab import Namespace, joined_pair, needs_root
from tests.parity.peer import differences, documents

pytestmark = [pytest.mark.root, needs_root]

OWN = {
    "family": "ip is asked for one family at a time",
    "from": "src and srclen again, as one prefix to filter by",
    "to": "dst and dstlen again, as one prefix to filter by",
    **dict.fromkeys(("dscp", "dscp_mask", "flowlabel", "flowlabel_mask"), "iproute2 6.1 does not know them"),
    **dict.fromkeys(("sport_mask", "dport_mask"), "iproute2 6.1 does not know them"),
}


@pytest.mark.parametrize(("option", "family"), [("-4", "inet"), ("-6", "inet6")])
def test_every_selector_and_action_is_told_as_ip_tells_it(option, family):
    with scenes.rules() as inside:
        rows = [row for row in collect("rules", inside.host).rows() if row["family"] == family]
        peers = documents(inside.run(f"ip -j -d {option} rule"))
    assert len(rows) == len(peers) == {"inet": len(scenes.RULES) + 3, "inet6": len(scenes.RULES6) + 2}[family]
    found = [
        difference
        for row, peer in zip(rows, peers, strict=True)
        for difference in differences(row, peer, COLUMNS, own=OWN)
    ]
    assert not found


def test_the_prefix_to_filter_by_is_the_one_that_the_rule_selects():
    with scenes.rules() as inside:
        rows = {(row["family"], row["priority"]): row for row in collect("rules", inside.host).rows()}
    assert rows["inet", 500]["from"] == "10.0.0.0/8"
    assert rows["inet", 500]["to"] == "10.9.0.7"
    assert rows["inet6", 500]["from"] == "fd00::/16"
    assert "from" not in rows["inet", 504]


NLM_F_CREATE_NEW = 0x600  # NLM_F_CREATE | NLM_F_EXCL


def add_rule(inside: Namespace, family: int, priority: int, *attributes: bytes) -> None:
    """A rule with selectors that iproute2 6.1 has no words for; skips where the kernel does not know them."""
    header = struct.pack("=8BI", family, 0, 0, 0, 254, 0, 0, 1, 0)
    body = header + attribute(6, struct.pack("=I", priority)) + b"".join(attributes)
    with inside.host.socket(socket.SOCK_RAW, 0) as sock:
        sock.send(request(RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE_NEW, 1, body))
        try:
            messages(sock.recv(65536))
        except NetlinkError as error:
            pytest.skip(f"this kernel does not take the selector: {error}")


def test_selectors_younger_than_ip_are_told():
    with joined_pair() as (inside, _):
        add_rule(inside, socket.AF_INET, 700, attribute(25, bytes([46])))
        add_rule(inside, socket.AF_INET, 701, attribute(25, bytes([8])), attribute(30, bytes([0x38])))
        label, bits = struct.pack(">I", 0x12300), struct.pack(">I", 0xFFF00)
        add_rule(inside, socket.AF_INET6, 702, attribute(26, label), attribute(27, bits))
        ports = attribute(23, struct.pack("=HH", 0x100, 0x100)), attribute(28, struct.pack("=H", 0xFF00))
        add_rule(inside, socket.AF_INET, 703, attribute(22, bytes([6])), *ports)
        add_rule(inside, socket.AF_INET, 704, attribute(22, bytes([6])), ports[0])
        rows = {row["priority"]: row for row in collect("rules", inside.host).rows()}
    assert rows[700]["dscp"] == "EF"
    assert "dscp_mask" not in rows[700]
    assert (rows[701]["dscp"], rows[701]["dscp_mask"]) == ("CS1", "0x38")
    assert (rows[702]["flowlabel"], rows[702]["flowlabel_mask"]) == ("0x12300", "0xfff00")
    assert (rows[703]["sport"], rows[703]["sport_mask"]) == (0x100, "0xff00")
    assert rows[704]["sport"] == 0x100
    assert "sport_mask" not in rows[704]
