"""How tools spell the names of counters and drop reasons, and which entries a name can mean, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from nettui.knowledge import find
from nettui.knowledge.entry import LAYERS, Counter, Place, Reason
from nettui.suggest import closest

LINK = "rtnl_link_stats64."
ENUM, MIB = "skb_drop_reason_", "linux_mib_"
Entry = Counter | Reason | Place

SHORT = 3  # letters of a name that many others contain
LONGEST = 120  # letters of a name that are looked at
VALUE = re.compile(r"(?:[:=] ?|(?<=\w) )\d+(?: \d+\.\d+)?$")  # a whole line of `ethtool -S`, `conntrack -S` or `nstat`
NO_LETTER = re.compile(r"[^a-z0-9]+")
MESSAGE = re.compile(r"(icmpmsg|icmp6)?(in|out)type(\d{1,3})")
# groups by the names that other tools and files give them
GROUPS = {"arp_cache": "neigh", "ndisc_cache": "neigh", "softnet_stat": "softnet", "xfrm_stat": "xfrm",
          "tls_stat": "tls", "conntrack": "nf_conntrack", "stats64": "rtnl_link_stats64", "link": "rtnl_link_stats64",
          "sock": "socket", "nft": "rule", "backlog": "softnet", "tc": "qdisc", "neighbour": "neigh",
          "ct": "nf_conntrack"}  # fmt: skip
# words of `ip -s -s link`, /proc/net/dev, `netstat -i`, `tc -s`, `conntrack -S`, `ss -m` and softnet_stat's readers
WORDS: Mapping[str, tuple[str, ...]] = {
    "dropped": (LINK + "rx_dropped", LINK + "tx_dropped", "qdisc.drops", "class.drops", "clsact.drops"),
    "drop": (LINK + "rx_dropped", LINK + "tx_dropped", LINK + "rx_missed_errors"),
    "drops": (LINK + "rx_dropped", LINK + "tx_dropped"),
    "errors": (LINK + "rx_errors", LINK + "tx_errors"),
    "errs": (LINK + "rx_errors", LINK + "tx_errors"),
    "missed": (LINK + "rx_missed_errors",),
    "bytes": (LINK + "rx_bytes", LINK + "tx_bytes"),
    "packets": (LINK + "rx_packets", LINK + "tx_packets"),
    "compressed": (LINK + "rx_compressed", LINK + "tx_compressed"),
    "mcast": (LINK + "multicast",),
    "length": (LINK + "rx_length_errors",),
    "crc": (LINK + "rx_crc_errors",),
    "frame": (LINK + "rx_frame_errors",),
    "fifo": (LINK + "rx_fifo_errors", LINK + "tx_fifo_errors"),
    "overrun": (LINK + "rx_over_errors",),
    "overruns": (LINK + "rx_fifo_errors", LINK + "tx_fifo_errors"),
    "carrier": (LINK + "tx_carrier_errors",),
    "collsns": (LINK + "collisions",),
    "colls": (LINK + "collisions",),
    "aborted": (LINK + "tx_aborted_errors",),
    "window": (LINK + "tx_window_errors",),
    "heartbt": (LINK + "tx_heartbeat_errors",),
    "nohandler": (LINK + "rx_nohandler",),
    "otherhost": (LINK + "rx_otherhost_dropped",),
    "otherhost_dropped": (LINK + "rx_otherhost_dropped",),
    "rx_err": (LINK + "rx_errors",),
    "tx_err": (LINK + "tx_errors",),
    "rx_drp": (LINK + "rx_dropped",),
    "tx_drp": (LINK + "tx_dropped",),
    "rx_ovr": (LINK + "rx_fifo_errors",),
    "tx_ovr": (LINK + "tx_fifo_errors",),
    "clashres": ("nf_conntrack.clash_resolve",),
    "icmp_error": ("nf_conntrack.error",),
    "chainlength": ("nf_conntrack.chaintoolong",),
    "unres_discards": ("neigh.unresolved_discards",),
    "flow_limit_count": ("softnet.flow_limit",),
    "squeezed": ("softnet.time_squeeze",),
    "squeeze": ("softnet.time_squeeze",),
    "sk_drops": ("socket.drops",),
    "rpfilter": ("TcpExt.IPReversePathFilter",),
    "rp_filter": ("TcpExt.IPReversePathFilter",),
    "martian_source": ("TcpExt.IPReversePathFilter", "Ip.InAddrErrors"),
    # words of the kernel's log
    "table_full": ("nf_conntrack.drop", "neigh.table_fulls"),
    "table_overflow": ("neigh.table_fulls",),
    "syn_flooding": ("TcpExt.TCPReqQFullDoCookies", "TcpExt.TCPReqQFullDrop", "TcpExt.ListenDrops"),
    "retransmits": ("Tcp.RetransSegs",),
    "retransmissions": ("Tcp.RetransSegs",),
    "retrans": ("Tcp.RetransSegs",),
}
# groups in the order in which a plain name is likely to mean them; all others behind
LIKELY = ("rtnl_link_stats64", "softnet", "qdisc", "TcpExt", "Tcp", "Udp", "Ip", "IpExt", "Icmp", "nf_conntrack",
          "rule", "policy", "neigh", "socket", "Ip6", "Udp6", "Icmp6", "class", "clsact", "xfrm")  # fmt: skip


class Found(NamedTuple):
    """One thing that a name can mean: ``name`` as the ledger gives it, with kfree_skb. before a drop reason."""

    name: str
    entry: Counter | Reason | Place


def bare(name: str) -> str:
    """Only letters and digits, in small letters: TcpExt.ListenDrops, TcpExtListenDrops, tcpext_listen_drops."""
    return NO_LETTER.sub("", name.lower())


def trimmed(text: str) -> str:
    """A name without what tools print around it: a path of /sys, a value, blanks."""
    text = VALUE.sub("", " ".join(text[:LONGEST].split())).strip(" :,;")
    return text.rpartition("/")[2] if text.startswith("/") else text


def spelled(text: str) -> list[Found]:
    """What ``text`` can mean, the likeliest first; nothing when it is not known."""
    told = trimmed(text)
    found = {one.name: one for one in (*whole(told), *plain(told), *of_drivers(text, told), *of_places(told))}
    exact = [one for one in found.values() if bare(one.name) == bare(told)]
    if exact and "." in told:
        return exact
    return list(found.values()) or list(in_group(told))


def whole(told: str) -> Iterator[Found]:
    """By the whole name of a counter, by a reason's name."""
    for name in by_whole_name().get(bare(told), ()):
        yield Found(name, find.counters()[name])
    yield from messages(told)
    name = reason_name(told)
    if known := find.reason(name):
        yield Found(find.REASON_PREFIX + (name if "." in name else known.name), known)


