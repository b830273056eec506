"""Details of bridges, bonds, teams and of their ports (uapi linux/if_link.h IFLA_BR_*, IFLA_BRPORT_*, IFLA_BOND_*)."""

from __future__ import annotations

from functools import lru_cache

from collectors.netlink.link_details import (
    Details,
    Found,
    addresses,
    flag,
    hexadecimal,
    little,
    mac,
    nonzero,
    printf_hex,
    protocol,
    timer,
    worded,
)
from collectors.netlink.names import NameBits
from collectors.values import Cell
from collectors.wire.netlink import attribute_map

PORT_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")
FORWARDED_GROUPS = NameBits({0x1: "stp", 0x4: "lacp", 0x4000: "lldp"})
BOND_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
BOND_HASHES = ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac")
BOND_PORT_BITS = ("active", "short_timeout", "aggregating", "in_sync", "collecting", "distributing", "defaulted",
                  "expired")  # fmt: skip
UNKNOWN = "UNKNOWN"


def bridge_id(value: bytes) -> str:
    """struct ifla_bridge_id { __u8 prio[2]; __u8 addr[6]; }, the address without leading zeros as ip has it."""
    return f"{value[:2].hex()}.{':'.join(f'{octet:x}' for octet in value[2:8])}"


def bridge_options(value: bytes) -> dict[str, Cell]:
    """struct br_boolopt_multi { __u32 optval; __u32 optmask; }"""
    options = little(value[:4])
    return {"no_linklocal_learn": options & 1, "mcast_vlan_snooping": options >> 1 & 1}


def finish_bridge(found: Found) -> Found:
    options = found.pop("options", None)
    return {**found, **options} if isinstance(options, dict) else found


BRIDGE = Details(
    {
        1: ("forward_delay", little),
        2: ("hello_time", little),
        3: ("max_age", little),
        4: ("ageing_time", little),
        5: ("stp_state", little),
        6: ("priority", little),
        7: ("vlan_filtering", little),
        8: ("vlan_protocol", protocol),
        11: ("bridge_id", bridge_id),
        10: ("root_id", bridge_id),
        12: ("root_port", little),
        13: ("root_path_cost", little),
        14: ("topology_change", little),
        15: ("topology_change_detected", little),
        16: ("hello_timer", timer),
        17: ("tcn_timer", timer),
        18: ("topology_change_timer", timer),
        19: ("gc_timer", timer),
        39: ("vlan_default_pvid", little),
        41: ("vlan_stats_enabled", little),
        45: ("vlan_stats_per_port", little),
        9: ("group_fwd_mask", hexadecimal),
        20: ("group_addr", mac),
        23: ("mcast_snooping", little),
        46: ("options", bridge_options),
        22: ("mcast_router", little),
        24: ("mcast_query_use_ifaddr", little),
        25: ("mcast_querier", little),
        26: ("mcast_hash_elasticity", little),
        27: ("mcast_hash_max", little),
        28: ("mcast_last_member_cnt", little),
        29: ("mcast_startup_query_cnt", little),
        30: ("mcast_last_member_intvl", little),
        31: ("mcast_membership_intvl", little),
        32: ("mcast_querier_intvl", little),
        33: ("mcast_query_intvl", little),
        34: ("mcast_query_response_intvl", little),
        35: ("mcast_startup_query_intvl", little),
        42: ("mcast_stats_enabled", little),
        43: ("mcast_igmp_version", little),
        44: ("mcast_mld_version", little),
        36: ("nf_call_iptables", little),
        37: ("nf_call_ip6tables", little),
        38: ("nf_call_arptables", little),
    },
    finish_bridge,
)


def finish_bridge_port(found: Found) -> Found:
    mask = found.get("group_fwd_mask")
    if isinstance(mask, int):
        found["group_fwd_mask_str"] = forwarded_groups(mask)
        found["group_fwd_mask"] = printf_hex(mask)
    return found


@lru_cache
def forwarded_groups(mask: int) -> str:
    """A word for each bit, from the lowest."""
    return ",".join(word for bit in range(16) for word in FORWARDED_GROUPS(mask & 1 << bit)) or "0x0"


