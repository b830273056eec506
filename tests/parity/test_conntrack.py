"""Conntrack entries beside ``conntrack -L -o xml`` and its text, ``conntrack -S``, ``-L expect``, and /proc."""

from __future__ import annotations

import re
import xml.etree.ElementTree as tree
from collections.abc import Iterator
from typing import Any

import pytest

from collectors import collect
from collectors.netfilter.conntrack import columns, expectations, flows, statistics
from collectors.table import Gap
from tests import conntrack_scenes
from tests.lab import Namespace, needs_root
from tests.parity.peer import Document, differences, settled

pytestmark = [pytest.mark.root, needs_root]

FAMILIES = {"ipv4": "inet", "ipv6": "inet6"}
CLOSE = {"timeout": 2, "delta_time": 2}
TUPLE_WORDS = {"type": "icmp_type", "code": "icmp_code", "id": "icmp_id"}
NOT_PRINTED = "conntrack does not print it"
OWN = {
    **dict.fromkeys(("wscale", "reply_wscale", "tcp_flags", "reply_tcp_flags", "vtag", "reply_vtag"), NOT_PRINTED),
    **dict.fromkeys(("dccp_role", "seqadj", "reply_seqadj", "synproxy", "master"), NOT_PRINTED),
    **dict.fromkeys(("nat", "nat_src", "nat_sport", "nat_dst", "nat_dport"), "told from both tuples"),
    "status": "compared by the words that conntrack has for some bits",
    "labels": "conntrack needs connlabel.conf",
}
MARKED = {"assured": ("ASSURED", True), "unreplied": ("SEEN_REPLY", False)}


@pytest.fixture(scope="module")
def router() -> Iterator[Namespace]:
    with conntrack_scenes.flows() as inside:
        yield inside


def test_every_field_of_conntracks_xml_is_told_with_its_value(router):
    def attempt() -> list[str]:
        rows = {row["id"]: row for row in collect("conntrack", router.host).rows()}
        peers = {flow["id"]: flow for flow in map(of_xml, xml(router, "-L -o xml,id,ktimestamp").iter("flow"))}
        assert rows.keys() == peers.keys()
        return [difference for key, peer in peers.items() for difference in compared(rows[key], peer)]

    assert not settled(attempt)
    kinds = {(row["family"], row["proto"]) for row in collect("conntrack", router.host).rows()}
    assert {("inet", "tcp"), ("inet6", "tcp"), ("inet", "udp"), ("inet6", "udp"), ("inet", "icmp"),
            ("inet6", "icmpv6"), ("inet", "sctp"), ("inet", "gre"), ("inet6", "gre"), ("inet", "udplite"),
            ("inet", "99")} <= kinds  # fmt: skip


def compared(row: Document, peer: Document) -> list[str]:
    """SCTP's state is compared in the text: the XML of conntrack 1.4.7 tells it by TCP's words."""
    peer = dict(peer)
    words = {name: peer.pop(name) for name in MARKED if name in peer}
    own = dict(OWN)
    if row["proto"] == "dccp" and "sport" not in row:
        for name in ("sport", "dport", "reply_sport", "reply_dport"):
            assert peer.pop(name) == 0  # a kernel that does not track DCCP any more tells no ports
    for name in ("icmp_type", "icmp_code", "icmp_id"):
        own |= {name: "not in the XML", f"reply_{name}": "not in the XML"}
    if row["proto"] == "sctp":
        own["state"] = peer.pop("state")
    own |= {} if "helper" in peer else {"helper": "not in the XML of all versions"}
    found = differences(row, peer, columns.COLUMNS, own=own, close=CLOSE)
    for word, (bit, present) in MARKED.items():
        if (bit in row["status"]) == (present != (word in words)):
            found.append(f"{word}: {row['status']}")
    return found


def xml(inside: Namespace, arguments: str) -> tree.Element:
    return tree.fromstring(inside.run(f"conntrack {arguments}"))


def of_xml(flow: tree.Element) -> Document:
    """A flow by our names: the reply's with a prefix, what has no direction without."""
    found: Document = {}
    for meta in flow.findall("meta"):
        way = meta.get("direction")
        prefix = "reply_" if way == "reply" else ""
        for element in meta.iter():
            name, text = element.tag, element.text
            if name == "layer3":
                found["family"] = FAMILIES[element.get("protoname", "")]
            elif name == "layer4":
                known = element.get("protoname")
                found["proto"] = element.get("protonum") if known == "unknown" else known
            elif name == "zone" and way != "independent":
                found["orig_zone" if way == "original" else "reply_zone"] = number(text)
            elif name in MARKED:
                found[name] = True
            elif text is not None and name not in ("meta", "timestamp", "counters"):
                found[{"deltatime": "delta_time"}.get(name, prefix + name)] = number(text)
    return found


def number(text: str | None) -> Any:
    words = text or ""
    return int(words, 0) if re.fullmatch(r"0x[0-9a-f]+|[0-9]+", words) else words


