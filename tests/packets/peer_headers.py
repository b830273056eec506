"""Which header tshark's values are of: its fields tell them of all headers in a row, outer one first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collectors.wire.ip_protocols import protocol_name
from collectors.wire.packets.columns import INNER, QUOTED

Cells = Mapping[str, Any]
Fields = Mapping[str, list[str]]
HEADERS = (0, 43, 44, 51, 60, 135)  # extensions of IPv6: not what it carries
IP = {"inet": ("ip.src", "ip.dst", "ip.ttl"), "inet6": ("ipv6.src", "ipv6.dst", "ipv6.hlim")}
ENDS = {name: (f"{name}.srcport", f"{name}.dstport") for name in ("tcp", "udp", "sctp")}
ICMP = {"icmp": ("icmp.type", "icmp.code"), "ipv6-icmp": ("icmpv6.type", "icmpv6.code")}
# this project's names of protocols, and what frame.protocols calls them
NAMES = {
    "TCP": "tcp", "UDP": "udp", "UDPLITE": "udplite", "SCTP": "sctp", "DCCP": "dccp", "TLS": "tls", "DNS": "dns",
    "ICMP": "icmp", "ICMPv6": "icmpv6", "IPv4": "ip", "IPv6": "ipv6", "ARP": "arp", "RARP": "rarp", "IGMP": "igmp",
    "OSPF": "ospf", "STP": "stp", "LLDP": "lldp", "GRE": "gre", "AH": "ah", "ESP": "esp", "VXLAN": "vxlan",
    "GENEVE": "geneve", "VLAN": "vlan", "LLC": "llc", "MPLS": "mpls", "PPPoE": "pppoes", "EAPOL": "eapol", "PIM": "pim",
    "VRRP": "vrrp", "LACP": "slow", "ETHERNET": "eth", "SLL": "sll",
}  # fmt: skip
ALIASES = {"mdns": "dns", "llmnr": "dns", "ssl": "tls", "ieee8021ad": "vlan"}
FURTHER = (
    "frame.number", "frame.interface_name", "ip.hdr_len", "ipv6.plen", "sctp.chunk_length", "ip.len", "ip.proto",
)  # fmt: skip


def misplaced(row: Cells, fields: Fields) -> Iterator[tuple[str, object, object]]:
    """Column, our value, tshark's, where they differ."""
    for name, theirs in (*of_frame(row, fields), *outermost(row, fields), *second(row, fields)):
        if row.get(name) != theirs:
            yield name, row.get(name), theirs


def of_frame(row: Cells, fields: Fields) -> Iterator[tuple[str, object]]:
    yield "number", int(fields["frame.number"][0])
    if "frame.interface_name" in fields:
        name = fields["frame.interface_name"][0]
        yield "dev", None if name == "unknown" else name  # where the file does not tell it
    if QUOTED + "src" not in row:
        known = [ALIASES.get(name, name) for name in fields["frame.protocols"][0].split(":")]
        innermost = next((name for name in reversed(known) if name in NAMES.values()), None)
        if innermost != NAMES.get(row.get("protocol", "")):
            yield "protocol", innermost


def outermost(row: Cells, fields: Fields) -> Iterator[tuple[str, object]]:
    family = row.get("family")
    if family:
        yield from placed("", row, fields, {}, {})
    size = carried(row, fields)
    if size is not None and "fragment" not in row:
        yield "payload", size


def second(row: Cells, fields: Fields) -> Iterator[tuple[str, object]]:
    """The one inside the tunnel or the error."""
    for of in (INNER, QUOTED):
        if of + "family" in row:
            before = {row["family"]: 1}
            yield from placed(of, row, fields, before, {row.get("proto"): 1})
    if row.get("quoted_proto") == "tcp" and "tcp.seq_raw" in fields:  # of eight bytes tshark tells none
        yield "quoted_seq", int(fields["tcp.seq_raw"][0])


def placed(
    of: str, row: Cells, fields: Fields, headers: Mapping[Any, int], transports: Mapping[Any, int]
) -> Iterator[tuple[str, object]]:
    """``headers``, ``transports``: how many of a kind stand before."""
    family, proto = row[of + "family"], row.get(of + "proto")
    at = headers.get(family, 0)
    for name, field in zip(("src", "dst", "ttl"), IP[family], strict=True):
        yield of + name, int(fields[field][at]) if name == "ttl" else fields[field][at]
    following = int(fields["ip.proto" if family == "inet" else "ipv6.nxt"][at])
    if family == "inet" or following not in HEADERS:
        yield of + "proto", protocol_name(following)
    at = transports.get(proto, 0)
    for kind, names in ((ENDS, ("sport", "dport")), (ICMP, ("icmp_type", "icmp_code"))):
        for name, field in zip(names, kind.get(str(proto), ()), strict=False):
            told = fields.get(field, [])
            yield of + name, int(told[at]) if at < len(told) else None


def carried(row: Cells, fields: Fields) -> int | None:
    """Bytes that ICMP, UDP-Lite or SCTP carry; None where no field tells it."""
    if row.get("proto") == "sctp" and "sctp.chunk_type" in fields:
        sizes = zip(fields["sctp.chunk_type"], fields["sctp.chunk_length"], strict=True)
        return sum(int(size) - {"0": 16, "64": 20}[kind] for kind, size in sizes if kind in ("0", "64"))
    if row.get("proto") not in ("icmp", "ipv6-icmp", "udplite") or "payload" not in row:
        return None
    if row["family"] == "inet":
        return int(fields["ip.len"][0]) - int(fields["ip.hdr_len"][0]) - 8
    return int(fields["ipv6.plen"][0]) - 8 if fields["ipv6.nxt"][0] in ("58", "136") else None
