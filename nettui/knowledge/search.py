"""Names as people write them, and what is known under them: from nstat, ip, ethtool, conntrack, tc or an event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from itertools import chain

from nettui.knowledge import find
from nettui.knowledge.entry import Counter, Place, Reason
from nettui.knowledge.icmp import icmp_message
from nettui.knowledge.reasons_subsystems import OTHER_NAMES

Entry = Counter | Reason | Place

LONGEST = 80  # letters of a name that are looked at
NEAR = 5  # names that are suggested
BY_TYPE = re.compile(r"(icmpmsg|icmp6|)(in|out)type(\d{1,3})")
LINK = "rtnl_link_stats64."
REASON_PREFIXES = ("skbdropreason", "kfreeskb")
GROUPS = ("conntrack", "ct", "stats64", "softnetstat", "netstat", "snmp", "link")  # what others write before names
# What `ip -s -s link`, /proc/net/dev, tc, conntrack -S and softnet_stat call counters whose own names are others
PEERS: Mapping[str, tuple[str, ...]] = {
    "aborted": (LINK + "tx_aborted_errors",),
    "carrier": (LINK + "tx_carrier_errors",),
    "clashres": ("nf_conntrack.clash_resolve",),
    "colls": (LINK + "collisions",),
    "collsns": (LINK + "collisions",),
    "crc": (LINK + "rx_crc_errors",),
    "drop": (LINK + "rx_dropped", LINK + "tx_dropped", LINK + "rx_missed_errors"),
    "dropped": (LINK + "rx_dropped", LINK + "tx_dropped", "qdisc.drops"),
    "errors": (LINK + "rx_errors", LINK + "tx_errors"),
    "errs": (LINK + "rx_errors", LINK + "tx_errors"),
    "fifo": (LINK + "rx_fifo_errors", LINK + "tx_fifo_errors"),
    "flowlimitcount": ("softnet.flow_limit",),
    "frame": (LINK + "rx_frame_errors",),
    "heartbt": (LINK + "tx_heartbeat_errors",),
    "length": (LINK + "rx_length_errors",),
    "missed": (LINK + "rx_missed_errors",),
    "otherhost": (LINK + "rx_otherhost_dropped",),
    "overrun": (LINK + "rx_over_errors",),
    "overruns": (LINK + "rx_over_errors", LINK + "rx_fifo_errors"),
    "skdrops": ("socket.drops",),
    "squeezed": ("softnet.time_squeeze",),
    "window": (LINK + "tx_window_errors",),
}


def squeezed(text: str) -> str:
    """Letters and digits alone: TcpExt.ListenDrops, TcpExtListenDrops and tcpext_listendrops are one."""
    return re.sub(r"[^a-z0-9]", "", text[:LONGEST].lower())


def found(text: str) -> tuple[Entry, ...]:
    """All that the name may mean; only one thing where it names group and counter."""
    key = squeezed(text)
    whole = unique(chain(index(whole=True).get(key, ()), by_type(key, bare=False)))
    if whole or not key:
        return whole
    named = unique(chain(of_own_name(key), by_type(key, bare=True), of_drivers(text), subsystem(text)))
    group = next((group for group in GROUPS if key.startswith(group)), None)
    return found(key.removeprefix(group)) if group and not named else named


def of_own_name(key: str) -> Iterator[Entry]:
    """Counters and reasons by their name without a group, and by what a peer calls them."""
    yield from index(whole=False).get(key, ())
    yield from (find.counters()[name] for name in PEERS.get(key, ()))


def near(text: str) -> tuple[str, ...]:
    """Names that contain the text, or are spelled like it."""
    key = squeezed(text)
    names = {**{squeezed(name): name for name in OTHER_NAMES}, **spelled()}
    inside = [name for other, name in names.items() if key and key in other]
    close = get_close_matches(key, names, NEAR, 0.7)
    return tuple(dict.fromkeys([*(names[other] for other in close), *sorted(inside, key=len)]))[:NEAR]


@cache
def spelled() -> Mapping[str, str]:
    """Every name by its letters, with and without its group; IPv4's before IPv6's."""
    names = [*find.counters(), *find.reasons()]
    owned = {squeezed(own(name)): name for name in reversed(names)}
    return {**owned, **{squeezed(name): name for name in names}}


def own(name: str) -> str:
    """The name without its group."""
    return name.partition(".")[2] or name


@cache
def index(whole: bool) -> Mapping[str, tuple[Entry, ...]]:
    """Entries by name, ``whole``: with group or prefix."""
    entries: dict[str, tuple[Entry, ...]] = {}
    for key, entry in keys(whole):
        entries[key] = (*entries.get(key, ()), entry)
    return entries


def keys(whole: bool) -> Iterator[tuple[str, Entry]]:
    for counter in find.counters().values():
        yield squeezed(counter.name if whole else own(counter.name)), counter
    others = {**{name: name for name in find.reasons()}, **OTHER_NAMES}
    for name, canonical in others.items():
        for prefix in REASON_PREFIXES if whole else ("",):
            yield prefix + squeezed(name), find.reasons()[canonical]
    if whole:
        for place in find.places().values():
            yield squeezed(place.function), place


def by_type(key: str, bare: bool) -> Iterator[Counter]:
    """ICMP messages by the number of their type."""
    match = BY_TYPE.fullmatch(key)
    if match is None or (match[1] == "") != bare:
        return
    groups = {"icmpmsg": ("IcmpMsg",), "icmp6": ("Icmp6",), "": ("IcmpMsg", "Icmp6")}[match[1]]
    for group in groups:
        if known := icmp_message(f"{group}.{match[2].capitalize()}Type{match[3]}"):
            yield known


def of_drivers(text: str) -> Iterator[Counter]:
    """Drivers' counters whose pattern the name fits, in any case of its letters."""
    name = text[:LONGEST].strip().rstrip(":")
    if name.lower().startswith(find.ETHTOOL):
        name = name[len(find.ETHTOOL) :]
    for names, pattern in find.patterns():
        if re.fullmatch(names.pattern, name, re.IGNORECASE):
            yield pattern.entry


def subsystem(text: str) -> Iterator[Reason]:
    """A reason of a subsystem that is described as a whole: mac80211.5."""
    name = text.strip().lower()
    for prefix in ("skb_drop_reason_", find.REASON_PREFIX):
        name = name.removeprefix(prefix)
    if re.fullmatch(r"\w+\.\d+", name) and (known := find.reason(name)):
        yield known


def unique(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(dict.fromkeys(entries))
