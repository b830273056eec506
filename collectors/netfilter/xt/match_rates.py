"""Matches that count and measure: limit, hashlimit, quota, statistic, recent, rateest."""

from __future__ import annotations

from struct import unpack_from

from collectors.netfilter.xt.fields import ALL32, address, option
from collectors.netfilter.xt.setting import NFPROTO_IPV4, Setting, Teller, Words, match
from collectors.wire.templates import told_string

UNITS = {"day": 86400, "hour": 3600, "min": 60, "sec": 1}
HASHLIMIT_INVERT, HASHLIMIT_BYTES, HASHLIMIT_RATE_MATCH = 0x10, 0x20, 0x40
HASHLIMIT_MODES = {0x4: "srcip", 0x8: "srcport", 0x1: "dstip", 0x2: "dstport"}


def told_rate(period: int, scale: int) -> tuple[str, int]:
    """A rate from the time between two packets (``scale`` to a second), and its unit's length in ms."""
    if not period:
        return "inf", 0
    unit = "day"
    for smaller, seconds in list(UNITS.items())[1:]:
        times, rest = divmod(seconds * scale, period)
        if period > seconds * scale or times < rest:
            break
        unit = smaller
    return f"{UNITS[unit] * scale // period}/{unit}", UNITS[unit] * 1000


def limit(octets: bytes, setting: Setting) -> str:
    """struct xt_rateinfo { __u32 avg; __u32 burst; ... the kernel's }"""
    period, burst = unpack_from("=II", octets)
    return option("limit", told_rate(period, 10000)[0]) + (option("limit-burst", burst) if burst != 5 else "")


def hashlimit_1(octets: bytes, setting: Setting) -> str:
    """struct xt_hashlimit_mtinfo1 { char name[16]; struct hashlimit_cfg1 { __u32 mode; __u32 avg; __u32 burst;
    __u32 size; __u32 max; __u32 gc_interval; __u32 expire; __u8 srcmask, dstmask; } cfg; hinfo; }"""
    mode, period, burst, *table, source, destination = unpack_from("=7IBB", octets, 16)
    text, expire = hashlimit_rate(mode, period, burst, 10000)
    return text + hashlimit_table(octets[:16], mode, table, expire, (source, destination), setting)


def hashlimit(revision: int) -> Words:
    """struct xt_hashlimit_mtinfo2, 3 { char name[255]; struct hashlimit_cfg3 { __u64 avg; __u64 burst; __u32 mode;
    __u32 size; __u32 max; __u32 gc_interval; __u32 expire; __u32 interval (rev 3); __u8 srcmask, dstmask; } cfg;
    hinfo; }"""

    def tell(octets: bytes, setting: Setting) -> str:
        period, burst, mode, *table = unpack_from("=QQ5I", octets, 256)
        text, expire = hashlimit_rate(mode, period, burst, 1000000)
        masks = unpack_from("=BB", octets, 296 if revision == 3 else 292)
        text += hashlimit_table(octets[:255], mode, table, expire, masks, setting)
        if revision == 3 and mode & HASHLIMIT_RATE_MATCH:
            (interval,) = unpack_from("=I", octets, 292)
            text += option("hashlimit-rate-match")
            text += option("hashlimit-rate-interval", interval) if interval != 1 else ""
        return text

    return tell


