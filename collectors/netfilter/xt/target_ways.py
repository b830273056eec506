"""Targets that log, refuse, queue or send on: LOG, NFLOG, REJECT, NFQUEUE, TEE, CT, SET, TRACE, AUDIT, LED ..."""

from __future__ import annotations

from struct import unpack_from

from collectors.netfilter.xt.fields import ALL32, address, bit_words, option, options, words
from collectors.netfilter.xt.match_sets import INVALID_ID, named_set, named_set_0
from collectors.netfilter.xt.quoting import quoted
from collectors.netfilter.xt.setting import NFPROTO_IPV4, Setting, Teller, Words, bare, struct_teller, target
from collectors.wire.templates import told_string

# uapi linux/netfilter_ipv4/ipt_REJECT.h, linux/netfilter_ipv6/ip6t_REJECT.h
REJECTS = {
    0: "icmp-net-unreachable", 1: "icmp-host-unreachable", 2: "icmp-proto-unreachable", 3: "icmp-port-unreachable",
    4: "echo-reply", 5: "icmp-net-prohibited", 6: "icmp-host-prohibited", 7: "tcp-reset", 8: "icmp-admin-prohibited",
}  # fmt: skip
REJECTS6 = {
    0: "icmp6-no-route", 1: "icmp6-adm-prohibited", 3: "icmp6-addr-unreachable", 4: "icmp6-port-unreachable",
    6: "tcp-reset", 7: "icmp6-policy-fail", 8: "icmp6-reject-route",
}  # fmt: skip
LOG_FLAGS = {
    0x01: "log-tcp-sequence", 0x02: "log-tcp-options", 0x04: "log-ip-options", 0x08: "log-uid", 0x20: "log-macdecode",
}  # fmt: skip
CT_EVENTS = bit_words(
    ("new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark")
)
NOTRACK, NOTRACK_ALIAS, ZONE_DIR_ORIG, ZONE_DIR_REPL, ZONE_MARK = 0x01, 0x02, 0x04, 0x08, 0x10  # XT_CT_*


def reject(octets: bytes, setting: Setting) -> str:
    """struct ipt_reject_info { enum ipt_reject_with with; }, ip6t_reject_info { __u32 with; }"""
    (number,) = unpack_from("=I", octets)
    name = (REJECTS if setting.family == NFPROTO_IPV4 else REJECTS6).get(number)
    return option("reject-with", name) if name else ""


def log(octets: bytes, setting: Setting) -> str:
    """struct xt_log_info { unsigned char level; unsigned char logflags; char prefix[30]; }"""
    level, flags = octets[:2]
    text = option("log-prefix", quoted(octets[2:])) if octets[2] else ""
    return text + (option("log-level", level) if level != 4 else "") + options(flags, LOG_FLAGS)


def nflog(octets: bytes, setting: Setting) -> str:
    """struct xt_nflog_info { __u32 len; __u16 group; __u16 threshold; __u16 flags; __u16 pad; char prefix[64]; }"""
    length, group, threshold, flags = unpack_from("=IHHH", octets)
    text = option("nflog-prefix", quoted(octets[12:])) if octets[12] else ""
    text += option("nflog-group", group) if group else ""
    if flags & 1:
        text += option("nflog-size", length)
    elif length:
        text += option("nflog-range", length)
    return text + (option("nflog-threshold", threshold) if threshold else "")


def nfqueue(octets: bytes, setting: Setting) -> str:
    """struct xt_NFQ_info_v3 { __u16 queuenum; __u16 queues_total; __u16 flags; }; earlier revisions are shorter."""
    number, total, flags = unpack_from("=HHH", octets.ljust(6, b"\0"))
    text = option("queue-balance", f"{number}:{number + total - 1}") if total > 1 else option("queue-num", number)
    return text + options(flags, {0x1: "queue-bypass", 0x2: "queue-cpu-fanout"})


def tee(octets: bytes, setting: Setting) -> str:
    """struct xt_tee_tginfo { union nf_inet_addr gw; char oif[16]; priv; }"""
    text = option("gateway", address(octets, setting.family))
    return text + (option("oif", told_string(octets[16:32])) if octets[16] else "")


def ct(octets: bytes, setting: Setting) -> str:
    """struct xt_ct_target_info_v1 { __u16 flags; __u16 zone; __u32 ct_events; __u32 exp_events; char helper[16];
    char timeout[32] (from rev 1); ct; }"""
    flags, zone, events, expectations = unpack_from("=HHII", octets)
    if flags & NOTRACK_ALIAS:
        return ""
    helper, timeout = told_string(octets[12:28]), told_string(octets[28:60])
    text = option("notrack") if flags & NOTRACK else ""
    text += option("helper", helper) if helper else ""
    text += option("timeout", timeout) if timeout else ""
    text += option("ctevents", words(events, CT_EVENTS)) if events else ""
    text += option("expevents", words(expectations, {1: "new"})) if expectations else ""
    if zone or flags & ZONE_MARK:
        side = "zone-orig" if flags & ZONE_DIR_ORIG else "zone-reply" if flags & ZONE_DIR_REPL else "zone"
        text += option(side, "mark" if flags & ZONE_MARK else zone)
    return text


def ct_2(octets: bytes, setting: Setting) -> str:
    """The same struct; since this revision NOTRACK is an alias."""
    alias = unpack_from("=H", octets)[0] & NOTRACK_ALIAS
    return "NOTRACK" if alias else f"CT{ct(octets, setting)}"


