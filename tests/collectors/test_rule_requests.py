"""Asking for rules chain by chain: when it is done, what is asked, and several answers in one block."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from collectors.netfilter import nfnetlink
from collectors.netfilter.nft import rule_requests
from collectors.netfilter.nft.uapi import NFT_MSG_NEWCHAIN
from collectors.netlink.dump import FIRST, dumps
from collectors.wire.netlink import NLMSG_DONE, Messages, attribute, attribute_map, messages, request
from tests import netfilter_scenes as scenes
from tests.lab import needs_root

KIND = nfnetlink.kind(nfnetlink.NFTABLES, NFT_MSG_NEWCHAIN)
DONE = request(NLMSG_DONE, 0, 1, struct.pack("=i", 0))


def chains(*uses: int) -> Messages:
    """As NFT_MSG_GETCHAIN lists them: c0, c1, … of the table "t" of family ip, with so many rules."""
    return messages(
        b"".join(
            request(
                KIND,
                0,
                1,
                nfnetlink.header(nfnetlink.NFPROTO_IPV4)
                + attribute(1, b"t\0")
                + attribute(3, f"c{number}\0".encode())
                + attribute(6, struct.pack(">I", use)),
            )
            for number, use in enumerate(uses)
        )
    )


@pytest.mark.parametrize("listed", [messages(b""), chains(0), chains(5, 7), chains(*[1] * 2000)])
def test_few_rules_and_those_of_many_small_chains_are_asked_for_at_once(listed):
    assert rule_requests.bodies(listed) == [nfnetlink.header()]


def test_many_rules_are_asked_for_chain_by_chain():
    asked = rule_requests.bodies(chains(5000, 0, 5000))
    assert [body[0] for body in asked] == [nfnetlink.NFPROTO_IPV4] * 3
    assert [attribute_map(body[4:]) for body in asked] == [{1: b"t\0", 2: f"c{n}\0".encode()} for n in range(3)]


def test_several_answers_are_one_block_with_their_ends_at_its_end():
    """Of 3 dumps of 7 datagrams each: the first block is full in the middle of the last one."""
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def give() -> None:
        for dump in range(3):
            kernel.recv(1000)
            for number in range(7):
                kernel.send(request(KIND, 0, 1, bytes([dump, number, 0, 0])))
            kernel.send(DONE)

    with ours, kernel:
        thread = threading.Thread(target=give)
        thread.start()
        blocks = [messages(block.data) for block in dumps(ours, KIND, [b"a", b"b", b"c"])]
        thread.join()
    assert [len(block.of(KIND)) for block in blocks] == [FIRST, 21 - FIRST]
    assert [block.types[-2:].tolist() for block in blocks] == [[NLMSG_DONE] * 2, [KIND, NLMSG_DONE]]
    given = [block.data[at + 16 : at + 18].tolist() for block in blocks for at in block.of(KIND).offsets.tolist()]
    assert given == [[dump, number] for dump in range(3) for number in range(7)]


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("scene", [scenes.both_worlds, scenes.firewalld_host, scenes.nft_router])
def test_rules_that_were_asked_for_chain_by_chain_are_the_same(scene, monkeypatch):
    from collectors import collect

    with scene() as inside:
        at_once = list(collect("netfilter", inside.host).rows())
        monkeypatch.setattr(rule_requests, "WORTH", 0)
        asked: list[int] = []
        bodies = rule_requests.bodies
        monkeypatch.setattr(rule_requests, "bodies", lambda found: asked.append(len(bodies(found))) or bodies(found))
        one_by_one = list(collect("netfilter", inside.host).rows())
    assert asked[0] > 1
    assert len(at_once) > 20
    assert one_by_one == at_once
