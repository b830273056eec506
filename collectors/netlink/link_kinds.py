"""The kinds of links (IFLA_INFO_KIND) whose details are known, and the details of the plain ones (linux/if_link.h)."""

from __future__ import annotations

import grp
import pwd
from functools import lru_cache

from collectors.netlink.link_details import (
    Details,
    Found,
    flag,
    flag_words,
    little,
    mac,
    protocol,
    worded,
)
from collectors.netlink.link_masters import BOND, BOND_PORT, BRIDGE, BRIDGE_PORT
from collectors.netlink.link_rare import RARE
from collectors.netlink.link_tunnels import GENEVE, GRE, GRE6, IP6TUNNEL, IPTUNNEL, VTI, VXLAN
from collectors.values import Cell
from collectors.wire.netlink import attributes

VLAN_FLAGS = {1: "REORDER_HDR", 2: "GVRP", 4: "LOOSE_BINDING", 8: "MVRP", 16: "BRIDGE_BINDING"}
MACVLAN_MODES = {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}
IPVLAN_FLAGS = {1: "private", 2: "vepa"}


def quality(value: bytes) -> list[Cell]:
    """IFLA_VLAN_*_QOS: struct ifla_vlan_qos_mapping { __u32 from; __u32 to; } in each."""
    return [{"from": little(pair[:4]), "to": little(pair[4:8])} for _, pair in attributes(value)]


VLAN = Details(
    {
        5: ("protocol", protocol),
        1: ("id", little),
        2: ("flags", flag_words(VLAN_FLAGS)),
        4: ("ingress_qos", quality),
        3: ("egress_qos", quality),
    }
)


def finish_macvlan(found: Found) -> Found:
    flags = found.pop("flags", 0)
    if isinstance(flags, int):
        found.update({word: True for bit, word in ((1, "nopromisc"), (2, "nodst")) if flags & bit})
    if found.get("mode") != "source":
        found.pop("macaddr_count", None)
    return found


MACVLAN = Details(
    {
        1: ("mode", lambda value: MACVLAN_MODES.get(little(value), str(little(value)))),
        2: ("flags", little),
        7: ("bcqueuelen", little),
        8: ("usedbcqueuelen", little),
        6: ("macaddr_count", little),
        5: ("macaddr_data", lambda value: [mac(payload) for _, payload in attributes(value)] or None),
    },
    finish_macvlan,
)


def finish_ipvlan(found: Found) -> Found:
    """What the slaves may exchange with each other is a key of its own, as ip has it."""
    flags = found.pop("flags", None)
    return {**found, IPVLAN_FLAGS.get(flags, "bridge"): True} if isinstance(flags, int) else found


IPVLAN = Details({1: ("mode", worded(("l2", "l3", "l3s"), "unknown")), 2: ("flags", little)}, finish_ipvlan)
VRF = Details({1: ("table", little)})


@lru_cache
def user_name(number: int) -> Cell:
    try:
        return pwd.getpwuid(number).pw_name
    except (KeyError, OverflowError):
        return number


@lru_cache
def group_name(number: int) -> Cell:
    try:
        return grp.getgrgid(number).gr_name
    except (KeyError, OverflowError):
        return number


def finish_tun(found: Found) -> Found:
    """The queues are counted only where there may be many."""
    if not found.get("multi_queue"):
        found.pop("numqueues", None)
        found.pop("numdisabled", None)
    return found


TUN = Details(
    {
        3: ("type", worded(("", "tun", "tap"))),
        4: ("pi", flag),
        5: ("vnet_hdr", flag),
        7: ("multi_queue", flag),
        8: ("numqueues", little),
        9: ("numdisabled", little),
        6: ("persist", flag),
        1: ("user", lambda value: user_name(little(value))),
        2: ("group", lambda value: group_name(little(value))),
    },
    finish_tun,
)

KINDS = {
    "bridge": BRIDGE,
    "bond": BOND,
    "vlan": VLAN,
    "vxlan": VXLAN,
    "geneve": GENEVE,
    "macvlan": MACVLAN,
    "macvtap": MACVLAN,
    "ipvlan": IPVLAN,
    "ipvtap": IPVLAN,
    "tun": TUN,
    "vrf": VRF,
    "gre": GRE,
    "gretap": GRE,
    "erspan": GRE,
    "ip6gre": GRE6,
    "ip6gretap": GRE6,
    "ip6erspan": GRE6,
    "ipip": IPTUNNEL,
    "sit": IPTUNNEL,
    "ip6tnl": IP6TUNNEL,
    "vti": VTI,
    "vti6": VTI,
    **RARE,
}
PORT_KINDS = {"bridge": BRIDGE_PORT, "bond": BOND_PORT, "vrf": VRF}
