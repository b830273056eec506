"""Matches on where a packet comes from on this host: owner, cgroup, socket, devices, addresses, realm, cpu."""

from __future__ import annotations

from struct import unpack_from

from collectors.netfilter.xt.fields import (
    address,
    bit_words,
    ethernet,
    named_masked,
    option,
    options,
    span,
    words,
)
from collectors.netfilter.xt.quoting import quoted
from collectors.netfilter.xt.setting import Setting, Teller, bare, match
from collectors.wire.templates import told_string

ADDRESS_TYPES = bit_words(
    ("UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW",
     "NAT", "XRESOLVE")
)  # fmt: skip
PACKET_TYPES = {0: "unicast", 1: "broadcast", 2: "multicast", 3: "otherhost"}


def addrtype(octets: bytes, setting: Setting) -> str:
    """struct xt_addrtype_info_v1 { __u16 source; __u16 dest; __u32 flags; }"""
    source, destination, flags = unpack_from("=HHI", octets)
    text = option("src-type", words(source, ADDRESS_TYPES), flags & 1) if source else ""
    if destination:
        text += option("dst-type", words(destination, ADDRESS_TYPES), flags & 2)
    return text + options(flags, {0x4: "limit-iface-in", 0x8: "limit-iface-out"})


def addrtype_0(octets: bytes, setting: Setting) -> str:
    """struct xt_addrtype_info { __u16 source; __u16 dest; __u32 invert_source; __u32 invert_dest; }"""
    source, destination = unpack_from("=II", octets, 4)
    return addrtype(octets[:4] + bytes([bool(source) | bool(destination) << 1, 0, 0, 0]), setting)


def iprange(octets: bytes, setting: Setting) -> str:
    """struct xt_iprange_mtinfo { union nf_inet_addr src_min, src_max, dst_min, dst_max; __u8 flags; }"""
    ends = [address(octets[at : at + 16], setting.family) for at in range(0, 64, 16)]
    flags = octets[64]
    text = option("src-range", f"{ends[0]}-{ends[1]}", flags & 0x10) if flags & 1 else ""
    return text + (option("dst-range", f"{ends[2]}-{ends[3]}", flags & 0x20) if flags & 2 else "")


def mac(octets: bytes, setting: Setting) -> str:
    """struct xt_mac_info { unsigned char srcaddr[ETH_ALEN]; int invert; }"""
    return option("mac-source", ethernet(octets[:6]), any(octets[8:12]))


def owner(octets: bytes, setting: Setting) -> str:
    """struct xt_owner_match_info { __u32 uid_min, uid_max; __u32 gid_min, gid_max; __u8 match, invert; }"""
    *ends, flags, inverted = unpack_from("=4IBB", octets)
    text = option("socket-exists", "", inverted & 4) if flags & 4 else ""
    text += option("uid-owner", span(ends[0], ends[1], "-"), inverted & 1) if flags & 1 else ""
    if flags & 2:
        text += option("gid-owner", span(ends[2], ends[3], "-"), inverted & 2)
    return text + (option("suppl-groups", "", inverted & 8) if flags & 8 else "")


def physdev(octets: bytes, setting: Setting) -> str:
    """struct xt_physdev_info { char physindev[16]; char in_mask[16]; char physoutdev[16]; char out_mask[16];
    __u8 invert; __u8 bitmask; }"""
    inverted, flags = octets[64:66]
    text = option("physdev-is-in", "", inverted & 0x08) if flags & 0x08 else ""
    text += option("physdev-in", told_string(octets[:16]), inverted & 0x01) if flags & 0x01 else ""
    text += option("physdev-is-out", "", inverted & 0x10) if flags & 0x10 else ""
    text += option("physdev-out", told_string(octets[32:48]), inverted & 0x02) if flags & 0x02 else ""
    return text + (option("physdev-is-bridged", "", inverted & 0x04) if flags & 0x04 else "")


def pkttype(octets: bytes, setting: Setting) -> str:
    """struct xt_pkttype_info { int pkttype; int invert; }"""
    kind, inverted = unpack_from("=ii", octets)
    return option("pkt-type", PACKET_TYPES.get(kind, kind), inverted)


def socket(octets: bytes, setting: Setting) -> str:
    """struct xt_socket_mtinfo1, 2, 3 { __u8 flags; }"""
    return options(octets[0], {0x1: "transparent", 0x2: "nowildcard", 0x4: "restore-skmark"})