def in_group(told: str) -> Iterator[Found]:
    """By a group as others call it, and what they call the counter: conntrack insert_failed, qdisc.dropped."""
    for group, kernels in (*GROUPS.items(), *((own, own) for own in sorted(by_group()))):
        match = re.fullmatch(rf"{group}[ ._:]+(\w[\w ]*)", told, re.IGNORECASE)
        if match is None:
            continue
        names = (*by_plain_name().get(bare(match[1]), ()), *WORDS.get(match[1].lower().replace(" ", "_"), ()))
        for name in dict.fromkeys(names):
            if name.partition(".")[0].lower() == kernels.lower():
                yield Found(name, find.counters()[name])


def reason_name(told: str) -> str:
    """As the kernel spells a reason; one of a subsystem is its name and a number."""
    name = told.lower().removeprefix(find.REASON_PREFIX).removeprefix(ENUM)
    return name if "." in name else by_bare_reason().get(bare(name), name.upper())


def messages(told: str) -> Iterator[Found]:
    """ICMP by type, which the kernel shows only above zero: IcmpMsg.InType3, Icmp6OutType135, InType8."""
    match = MESSAGE.fullmatch(bare(told))
    if match is None:
        return
    for group in ("IcmpMsg", "Icmp6"):
        name = f"{group}.{match[2].capitalize()}Type{match[3]}"
        entry = find.counter(name)
        if entry is not None and match[1] in (None, group.lower()):
            yield Found(name, entry)


def plain(told: str) -> Iterator[Found]:
    """By a name without its group, and by the words of tools."""
    key = told.lower().removeprefix(MIB)
    names = by_plain_name().get(bare(key), ())
    words = WORDS.get(key.replace("-", "_").replace(" ", "_"), ())
    for name in dict.fromkeys((*(names if key not in WORDS else ()), *words, *names)):
        yield Found(name, find.counters()[name])


def of_drivers(text: str, told: str) -> Iterator[Found]:
    """Drivers' counters, in any case of their letters; some names of vmxnet3 begin with blanks."""
    for candidate in (told, told.removeprefix(find.ETHTOOL), text[:LONGEST]):
        for names, pattern in find.patterns():
            if re.fullmatch(names.pattern, candidate, re.IGNORECASE):
                yield Found(find.ETHTOOL + candidate, pattern.entry)
                return


def of_places(told: str) -> Iterator[Found]:
    """Kernel functions that `kfree_skb` events name, with an offset or without."""
    if entry := find.place(told.partition("+")[0].lower()):
        yield Found(entry.function, entry)


@cache
def by_whole_name() -> Mapping[str, list[str]]:
    return indexed((bare(name), name) for name in find.counters())


@cache
def by_group() -> frozenset[str]:
    return frozenset(name.partition(".")[0] for name in find.counters())


@cache
def by_bare_reason() -> Mapping[str, str]:
    return {bare(name): name for name in find.reasons() if "." not in name}


@cache
def by_plain_name() -> Mapping[str, list[str]]:
    return indexed((bare(name.partition(".")[2]), name) for name in sorted(find.counters(), key=rank))


def indexed(pairs: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    index: dict[str, list[str]] = {}
    for key, name in pairs:
        index.setdefault(key, []).append(name)
    return index


def rank(name: str) -> tuple[bool, int, int]:
    """How likely a plain name means this counter: one of loss first, then by group, then as a packet meets them."""
    entry, group = find.counters()[name], name.partition(".")[0]
    return (entry.severity == "traffic", LIKELY.index(group) if group in LIKELY else len(LIKELY),
            LAYERS.index(entry.layer))  # fmt: skip


def similar(text: str, most: int = 6) -> list[str]:
    """Names close to one that is not known: some that contain it, then those that differ in a few letters."""
    told = bare(trimmed(text[:64]).lower().removeprefix(find.REASON_PREFIX).removeprefix(ENUM))
    names = [*sorted(find.counters(), key=rank), *find.reasons(), *find.places()]
    inside = [name for name in names if told in bare(name)] if len(told) > SHORT else []
    inside += [name for name in names if bare(name).startswith(told)] if 1 < len(told) <= SHORT else []
    keys = {bare(key): name for name in reversed(names) for key in (name.partition(".")[2] or name, name)}
    close = [keys[key] for key in closest(told, keys, most)] if len(told) >= SHORT else []
    return list(dict.fromkeys((*inside[: most - 1], *close)))[:most]
