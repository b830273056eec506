"""What tshark says of the packets of a file, in the words of this project's columns."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from collectors.wire.ip_protocols import protocol_name
from collectors.wire.packets.dns import CODES, TYPES
from collectors.wire.packets.transport import CHUNKS
from tests.packets import peer_headers

Cells = Mapping[str, object]
OPTIONS = (
    "ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.relative_sequence_numbers:FALSE",
    "tcp.desegment_tcp_streams:FALSE", "tcp.analyze_sequence_numbers:FALSE",
)  # fmt: skip


@dataclass(frozen=True)
class Shared:
    """Columns here and fields there with the same values: ``first``: of the outer header only."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    reader: Callable[[str], object] = str
    first: bool = True
    when: tuple[str, str] | None = None  # column and its value in the rows that are compared


def number(text: str) -> int:
    return int(text, 0)


def flags(text: str) -> str:
    bits = number(text)
    return "".join(letter for bit, letter in enumerate("FSRP.UEWA") if bits >> bit & 1)


def dns_flags(text: str) -> str:
    names = {10: "aa", 9: "tc", 8: "rd", 7: "ra", 5: "ad", 4: "cd"}
    return " ".join(name for bit, name in names.items() if number(text) >> bit & 1)


def types(text: str) -> str:
    return TYPES.get(number(text), f"TYPE{number(text)}")


def rcode(text: str) -> str:
    return CODES[number(text)] if number(text) < len(CODES) else text


