"""Matches on the headers of transports with ports: tcp, udp, multiport, sctp, dccp, tcpmss."""

from __future__ import annotations

from collections.abc import Sequence
from struct import unpack_from

from collectors.netfilter.xt.fields import bit_words, option, span, words
from collectors.netfilter.xt.setting import Setting, Teller, match

TCP_FLAGS = bit_words(("FIN", "SYN", "RST", "PSH", "ACK", "URG"))
DCCP_TYPES = bit_words(
    ("REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK", "INVALID")
)
SCTP_CHUNKS = {
    0: "DATA", 1: "INIT", 2: "INIT_ACK", 3: "SACK", 4: "HEARTBEAT", 5: "HEARTBEAT_ACK", 6: "ABORT", 7: "SHUTDOWN",
    8: "SHUTDOWN_ACK", 9: "ERROR", 10: "COOKIE_ECHO", 11: "COOKIE_ACK", 12: "ECN_ECNE", 13: "ECN_CWR",
    14: "SHUTDOWN_COMPLETE", 64: "I_DATA", 128: "ASCONF_ACK", 130: "RE_CONFIG", 132: "PAD", 192: "FORWARD_TSN",
    193: "ASCONF", 194: "I_FORWARD_TSN",
}  # fmt: skip
SCTP_FLAGS = {0: "EBUI", 6: "T", 14: "T", 64: "EBUI"}  # from bit 0


def port_range(name: str, ports: Sequence[int], inverted: int) -> str:
    """Ports 0 to 65535 are no condition, and not told even where inverted."""
    low, high = ports
    return option(name, span(low, high), inverted) if (low, high) != (0, 65535) else ""


def tcp(octets: bytes, setting: Setting) -> str:
    """struct xt_tcp { __u16 spts[2]; __u16 dpts[2]; __u8 option; __u8 flg_mask; __u8 flg_cmp; __u8 invflags; }"""
    *ports, number, mask, wanted, inverted = unpack_from("=4H4B", octets)
    text = port_range("sport", ports[:2], inverted & 1) + port_range("dport", ports[2:], inverted & 2)
    if number or inverted & 8:
        text += option("tcp-option", number, inverted & 8)
    if mask or inverted & 4:
        flags = f"{words(mask, TCP_FLAGS) or 'NONE'} {words(wanted, TCP_FLAGS) or 'NONE'}"
        text += option("tcp-flags", flags, inverted & 4)
    return text


def udp(octets: bytes, setting: Setting) -> str:
    """struct xt_udp { __u16 spts[2]; __u16 dpts[2]; __u8 invflags; }"""
    *ports, inverted = unpack_from("=4HB", octets)
    return port_range("sport", ports[:2], inverted & 1) + port_range("dport", ports[2:], inverted & 2)


def multiport(octets: bytes, setting: Setting) -> str:
    """struct xt_multiport_v1 { __u8 flags; __u8 count; __u16 ports[15]; __u8 pflags[15]; __u8 invert; }"""
    side, count, *rest = unpack_from("=BB15H15BB", octets)
    ports, first_of_range, inverted = rest[:15], rest[15:30], rest[30]
    told = "".join(
        f"{port}{':' if ranged else ','}"
        for port, ranged in zip(ports[:count], first_of_range[:count], strict=True)
    )  # fmt: skip
    return option(MULTIPORT_SIDES.get(side, "ports"), told[:-1], inverted)


def multiport_0(octets: bytes, setting: Setting) -> str:
    """struct xt_multiport { __u8 flags; __u8 count; __u16 ports[15]; }"""
    return multiport(octets[:32] + bytes(16), setting)


MULTIPORT_SIDES = {0: "sports", 1: "dports", 2: "ports"}


def sctp(octets: bytes, setting: Setting) -> str:
    """struct xt_sctp_info { __u16 dpts[2]; __u16 spts[2]; __u32 chunkmap[64]; __u32 chunk_match_type;
    struct { __u8 chunktype, flag, flag_mask; } flag_info[4]; int flag_count; __u32 flags; __u32 invflags; }"""
    ports = unpack_from("=4H", octets)
    flags, inverted = unpack_from("=II", octets, 284)
    text = option("sport", span(*ports[2:]), inverted & 1) if flags & 1 else ""
    if flags & 2:
        text += option("dport", span(*ports[:2]), inverted & 2)
    if flags & 4:
        text += option("chunk-types", told_chunks(octets), inverted & 4)
    return text


def told_chunks(octets: bytes) -> str:
    chosen = int.from_bytes(octets[8:264], "little")
    which = SCTP_MATCH.get(unpack_from("=I", octets, 264)[0], "any")
    if chosen in (0, 2**2048 - 1):
        return f"{which} {'ALL' if chosen else 'NONE'}"
    flags = chunk_flags(octets)
    told = (SCTP_CHUNKS.get(chunk, "") + flags.get(chunk, "") for chunk in range(256) if chosen >> chunk & 1)
    return f"{which} {','.join(told)}"


SCTP_MATCH = {1: "any", 2: "all", 4: "only"}


def chunk_flags(octets: bytes) -> dict[int, str]:
    """Of each chunk type that has some: its flags' letters, capital where they must be set."""
    found: dict[int, str] = {}
    count = min(max(unpack_from("=i", octets, 280)[0], 0), 4)
    for at in range(268, 268 + 3 * count, 3):
        chunk, wanted, mask = octets[at : at + 3]
        letters = SCTP_FLAGS.get(chunk, "").ljust(8, "-")
        told = (
            letters[bit] if wanted >> bit & 1 else letters[bit].lower() for bit in range(7, -1, -1) if mask >> bit & 1
        )
        if mask:
            found[chunk] = found.get(chunk, "") + ":" + "".join(told)
    return found


def dccp(octets: bytes, setting: Setting) -> str:
    """struct xt_dccp_info { __u16 dpts[2]; __u16 spts[2]; __u16 flags, invflags, typemask; __u8 option; }"""
    *ports, flags, inverted, types, number = unpack_from("=7HB", octets)
    text = option("sport", span(*ports[2:]), inverted & 1) if flags & 1 else ""
    if flags & 2:
        text += option("dport", span(*ports[:2]), inverted & 2)
    if flags & 4:
        text += option("dccp-types", words(types, DCCP_TYPES), inverted & 4)
    if flags & 8:
        text += option("dccp-option", number, inverted & 8)
    return text


def tcpmss(octets: bytes, setting: Setting) -> str:
    """struct xt_tcpmss_match_info { __u16 mss_min, mss_max; __u8 invert; }"""
    low, high, inverted = unpack_from("=HHB", octets)
    return option("mss", span(low, high), inverted)


MATCHES: dict[tuple[str, int], Teller] = {
    ("tcp", 0): match("tcp", 12, tcp),
    ("udp", 0): match("udp", 9, udp),
    ("udplite", 0): match("udplite", 9, udp),
    ("multiport", 0): match("multiport", 32, multiport_0),
    ("multiport", 1): match("multiport", 48, multiport),
    ("sctp", 0): match("sctp", 292, sctp),
    ("dccp", 0): match("dccp", 15, dccp),
    ("tcpmss", 0): match("tcpmss", 5, tcpmss),
}
