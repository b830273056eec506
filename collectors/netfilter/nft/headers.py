"""Protocol headers as nft 1.0.6 knows them: fields with their places in bits, and what each header may carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from collectors.netfilter.nft import datatypes as types

# nft's bases are the kernel's NFT_PAYLOAD_* plus one
NO_BASE, LINK, NETWORK, TRANSPORT, INNER = range(5)
BASES = {LINK: "ll", NETWORK: "nh", TRANSPORT: "th", INNER: "ih"}

NFPROTO_INET, NFPROTO_IPV4, NFPROTO_ARP, NFPROTO_NETDEV, NFPROTO_BRIDGE, NFPROTO_IPV6 = 1, 2, 3, 5, 7, 10
ETH_P_IP, ETH_P_ARP, ETH_P_8021Q, ETH_P_IPV6, ETH_P_8021AD = 0x0800, 0x0806, 0x8100, 0x86DD, 0x88A8
IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_ICMPV6 = 1, 6, 58
ARPHRD_ETHER = 1


class Field(NamedTuple):
    """``icmp_type``: the one ICMP type in which the field stands so, None where it stands in all."""

    name: str
    offset: int
    bits: int
    data_type: int = types.INTEGER
    icmp_type: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """``key``: the field that says what follows; ``above``: the names of what may, by that number.

    ``bits``: its length, where a header of the same layer may follow it.
    """

    name: str
    base: int
    fields: tuple[Field, ...] = ()
    key: str = ""
    above: Mapping[int, str] = field(default_factory=dict)
    bits: int = 0

    def protocol_field(self, found: Field) -> bool:
        return bool(self.key) and found.name == self.key


PORTS = (Field("sport", 0, 16, types.INET_SERVICE), Field("dport", 16, 16, types.INET_SERVICE))
TRANSPORTS = {
    1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 33: "dccp", 50: "esp", 51: "ah", 58: "icmpv6", 108: "comp",
    132: "sctp", 136: "udplite",
}  # fmt: skip
IPSEC = {number: name for number, name in TRANSPORTS.items() if "icmp" not in name and name != "igmp"}
NETWORKS = {ETH_P_IP: "ip", ETH_P_ARP: "arp", ETH_P_IPV6: "ip6", ETH_P_8021Q: "vlan"}
STACKED = {**NETWORKS, ETH_P_8021AD: "vlan"}

ETHER = Header(
    "ether",
    LINK,
    (
        Field("daddr", 0, 48, types.ETHERADDR),
        Field("saddr", 48, 48, types.ETHERADDR),
        Field("type", 96, 16, types.ETHERTYPE),
    ),
    key="type",
    above=STACKED,
    bits=112,
)
VLAN = Header(
    "vlan",
    LINK,
    (Field("pcp", 0, 3), Field("dei", 3, 1), Field("id", 4, 12), Field("type", 16, 16, types.ETHERTYPE)),
    key="type",
    above=STACKED,
    bits=32,
)
ARP = Header(
    "arp",
    NETWORK,
    (
        Field("htype", 0, 16),
        Field("ptype", 16, 16, types.ETHERTYPE),
        Field("hlen", 32, 8),
        Field("plen", 40, 8),
        Field("operation", 48, 16, types.ARPOP),
        Field("saddr ether", 64, 48, types.ETHERADDR),
        Field("saddr ip", 112, 32, types.IPADDR),
        Field("daddr ether", 144, 48, types.ETHERADDR),
        Field("daddr ip", 192, 32, types.IPADDR),
    ),
)
IP = Header(
    "ip",
    NETWORK,
    (
        Field("version", 0, 4),
        Field("hdrlength", 4, 4),
        Field("dscp", 8, 6, types.DSCP),
        Field("ecn", 14, 2, types.ECN),
        Field("length", 16, 16),
        Field("id", 32, 16),
        Field("frag-off", 48, 16),
        Field("ttl", 64, 8),
        Field("protocol", 72, 8, types.INET_PROTOCOL),
        Field("checksum", 80, 16),
        Field("saddr", 96, 32, types.IPADDR),
        Field("daddr", 128, 32, types.IPADDR),
    ),
    key="protocol",
    above=TRANSPORTS,
)
IP6 = Header(
    "ip6",
    NETWORK,
    (
        Field("version", 0, 4),
        Field("dscp", 4, 6, types.DSCP),
        Field("ecn", 10, 2, types.ECN),
        Field("flowlabel", 12, 20),
        Field("length", 32, 16),
        Field("nexthdr", 48, 8, types.INET_PROTOCOL),
        Field("hoplimit", 56, 8),
        Field("saddr", 64, 128, types.IP6ADDR),
        Field("daddr", 192, 128, types.IP6ADDR),
    ),
    key="nexthdr",
    above=TRANSPORTS,
)
ICMP = Header(
    "icmp",
    TRANSPORT,
    (
        Field("type", 0, 8, types.ICMP_TYPE),
        Field("code", 8, 8, types.ICMP_CODE),
        Field("checksum", 16, 16),
        Field("id", 32, 16, icmp_type=8),
        Field("sequence", 48, 16, icmp_type=8),
        Field("gateway", 32, 32, icmp_type=5),
        Field("mtu", 48, 16, icmp_type=3),
    ),
    key="type",
)
ICMPV6 = Header(
    "icmpv6",
    TRANSPORT,
    (
        Field("type", 0, 8, types.ICMP6_TYPE),
        Field("code", 8, 8, types.ICMPV6_CODE),
        Field("checksum", 16, 16),
        Field("parameter-problem", 32, 32, icmp_type=4),
        Field("mtu", 32, 32, icmp_type=2),
        Field("id", 32, 16, icmp_type=128),
        Field("sequence", 48, 16, icmp_type=128),
        Field("max-delay", 32, 16, icmp_type=130),
    ),
    key="type",
)
HEADERS = {
    header.name: header
    for header in (
        ETHER,
        VLAN,
        ARP,
        IP,
        IP6,
        ICMP,
        ICMPV6,
        Header(
            "igmp",
            TRANSPORT,
            (
                Field("type", 0, 8, types.IGMP_TYPE),
                Field("mrt", 8, 8),
                Field("checksum", 16, 16),
                Field("group", 32, 32),
            ),
        ),
        Header("udp", TRANSPORT, (*PORTS, Field("length", 32, 16), Field("checksum", 48, 16))),
        Header("udplite", TRANSPORT, (*PORTS, Field("csumcov", 32, 16), Field("checksum", 48, 16))),
        Header(
            "tcp",
            TRANSPORT,
            (
                *PORTS,
                Field("sequence", 32, 32),
                Field("ackseq", 64, 32),
                Field("doff", 96, 4),
                Field("reserved", 100, 4),
                Field("flags", 104, 8, types.TCP_FLAG),
                Field("window", 112, 16),
                Field("checksum", 128, 16),
                Field("urgptr", 144, 16),
            ),
        ),
        Header("dccp", TRANSPORT, (*PORTS, Field("type", 67, 4, types.DCCP_PKTTYPE))),
        Header("sctp", TRANSPORT, (*PORTS, Field("vtag", 32, 32), Field("checksum", 64, 32))),
        Header(
            "ah",
            TRANSPORT,
            (
                Field("nexthdr", 0, 8, types.INET_PROTOCOL),
                Field("hdrlength", 8, 8),
                Field("reserved", 16, 16),
                Field("spi", 32, 32),
                Field("sequence", 64, 32),
            ),
            key="nexthdr",
            above=IPSEC,
        ),
        Header("esp", TRANSPORT, (Field("spi", 0, 32), Field("sequence", 32, 32))),
        Header(
            "comp",
            TRANSPORT,
            (Field("nexthdr", 0, 8, types.INET_PROTOCOL), Field("flags", 8, 8, types.BITMASK), Field("cpi", 16, 16)),
            key="nexthdr",
            above=IPSEC,
        ),
    )
}
TH = Header("th", TRANSPORT, PORTS)
UNKNOWN = Header("unknown", NO_BASE)

# stand-ins where a family does not say which header is meant
INET = Header("inet", LINK, above={NFPROTO_IPV4: "ip", NFPROTO_IPV6: "ip6"})
NETDEV = Header("netdev", LINK, above=NETWORKS)
FAMILIES = {
    NFPROTO_BRIDGE: ETHER,
    NFPROTO_NETDEV: NETDEV,
    NFPROTO_INET: INET,
    NFPROTO_IPV4: IP,
    NFPROTO_IPV6: IP6,
    NFPROTO_ARP: ARP,
}


def above(header: Header, number: int) -> Header | None:
    """The header that a number in this one's protocol field announces."""
    return HEADERS.get(header.above.get(number, ""))
