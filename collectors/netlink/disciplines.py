"""What each kind of queueing discipline is set to and counts: TCA_OPTIONS and its own statistics (uapi pkt_sched.h).

Words, units and omissions are tc's (``tc -j -s -d qdisc``): rates in B/s, times in us.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from collectors.netlink.cake import CAKE_OPTIONS, cake_statistics
from collectors.netlink.fields import Fields, Words, flag, little, nanoseconds, spelled, unpacked
from collectors.values import Cell
from collectors.wire.netlink import attribute_map

TICKS_PER_US = 15.625  # PSCHED_SHIFT 6: a scheduler tick is 64 ns; /proc/net/psched says so
NOT_SET = 0xFFFFFFFF

# struct tc_ratespec { u8 cell_log; u8 linklayer; u16 overhead; s16 cell_align; u16 mpu; u32 rate; }
RATESPEC = "BBHhHI"
LINKLAYERS = {0: "unspec", 1: "ethernet", 2: "atm"}


def options(kind: str, value: bytes) -> Cell:
    """TCA_OPTIONS of a kind; None for kinds that are not known here and for those without options."""
    return OPTIONS[kind](value) or None if kind in OPTIONS else None


def statistics(kind: str, value: bytes) -> Cell:
    """TCA_STATS_APP of a kind; None for kinds that are not known here."""
    return STATISTICS[kind](value) or None if kind in STATISTICS else None


def microseconds(ticks: int) -> int:
    return int(ticks / TICKS_PER_US)


def transmitted(rate: int, ticks: int) -> int:
    """Bytes that leave at a rate (B/s) in a time in ticks, as tc computes bursts."""
    return int(rate * microseconds(ticks) / 1e6)


def queue_limit(value: bytes) -> Fields:
    return unpacked("=I", ("limit",), value)


def bands(value: bytes) -> Fields:
    """struct tc_prio_qopt { int bands; __u8 priomap[TC_PRIO_MAX + 1]; }"""
    if len(value) < 20:
        return {}
    return {"bands": little(value[:4]), "priomap": list(value[4:20])}


def token_bucket(value: bytes) -> Fields:
    """struct tc_tbf_qopt { tc_ratespec rate, peakrate; u32 limit, buffer, mtu; } in TCA_TBF_PARMS."""
    inner = attribute_map(value)
    if len(inner.get(1, b"")) < 36:
        return {}
    _, layer, _, _, mpu, rate, *peak, limit, buffer, mtu = struct.unpack_from(f"={RATESPEC}{RATESPEC}III", inner[1])
    rate, peakrate = little(inner.get(4, b"")) or rate, little(inner.get(5, b"")) or peak[5]
    found: Fields = {"rate": rate, "burst": transmitted(rate, buffer), "mpu": mpu, "limit": limit}
    latency = 1e6 * limit / rate - microseconds(buffer) if rate else -1.0
    if peakrate:
        found |= {"peakrate": peakrate, "minburst": transmitted(peakrate, mtu)}
        latency = max(latency, 1e6 * limit / peakrate - microseconds(mtu))
    if latency >= 0:
        found["lat"] = int(latency)
    return {**found, "linklayer": LINKLAYERS.get(layer & 0x0F, "unknown")}


def hierarchy(value: bytes) -> Fields:
    """TCA_HTB_INIT of the discipline or TCA_HTB_PARMS of a class."""
    inner = attribute_map(value)
    found: Fields = {}
    if 1 in inner:
        found |= hierarchy_class(inner)
    if len(inner.get(2, b"")) >= 20:
        version, quantum, default, _, direct = struct.unpack_from("=5I", inner[2])
        found |= {"r2q": quantum, "default": f"{default:#x}" if default else "0", "direct_packets_stat": direct}
        found["ver"] = f"{version >> 16}.{version & 0xFFFF}"
    if 5 in inner:
        found["direct_qlen"] = little(inner[5])
    if 9 in inner:
        found["offload"] = True
    return found


def hierarchy_class(inner: Mapping[int, bytes]) -> Fields:
    """struct tc_htb_opt { tc_ratespec rate, ceil; u32 buffer, cbuffer, quantum, level, prio; }"""
    if len(inner[1]) < 44:
        return {}
    parts = struct.unpack_from(f"={RATESPEC}{RATESPEC}5I", inner[1])
    (_, layer, overhead, _, mpu, rate), (*_, ceil_mpu, ceil) = parts[:6], parts[6:12]
    buffer, cbuffer, quantum, level, priority = parts[12:]
    rate, ceil = little(inner.get(6, b"")) or rate, little(inner.get(7, b"")) or ceil
    found: Fields = {} if level else {"prio": priority, "quantum": quantum}
    found["rate"] = rate
    if overhead:
        found["overhead"] = overhead
    return {
        **found,
        "ceil": ceil,
        "linklayer": LINKLAYERS.get(layer & 0x0F, "unknown"),
        "burst": transmitted(rate, buffer),
        "mpu_rate": mpu,
        "cburst": transmitted(ceil, cbuffer),
        "mpu_ceil": ceil_mpu,
        "level": level,
    }


def red_flags(flags: int) -> Fields:
    return {name: bool(flags & bit) for bit, name in ((1, "ecn"), (2, "harddrop"), (4, "adaptive"), (8, "nodrop"))}


def stochastic(value: bytes) -> Fields:
    """struct tc_sfq_qopt { u32 quantum; s32 perturb_period; u32 limit, divisor, flows; }, then tc_sfq_qopt_v1's."""
    found = unpacked("=IiIII", ("quantum", "perturb", "limit", "divisor", "flows"), value)
    found = {name: cell for name, cell in found.items() if cell or name != "perturb"}
    if len(value) < 72:
        return found
    depth, headdrop, _, low, high, weight, _, _, flags, most = struct.unpack_from("=5I4BI", value, 20)
    found |= {"depth": depth} if depth else {}
    found |= {"headdrop": True} if headdrop else {}
    if low:
        counts = ("prob_drop", "forced_drop", "prob_mark", "forced_mark", "prob_mark_head", "forced_mark_head")
        found |= {"ewma": weight, "min": low, "max": high, "probability": most / 2**32, **red_flags(flags)}
        found |= unpacked("=6I", counts, value[48:])
    return found


