"""The only list of collectors; each module is imported when its table is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from collectors.collector import Collector

# name -> module, in which the collector stands under its name in capitals
MODULES: Mapping[str, str] = {
    "links": "collectors.netlink.links",
    "nsids": "collectors.netlink.nsids",
    "peers": "collectors.netlink.peers",
    "ethtool": "collectors.netlink.ethtool",
    "addresses": "collectors.netlink.addresses",
    "rules": "collectors.netlink.rules",
    "routes": "collectors.netlink.routes",
    "nexthops": "collectors.netlink.nexthop_objects",
    "neighbours": "collectors.netlink.neighbours",
    "neighbour_tables": "collectors.netlink.neighbour_tables",
    "qdiscs": "collectors.netlink.qdiscs",
    "classes": "collectors.netlink.qdiscs",
    "link_statistics": "collectors.netlink.link_statistics",
    "driver_statistics": "collectors.netlink.driver_statistics",
    "softnet": "collectors.proc.softnet",
    "protocols": "collectors.proc.protocols",
    "statistics": "collectors.proc.statistics",
    "sockets": "collectors.netlink.sockets",
    "socket_drops": "collectors.netlink.socket_drops",
    "socket_owners": "collectors.proc.socket_owners",
    "netfilter": "collectors.netfilter.ruleset",
    "sets": "collectors.netfilter.sets",
    "set_elements": "collectors.netfilter.set_elements",
    "nft_objects": "collectors.netfilter.nft_objects",
    "nfqueues": "collectors.proc.nfqueues",
    "limits": "collectors.proc.limits",
    "settings": "collectors.netlink.settings",
    "rings": "collectors.netlink.rings",
    "conntrack": "collectors.netfilter.conntrack.flows",
    "conntrack_statistics": "collectors.netfilter.conntrack.statistics",
    "expectations": "collectors.netfilter.conntrack.expectations",
}


def collector(name: str) -> Collector:
    """The collector of that name; KeyError names the ones there are."""
    if name not in MODULES:
        raise KeyError(f"no collector {name!r}; there are {', '.join(MODULES)}")
    found: Collector = getattr(import_module(MODULES[name]), name.upper())
    return found
