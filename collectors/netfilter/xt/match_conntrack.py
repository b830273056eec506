"""Matches on the connection: conntrack, state, mark, connmark, connbytes, connlimit, connlabel, helper, ipvs."""

from __future__ import annotations

from struct import unpack_from

from collectors.netfilter.xt.fields import (
    ALL32,
    hex_masked,
    masked,
    option,
    span,
    words,
)
from collectors.netfilter.xt.name_files import label_names
from collectors.netfilter.xt.quoting import quoted
from collectors.netfilter.xt.setting import NFPROTO_IPV4, Setting, Teller, match, struct_teller

# uapi linux/netfilter/xt_conntrack.h
STATES = {
    0x1: "INVALID",
    0x8: "NEW",
    0x4: "RELATED",
    0x2: "ESTABLISHED",
    0x100: "UNTRACKED",
    0x40: "SNAT",
    0x80: "DNAT",
}
STATUSES = {0x1: "EXPECTED", 0x2: "SEEN_REPLY", 0x4: "ASSURED", 0x8: "CONFIRMED"}
STATE, PROTO, STATUS, EXPIRES, DIRECTION, STATE_ALIAS = 0x1, 0x2, 0x40, 0x80, 0x1000, 0x2000
ADDRESSES = {0x4: "ctorigsrc", 0x8: "ctorigdst", 0x10: "ctreplsrc", 0x20: "ctrepldst"}
PORTS = {0x100: "ctorigsrcport", 0x200: "ctorigdstport", 0x400: "ctreplsrcport", 0x800: "ctrepldstport"}


def conntrack(revision: int) -> Teller:
    """struct xt_conntrack_mtinfo1, 2, 3: what differs is the ports, and the width of the states."""

    # { union nf_inet_addr origsrc_addr, origsrc_mask, origdst_addr, origdst_mask, replsrc_addr, replsrc_mask,
    #   repldst_addr, repldst_mask; __u32 expires_min, expires_max; __u16 l4proto; __u16 origsrc_port, origdst_port,
    #   replsrc_port, repldst_port; __u16 match_flags, invert_flags; __u16 state_mask, status_mask (rev 1: __u8);
    #   rev 3: __u16 origsrc_port_high, origdst_port_high, replsrc_port_high, repldst_port_high; }
    def tell(octets: bytes, setting: Setting) -> str:
        flags, inverted, states, statuses = unpack_from("=HHBB" if revision == 1 else "=HHHH", octets, 146)
        name = "state" if flags & STATE_ALIAS else "conntrack"
        text = name
        if flags & STATE:
            text += option("state" if flags & STATE_ALIAS else "ctstate", words(states, STATES), inverted & STATE)
        if flags & PROTO:
            text += option("ctproto", unpack_from("=H", octets, 136)[0], inverted & PROTO)
        text += told_addresses(octets, flags, inverted, setting.family)
        text += told_ports(octets, flags, inverted, revision)
        if flags & STATUS:
            text += option("ctstatus", words(statuses, STATUSES) or "NONE", inverted & STATUS)
        if flags & EXPIRES:
            text += option("ctexpire", span(*unpack_from("=II", octets, 128)), inverted & EXPIRES)
        if flags & DIRECTION:
            text += option("ctdir", "REPLY" if inverted & DIRECTION else "ORIGINAL")
        return text

    return struct_teller(" -m ", 162 if revision == 3 else 154 if revision == 2 else 152, tell)


def told_addresses(octets: bytes, flags: int, inverted: int, family: int) -> str:
    return "".join(
        option(name, masked(octets[at : at + 16], octets[at + 16 : at + 32], family), inverted & bit)
        for at, (bit, name) in zip(range(0, 128, 32), ADDRESSES.items(), strict=True)
        if flags & bit
    )


def told_ports(octets: bytes, flags: int, inverted: int, revision: int) -> str:
    lows = unpack_from("=4H" if revision == 3 else ">4H", octets, 138)
    highs = unpack_from("=4H", octets, 154) if revision == 3 else (0, 0, 0, 0)
    return "".join(
        option(name, span(low, high or low), inverted & bit)
        for low, high, (bit, name) in zip(lows, highs, PORTS.items(), strict=True)
        if flags & bit
    )


def state(octets: bytes, setting: Setting) -> str:
    """struct xt_state_info { unsigned int statemask; }: of old, before it was an alias of conntrack."""
    (states,) = unpack_from("=I", octets)
    return option("state", words(states & ~0xC0, STATES))


