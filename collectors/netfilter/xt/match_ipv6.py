"""Matches on IPv6's extension headers: frag, rt, hbh, dst, mh, ipv6header, srh, eui64."""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from

from collectors.netfilter.xt.fields import address, option, options, prefix_length, span, words
from collectors.netfilter.xt.match_headers import index_range
from collectors.netfilter.xt.setting import NFPROTO_IPV6, Setting, Teller, Words, bare, match

HEADERS = {
    0x80: "hop-by-hop", 0x40: "ipv6-opts", 0x20: "ipv6-route", 0x10: "ipv6-frag", 0x08: "ah", 0x04: "esp",
    0x02: "ipv6-nonxt", 0x01: "protocol",
}  # fmt: skip
SRH_FLAGS = ("next-hdr", "hdr-len-eq", "hdr-len-gt", "hdr-len-lt", "segs-left-eq", "segs-left-gt", "segs-left-lt",
             "last-entry-eq", "last-entry-gt", "last-entry-lt", "tag", "psid", "nsid", "lsid")  # fmt: skip


def frag(octets: bytes, setting: Setting) -> str:
    """struct ip6t_frag { __u32 ids[2]; __u32 hdrlen; __u8 flags; __u8 invflags; }"""
    low, high, length, flags, inverted = unpack_from("=IIIBB", octets)
    text = index_range("fragid", low, high, inverted & 1)
    if flags & 2:
        text += option("fraglen", length, inverted & 2)
    return text + options(flags, {0x04: "fragres", 0x08: "fragfirst", 0x10: "fragmore", 0x20: "fraglast"})


def rt(octets: bytes, setting: Setting) -> str:
    """struct ip6t_rt { __u32 rt_type; __u32 segsleft[2]; __u32 hdrlen; __u8 flags; __u8 invflags;
    struct in6_addr addrs[16]; __u8 addrnr; }"""
    number, low, high, length, flags, inverted = unpack_from("=IIIIBB", octets)
    text = option("rt-type", number, inverted & 1) if flags & 1 else ""
    text += index_range("rt-segsleft", low, high, inverted & 2)
    if flags & 4:
        text += option("rt-len", length, inverted & 4)
    text += option("rt-0-res") if flags & 8 else ""
    if flags & 0x10 and octets[276]:
        ends = range(20, 20 + 16 * min(octets[276], 16), 16)
        text += option("rt-0-addrs", ",".join(address(octets[at : at + 16], NFPROTO_IPV6) for at in ends))
    return text + (option("rt-0-not-strict") if flags & 0x20 else "")


def header_options(name: str) -> Words:
    """struct ip6t_opts { __u32 hdrlen; __u8 flags; __u8 invflags; __u16 opts[16]; __u8 optsnr; }"""

    def tell(octets: bytes, setting: Setting) -> str:
        length, flags, inverted = unpack_from("=IBB", octets)
        text = option(f"{name}-len", length, inverted & 1) if flags & 1 else ""
        return text + (option(f"{name}-opts", ",".join(told_options(octets))) if flags & 2 else "")

    return tell


def told_options(octets: bytes) -> Iterator[str]:
    """TYPE:LENGTH, or TYPE for any length."""
    for number in unpack_from(f"={min(octets[38], 16)}H", octets, 6):
        kind, length = divmod(number, 256)
        yield str(kind) if length == 0xFF else f"{kind}:{length}"


def mh(octets: bytes, setting: Setting) -> str:
    """struct ip6t_mh { __u8 types[2]; __u8 invflags; }"""
    low, high, inverted = octets
    return option("mh-type", span(low, high), inverted & 1) if (low, high) != (0, 0xFF) else ""


def ipv6header(octets: bytes, setting: Setting) -> str:
    """struct ip6t_ipv6header_info { __u8 matchflags; __u8 invflags; __u8 modeflag; }"""
    flags, inverted, soft = octets
    return option("header", words(flags, HEADERS), inverted) + (option("soft") if soft else "")


def srh(octets: bytes, setting: Setting) -> str:
    """struct ip6t_srh { __u8 next_hdr, hdr_len, segs_left, last_entry; __u16 tag, mt_flags, mt_invflags; }"""
    return told_srh(octets, 6, [])


def srh_1(octets: bytes, setting: Setting) -> str:
    """struct ip6t_srh1 { __u8 next_hdr, hdr_len, segs_left, last_entry; __u16 tag; struct in6_addr psid_addr,
    nsid_addr, lsid_addr, psid_msk, nsid_msk, lsid_msk; __u16 mt_flags; __u16 mt_invflags; }"""
    sids = [
        f"{address(octets[at : at + 16], NFPROTO_IPV6)}/{prefix_length(octets[at + 48 : at + 64], NFPROTO_IPV6) or 0}"
        for at in (8, 24, 40)
    ]
    return told_srh(octets, 104, sids)


def told_srh(octets: bytes, at: int, sids: list[str]) -> str:
    following, length, left, last, tag = unpack_from("=4BH", octets)
    flags, inverted = unpack_from("=HH", octets, at)
    values = (following, length, length, length, left, left, left, last, last, last, tag, *sids)
    return "".join(
        option(f"srh-{name}", value, inverted >> bit & 1)
        for bit, (name, value) in enumerate(zip(SRH_FLAGS, values, strict=False))
        if flags >> bit & 1
    )


MATCHES: dict[tuple[str, int], Teller] = {
    ("frag", 0): match("frag", 14, frag),
    ("rt", 0): match("rt", 277, rt),
    ("hbh", 0): match("hbh", 39, header_options("hbh")),
    ("dst", 0): match("dst", 39, header_options("dst")),
    ("mh", 0): match("mh", 3, mh),
    ("ipv6header", 0): match("ipv6header", 3, ipv6header),
    ("srh", 0): match("srh", 10, srh),
    ("srh", 1): match("srh", 108, srh_1),
    ("eui64", 0): bare(" -m eui64"),
}
