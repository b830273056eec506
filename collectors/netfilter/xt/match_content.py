"""Matches with a small language of their own: comment, string, u32, bpf, time, policy, nfacct."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator
from struct import iter_unpack, unpack_from

from collectors.netfilter.xt.fields import masked, option, options
from collectors.netfilter.xt.quoting import quoted
from collectors.netfilter.xt.setting import Setting, Teller, Words, match
from collectors.wire.templates import told_string

WEEKDAYS = {1 << day: name for day, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), 1)}
MONTHDAYS = {1 << day: str(day) for day in range(1, 32)}
U32_OPERATORS = {0: "&", 1: "<<", 2: ">>", 3: "@"}
IPSEC_PROTOCOLS = {50: "esp", 51: "ah", 108: "ipcomp"}


def comment(octets: bytes, setting: Setting) -> str:
    """struct xt_comment_info { char comment[256]; }"""
    return option("comment", quoted(octets))


def string(revision: int) -> Words:
    """struct xt_string_info { __u16 from_offset; __u16 to_offset; char algo[16]; char pattern[128]; __u8 patlen;
    __u8 flags (rev 0: invert); config; }"""

    def tell(octets: bytes, setting: Setting) -> str:
        start, end = unpack_from("=HH", octets)
        size, flags = octets[148:150]
        inverted = flags & 1 if revision else flags
        pattern = octets[20 : 20 + min(size, 128)]
        if any(not 0x20 <= octet < 0x7F for octet in pattern) or pattern.endswith(b"\\"):
            text = option("hex-string", f'"|{pattern.hex()}|"', inverted)
        else:
            text = option("string", '"' + pattern.decode().replace("\\", "\\\\").replace('"', '\\"') + '"', inverted)
        text += option("algo", told_string(octets[4:20]))
        text += option("from", start) if start else ""
        text += option("to", end) if end != 0xFFFF else ""
        return text + (option("icase") if revision and flags & 2 else "")

    return tell


def u32(octets: bytes, setting: Setting) -> str:
    """struct xt_u32 { struct xt_u32_test { struct { __u32 number; __u8 nextop; } location[11];
    struct { __u32 min; __u32 max; } value[11]; __u8 nnums; __u8 nvalues; } tests[11]; __u8 ntests; __u8 invert; }"""
    count, inverted = octets[1980:1982]
    tests = (told_test(octets[at : at + 180]) for at in range(0, 180 * min(count, 11), 180))
    return option("u32", '"' + "&&".join(tests) + '"', inverted)


def told_test(octets: bytes) -> str:
    numbers, values = min(octets[176], 11), min(octets[177], 11)
    text = f"{unpack_from('=I', octets)[0]:#x}"
    for number, operator in list(iter_unpack("=IB3x", octets[: 8 * numbers]))[1:]:
        text += f"{U32_OPERATORS.get(operator, '')}{number:#x}"
    ranges = (f"{low:#x}" if low == high else f"{low:#x}:{high:#x}"
              for low, high in iter_unpack("=II", octets[88 : 88 + 8 * values]))  # fmt: skip
    return f"{text}={','.join(ranges)}"


def bpf(octets: bytes, setting: Setting) -> str:
    """struct xt_bpf_info_v1 { __u16 mode; __u16 bpf_program_num_elem; __s32 fd;
    union { struct sock_filter bpf_program[64]; char path[512]; }; filter; }"""
    mode, count = unpack_from("=HH", octets)
    if mode == 1:
        return option("object-pinned", told_string(octets[8:520]))
    return option("bytecode", bytecode(octets[8:520], count)) if mode == 0 else ""


def bpf_0(octets: bytes, setting: Setting) -> str:
    """struct xt_bpf_info { __u16 bpf_program_num_elem; struct sock_filter bpf_program[64]; filter; }"""
    return option("bytecode", bytecode(octets[4:516], unpack_from("=H", octets)[0]))


def bytecode(octets: bytes, count: int) -> str:
    """struct sock_filter { __u16 code; __u8 jt; __u8 jf; __u32 k; }"""
    steps = (f"{code} {yes} {no} {number}" for code, yes, no, number in iter_unpack("=HBBI", octets[: 8 * count]))
    return f'"{count},{",".join(steps)}"'


def time(octets: bytes, setting: Setting) -> str:
    """struct xt_time_info { __u32 date_start; __u32 date_stop; __u32 daytime_start; __u32 daytime_stop;
    __u32 monthdays_match; __u8 weekdays_match; __u8 flags; }"""
    first, last, start, stop, month, week, flags = unpack_from("=5IBB", octets)
    text = ""
    if start or stop != 86399:
        text += option("timestart", time_of_day(start)) + option("timestop", time_of_day(stop))
    for name, value, every, names in (
        ("monthdays", month, 0xFFFFFFFE, MONTHDAYS), ("weekdays", week, 0xFE, WEEKDAYS)
    ):  # fmt: skip
        if value != every:
            text += option(name, ",".join(word for bit, word in names.items() if value & bit))
    for name, date in (("datestart", first), ("datestop", last)):
        text += option(name, clock.strftime("%Y-%m-%dT%H:%M:%S", clock.gmtime(date))) if date else ""
    return text + options(flags, {0x1: "kerneltz", 0x2: "contiguous"})


def time_of_day(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def policy(octets: bytes, setting: Setting) -> str:
    """struct xt_policy_info { struct xt_policy_elem { union xt_policy_addr saddr, smask, daddr, dmask; __u32 spi;
    __u32 reqid; __u8 proto; __u8 mode; struct xt_policy_spec match, invert; } pol[4]; __u16 flags; __u16 len; }"""
    flags, count = unpack_from("=HH", octets, 304)
    text = option("dir", "in" if flags & 1 else "out") + option("pol", "none" if flags & 4 else "ipsec")
    text += option("strict") if flags & 8 else ""
    elements = ("".join(told_policy(octets[at : at + 76], setting.family)) for at in range(0, 76 * min(count, 4), 76))
    return text + option("next").join(elements)


def told_policy(octets: bytes, family: int) -> Iterator[str]:
    spi, request, protocol, mode, flags, inverted = unpack_from("=II4B", octets, 64)
    if flags & 0x20:
        yield option("reqid", request, inverted & 0x20)
    if flags & 0x10:
        yield option("spi", f"{spi:#x}", inverted & 0x10)
    if flags & 0x04:
        yield option("proto", IPSEC_PROTOCOLS.get(protocol, protocol), inverted & 0x04)
    if flags & 0x08:
        yield option("mode", {0: "transport", 1: "tunnel"}.get(mode, "???"), inverted & 0x08)
    if flags & 0x02:
        yield option("tunnel-dst", masked(octets[32:48], octets[48:64], family), inverted & 0x02)
    if flags & 0x01:
        yield option("tunnel-src", masked(octets[:16], octets[16:32], family), inverted & 0x01)


def nfacct(octets: bytes, setting: Setting) -> str:
    """struct xt_nfacct_match_info { char name[32]; nfacct; }; iptables-save writes two spaces."""
    return f" --nfacct-name  {quoted(octets)}"


MATCHES: dict[tuple[str, int], Teller] = {
    ("comment", 0): match("comment", 256, comment),
    ("string", 0): match("string", 150, string(0)),
    ("string", 1): match("string", 150, string(1)),
    ("u32", 0): match("u32", 1982, u32),
    ("bpf", 0): match("bpf", 516, bpf_0),
    ("bpf", 1): match("bpf", 520, bpf),
    ("time", 0): match("time", 22, time),
    ("policy", 0): match("policy", 308, policy),
    ("nfacct", 0): match("nfacct", 32, nfacct),
    ("nfacct", 1): match("nfacct", 32, nfacct),
}