DIRECTIONS = ("in", "broadcast", "multicast", "otherhost", "out")
V4, V6, ALONE6 = ("family", "inet"), ("family", "inet6"), ("alone6", "yes")
SHARED = (
    Shared(("length",), ("frame.len",), number),
    Shared(("captured",), ("frame.cap_len",), number),
    Shared(("smac",), ("sll.src.eth", "eth.src")),
    Shared(("dmac",), ("eth.dst",), when=("link", "eth")),
    Shared(("direction",), ("sll.pkttype",), lambda text: DIRECTIONS[number(text)]),
    Shared(("ifindex",), ("sll.ifindex",), number),
    Shared(("family",), ("ip.version", "ipv6.version"), lambda text: {"4": "inet", "6": "inet6"}[text]),
    Shared(("src", "inner_src", "quoted_src"), ("ip.src", "ipv6.src", "arp.src.proto_ipv4"), first=False),
    Shared(("dst", "inner_dst", "quoted_dst"), ("ip.dst", "ipv6.dst", "arp.dst.proto_ipv4"), first=False),
    Shared(("proto",), ("ip.proto",), lambda text: protocol_name(number(text)), when=V4),
    Shared(("ttl", "inner_ttl", "quoted_ttl"), ("ip.ttl", "ipv6.hlim"), number, first=False),
    Shared(("dscp",), ("ip.dsfield.dscp",), number, when=V4),
    Shared(("dscp",), ("ipv6.tclass.dscp",), number, when=V6),
    Shared(("ecn",), ("ip.dsfield.ecn",), number, when=V4),
    Shared(("ecn",), ("ipv6.tclass.ecn",), number, when=V6),
    Shared(("flow_label",), ("ipv6.flow",), number, when=V6),
    Shared(("ip_id",), ("ip.id",), number, when=V4),
    Shared(("ip_id",), ("ipv6.fraghdr.ident",), number, when=ALONE6),
    Shared(("ip_length",), ("ip.len",), number, when=V4),
    Shared(("ip_length",), ("ipv6.plen",), lambda text: number(text) + 40, when=V6),
    Shared(("df",), ("ip.flags.df",), lambda text: text == "1", when=V4),
    Shared(("mf",), ("ip.flags.mf",), lambda text: text == "1", when=V4),
    Shared(("mf",), ("ipv6.fraghdr.more",), lambda text: text == "1", when=ALONE6),
    Shared(
        ("sport", "inner_sport", "quoted_sport"),
        ("tcp.srcport", "udp.srcport", "sctp.srcport"),
        number,
        first=False,
    ),
    Shared(
        ("dport", "inner_dport", "quoted_dport"),
        ("tcp.dstport", "udp.dstport", "sctp.dstport"),
        number,
        first=False,
    ),
    Shared(("flags", "inner_flags", "quoted_flags"), ("tcp.flags",), flags, first=False),
    Shared(("seq", "inner_seq"), ("tcp.seq_raw",), number, first=False, when=("quoted", "no")),
    Shared(("ack",), ("tcp.ack_raw",), number, when=("proto", "tcp")),
    Shared(("window",), ("tcp.window_size_value",), number, when=("proto", "tcp")),
    Shared(("mss",), ("tcp.options.mss_val",), number, when=("proto", "tcp")),
    Shared(("wscale",), ("tcp.options.wscale.shift",), number, when=("proto", "tcp")),
    Shared(("sack_ok",), ("tcp.options.sack_perm",), lambda text: True, when=("proto", "tcp")),
    Shared(("tsval",), ("tcp.options.timestamp.tsval",), number, when=("proto", "tcp")),
    Shared(("tsecr",), ("tcp.options.timestamp.tsecr",), number, when=("proto", "tcp")),
    Shared(("payload",), ("tcp.len",), number, when=("whole", "tcp")),  # of a fragment tshark tells none
    Shared(("payload",), ("udp.length",), lambda text: number(text) - 8, when=("proto", "udp")),
    Shared(("icmp_type", "inner_icmp_type", "quoted_icmp_type"), ("icmp.type", "icmpv6.type"), number, first=False),
    Shared(("icmp_code", "inner_icmp_code", "quoted_icmp_code"), ("icmp.code", "icmpv6.code"), number, first=False),
    Shared(("icmp_id",), ("icmp.ident", "icmpv6.echo.identifier"), number, when=("icmp_type", "echo")),
    Shared(("icmp_seq",), ("icmp.seq", "icmpv6.echo.sequence_number"), number, when=("icmp_type", "echo")),
    Shared(("icmp_mtu",), ("icmp.mtu", "icmpv6.mtu"), number),
    Shared(("vtag",), ("sctp.verification_tag",), number, when=("alone", "sctp")),
    Shared(("arp_op",), ("arp.opcode",), number, when=("tunnel", "no")),
    Shared(("arp_sha",), ("arp.src.hw_mac",), when=("tunnel", "no")),
    Shared(("arp_tha",), ("arp.dst.hw_mac",), when=("tunnel", "no")),
    Shared(("vni",), ("vxlan.vni", "geneve.vni"), number, when=("quoted", "no")),
    Shared(("gre_key",), ("gre.key",), number, when=("quoted", "no")),
    Shared(("dns_id",), ("dns.id",), number, when=("quoted", "no")),
    Shared(("dns_name",), ("dns.qry.name",), when=("quoted", "no")),
    Shared(("dns_type",), ("dns.qry.type",), types, when=("quoted", "no")),
    Shared(("dns_flags",), ("dns.flags",), dns_flags, when=("quoted", "no")),
    Shared(("dns_rcode",), ("dns.flags.rcode",), rcode, when=("quoted", "no")),
    Shared(("dns_answers",), ("dns.count.answers",), number, when=("quoted", "no")),
    Shared(("sni",), ("tls.handshake.extensions_server_name",), when=("quoted", "no")),
)  # fmt: skip
FURTHER = (
    "frame.time_epoch", "frame.protocols", "vlan.id", "vlan.priority", "vlan.etype", "ieee8021ad.id",
    "ieee8021ad.priority", "llc.type", "eth.type", "sll.etype", "ip.frag_offset", "ipv6.fraghdr.offset",
    "sctp.chunk_type", "tcp.options.sack_le", "tcp.options.sack_re", "ipv6.nxt", "ipv6.hopopts.nxt",
    "ipv6.routing.nxt", "ipv6.fraghdr.nxt", "ipv6.dstopts.nxt", "ah.next_header", *peer_headers.FURTHER,
)  # fmt: skip
NEXT = ("ipv6.nxt", "ipv6.hopopts.nxt", "ipv6.routing.nxt", "ipv6.fraghdr.nxt", "ipv6.dstopts.nxt", "ah.next_header")


def tshark(path: Path) -> list[dict[str, list[str]]]:
    """The fields of each packet, all their occurrences."""
    fields = list(dict.fromkeys([*(field for shared in SHARED for field in shared.theirs), *FURTHER]))
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-d", "udp.port==8472,vxlan",
         *(f"-o{option}" for option in OPTIONS), "-T", "fields", "-E", "separator=/t",
         "-E", "occurrence=a", "-E", "aggregator=|", *(f"-e{field}" for field in fields)],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [{field: cell.split("|") for field, cell in zip(fields, row, strict=True) if cell} for row in rows]