def mark(octets: bytes, setting: Setting) -> str:
    """struct xt_mark_mtinfo1, xt_connmark_mtinfo1 { __u32 mark, mask; __u8 invert; }"""
    value, mask, inverted = unpack_from("=IIB", octets)
    return option("mark", hex_masked(value, mask), inverted)


def connbytes(octets: bytes, setting: Setting) -> str:
    """struct xt_connbytes_info { struct { __aligned_u64 from, to; } count; __u8 what; __u8 direction; }"""
    low, high, what, direction = unpack_from("=QQBB", octets)
    inverted = low > high
    if inverted:
        low, high = high, low
    bounds = f"{low}:{high}" if high and high != 2**64 - 1 else str(low)
    text = option("connbytes", bounds, inverted)
    if what < 3:
        text += option("connbytes-mode", ("packets", "bytes", "avgpkt")[what])
    if direction < 3:
        text += option("connbytes-dir", ("original", "reply", "both")[direction])
    return text


def connlimit(octets: bytes, setting: Setting) -> str:
    """struct xt_connlimit_info { union nf_inet_addr mask; unsigned int limit; __u32 flags; data; }"""
    limit, flags = unpack_from("=II", octets, 16)
    text = option("connlimit-upto" if flags & 1 else "connlimit-above", limit)
    text += option("connlimit-mask", connlimit_length(octets[:16], setting.family))
    return text + option("connlimit-daddr" if flags & 2 else "connlimit-saddr")


def connlimit_length(mask: bytes, family: int) -> int:
    """What iptables counts: the last bit that is set in ip, how many are in ip6."""
    if family == NFPROTO_IPV4:
        return 32 - (int.from_bytes(mask[:4], "big") ^ ALL32).bit_length()
    return int.from_bytes(mask, "big").bit_count()


def connlabel(octets: bytes, setting: Setting) -> str:
    """struct xt_connlabel_mtinfo { __u16 bit; __u16 options; }"""
    bit, flags = unpack_from("=HH", octets)
    return option("label", f'"{label_names().get(bit, bit)}"', flags & 1) + (option("set") if flags & 2 else "")


def helper(octets: bytes, setting: Setting) -> str:
    """struct xt_helper_info { int invert; char name[30]; }"""
    return option("helper", quoted(octets[4:34]), unpack_from("=i", octets)[0])


def ipvs(octets: bytes, setting: Setting) -> str:
    """struct xt_ipvs_mtinfo { union nf_inet_addr vaddr, vmask; __be16 vport; __u8 l4proto; __u8 fwd_method;
    __be16 vportctl; __u8 invert; __u8 bitmask; }"""
    port, proto, method, control, inverted, flags = unpack_from(">HBBHBB", octets, 32)
    text = option("ipvs", "", inverted & 1) if flags == 1 else ""
    if flags & 0x02:
        text += option("vproto", proto, inverted & 0x02)
    if flags & 0x04:
        text += option("vaddr", masked(octets[:16], octets[16:32], setting.family), inverted & 0x04)
    if flags & 0x08:
        text += option("vport", port, inverted & 0x08)
    if flags & 0x10:
        text += option("vdir", "REPLY" if inverted & 0x10 else "ORIGINAL")
    if flags & 0x20:
        text += option("vmethod", IPVS_METHODS.get(method, "UNKNOWN"), inverted & 0x20)
    if flags & 0x40:
        text += option("vportctl", control, inverted & 0x40)
    return text


IPVS_METHODS = {0: "MASQ", 2: "IPIP", 3: "GATE"}  # uapi linux/ip_vs.h, IP_VS_CONN_F_*


MATCHES: dict[tuple[str, int], Teller] = {
    ("conntrack", 1): conntrack(1),
    ("conntrack", 2): conntrack(2),
    ("conntrack", 3): conntrack(3),
    ("state", 0): match("state", 4, state),
    ("mark", 1): match("mark", 9, mark),
    ("connmark", 1): match("connmark", 9, mark),
    ("connbytes", 0): match("connbytes", 18, connbytes),
    ("connlimit", 1): match("connlimit", 24, connlimit),
    ("connlabel", 0): match("connlabel", 4, connlabel),
    ("helper", 0): match("helper", 34, helper),
    ("ipvs", 0): match("ipvs", 40, ipvs),
}
