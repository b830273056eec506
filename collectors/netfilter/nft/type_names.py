"""Names of nft's data types, as ``type`` declares a set by them (nftables 1.0.6, struct datatype)."""

from __future__ import annotations

from collectors.netfilter.nft.datatypes import NFT_DATA_VERDICT, parts

NAMES = (
    "invalid", "verdict", "nf_proto", "bitmask", "integer", "string", "ll_addr", "ipv4_addr", "ipv6_addr",
    "ether_addr", "ether_type", "arp_op", "inet_proto", "inet_service", "icmp_type", "tcp_flag", "dccp_pkttype",
    "mh_type", "time", "mark", "iface_index", "iface_type", "realm", "classid", "uid", "gid", "ct_state", "ct_dir",
    "ct_status", "icmpv6_type", "ct_label", "pkt_type", "icmp_code", "icmpv6_code", "icmpx_code", "devgroup", "dscp",
    "ecn", "fib_addrtype", "boolean", "ct_event", "ifname", "igmp_type", "time", "hour", "day", "cgroupsv2",
)  # fmt: skip


def type_name(number: int) -> str:
    """The name of a type, or those of a concatenation's parts."""
    if number == NFT_DATA_VERDICT:
        return "verdict"
    return " . ".join([NAMES[part] if part < len(NAMES) else str(part) for part in parts(number)]) or "invalid"
