"""The match on ipset's sets, and how a struct names a set: by its index."""

from __future__ import annotations

from struct import unpack_from

from collectors.netfilter.xt.fields import option, options
from collectors.netfilter.xt.setting import Setting, Teller, Words, match

INVALID_ID = 65535
RETURN_NOMATCH, SKIP_COUNTER, SKIP_SUBCOUNTER = 0x80, 0x08, 0x10
COMPARISONS = {1: "eq", 2: "eq", 3: "lt", 4: "gt"}  # EQ, NE, LT, GT
NOT_EQUAL = 2


def set_name(index: int, setting: Setting) -> str:
    """The set's name; ``[set INDEX]`` where the names could not be read."""
    return setting.set_names.get(index, f"[set {index}]")


def named_set(octets: bytes, setting: Setting) -> str:
    """struct xt_set_info { ip_set_id_t index; __u8 dim; __u8 flags; }: its name and which addresses it is asked for."""
    index, dimension, flags = unpack_from("=HBB", octets)
    sides = ",".join("src" if flags >> at & 1 else "dst" for at in range(1, min(dimension, 7) + 1))
    return f"{set_name(index, setting)} {sides}"


def named_set_0(octets: bytes, setting: Setting) -> str:
    """struct xt_set_info_v0 { ip_set_id_t index; union { __u32 flags[7]; } u; }"""
    index, *flags = unpack_from("=H2x6I", octets)
    sides = ",".join("src" if flag & 1 else "dst" for flag in flags[: flags.index(0) if 0 in flags else None])
    return f"{set_name(index, setting)} {sides}"


def match_set_0(octets: bytes, setting: Setting) -> str:
    return option("match-set", named_set_0(octets, setting), unpack_from("=I", octets, 4)[0] & 4)


def match_set(octets: bytes, setting: Setting) -> str:
    """struct xt_set_info_match_v1 { struct xt_set_info match_set; }"""
    return option("match-set", named_set(octets, setting), octets[3] & 1)


def match_set_2(octets: bytes, setting: Setting) -> str:
    return match_set(octets, setting) + (option("return-nomatch") if octets[3] & RETURN_NOMATCH else "")


def match_set_counters(packets: tuple[int, int], bytes_: tuple[int, int]) -> Words:
    """struct xt_set_info_match_v3, 4 { struct xt_set_info match_set; struct ip_set_counter_match packets, bytes;
    __u32 flags; }; the arguments are where each counter's value and operator stand."""

    def tell(octets: bytes, setting: Setting) -> str:
        (flags,) = unpack_from("=I", octets, 40)
        text = match_set(octets, setting) + options(flags, {RETURN_NOMATCH: "return-nomatch"})
        skips = {SKIP_COUNTER: "update-counters", SKIP_SUBCOUNTER: "update-subcounters"}
        text += options(flags, skips, inverted=flags)
        for name, (value_at, operator_at) in (("packets", packets), ("bytes", bytes_)):
            operator = octets[operator_at]
            if operator in COMPARISONS:
                value = unpack_from("=Q", octets, value_at)[0]
                text += option(f"{name}-{COMPARISONS[operator]}", value, operator == NOT_EQUAL)
        return text

    return tell


MATCHES: dict[tuple[str, int], Teller] = {
    ("set", 0): match("set", 32, match_set_0),
    ("set", 1): match("set", 4, match_set),
    ("set", 2): match("set", 4, match_set_2),
    ("set", 3): match("set", 44, match_set_counters((16, 8), (32, 24))),
    ("set", 4): match("set", 44, match_set_counters((8, 16), (24, 32))),
}