def differences(row: Cells, fields: Mapping[str, list[str]]) -> Iterator[str]:
    """What is not the same of one packet. Of headers deeper than the second packet inside, tshark tells more."""
    row = described(row, fields)
    deep = sum(name in ("ip", "ipv6", "arp") for name in fields["frame.protocols"][0].split(":")) > 2
    for shared, ours, theirs in beside(row, fields):
        if more(ours, theirs) or (len(ours) != len(theirs) and not deep):
            yield f"{shared.ours[0]}: {ours}, tshark's {shared.theirs}: {theirs}"
    for name, theirs in derived(row, fields):
        if row.get(name) != theirs:
            yield f"{name}: {row.get(name)!r}, tshark's {theirs!r}"
    for name, own, theirs in peer_headers.misplaced(row, fields):
        yield f"{name}: {own!r}, tshark's {theirs!r}"


def contradictions(row: Cells, fields: Mapping[str, list[str]]) -> Iterator[str]:
    """What both tell of a packet that was cut, and is not the same; the one may tell further headers."""
    for shared, ours, theirs in beside(described(row, fields), fields):
        if more(ours, theirs) and more(theirs, ours):
            yield f"{shared.ours[0]}: {ours}, tshark's {shared.theirs}: {theirs}"


def described(row: Cells, fields: Mapping[str, list[str]]) -> Cells:
    """With what the conditions in SHARED are about."""
    tunnel, quoted = ("yes" if f"{of}_src" in row else "no" for of in ("inner", "quoted"))
    alone = (tunnel, quoted) == ("no", "no")
    return {
        **row, "link": fields["frame.protocols"][0].split(":")[0], "quoted": quoted, "tunnel": tunnel,
        "alone": row.get("proto") if alone else None, "whole": None if row.get("mf") else row.get("proto"),
        "alone6": "yes" if alone and row.get("family") == "inet6" else "no",
    }  # fmt: skip


def beside(row: Cells, fields: Mapping[str, list[str]]) -> Iterator[tuple[Shared, list[object], list[object]]]:
    for shared in SHARED:
        if shared.when is None or applies(row, *shared.when):
            ours = [row[name] for name in shared.ours if name in row]
            theirs = [shared.reader(value) for field in shared.theirs for value in fields.get(field, [])]
            yield shared, ours, theirs[:1] if shared.first else theirs


def more(ours: list[object], theirs: list[object]) -> bool:
    return bool(Counter(map(str, ours)) - Counter(map(str, theirs)))


def applies(row: Cells, name: str, value: str) -> bool:
    if value == "echo":
        return row.get(name) in ((0, 8) if row.get("family") == "inet" else (128, 129))
    return row.get(name) == value


def derived(row: Cells, fields: Mapping[str, list[str]]) -> Iterator[tuple[str, object]]:
    """Columns that several of tshark's fields tell."""
    tags = [number(text) for kind in ("ieee8021ad", "vlan") for text in fields.get(f"{kind}.id", [])]
    priorities = [number(text) for kind in ("ieee8021ad", "vlan") for text in fields.get(f"{kind}.priority", [])]
    yield "vlan", tags[0] if tags else None
    yield "inner_vlan", tags[1] if len(tags) > 1 else None
    yield "vlan_priority", priorities[0] if priorities else None
    of_link = fields.get("sll.etype") or fields.get("llc.type") or fields.get("eth.type")
    if kinds := fields.get("vlan.etype", [])[-1:] or of_link:
        yield "ethertype", number(kinds[0])
    left, right = fields.get("tcp.options.sack_le", []), fields.get("tcp.options.sack_re", [])
    if row.get("proto") == "tcp":
        yield "sack", [[number(a), number(b)] for a, b in zip(left, right, strict=True)] or None
    if "sctp.chunk_type" in fields and row["alone"] == "sctp":
        yield "chunks", [CHUNKS[number(kind)] for kind in fields["sctp.chunk_type"]]
    if row.get("family") == "inet":
        offset = number(fields["ip.frag_offset"][0]) * 8
        yield "fragment", offset if offset or row.get("mf") else None
    if row.get("family") == "inet6":
        offsets = [number(text) * 8 for text in fields.get("ipv6.fraghdr.offset", [])]
        yield "fragment", offsets[0] if offsets and (offsets[0] or row.get("mf")) else None
        carried = [number(text) for field in NEXT for text in fields.get(field, [])]
        yield (
            "proto",
            row["proto"]
            if row["proto"] in {protocol_name(n) for n in carried if n not in peer_headers.HEADERS}
            else carried,
        )
    seconds, rest = fields["frame.time_epoch"][0].split(".")
    yield "time", int(seconds) * 10**9 + int(rest.ljust(9, "0")[:9])