BRIDGE_PORT = Details(
    {
        1: ("state", worded(PORT_STATES)),
        2: ("priority", little),
        3: ("cost", little),
        4: ("hairpin", flag),
        5: ("guard", flag),
        6: ("root_block", flag),
        7: ("fastleave", flag),
        8: ("learning", flag),
        9: ("flood", flag),
        17: ("id", hexadecimal),
        18: ("no", hexadecimal),
        15: ("designated_port", little),
        16: ("designated_cost", little),
        14: ("bridge_id", bridge_id),
        13: ("root_id", bridge_id),
        23: ("hold_timer", timer),
        21: ("message_age_timer", timer),
        22: ("forward_delay_timer", timer),
        19: ("topology_change_ack", little),
        20: ("config_pending", little),
        10: ("proxy_arp", flag),
        12: ("proxy_arp_wifi", flag),
        25: ("multicast_router", little),
        27: ("mcast_flood", flag),
        30: ("bcast_flood", flag),
        28: ("mcast_to_unicast", flag),
        32: ("neigh_suppress", flag),
        31: ("group_fwd_mask", little),
        29: ("vlan_tunnel", flag),
        33: ("isolated", flag),
        39: ("locked", flag),
        34: ("backup_port", little),
    },
    finish_bridge_port,
    ("backup_port",),
)


def lacp(value: bytes) -> dict[str, Cell]:
    """IFLA_BOND_AD_INFO."""
    inner = attribute_map(value)
    keys = {1: "aggregator", 2: "num_ports", 3: "actor_key", 4: "partner_key"}
    found: dict[str, Cell] = {key: little(inner[number]) for number, key in keys.items() if number in inner}
    return {**found, "partner_mac": mac(inner[5])} if 5 in inner else found


def finish_bond(found: Found) -> Found:
    """ip gives null where no link is probed by ARP."""
    if found.get("arp_validate") == "none":
        found["arp_validate"] = None
    return found


BOND = Details(
    {
        1: ("mode", worded(BOND_MODES, UNKNOWN)),
        2: ("active_slave", little),
        3: ("miimon", little),
        4: ("updelay", little),
        5: ("downdelay", little),
        28: ("peer_notify_delay", little),
        6: ("use_carrier", little),
        7: ("arp_interval", little),
        30: ("arp_missed_max", little),
        8: ("arp_ip_target", lambda value: addresses(value) or None),
        31: ("ns_ip6_target", lambda value: addresses(value) or None),
        9: ("arp_validate", worded(("none", "active", "backup", "all", "filter", "filter_active", "filter_backup"))),
        10: ("arp_all_targets", worded(("any", "all"), UNKNOWN)),
        11: ("primary", little),
        12: ("primary_reselect", worded(("always", "better", "failure"), UNKNOWN)),
        13: ("fail_over_mac", worded(("none", "active", "follow"), UNKNOWN)),
        14: ("xmit_hash_policy", worded(BOND_HASHES, UNKNOWN)),
        15: ("resend_igmp", little),
        16: ("num_peer_notif", little),
        17: ("all_slaves_active", little),
        18: ("min_links", little),
        19: ("lp_interval", little),
        20: ("packets_per_slave", little),
        29: ("ad_lacp_active", worded(("off", "on"), UNKNOWN)),
        21: ("ad_lacp_rate", worded(("slow", "fast"), UNKNOWN)),
        22: ("ad_select", worded(("stable", "bandwidth", "count"), UNKNOWN)),
        23: ("ad_info", lacp),
        24: ("ad_actor_sys_prio", little),
        25: ("ad_user_port_key", little),
        26: ("ad_actor_system", mac),
        27: ("tlb_dynamic_lb", little),
    },
    finish_bond,
    ("active_slave", "primary"),
)


def finish_bond_port(found: Found) -> Found:
    """The states of LACP as words beside their numbers."""
    for key in ("ad_actor_oper_port_state", "ad_partner_oper_port_state"):
        state = found.get(key)
        if isinstance(state, int):
            found[f"{key}_str"] = [word for bit, word in enumerate(BOND_PORT_BITS) if state >> bit & 1]
    return found


BOND_PORT = Details(
    {
        1: ("state", worded(("ACTIVE", "BACKUP"))),
        2: ("mii_status", worded(("UP", "GOING_DOWN", "DOWN", "GOING_BACK"))),
        3: ("link_failure_count", little),
        4: ("perm_hwaddr", mac),
        5: ("queue_id", little),
        9: ("prio", little),
        6: ("ad_aggregator_id", nonzero),
        7: ("ad_actor_oper_port_state", little),
        8: ("ad_partner_oper_port_state", little),
    },
    finish_bond_port,
)
