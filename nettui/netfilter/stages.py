"""The packet's way: its hooks in order, and what the kernel itself does there, at its own priority."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from collectors.table import Table

# enum nf_ip_hook_priorities, linux/netfilter_ipv4.h; those of linux/netfilter_ipv6.h are the same
NF_IP_PRI_CONNTRACK_DEFRAG = -400
NF_IP_PRI_CONNTRACK = -200
NF_IP_PRI_NAT_DST = -100
NF_IP_PRI_NAT_SRC = 100
NF_IP_PRI_CONNTRACK_CONFIRM = 2**31 - 1

TO, THROUGH, FROM, BRIDGED, ARP = "to", "through", "from", "bridged", "arp"


class Place(NamedTuple):
    """A stop on the way. ``layer``: ip (ip, ip6 and inet chains), bridge, arp or netdev; "" where no hook is."""

    layer: str
    hook: str
    way: tuple[str, ...]
    text: str = ""


# Documentation/networking/netfilter, net/bridge/br_input.c and br_forward.c: frames of a bridge port that are for this
# host, or routed by it, pass the bridge's hooks before and behind those of IP
PLACES = (
    Place("netdev", "ingress", (TO, THROUGH, BRIDGED)),
    Place("bridge", "prerouting", (TO, THROUGH, BRIDGED)),
    Place("bridge", "input", (TO, THROUGH)),
    Place("bridge", "forward", (BRIDGED,)),
    Place("ip", "prerouting", (TO, THROUGH)),
    Place("", "routing", (TO, THROUGH), "routing decision: for this host (input), or through it (forward)"),
    Place("ip", "input", (TO,)),
    Place("ip", "forward", (THROUGH,)),
    Place("", "local", (TO, FROM), "local process: its socket takes the packet, or sends one"),
    Place("", "routing", (FROM,), "routing decision: the way out"),
    Place("ip", "output", (FROM,)),
    Place("ip", "postrouting", (THROUGH, FROM)),
    Place("bridge", "output", (THROUGH, FROM)),
    Place("bridge", "postrouting", (THROUGH, FROM, BRIDGED)),
    Place("netdev", "egress", (THROUGH, FROM, BRIDGED)),
    Place("arp", "input", (ARP,)),
    Place("arp", "forward", (ARP,)),
    Place("arp", "output", (ARP,)),
)
LAYERS = {"ip": "ip", "ip6": "ip", "inet": "ip", "bridge": "bridge", "arp": "arp", "netdev": "netdev"}
PLACE_OF = {(place.layer, place.hook): number for number, place in enumerate(PLACES) if place.layer}


class Stage(NamedTuple):
    """Something that the kernel does itself; ``priority`` None: at no hook."""

    place: int
    priority: int | None
    text: str
    family: str | None = None


def place_of(family: str, hook: str) -> int | None:
    """The place of a base chain; inet's ingress is netdev's."""
    layer = "netdev" if hook in ("ingress", "egress") else LAYERS.get(family, "")
    return PLACE_OF.get((layer, hook))


def nat_priority(hook: str) -> int:
    """Where the kernel asks nat chains, whatever their own priority (nf_nat_ipv4_ops, net/netfilter/nf_nat_proto.c)."""
    return NF_IP_PRI_NAT_DST if hook in ("prerouting", "output") else NF_IP_PRI_NAT_SRC


def stages(tracked: set[str], translated: set[str]) -> list[Stage]:
    """What the kernel does itself, where these families need connection tracking and address translation."""
    found = [Stage(number, None, place.text) for number, place in enumerate(PLACES) if not place.layer]
    if ip := tracked & {"ip", "ip6"}:
        found += at_hooks(ip, DEFRAG + CONNTRACK)
    if "bridge" in tracked:
        found += [
            Stage(PLACE_OF["bridge", hook], priority, text, "bridge") for hook, priority, text in BRIDGE_CONNTRACK
        ]
    if translated:
        found += at_hooks(translated, NAT)
    return found


def at_hooks(families: set[str], kinds: Sequence[tuple[str, int, str]]) -> list[Stage]:
    family = "inet" if len(families) > 1 else min(families)
    return [Stage(PLACE_OF["ip", hook], priority, text, family) for hook, priority, text in kinds]


FIRST = "; chains of type nat see only a flow's first packet"
# nf_defrag_ipv4.c, nf_conntrack_proto.c (ipv4_conntrack_ops), nf_nat_proto.c, bridge/netfilter/nf_conntrack_bridge.c
DEFRAG = [(hook, NF_IP_PRI_CONNTRACK_DEFRAG, "defragmentation") for hook in ("prerouting", "output")]
CONNTRACK = [
    *(
        (hook, NF_IP_PRI_CONNTRACK, "conntrack: the packet's flow is found or made")
        for hook in ("prerouting", "output")
    ),
    *(
        (hook, NF_IP_PRI_CONNTRACK_CONFIRM, "conntrack confirm: a new flow is kept")
        for hook in ("input", "postrouting")
    ),
]
NAT = [
    *((hook, NF_IP_PRI_NAT_DST, f"DNAT of the flow{FIRST}") for hook in ("prerouting", "output")),
    *((hook, NF_IP_PRI_NAT_SRC, f"SNAT of the flow{FIRST}") for hook in ("input", "postrouting")),
]
BRIDGE_CONNTRACK = [
    ("prerouting", NF_IP_PRI_CONNTRACK, "conntrack of the bridge"),
    ("input", NF_IP_PRI_CONNTRACK_CONFIRM, "conntrack confirm"),
    ("postrouting", NF_IP_PRI_CONNTRACK_CONFIRM, "conntrack confirm"),
]


def needs(table: Table) -> tuple[set[str], set[str]]:
    """Families (ip, ip6, bridge) whose packets are tracked, and those of ip and ip6 that are translated."""
    families, asks = table.codes("family"), table.numbers("tracked").present()
    nat = table.codes("type").matching(lambda kind: kind == "nat")
    translated = single(families.take(np.flatnonzero(nat)).cells())
    return single(families.take(np.flatnonzero(asks | nat)).cells()) | translated, translated & {"ip", "ip6"}


def single(families: Sequence[object]) -> set[str]:
    """inet is both of ip and ip6."""
    found = set(map(str, set(families)))
    return (found - {"inet"}) | ({"ip", "ip6"} if "inet" in found else set())
