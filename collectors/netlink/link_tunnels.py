"""Details of tunnels: vxlan, geneve, gre and its kin, ipip, sit, ip6tnl, vti (uapi linux/if_link.h, if_tunnel.h)."""

from __future__ import annotations

import socket

from collectors.netlink.link_details import (
    Details,
    Found,
    Speller,
    address,
    big,
    endpoint,
    flag,
    given,
    hexadecimal,
    host,
    little,
    nonzero_hex,
    printf_hex,
    set_flag,
    worded,
)

DONT_FRAGMENT = worded(("unset", "set", "inherit"))
GRE_CSUM, GRE_KEY, GRE_SEQ = 0x8000, 0x2000, 0x1000  # linux/if_tunnel.h, big-endian
ENCAPSULATIONS = {1: "fou", 2: "gue"}  # TUNNEL_ENCAP_*
# linux/ip6_tunnel.h IP6_TNL_F_*
TUNNEL6_FLAGS = {
    0x01: "ip6_tnl_f_ign_encap_limit",
    0x02: "ip6_tnl_f_use_orig_tclass",
    0x04: "ip6_tnl_f_use_orig_flowlabel",
    0x08: "ip6_tnl_f_mip6_dev",
    0x10: "ip6_tnl_f_rcv_dscp_copy",
    0x20: "ip6_tnl_f_use_orig_fwmark",
    0x40: "ip6_tnl_f_allow_local_remote",
}
REPLACED = {0x01: "encap_limit", 0x02: "tclass", 0x04: "flowlabel", 0x20: "fwmark"}
GRE6_FLAGS = 0x01 | 0x02 | 0x04 | 0x10 | 0x20  # those that ip shows of ip6gre


def port_range(value: bytes) -> dict[str, int]:
    """struct ifla_vxlan_port_range { __be16 low; __be16 high; }"""
    return {"low": big(value[:2]), "high": big(value[2:4])}


def label(value: bytes) -> str | None:
    return printf_hex(big(value)) if any(value) else None


def finish_vxlan(found: Found) -> Found:
    """A multicast remote is a group; what follows from another attribute falls away."""
    for key in ("remote", "remote6"):
        remote = found.get(key)
        if isinstance(remote, str) and multicast(remote):
            found[key.replace("remote", "group")] = found.pop(key)
    if found.pop("ttl_inherit", False):
        found["ttl"] = "inherit"
    return found


def multicast(text: str) -> bool:
    return 224 <= int(text.split(".", 1)[0]) < 240 if "." in text else text.startswith("ff")


VXLAN = Details(
    {
        25: ("external", set_flag),
        30: ("vnifilter", set_flag),
        1: ("id", little),
        2: ("remote", address),
        16: ("remote6", address),
        4: ("local", address),
        17: ("local6", address),
        3: ("link", little),
        10: ("port_range", port_range),
        15: ("port", big),
        7: ("learning", flag),
        11: ("proxy", set_flag),
        12: ("rsc", set_flag),
        13: ("l2miss", set_flag),
        14: ("l3miss", set_flag),
        6: ("tos", nonzero_hex),
        5: ("ttl", little),
        28: ("ttl_inherit", set_flag),
        29: ("df", DONT_FRAGMENT),
        26: ("label", label),
        8: ("ageing", little),
        9: ("limit", lambda value: little(value) or None),
        18: ("udp_csum", flag),
        19: ("udp_zero_csum6_tx", flag),
        20: ("udp_zero_csum6_rx", flag),
        21: ("remcsum_tx", set_flag),
        22: ("remcsum_rx", set_flag),
        23: ("gbp", given),
        27: ("gpe", given),
    },
    finish_vxlan,
    ("link",),
)


def finish_geneve(found: Found) -> Found:
    if found.pop("ttl_inherit", False):
        found["ttl"] = "inherit"
    return found


GENEVE = Details(
    {
        6: ("external", given),
        1: ("id", little),
        2: ("remote", address),
        7: ("remote6", address),
        3: ("ttl", little),
        12: ("ttl_inherit", set_flag),
        4: ("tos", nonzero_hex),
        13: ("df", DONT_FRAGMENT),
        11: ("label", label),
        5: ("port", big),
        8: ("udp_csum", flag),
        9: ("udp_zero_csum6_tx", flag),
        10: ("udp_zero_csum6_rx", flag),
        14: ("inner_proto_inherit", given),
    },
    finish_geneve,
)


def encapsulation(found: Found) -> Found:
    """The four IFLA_*_ENCAP_* as one object, where there is an encapsulation."""
    kind, bits, source, target = (found.pop(f"encap_{part}", 0) for part in ("type", "flags", "sport", "dport"))
    if not isinstance(kind, int) or not isinstance(bits, int) or not kind:
        return found
    encap: Found = {"type": ENCAPSULATIONS.get(kind, "unknown"), "sport": source, "dport": target}
    return {**found, "encap": {**encap, "csum": bool(bits & 1), "csum6": bool(bits & 2), "remcsum": bool(bits & 4)}}