def test_what_the_xml_lacks_is_told_as_the_text_tells_it(router):
    """ICMP types, states, helpers: each line of the text beside the row of its id."""

    def attempt() -> list[str]:
        rows = {row["id"]: row for row in collect("conntrack", router.host).rows()}
        lines = [of_text(line) for line in router.run("conntrack -L -o extended,id").splitlines()]
        assert {line["entry"] for line in lines} == rows.keys()
        return [difference for line in lines for difference in alike(rows[line.pop("entry")], line)]

    assert not settled(attempt)


def alike(row: Document, line: Document) -> list[str]:
    return [
        f"{name}: {row.get(name)!r}, the peer's {value!r} in {row}"
        for name, value in line.items()
        if row.get(name) != value
        and not (name in CLOSE and abs(row[name] - value) <= CLOSE[name])
        and not (row["proto"] == "dccp" and name.endswith("port") and value == 0)
    ]


def of_text(line: str) -> Document:
    """One line of conntrack's text, or of /proc/net/nf_conntrack, by our names; ``entry``: the entry's id."""
    family, _, proto, protonum, *rest = line.split()
    found: Document = {"family": FAMILIES[family], "proto": protonum if proto == "unknown" else proto}
    if rest[0].isdecimal():
        found["timeout"] = int(rest.pop(0))
    for word in rest:
        name, equals, value = word.partition("=")
        name = {"zone-orig": "orig_zone", "zone-reply": "reply_zone", "delta-time": "delta_time"}.get(name, name)
        if name == "id" and "use" in found:
            found["entry"] = int(value)
        elif equals and value.rstrip(","):
            name = TUPLE_WORDS.get(name, name)
            found[f"reply_{name}" if name in found else name] = number(value.rstrip(","))
        elif re.fullmatch(r"[A-Z_0-9]+", word):
            found["state"] = word
    return found


def test_expectations_are_told_as_conntrack_tells_them(router):
    peers = [of_expectation(flow) for flow in xml(router, "-L expect -o xml").iter("flow")]
    rows = sorted(collect("expectations", router.host).rows(), key=lambda row: row["dport"])
    assert [row["dport"] for row in rows] == [30000, 30001]
    own = dict.fromkeys(("id", "flags", "fn", "nat_dir", "nat_src", "nat_sport", "nat_dst", "nat_dport"), NOT_PRINTED)
    for row, peer in zip(rows, sorted(peers, key=lambda peer: peer["dport"]), strict=True):
        assert not differences(row, peer, expectations.COLUMNS, own=own, close=CLOSE)


def of_expectation(flow: tree.Element) -> Document:
    found: Document = {}
    for layer in flow:
        if layer.tag == "layer3":
            found["family"] = FAMILIES[layer.get("protoname", "")]
        if layer.tag == "layer4":
            found["proto"] = layer.get("protoname")
        for part in layer:
            if layer.tag == "meta":
                found[{"helper-name": "helper"}.get(part.tag, part.tag)] = number(part.text)
            else:
                prefix = {"expected": ""}.get(part.tag, f"{part.tag}_")
                found |= {prefix + end.tag: number(end.text) for end in part}
    return found


def test_statistics_are_those_of_conntrack(router):
    def attempt() -> list[str]:
        rows = {row["cpu"]: row for row in collect("conntrack_statistics", router.host).rows()}
        peers: dict[int, Document] = {}
        for command in ("-S", "-S exp"):
            for line in router.run(f"conntrack {command}").splitlines():
                counts = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}
                peers.setdefault(counts["cpu"], {}).update(counts)
        count = int(router.run("conntrack -C"))
        maximum, buckets = (int(router.run(f"sysctl -n net.netfilter.nf_conntrack_{n}")) for n in ("max", "buckets"))
        whole = {"entries": count, "max_entries": maximum, "buckets": buckets}
        assert rows.keys() == peers.keys()
        return [
            difference
            for cpu, row in rows.items()
            for difference in differences(row, {**peers[cpu], **whole}, statistics.COLUMNS)
        ]

    assert not settled(attempt)


def test_a_table_that_is_read_from_proc_tells_the_same_as_far_as_it_goes(router):
    def attempt() -> list[str]:
        blocks = list(flows.listed(router.host, Gap("not loaded", "modprobe")))
        listed = flows.decode(blocks)
        assert "without id" in listed.gaps[0].reason
        rows = {ends(row): row for row in collect("conntrack", router.host).rows()}
        assert len(listed) == len(rows)
        return [difference for row in listed.rows() for difference in same(row, rows[ends(row)])]

    assert not settled(attempt)


def ends(row: Document) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("proto", "src", "sport", "srckey", "dst", "dport", "zone", "orig_zone"))


def same(listed: Document, row: Document) -> list[str]:
    """What the listing has must be what netlink has; its status has only the bits that it has words for."""
    found = [
        f"{name}: listed {value!r}, {row.get(name)!r} in {row}"
        for name, value in listed.items()
        if name not in ("status", "use", *CLOSE) and row.get(name) != value
    ]
    found += [f"{name}: {listed}" for name in CLOSE if abs(listed[name] - row[name]) > CLOSE[name]]
    return found + [f"status: {listed}, {row}" for bit in ("SEEN_REPLY", "ASSURED")
                    if (bit in listed["status"]) != (bit in row["status"])]  # fmt: skip
