"""Matches on fields of the IP header and of small headers: icmp, ah, esp, ipcomp, length, tos, dscp, ecn, ttl, hl."""

from __future__ import annotations

from struct import unpack_from

from collectors.netfilter.xt.fields import ALL32, option, span
from collectors.netfilter.xt.setting import NFPROTO_IPV4, Setting, Teller, match


def icmp(octets: bytes, setting: Setting) -> str:
    """struct ipt_icmp, ip6t_icmp { __u8 type; __u8 code[2]; __u8 invflags; }"""
    number, low, high, inverted = octets
    named = "icmp-type" if setting.family == NFPROTO_IPV4 else "icmpv6-type"
    if number == 0xFF and setting.family == NFPROTO_IPV4:
        return option(named, "any", inverted & 1)
    return option(named, number if (low, high) == (0, 0xFF) else f"{number}/{low}", inverted & 1)


def index_range(name: str, low: int, high: int, inverted: int) -> str:
    """Numbers of 32 bits; all of them are no condition."""
    return option(name, span(low, high), inverted) if (low, high) != (0, ALL32) else ""


def ah(octets: bytes, setting: Setting) -> str:
    """struct ipt_ah { __u32 spis[2]; __u8 invflags; };
    struct ip6t_ah { __u32 spis[2]; __u32 hdrlen; __u8 hdrres; __u8 invflags; }"""
    if setting.family == NFPROTO_IPV4:
        return spis("ahspi", octets)
    low, high, length, reserved, inverted = unpack_from("=IIIBB", octets)
    text = index_range("ahspi", low, high, inverted & 1)
    if length or inverted & 2:
        text += option("ahlen", length, inverted & 2)
    return text + (option("ahres") if reserved else "")


def spis(name: str, octets: bytes) -> str:
    """struct xt_esp, ipt_ah { __u32 spis[2]; __u8 invflags; }"""
    low, high, inverted = unpack_from("=IIB", octets)
    return index_range(name, low, high, inverted & 1)


def esp(octets: bytes, setting: Setting) -> str:
    return spis("espspi", octets)


def ipcomp(octets: bytes, setting: Setting) -> str:
    """struct xt_ipcomp { __u32 spis[2]; __u8 invflags; __u8 hdrres; }"""
    return spis("ipcompspi", octets) + (option("compres") if octets[9] else "")


def length(octets: bytes, setting: Setting) -> str:
    """struct xt_length_info { __u16 min, max; __u8 invert; }"""
    low, high, inverted = unpack_from("=HHB", octets)
    return option("length", span(low, high), inverted)


def tos(octets: bytes, setting: Setting) -> str:
    """struct xt_tos_match_info { __u8 tos_mask; __u8 tos_value; __u8 invert; }"""
    mask, value, inverted = octets
    return option("tos", f"0x{value:02x}/0x{mask:02x}", inverted)


def dscp(octets: bytes, setting: Setting) -> str:
    """struct xt_dscp_info { __u8 dscp; __u8 invert; }"""
    return option("dscp", f"0x{octets[0]:02x}", octets[1])


def ecn(octets: bytes, setting: Setting) -> str:
    """struct xt_ecn_info { __u8 operation; __u8 invert; __u8 ip_ect; union { struct { __u8 ect; } tcp; } proto; }"""
    operation, inverted, ect = octets[:3]
    text = option("ecn-tcp-ece", "", inverted & 0x10) if operation & 0x10 else ""
    if operation & 0x20:
        text += option("ecn-tcp-cwr", "", inverted & 0x20)
    if operation & 0x01:
        text += option("ecn-ip-ect", ect, inverted & 0x01)
    return text


def hops(name: str, octets: bytes) -> str:
    """struct ipt_ttl_info { __u8 mode; __u8 ttl; }, ip6t_hl_info: modes EQ, NE, LT, GT."""
    mode, number = octets
    return option(f"{name}-{'eq' if mode < 2 else 'lt' if mode == 2 else 'gt'}", number, mode == 1)


def ttl(octets: bytes, setting: Setting) -> str:
    return hops("ttl", octets)


def hl(octets: bytes, setting: Setting) -> str:
    return hops("hl", octets)


MATCHES: dict[tuple[str, int], Teller] = {
    ("icmp", 0): match("icmp", 4, icmp),
    ("icmp6", 0): match("icmp6", 4, icmp),
    ("ah", 0): match("ah", 14, ah),
    ("esp", 0): match("esp", 9, esp),
    ("ipcomp", 0): match("ipcomp", 10, ipcomp),
    ("length", 0): match("length", 5, length),
    ("tos", 1): match("tos", 3, tos),
    ("dscp", 0): match("dscp", 2, dscp),
    ("ecn", 0): match("ecn", 4, ecn),
    ("ttl", 0): match("ttl", 2, ttl),
    ("hl", 0): match("hl", 2, hl),
}