def finish_gre(found: Found) -> Found:
    incoming, outgoing = found.pop("iflags", 0), found.pop("oflags", 0)
    flags6 = found.pop("flags", 0)
    for side, bits in (("i", incoming), ("o", outgoing)):
        if not isinstance(bits, int) or not bits & GRE_KEY:
            found.pop(f"{side}key", None)
        if isinstance(bits, int):
            found.update({f"{side}{word}": True for bit, word in ((GRE_SEQ, "seq"), (GRE_CSUM, "csum")) if bits & bit})
    return encapsulation(tunnel6_flags(found, flags6 if isinstance(flags6, int) else 0, GRE6_FLAGS))


def tunnel6_flags(found: Found, flags: int, shown: int) -> Found:
    """A set flag replaces the value that it makes void; the flow information falls into class and label."""
    flow = found.pop("flowinfo", None)
    if isinstance(flow, int):
        found["tclass"], found["flowlabel"] = f"0x{flow >> 20 & 0xFF:02x}", f"0x{flow & 0xFFFFF:05x}"
    for bit, word in TUNNEL6_FLAGS.items():
        if flags & bit & shown:
            found.pop(REPLACED.get(bit, ""), None)
            found[word] = True
    return found


def encapsulated(first: int) -> dict[int, tuple[str, Speller]]:
    return {
        first: ("encap_type", little),
        first + 1: ("encap_flags", little),
        first + 2: ("encap_sport", big),
        first + 3: ("encap_dport", big),
    }


GRE_FIELDS: dict[int, tuple[str, Speller]] = {
    18: ("external", given),
    7: ("remote", endpoint),
    6: ("local", endpoint),
    1: ("link", little),
    8: ("ttl", little),
    9: ("tos", nonzero_hex),
    19: ("ignore_df", set_flag),
    2: ("iflags", big),
    3: ("oflags", big),
    4: ("ikey", host),
    5: ("okey", host),
    20: ("fwmark", nonzero_hex),
    22: ("erspan_ver", little),
    21: ("erspan_index", little),
    23: ("erspan_dir", worded(("ingress",), "egress")),
    24: ("erspan_hwid", hexadecimal),
    **encapsulated(14),
}
GRE = Details({**GRE_FIELDS, 10: ("pmtudisc", flag)}, finish_gre, ("link",))
GRE6 = Details(
    {**GRE_FIELDS, 11: ("encap_limit", little), 12: ("flowinfo", big), 13: ("flags", little)}, finish_gre, ("link",)
)


def finish_iptunnel(found: Found) -> Found:
    flags = found.pop("flags", 0)
    if isinstance(flags, int) and flags & 1:
        found["isatap"] = True
    if not found.get("prefixlen"):
        for key in ("prefix", "prefixlen", "relay_prefix", "relay_prefixlen"):
            found.pop(key, None)
    elif "relay_prefix" not in found:
        found.pop("relay_prefixlen", None)
    return encapsulation({"pmtudisc": False, **found})


def carried(words: dict[int, str]) -> Speller:
    """What an IP tunnel carries, by protocol number; unknown ones are left out, as ip does."""
    return lambda value: words.get(little(value))


IPTUNNEL = Details(
    {
        19: ("external", given),
        9: ("proto", carried({socket.IPPROTO_IPIP: "ipip", socket.IPPROTO_IPV6: "ip6ip", 137: "mplsip", 0: "any"})),
        3: ("remote", endpoint),
        2: ("local", endpoint),
        1: ("link", little),
        4: ("ttl", little),
        5: ("tos", nonzero_hex),
        10: ("pmtudisc", flag),
        8: ("flags", little),
        11: ("prefix", host),
        13: ("prefixlen", little),
        12: ("relay_prefix", address),
        14: ("relay_prefixlen", little),
        20: ("fwmark", nonzero_hex),
        **encapsulated(15),
    },
    finish_iptunnel,
    ("link",),
)


def finish_ip6tunnel(found: Found) -> Found:
    flags = found.pop("flags", 0)
    return encapsulation(tunnel6_flags(found, flags if isinstance(flags, int) else 0, 0x7F))


IP6TUNNEL = Details(
    {
        19: ("external", given),
        9: ("proto", carried({socket.IPPROTO_IPIP: "ipip6", socket.IPPROTO_IPV6: "ip6ip6", 0: "any"})),
        3: ("remote", endpoint),
        2: ("local", endpoint),
        1: ("link", little),
        4: ("ttl", little),
        6: ("encap_limit", little),
        7: ("flowinfo", big),
        8: ("flags", little),
        20: ("fwmark", nonzero_hex),
        **encapsulated(15),
    },
    finish_ip6tunnel,
    ("link",),
)
VTI = Details(
    {
        5: ("remote", endpoint),
        4: ("local", endpoint),
        1: ("link", little),
        2: ("ikey", host),
        3: ("okey", host),
        6: ("fwmark", nonzero_hex),
    },
    devices=("link",),
)
