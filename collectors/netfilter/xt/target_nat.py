"""Targets that change addresses and ports: SNAT, DNAT, MASQUERADE, REDIRECT, NETMAP, DNPT, SNPT, TPROXY, CLUSTERIP."""

from __future__ import annotations

from struct import unpack_from
from typing import NamedTuple

from collectors.netfilter.xt.fields import address, ethernet, option, options, prefix_length, span
from collectors.netfilter.xt.setting import NFPROTO_IPV4, NFPROTO_IPV6, Setting, Teller, Words, target

# uapi linux/netfilter/nf_nat.h, NF_NAT_RANGE_*
MAP_IPS, PROTO_SPECIFIED, PROTO_OFFSET = 0x01, 0x02, 0x20
WAYS = {0x04: "random", 0x10: "random-fully", 0x08: "persistent"}


class Range(NamedTuple):
    flags: int
    low: bytes
    high: bytes
    ports: tuple[int, int]
    base: int = 0


def range_compat(octets: bytes) -> Range:
    """struct nf_nat_ipv4_multi_range_compat { unsigned int rangesize; struct nf_nat_ipv4_range { unsigned int flags;
    __be32 min_ip; __be32 max_ip; __be16 min; __be16 max; } range[1]; }"""
    low_port, high_port = unpack_from(">HH", octets, 16)
    return Range(unpack_from("=I", octets, 4)[0], octets[8:12], octets[12:16], (low_port, high_port))


def range_2(octets: bytes) -> Range:
    """struct nf_nat_range2 { unsigned int flags; union nf_inet_addr min_addr, max_addr; __be16 min_proto, max_proto,
    base_proto; }; struct nf_nat_range is the same without base_proto."""
    low_port, high_port, *base = unpack_from(">HHH" if len(octets) >= 42 else ">HH", octets, 36)
    return Range(unpack_from("=I", octets)[0], octets[4:20], octets[20:36], (low_port, high_port), *base)


def told_range(found: Range, family: int) -> str:
    """ADDRESS-ADDRESS:PORT-PORT/BASE, of which any part may be missing."""
    text = ""
    if found.flags & MAP_IPS:
        low, high = address(found.low, family), address(found.high, family)
        text = low if found.low == found.high else f"{low}-{high}"
        if family == NFPROTO_IPV6 and found.flags & PROTO_SPECIFIED:
            text = f"[{text}]"
    if found.flags & PROTO_SPECIFIED:
        text += ":" + span(*found.ports, "-")
        text += f"/{found.base}" if found.flags & PROTO_OFFSET else ""
    return text


def nat(name: str, size: int) -> Words:
    """A range behind its option; of --to-ports only the ports, without the colon. 20 bytes are the compat struct."""

    def tell(octets: bytes, setting: Setting) -> str:
        compat = size == 20
        found = range_compat(octets) if compat else range_2(octets)
        text = told_range(found, NFPROTO_IPV4 if compat else setting.family)
        if name == "to-ports":
            text = text.removeprefix(":")
        return (option(name, text) if text else "") + options(found.flags, WAYS)

    return tell


def by_family(name: str, four: Words, six: Words) -> Teller:
    """Revision 0 of the targets without an address of their own: the compat struct in ip, nf_nat_range in ip6."""
    tellers = target(name, 20, four), target(name, 40, six)
    return lambda view, setting: tellers[setting.family != NFPROTO_IPV4](view, setting)


def netmap(octets: bytes, setting: Setting) -> str:
    """The range from a network's first address to its last: its mask is what those have in common."""
    compat = setting.family == NFPROTO_IPV4
    found = range_compat(octets) if compat else range_2(octets)
    size = 4 if compat else 16
    mask = bytes(~(low ^ high) & 0xFF for low, high in zip(found.low[:size], found.high[:size], strict=True))
    length = prefix_length(mask, setting.family)
    told = address(mask, setting.family) if length is None else length
    return option("to", f"{address(found.low, setting.family)}/{told}")


def npt(octets: bytes, setting: Setting) -> str:
    """struct ip6t_npt_tginfo { union nf_inet_addr src_pfx, dst_pfx; __u8 src_pfx_len, dst_pfx_len; adjustment; }"""
    source, destination = (address(octets[at : at + 16], NFPROTO_IPV6) for at in (0, 16))
    return option("src-pfx", f"{source}/{octets[32]}") + option("dst-pfx", f"{destination}/{octets[33]}")


def tproxy(octets: bytes, setting: Setting) -> str:
    """struct xt_tproxy_target_info_v1 { __u32 mark_mask; __u32 mark_value; union nf_inet_addr laddr (rev 0: __be32);
    __be16 lport; }"""
    mask, value = unpack_from("=II", octets)
    wide = len(octets) == 26
    text = option("on-port", unpack_from(">H", octets, 24 if wide else 12)[0])
    text += option("on-ip", address(octets[8:24], setting.family if wide else NFPROTO_IPV4))
    return text + option("tproxy-mark", f"{value:#x}/{mask:#x}")


def clusterip(octets: bytes, setting: Setting) -> str:
    """struct ipt_clusterip_tgt_info { __u32 flags; __u8 clustermac[6]; __u16 num_total_nodes; __u16 num_local_nodes;
    __u16 local_nodes[16]; __u32 hash_mode; __u32 hash_initval; config; }"""
    flags, nodes, _, node = unpack_from("=I6xHHH", octets)
    mode, seed = unpack_from("=II", octets, 48)
    if not flags & 1:
        return ""
    text = option("new") + option("hashmode", HASH_MODES.get(mode, "unknown-error"))
    text += option("clustermac", ethernet(octets[4:10]).upper()) + option("total-nodes", nodes)
    return text + option("local-node", node) + option("hash-init", seed)


HASH_MODES = {0: "sourceip", 1: "sourceip-sourceport", 2: "sourceip-sourceport-destport"}


TARGETS: dict[tuple[str, int], Teller] = {
    ("SNAT", 0): target("SNAT", 20, nat("to-source", 20)),
    ("SNAT", 1): target("SNAT", 40, nat("to-source", 40)),
    ("SNAT", 2): target("SNAT", 42, nat("to-source", 42)),
    ("DNAT", 0): target("DNAT", 20, nat("to-destination", 20)),
    ("DNAT", 1): target("DNAT", 40, nat("to-destination", 40)),
    ("DNAT", 2): target("DNAT", 42, nat("to-destination", 42)),
    ("MASQUERADE", 0): by_family("MASQUERADE", nat("to-ports", 20), nat("to-ports", 40)),
    ("REDIRECT", 0): by_family("REDIRECT", nat("to-ports", 20), nat("to-ports", 40)),
    ("NETMAP", 0): by_family("NETMAP", netmap, netmap),
    ("DNPT", 0): target("DNPT", 34, npt),
    ("SNPT", 0): target("SNPT", 34, npt),
    ("TPROXY", 0): target("TPROXY", 14, tproxy),
    ("TPROXY", 1): target("TPROXY", 26, tproxy),
    ("CLUSTERIP", 0): target("CLUSTERIP", 56, clusterip),
}