def hashlimit_rate(mode: int, period: int, burst: int, scale: int) -> tuple[str, int]:
    """The options of rate and burst, and the expiry in ms that iptables gives by itself at such a rate."""
    name = "hashlimit-above" if mode & HASHLIMIT_INVERT else "hashlimit-upto"
    if mode & HASHLIMIT_BYTES:
        octets = ((ALL32 // period if period else ALL32) - 1 << 4) % 2**64
        text = option(name, f"{told_octets(octets, period)}/s")
        return text + (
            option("hashlimit-burst", sized(octets * burst % 2**64)) if burst else ""
        ), 60000 if burst else 15000
    rate, expire = told_rate(period, scale)
    return option(name, rate) + option("hashlimit-burst", burst), expire


def told_octets(octets: int, period: int) -> str:
    """In the largest unit that means the same period."""
    for unit, size in (("m", 1 << 20), ("k", 1 << 10)):
        if octets >= size and ALL32 // (((octets & -size) >> 4) % 2**32 + 1) == period:
            return f"{octets // size}{unit}b"
    return f"{octets}b"


def sized(octets: int) -> str:
    unit, size = ("m", 1 << 20) if octets >= 1 << 20 else ("k", 1 << 10) if octets >= 1 << 10 else ("", 1)
    return f"{octets // size}{unit}b"


def hashlimit_table(
    name: bytes, mode: int, table: list[int], expire: int, masks: tuple[int, ...], setting: Setting
) -> str:
    size, most, collected, expires = table
    whole = 32 if setting.family == NFPROTO_IPV4 else 128
    chosen = ",".join(word for bit, word in HASHLIMIT_MODES.items() if mode & bit)
    text = option("hashlimit-mode", chosen) if chosen else ""
    text += option("hashlimit-name", told_string(name))
    usually = (
        ("htable-size", size, 0),
        ("htable-max", most, 0),
        ("htable-gcinterval", collected, 1000),
        ("htable-expire", expires, expire),
        ("srcmask", masks[0], whole),
        ("dstmask", masks[1], whole),
    )
    for word, value, usual in usually:
        text += option(f"hashlimit-{word}", value) if value != usual else ""
    return text


def quota(octets: bytes, setting: Setting) -> str:
    """struct xt_quota_info { __u32 flags; __u32 pad; __aligned_u64 quota; master; }"""
    flags, number = unpack_from("=I4xQ", octets)
    return option("quota", number, flags & 1)


def statistic(octets: bytes, setting: Setting) -> str:
    """struct xt_statistic_info { __u16 mode; __u16 flags; union { struct { __u32 probability; } random;
    struct { __u32 every; __u32 packet; __u32 count; } nth; } u; master; }: not told, count is the kernel's."""
    mode, flags, first, packet = unpack_from("=HHII", octets)
    if mode == 0:
        return option("mode", "random") + option("probability", f"{first / 2**31:.11f}", flags & 1)
    return option("mode", "nth") + option("every", first + 1, flags & 1) + option("packet", packet)


def recent(octets: bytes, setting: Setting) -> str:
    """struct xt_recent_mtinfo { __u32 seconds; __u32 hit_count; __u8 check_set; __u8 invert; char name[200]; __u8 side;
    rev 1: union nf_inet_addr mask; }"""
    seconds, hits, flags, inverted = unpack_from("=iiBB", octets)  # iptables prints them with a sign
    verbs = {0x02: "set", 0x01: "rcheck", 0x04: "update", 0x08: "remove"}
    text = (" !" if inverted else "") + "".join(option(verb) for bit, verb in verbs.items() if flags & bit)
    text += option("seconds", seconds) if seconds else ""
    text += option("reap") if flags & 0x20 else ""
    text += option("hitcount", hits) if hits else ""
    text += option("rttl") if flags & 0x10 else ""
    text += option("name", told_string(octets[10:210]))
    text += option("mask", address(octets[212:228], setting.family)) if len(octets) == 228 else ""
    return text + (option("rdest" if octets[210] else "rsource") if octets[210] < 2 else "")


def rateest(octets: bytes, setting: Setting) -> str:
    """struct xt_rateest_match_info { char name1[16]; char name2[16]; __u16 flags; __u16 mode; __u32 bps1, pps1, bps2,
    pps2; est1; est2; }: an estimator beside a rate or another estimator, or how far each is from a rate of its own."""
    flags, mode, bits1, packets1, bits2, packets2 = unpack_from("=HH4I", octets, 32)
    relative, delta = flags & 0x4, flags & 0x8
    text = option("rateest-delta") if delta else ""
    text += option("rateest1" if relative else "rateest", told_string(octets[:16]))
    kinds = ((0x10, "bps", told_bits(bits1), told_bits(bits2)), (0x20, "pps", str(packets1), str(packets2)))
    for bit, kind, first, second in kinds:
        if flags & bit:
            text += option(f"rateest-{kind}1", first) if delta else ""
            text += option(f"rateest-{RATEEST_MODES.get(mode, 'eq')}", "", flags & 0x1)
            text += (
                option(f"rateest-{kind}2", second) if delta else option(f"rateest-{kind}", "" if relative else second)
            )
    return text + (option("rateest2", told_string(octets[16:32])) if relative else "")


def told_bits(octets: int) -> str:
    bits = octets * 8
    if bits >= 10**9:
        return f"{bits / 1e6:.0f}Mbit"
    return f"{bits / 1e3:.0f}Kbit" if bits >= 10**6 else f"{bits}bit"


RATEEST_MODES = {1: "eq", 2: "lt", 3: "gt"}


MATCHES: dict[tuple[str, int], Teller] = {
    ("limit", 0): match("limit", 8, limit),
    ("hashlimit", 1): match("hashlimit", 46, hashlimit_1),
    ("hashlimit", 2): match("hashlimit", 294, hashlimit(2)),
    ("hashlimit", 3): match("hashlimit", 298, hashlimit(3)),
    ("quota", 0): match("quota", 16, quota),
    ("statistic", 0): match("statistic", 12, statistic),
    ("recent", 0): match("recent", 211, recent),
    ("recent", 1): match("recent", 228, recent),
    ("rateest", 0): match("rateest", 52, rateest),
}