def rpfilter(octets: bytes, setting: Setting) -> str:
    """struct xt_rpfilter_info { __u8 flags; }"""
    return options(octets[0], {0x1: "loose", 0x2: "validmark", 0x4: "accept-local", 0x8: "invert"})


def cluster(octets: bytes, setting: Setting) -> str:
    """struct xt_cluster_match_info { __u32 total_nodes; __u32 node_mask; __u32 hash_seed; __u32 flags; }"""
    nodes, mask, seed, flags = unpack_from("=4I", octets)
    text = option("cluster-local-nodemask", f"0x{mask:08x}", flags & 1)
    return text + option("cluster-total-nodes", nodes) + option("cluster-hash-seed", f"0x{seed:08x}")


def cpu(octets: bytes, setting: Setting) -> str:
    """struct xt_cpu_info { __u32 cpu; __u32 invert; }"""
    number, inverted = unpack_from("=II", octets)
    return option("cpu", number, inverted)


def devgroup(octets: bytes, setting: Setting) -> str:
    """struct xt_devgroup_info { __u32 flags; __u32 src_group; __u32 src_mask; __u32 dst_group; __u32 dst_mask; }"""
    flags, source, source_mask, destination, destination_mask = unpack_from("=5I", octets)
    text = option("src-group", named_masked(source, source_mask, "group"), flags & 2) if flags & 1 else ""
    if flags & 4:
        text += option("dst-group", named_masked(destination, destination_mask, "group"), flags & 8)
    return text


def realm(octets: bytes, setting: Setting) -> str:
    """struct xt_realm_info { __u32 id; __u32 mask; __u8 invert; }"""
    value, mask, inverted = unpack_from("=IIB", octets)
    return option("realm", named_masked(value, mask, "rt_realms"), inverted)


def cgroup_0(octets: bytes, setting: Setting) -> str:
    """struct xt_cgroup_info_v0 { __u32 id; __u32 invert; }"""
    number, inverted = unpack_from("=II", octets)
    return option("cgroup", number, inverted)


def cgroup(octets: bytes, setting: Setting) -> str:
    """struct xt_cgroup_info_v2 { __u8 has_path, has_classid, invert_path, invert_classid; union { char path[512];
    __u32 classid; }; priv; }; xt_cgroup_info_v1: char path[4096] and __u32 classid, one behind the other."""
    has_path, has_class, not_path, not_class = octets[:4]
    text = option("path", quoted(octets[4:4100]), not_path) if has_path else ""
    class_at = 4100 if len(octets) == 4104 else 4
    if has_class:
        text += option("cgroup", unpack_from("=I", octets, class_at)[0], not_class)
    return text


def osf(octets: bytes, setting: Setting) -> str:
    """struct nf_osf_info { char genre[32]; __u32 len; __u32 flags; __u32 loglevel; __u32 ttl; }"""
    flags, level, ttl = unpack_from("=III", octets, 36)
    text = option("genre", told_string(octets[:32]), flags & 0x8)
    text += option("ttl", ttl) if flags & 0x2 else ""
    return text + (option("log", level) if flags & 0x4 else "")


MATCHES: dict[tuple[str, int], Teller] = {
    ("addrtype", 0): match("addrtype", 12, addrtype_0),
    ("addrtype", 1): match("addrtype", 8, addrtype),
    ("iprange", 1): match("iprange", 65, iprange),
    ("mac", 0): match("mac", 12, mac),
    ("owner", 1): match("owner", 18, owner),
    ("physdev", 0): match("physdev", 66, physdev),
    ("pkttype", 0): match("pkttype", 8, pkttype),
    ("socket", 0): bare(" -m socket"),
    ("socket", 1): match("socket", 1, socket),
    ("socket", 2): match("socket", 1, socket),
    ("socket", 3): match("socket", 1, socket),
    ("rpfilter", 0): match("rpfilter", 1, rpfilter),
    ("cluster", 0): match("cluster", 16, cluster),
    ("cpu", 0): match("cpu", 8, cpu),
    ("devgroup", 0): match("devgroup", 20, devgroup),
    ("realm", 0): match("realm", 9, realm),
    ("cgroup", 0): match("cgroup", 8, cgroup_0),
    ("cgroup", 1): match("cgroup", 4104, cgroup),
    ("cgroup", 2): match("cgroup", 516, cgroup),
    ("osf", 0): match("osf", 48, osf),
}
