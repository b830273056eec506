"""The only list of collectors."""

from __future__ import annotations

from collectors.collector import Collector
from collectors.netfilter.conntrack import CONNTRACK
from collectors.netfilter.conntrack_statistics import CONNTRACK_STATISTICS
from collectors.netfilter.expectations import EXPECTATIONS
from collectors.netfilter.nft_objects import NFT_OBJECTS
from collectors.netfilter.ruleset import NETFILTER
from collectors.netfilter.set_elements import SET_ELEMENTS
from collectors.netfilter.sets import SETS
from collectors.netlink.addresses import ADDRESSES
from collectors.netlink.ethtool import ETHTOOL
from collectors.netlink.links import LINKS
from collectors.netlink.neighbours import NEIGHBOURS
from collectors.netlink.nexthop_objects import NEXTHOPS
from collectors.netlink.nsids import NSIDS
from collectors.netlink.peers import PEERS
from collectors.netlink.qdiscs import CLASSES, QDISCS
from collectors.netlink.routes import ROUTES
from collectors.netlink.rules import RULES
from collectors.netlink.sockets import SOCKETS
from collectors.proc.limits import LIMITS
from collectors.proc.protocols import PROTOCOLS
from collectors.proc.socket_owners import SOCKET_OWNERS
from collectors.proc.softnet import SOFTNET

COLLECTORS: tuple[Collector, ...] = (
    LINKS,
    NSIDS,
    PEERS,
    ETHTOOL,
    ADDRESSES,
    RULES,
    ROUTES,
    NEXTHOPS,
    NEIGHBOURS,
    QDISCS,
    CLASSES,
    SOFTNET,
    PROTOCOLS,
    SOCKETS,
    SOCKET_OWNERS,
    NETFILTER,
    SETS,
    SET_ELEMENTS,
    NFT_OBJECTS,
    LIMITS,
    CONNTRACK,
    CONNTRACK_STATISTICS,
    EXPECTATIONS,
)


def collector(name: str) -> Collector:
    """The collector of that name; KeyError names the ones there are."""
    for entry in COLLECTORS:
        if entry.name == name:
            return entry
    raise KeyError(f"no collector {name!r}; there are {', '.join(entry.name for entry in COLLECTORS)}")
