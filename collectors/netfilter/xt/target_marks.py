"""Targets that mark or change a packet: MARK, CONNMARK, TOS, DSCP, ECN, TTL, HL, CLASSIFY, HMARK, TCPMSS, SYNPROXY."""

from __future__ import annotations

from struct import unpack_from

from collectors.netfilter.xt.fields import option, options, prefix_length
from collectors.netfilter.xt.setting import Setting, Teller, Words, target
from collectors.wire.templates import told_string


def mark(octets: bytes, setting: Setting) -> str:
    """struct xt_mark_tginfo2 { __u32 mark, mask; }"""
    value, mask = unpack_from("=II", octets)
    return option("set-xmark", f"{value:#x}/{mask:#x}")


def connmark(octets: bytes, setting: Setting) -> str:
    """struct xt_connmark_tginfo1 { __u32 ctmark, ctmask, nfmask; __u8 mode; }"""
    return told_connmark(octets, octets[12])


def connmark_2(octets: bytes, setting: Setting) -> str:
    """struct xt_connmark_tginfo2 { __u32 ctmark, ctmask, nfmask; __u8 shift_dir, shift_bits, mode; }"""
    direction, bits, mode = octets[12:15]
    text = told_connmark(octets, mode)
    return text + (option("right-shift-mark" if direction else "left-shift-mark", bits) if bits else "")


def told_connmark(octets: bytes, mode: int) -> str:
    value, mask, packet_mask = unpack_from("=III", octets)
    if mode == 0:
        return option("set-xmark", f"{value:#x}/{mask:#x}")
    if mode > 2:
        return ""
    masks = option("nfmask", f"{packet_mask:#x}") + option("ctmask", f"{mask:#x}")
    return option("save-mark" if mode == 1 else "restore-mark") + masks


def tos(octets: bytes, setting: Setting) -> str:
    """struct xt_tos_target_info { __u8 tos_value; __u8 tos_mask; }"""
    value, mask = octets
    return option("set-tos", f"0x{value:02x}/0x{mask:02x}")


def dscp(octets: bytes, setting: Setting) -> str:
    """struct xt_DSCP_info { __u8 dscp; }"""
    return option("set-dscp", f"0x{octets[0]:02x}")


def ecn(octets: bytes, setting: Setting) -> str:
    """struct ipt_ECN_info { __u8 operation; __u8 ip_ect; union { struct { __u8 ece:1, cwr:1; } tcp; } proto; }"""
    operation, ect, bits = octets
    if operation == 0x30 and not bits & 3:
        return option("ecn-tcp-remove")
    text = option("ecn-tcp-ece", bits & 1) if operation & 0x10 else ""
    text += option("ecn-tcp-cwr", bits >> 1 & 1) if operation & 0x20 else ""
    return text + (option("ecn-ip-ect", ect) if operation & 0x01 else "")


def hops(name: str) -> Words:
    """struct ipt_TTL_info { __u8 mode; __u8 ttl; }, ip6t_HL_info: modes SET, INC, DEC."""

    def tell(octets: bytes, setting: Setting) -> str:
        mode, number = octets
        return option(f"{name}-{('set', 'inc', 'dec')[mode]}", number) if mode < 3 else ""

    return tell


def classify(octets: bytes, setting: Setting) -> str:
    """struct xt_classify_target_info { __u32 priority; }"""
    minor, major = unpack_from("=HH", octets)
    return option("set-class", f"{major:04x}:{minor:04x}")


def checksum(octets: bytes, setting: Setting) -> str:
    """struct xt_CHECKSUM_info { __u8 operation; }"""
    return option("checksum-fill") if octets[0] & 1 else ""


def tcpmss(octets: bytes, setting: Setting) -> str:
    """struct xt_tcpmss_info { __u16 mss; }"""
    (size,) = unpack_from("=H", octets)
    return option("clamp-mss-to-pmtu") if size == 0xFFFF else option("set-mss", size)


