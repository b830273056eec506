"""What of a filter the kernel is asked to do, and that it narrows and never loses a row."""

from __future__ import annotations

import errno
import struct

import pytest

from collectors.collector import Block
from collectors.host import Host
from collectors.netfilter.conntrack import flows
from collectors.netfilter.conntrack.columns import COLUMNS
from collectors.netfilter.conntrack.filter import request
from collectors.netfilter.conntrack.flows import CONNTRACK
from collectors.wire.netlink import NLMSG_ERROR, attribute_map, messages
from nettui import sources
from nettui.query import compile
from tests import conntrack_scenes
from tests.lab import namespace, needs_root

CTA_STATUS, CTA_MARK, CTA_ZONE, CTA_MARK_MASK, CTA_STATUS_MASK = 3, 8, 18, 21, 26


def asked(where: str) -> tuple[int, dict[int, int]]:
    family, attributes = request(compile(where, COLUMNS).equalities())
    return family, {number: int.from_bytes(value, "big") for number, value in attribute_map(attributes).items()}


@pytest.mark.parametrize(
    ("where", "family", "attributes"),
    [
        ("mark 7", 0, {CTA_MARK: 7, CTA_MARK_MASK: 0xFFFFFFFF}),
        ("mark 0x2a and proto tcp", 0, {CTA_MARK: 42, CTA_MARK_MASK: 0xFFFFFFFF}),
        ("family inet", 2, {}),
        ("family IPv6 and zone 5", 10, {CTA_ZONE: 5}),
        ("status assured and status SRC_NAT", 0, {CTA_STATUS: 0x14, CTA_STATUS_MASK: 0x14}),
        ("zone 0", 0, {}),
        ("zone 70000", 0, {}),
        ("mark 5000000000", 0, {}),
        ("mark 7 or zone 5", 0, {}),
        ("not mark 7", 0, {}),
        ("status nonsense", 0, {}),
        ("family 7", 0, {}),
        ("dport 80", 0, {}),
    ],
)
def test_the_kernel_is_asked_for_no_less_than_the_filter_lets_pass(where, family, attributes):
    assert asked(where) == (family, attributes)


NARROWING = (
    "mark 42", "mark 23", "family inet6", "family inet and status ASSURED", "status src_nat", "zone 7",
    "status DST_NAT and status SRC_NAT", "zone 7 and family inet6", "mark 42 and dport 80",
)  # fmt: skip


@needs_root
@pytest.mark.root
def test_a_narrowed_reading_has_every_row_that_the_filter_lets_pass_and_fewer_others():
    with conntrack_scenes.flows() as inside:
        whole = CONNTRACK.collect(inside.host)
        for where in NARROWING:
            query = compile(where, COLUMNS)
            narrowed = CONNTRACK.collect(inside.host, query.equalities())
            wanted = whole.take(query.mask(whole).nonzero()[0])["id"].cells()
            assert sorted(narrowed.take(query.mask(narrowed).nonzero()[0])["id"].cells()) == sorted(wanted)
            assert len(wanted) <= len(narrowed) < len(whole)


@needs_root
@pytest.mark.root
def test_a_section_is_narrowed_by_what_is_asked_of_it():
    with namespace() as inside:
        for port in range(5):
            inside.run(f"conntrack -I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport {port + 1} --dport 80 -t 300 -m {port}")
        equalities = {"conntrack": compile("mark 3", COLUMNS).equalities()}
        assert len(sources.read(["conntrack"], inside.host, equalities).tables["conntrack"]) == 1
        assert len(sources.read(["conntrack"], inside.host).tables["conntrack"]) == 5


def test_a_kernel_that_refuses_the_filter_is_asked_for_everything(monkeypatch):
    """Made up: such a kernel has no connection marks (EOPNOTSUPP)."""
    whole = Block(flows.DUMPED, b"all")
    refusal = struct.pack("=IHHIIi", 36, NLMSG_ERROR, 0, 1, 0, -errno.EOPNOTSUPP) + bytes(16)
    monkeypatch.setattr(flows.nfnetlink, "absence", lambda *_: None)
    monkeypatch.setattr(
        flows,
        "dumped",
        lambda host, family=0, attributes=b"": iter([Block(flows.DUMPED, refusal) if attributes else whole]),
    )
    assert list(flows.read(Host(), (("mark", 7),)))[1:] == [whole]


def test_any_other_refusal_is_told():
    refusal = struct.pack("=IHHIIi", 36, NLMSG_ERROR, 0, 1, 0, -errno.EPERM) + bytes(16)
    assert not flows.refused(Block(flows.DUMPED, refusal))
    with pytest.raises(OSError, match="not permitted"):
        messages(refusal)