def early_detection(value: bytes) -> Fields:
    """struct tc_red_qopt { u32 limit, qth_min, qth_max; u8 Wlog, Plog, Scell_log, flags; } in TCA_RED_PARMS."""
    inner = attribute_map(value)
    if len(inner.get(1, b"")) < 16:
        return {}
    limit, low, high, weight, probability, cell, flags = struct.unpack_from("=3I4B", inner[1])
    if len(inner.get(4, b"")) >= 4:  # TCA_RED_FLAGS, a bitfield32, has those that came later
        flags |= little(inner[4][:4])
    found: Fields = {"limit": limit, "min": low, "max": high, **red_flags(flags), "ewma": weight}
    likely: Fields = {"probability": little(inner[3]) / 2**32} if inner.get(3) else {"Plog": probability}
    return {**found, **likely, "Scell_log": cell}


def emulation(value: bytes) -> Fields:
    """struct tc_netem_qopt { u32 latency, limit, loss, gap, duplicate, jitter; }, then attributes. Delays in s."""
    if len(value) < 24:
        return {}
    latency, limit, loss, gap, duplicate, jitter = struct.unpack_from("=6I", value)
    inner = attribute_map(value[24:])
    delay_corr, loss_corr, duplicate_corr = chances(inner.get(1, b""), 3)
    found: Fields = {"limit": limit, "gap": gap, "ecn": bool(little(inner.get(7, b"")))}
    delay = nanoseconds(inner.get(10, b"")) if 10 in inner else microseconds(latency) / 1e6
    wavering = nanoseconds(inner.get(11, b"")) if 11 in inner else microseconds(jitter) / 1e6
    if delay:
        found["delay"] = {"delay": delay, "jitter": wavering, "correlation": delay_corr}
    reorder, corrupt = chances(inner.get(3, b""), 2), chances(inner.get(4, b""), 2)
    for name, (chance, correlation) in {
        "loss-random": (loss / NOT_SET, loss_corr),
        "duplicate": (duplicate / NOT_SET, duplicate_corr),
        "reorder": (reorder[0], reorder[1]),
        "corrupt": (corrupt[0], corrupt[1]),
    }.items():
        if chance:
            found[name] = {name.removesuffix("-random"): chance, "correlation": correlation}
    return {**found, **emulated_loss(inner), **emulated_rate(inner)}


def emulated_loss(inner: Mapping[int, bytes]) -> Fields:
    """TCA_NETEM_LOSS: a Markov chain of four states (GI) or of two (GE)."""
    models = attribute_map(inner.get(5, b""))
    if 2 in models:
        p, r, h, k1 = chances(models[2], 4)
        return {"loss-gemodel": {"p": p, "r": r, "1-h": 1 - h, "1-k": k1}}
    names = ("p13", "p31", "p32", "p14", "p23")
    return {"loss-state": dict(zip(names, chances(models[1], 5), strict=True))} if 1 in models else {}