def tcpoptstrip(octets: bytes, setting: Setting) -> str:
    """struct xt_tcpoptstrip_target_info { __u32 strip_bmap[8]; }"""
    chosen = int.from_bytes(octets, "little")
    return option("strip-options", ",".join(str(at) for at in range(256) if chosen >> at & 1))


def hmark(octets: bytes, setting: Setting) -> str:
    """struct xt_hmark_info { union nf_inet_addr src_mask, dst_mask; union hmark_ports port_mask, port_set; __u32 flags;
    __u16 proto_mask; __u32 hashrnd; __u32 hmodulus; __u32 hoffset; }"""
    source_mask, destination_mask, source, destination = unpack_from(">4H", octets, 32)
    index_mask, index = unpack_from(">II", octets, 32)
    flags, proto_mask, seed, modulus, offset = unpack_from("=IH2xIII", octets, 40)
    lengths = [prefix_length(octets[at : at + 16], setting.family) for at in (0, 16)]
    told = {
        0: ("src-prefix", -1 if lengths[0] is None else lengths[0]),
        1: ("dst-prefix", -1 if lengths[1] is None else lengths[1]),
        6: ("sport-mask", f"0x{source_mask:04x}"),
        7: ("dport-mask", f"0x{destination_mask:04x}"),
        3: ("spi-mask", f"0x{index_mask:08x}"),
        4: ("sport", f"0x{source:04x}"),
        5: ("dport", f"0x{destination:04x}"),
        2: ("spi", f"0x{index:08x}"),
        8: ("proto-mask", f"0x{proto_mask:02x}"),
        9: ("rnd", f"0x{seed:08x}"),
        10: ("mod", modulus),
        11: ("offset", offset),
        12: ("tuple", "ct"),
    }
    return "".join(option(f"hmark-{name}", value) for bit, (name, value) in told.items() if flags >> bit & 1)


def secmark(text_at: int) -> Words:
    """struct xt_secmark_target_info { __u8 mode; __u32 secid; char secctx[256]; }; rev 1: secctx before secid."""
    return lambda octets, setting: option("selctx", told_string(octets[text_at : text_at + 256]))


def connsecmark(octets: bytes, setting: Setting) -> str:
    """struct xt_connsecmark_target_info { __u8 mode; }"""
    return {1: option("save"), 2: option("restore")}.get(octets[0], "")


def synproxy(octets: bytes, setting: Setting) -> str:
    """struct nf_synproxy_info { __u8 options; __u8 wscale; __u16 mss; }"""
    flags, scale, size = unpack_from("=BBH", octets)
    text = options(flags, {0x04: "sack-perm", 0x08: "timestamp"})
    text += option("wscale", scale) if flags & 0x02 else ""
    text += option("mss", size) if flags & 0x01 else ""
    return text + (option("ecn") if flags & 0x10 else "")


TARGETS: dict[tuple[str, int], Teller] = {
    ("MARK", 2): target("MARK", 8, mark),
    ("CONNMARK", 1): target("CONNMARK", 13, connmark),
    ("CONNMARK", 2): target("CONNMARK", 15, connmark_2),
    ("TOS", 1): target("TOS", 2, tos),
    ("DSCP", 0): target("DSCP", 1, dscp),
    ("ECN", 0): target("ECN", 3, ecn),
    ("TTL", 0): target("TTL", 2, hops("ttl")),
    ("HL", 0): target("HL", 2, hops("hl")),
    ("CLASSIFY", 0): target("CLASSIFY", 4, classify),
    ("CHECKSUM", 0): target("CHECKSUM", 1, checksum),
    ("TCPMSS", 0): target("TCPMSS", 2, tcpmss),
    ("TCPOPTSTRIP", 0): target("TCPOPTSTRIP", 32, tcpoptstrip),
    ("HMARK", 0): target("HMARK", 60, hmark),
    ("SECMARK", 0): target("SECMARK", 264, secmark(8)),
    ("SECMARK", 1): target("SECMARK", 257, secmark(1)),
    ("CONNSECMARK", 0): target("CONNSECMARK", 1, connsecmark),
    ("SYNPROXY", 0): target("SYNPROXY", 4, synproxy),
}