def audit(octets: bytes, setting: Setting) -> str:
    """struct xt_audit_info { __u8 type; }"""
    kinds = ("accept", "drop", "reject")
    return option("type", kinds[octets[0]]) if octets[0] < 3 else ""


def led(octets: bytes, setting: Setting) -> str:
    """struct xt_led_info { char id[27]; __u8 always_blink; __u32 delay; internal_data; }"""
    (delay,) = unpack_from("=i", octets, 28)
    name = told_string(octets[10:27]).replace("\\", "\\\\").replace('"', '\\"')  # behind "netfilter-"
    text = option("led-trigger-id", f'"{name}"')
    text += option("led-delay", delay) if delay else ""  # "inf" is -1, and told as that
    return text + (option("led-always-blink") if octets[27] else "")


def idletimer(octets: bytes, setting: Setting) -> str:
    """struct idletimer_tg_info { __u32 timeout; char label[28]; timer; }"""
    return option("timeout", unpack_from("=I", octets)[0]) + option("label", told_string(octets[4:32]))


def idletimer_1(octets: bytes, setting: Setting) -> str:
    """struct idletimer_tg_info_v1 { __u32 timeout; char label[28]; __u8 send_nl_msg; __u8 timer_type; timer; }"""
    return idletimer(octets, setting) + (option("alarm") if octets[33] == 1 else "")


def rateest(octets: bytes, setting: Setting) -> str:
    """struct xt_rateest_target_info { char name[16]; __s8 interval; __u8 ewma_log; est; }"""
    interval, weight = unpack_from("=bB", octets, 16)
    period = 250000 << interval + 2 if -2 <= interval <= 3 else 0
    text = option("rateest-name", told_string(octets[:16])) + option("rateest-interval", told_time(period))
    return text + option("rateest-ewmalog", told_time(period << min(weight, 31)))


def told_time(microseconds: int) -> str:
    if microseconds >= 10**6:
        return f"{microseconds / 1e6:.1f}s"
    return f"{microseconds / 1e3:.1f}ms" if microseconds >= 10**3 else f"{microseconds}us"


def add_or_delete(name: str, octets: bytes, setting: Setting, size: int = 4) -> str:
    if unpack_from("=H", octets)[0] == INVALID_ID:
        return ""
    return option(name, named_set(octets, setting) if size == 4 else named_set_0(octets, setting))


def set_early(size: int) -> Words:
    """struct xt_set_info_target_v1 { struct xt_set_info add_set, del_set; }, v0: of xt_set_info_v0."""
    return lambda octets, setting: "".join(
        add_or_delete(name, octets[at : at + size], setting, size) for name, at in (("add-set", 0), ("del-set", size))
    )


def set_2(octets: bytes, setting: Setting) -> str:
    """struct xt_set_info_target_v2 { struct xt_set_info add_set, del_set; __u32 flags; __u32 timeout; }"""
    flags, timeout = unpack_from("=II", octets, 8)
    text = add_or_delete("add-set", octets[:4], setting) + options(flags, {0x1: "exist"})
    text += option("timeout", timeout) if timeout != ALL32 else ""
    return text + add_or_delete("del-set", octets[4:8], setting)


def set_3(octets: bytes, setting: Setting) -> str:
    """struct xt_set_info_target_v3 { struct xt_set_info add_set, del_set, map_set; __u32 flags; __u32 timeout; }"""
    (flags,) = unpack_from("=I", octets, 12)
    text = set_2(octets[:8] + octets[12:20], setting) + add_or_delete("map-set", octets[8:12], setting)
    return text + options(flags, {0x100: "map-mark", 0x200: "map-prio", 0x400: "map-queue"})


TARGETS: dict[tuple[str, int], Teller] = {
    ("REJECT", 0): target("REJECT", 4, reject),
    ("LOG", 0): target("LOG", 32, log),
    ("NFLOG", 0): target("NFLOG", 76, nflog),
    ("NFQUEUE", 0): target("NFQUEUE", 2, nfqueue),
    ("NFQUEUE", 1): target("NFQUEUE", 4, nfqueue),
    ("NFQUEUE", 2): target("NFQUEUE", 6, nfqueue),
    ("NFQUEUE", 3): target("NFQUEUE", 6, nfqueue),
    ("TEE", 1): target("TEE", 32, tee),
    ("CT", 0): target("CT", 28, ct),
    ("CT", 1): target("CT", 60, ct),
    ("CT", 2): struct_teller(" -j ", 60, ct_2),
    ("NOTRACK", 0): bare(" -j NOTRACK"),
    ("TRACE", 0): bare(" -j TRACE"),
    ("AUDIT", 0): target("AUDIT", 1, audit),
    ("LED", 0): target("LED", 32, led),
    ("IDLETIMER", 0): target("IDLETIMER", 32, idletimer),
    ("IDLETIMER", 1): target("IDLETIMER", 34, idletimer_1),
    ("RATEEST", 0): target("RATEEST", 18, rateest),
    ("SET", 0): target("SET", 64, set_early(32)),
    ("SET", 1): target("SET", 8, set_early(4)),
    ("SET", 2): target("SET", 16, set_2),
    ("SET", 3): target("SET", 20, set_3),
}