def emulated_rate(inner: Mapping[int, bytes]) -> Fields:
    if len(inner.get(6, b"")) < 16:
        return {}
    rate, packet, cell, overhead = struct.unpack_from("=IiIi", inner[6])
    rate = little(inner.get(8, b"")) or rate
    found: Fields = {"rate": rate, "packetoverhead": packet, "cellsize": cell, "celloverhead": overhead}
    return {"rate": found} if rate else {}


def chances(value: bytes, count: int) -> list[float]:
    """Probabilities of 32 bits; zeros where the attribute is missing or shorter."""
    return [little(value[at * 4 : at * 4 + 4]) / NOT_SET for at in range(count)]


def fair_codel_statistics(value: bytes) -> Fields:
    """struct tc_fq_codel_xstats { u32 type; union { tc_fq_codel_qd_stats, tc_fq_codel_cl_stats }; }"""
    if little(value[:4]) == 0:
        words = ("maxpacket", "drop_overlimit", "ecn_mark", "new_flow_count", "new_flows_len", "old_flows_len")
        return unpacked("=9I", (*words, "ce_mark", "memory_used", "drop_overmemory"), value[4:])
    return unpacked("=iIIIIi", ("deficit", "ldelay", "count", "lastcount", "dropping", "drop_next"), value[4:])


def set_number(value: bytes) -> int | None:
    return None if little(value) == NOT_SET else little(value)


FQ_CODEL: Words = {
    2: ("limit", little), 5: ("flows", little), 6: ("quantum", little), 1: ("target", little),
    7: ("ce_threshold", little), 3: ("interval", little), 9: ("memory_limit", little), 4: ("ecn", flag),
    8: ("drop_batch", little),
}  # fmt: skip
CODEL: Words = {
    2: ("limit", little), 1: ("target", little), 5: ("ce_threshold", little), 3: ("interval", little), 4: ("ecn", flag),
}  # fmt: skip
FQ: Words = {
    1: ("limit", little), 2: ("flow_limit", little), 8: ("buckets", lambda value: 1 << min(little(value), 63)),
    10: ("orphan_mask", little), 5: ("pacing", lambda value: None if little(value) else False),
    3: ("quantum", little), 4: ("initial_quantum", little), 7: ("maxrate", set_number),
    6: ("defrate", lambda value: little(value) or None),
    11: ("low_rate_threshold", lambda value: little(value) or None), 9: ("refill_delay", little),
    12: ("ce_threshold", set_number), 13: ("timer_slack", little), 14: ("horizon", little),
    15: ("horizon_drop", lambda value: bool(little(value))),
}  # fmt: skip
FQ_STATISTICS = (
    "gc", "highprio", "retrans", "throttled", "flows_plimit", "pkts_too_long", "alloc_errors", "next_packet_delay",
    "flows", "inactive", "throttled_flows", "latency", "ce_mark", "horizon_drops", "horizon_caps",
)  # fmt: skip
CODEL_STATISTICS = (
    "maxpacket", "count", "lastcount", "ldelay", "drop_next", "drop_overlimit", "ecn_mark", "dropping", "ce_mark",
)  # fmt: skip

Decoder = Callable[[bytes], Fields]
OPTIONS: dict[str, Decoder] = {
    "pfifo": queue_limit, "bfifo": queue_limit, "pfifo_head_drop": queue_limit,
    "prio": bands, "pfifo_fast": bands,
    "tbf": token_bucket, "htb": hierarchy, "sfq": stochastic, "red": early_detection, "netem": emulation,
    "fq": lambda value: spelled(FQ, value),
    "fq_codel": lambda value: spelled(FQ_CODEL, value),
    "codel": lambda value: spelled(CODEL, value),
    "cake": lambda value: spelled(CAKE_OPTIONS, value),
}  # fmt: skip
STATISTICS: dict[str, Decoder] = {
    "htb": lambda value: unpacked("=3I2i", ("lended", "borrowed", "giants", "tokens", "ctokens"), value),
    "fq": lambda value: unpacked("=7Qq4I3Q", FQ_STATISTICS, value),
    "fq_codel": fair_codel_statistics,
    "codel": lambda value: unpacked("=4Ii4I", CODEL_STATISTICS, value),
    "red": lambda value: unpacked("=4I", ("early", "pdrop", "other", "marked"), value),
    "sfq": lambda value: unpacked("=i", ("allot",), value),
    "cake": cake_statistics,
}  # fmt: skip
