"""What is known of one counter, of a driver's counters, of one drop reason: data, written from the kernel's source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# loss: packets or connections are lost that somebody wanted. refused: on purpose, by a rule or a setting that does its
# work. warning: nothing is lost yet, or it was made good (retransmitted). noise: usual on a healthy host.
# traffic: counts what goes well, or a size; never part of the ledger.
Severity = Literal["loss", "refused", "warning", "noise", "traffic"]
Direction = Literal["rx", "tx", "fwd", ""]  # "": both, or not a packet's way

# As a packet meets them from the wire up, and down again: the order of the ledger and of the screen.
LAYERS = (
    "device", "xdp", "softnet", "tc", "bridge", "tunnel", "xfrm", "netfilter", "conntrack", "ipvs", "ip", "route",
    "neighbour", "icmp", "udp", "tcp", "mptcp", "sctp", "socket", "qdisc", "other",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter of the kernel, by the name that the ledger gives it.

    ``name``: group and name in the kernel's spelling: "Udp.RcvbufErrors", "TcpExt.ListenOverflows", "Ip6.InDiscards",
    "rtnl_link_stats64.rx_dropped", "softnet.dropped", "qdisc.drops", "nf_conntrack.insert_failed",
    "neigh.unresolved_discards", "xfrm.InNoStates", "socket.drops", "rule.drop", "nfqueue.queue_dropped".
    ``counts``: what it counts, in one plain sentence. ``cause``: the usual cause in at most 50 letters, for a line.
    ``causes``: what makes it move, the most usual first. ``remedies``: commands, ``#`` and a few words behind them.
    ``part_of``: counters that have this same packet in their own number, always (their sum with it counts twice).
    ``along``: counters of other layers that often count the same packet too, so that two rows may be one loss.
    ``reasons``: names of skb_drop_reason under which kfree_skb tells of the same packet.
    ``since``: the kernel that brought it, "" when older than 4.18. ``source``: the kernel file or document read.
    """

    name: str
    layer: str
    direction: Direction
    severity: Severity
    counts: str
    cause: str
    causes: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    along: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    since: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Counters of `ethtool -S` whose names mean the same: ``names``, a regular expression, matches the whole name.

    ``drivers``: the drivers that it was written for, () for names that mean the same in most. ``entry``: what is known;
    its name is "ethtool." and the counter's place in words, such as "ethtool.rx_queue_*_drops".
    """

    names: str
    entry: Counter
    drivers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One enum skb_drop_reason, by its name without SKB_DROP_REASON_; numbers differ between kernels and are not kept.

    ``layer``: where it is met, "" where only the function that dropped the packet tells (NOT_SPECIFIED).
    ``counters``: ledger names of the counters that count the same packet, () where none does.
    """

    name: str
    layer: str
    severity: Severity
    meaning: str
    cause: str
    causes: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    since: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where packets are dropped with a reason that says little: the ``function`` tells the layer and the severity.

    ``counters``: ledger names of the counters that count such a packet too, () where none does.
    """

    function: str
    layer: str
    severity: Severity
    meaning: str
    counters: tuple[str, ...] = ()
