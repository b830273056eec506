"""Settings of the network stack (sysctl net.*): devices' from RTM_GETLINK of rtnetlink, others from /proc/sys/net."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

import numpy as np

from collectors.collector import Block, Collector, Raw
from collectors.draft import Draft
from collectors.host import Host
from collectors.netlink.dump import NETLINK_ROUTE, dump
from collectors.table import Column, Table
from collectors.wire.netlink import Messages, attribute, attribute_map, messages, text

# uapi linux/if_link.h: IFLA_AF_SPEC { AF_INET { IFLA_INET_CONF: s32[] }, AF_INET6 { IFLA_INET6_CONF: s32[] } }
RTM_NEWLINK, RTM_GETLINK = 16, 18
IFLA_IFNAME, IFLA_AF_SPEC, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS = 3, 26, 29, 1 << 3
AF_INET, AF_INET6 = 2, 10
IFLA_INET_CONF, IFLA_INET6_CONF = 1, 2
IFINFOMSG = 16
# place in the array: uapi linux/ip.h IPV4_DEVCONF_ minus one, linux/ipv6.h DEVCONF_
INET = {
    "forwarding": 0, "proxy_arp": 2, "accept_redirects": 3, "rp_filter": 7, "accept_source_route": 8,
    "log_martians": 10, "arp_filter": 12, "arp_announce": 17, "arp_ignore": 18, "promote_secondaries": 19,
    "arp_accept": 20, "accept_local": 22, "route_localnet": 25, "ignore_routes_with_linkdown": 28,
}  # fmt: skip
INET6 = {
    "forwarding": 0, "accept_ra": 3, "accept_redirects": 4, "autoconf": 5, "dad_transmits": 6, "proxy_ndp": 22,
    "disable_ipv6": 26, "accept_dad": 27, "ignore_routes_with_linkdown": 39,
}  # fmt: skip
DEVICES = {AF_INET: ("ipv4", IFLA_INET_CONF, INET), AF_INET6: ("ipv6", IFLA_INET6_CONF, INET6)}
NEIGH = tuple(f"{family}/neigh/default/gc_thresh{number}" for family in ("ipv4", "ipv6") for number in (1, 2, 3))
# below /proc/sys/net; Documentation/networking/ip-sysctl.rst, nf_conntrack-sysctl.rst, admin-guide/sysctl/net.rst
FILES = (
    *(f"core/{name}" for name in (
        "somaxconn", "netdev_max_backlog", "netdev_budget", "netdev_budget_usecs", "dev_weight", "rmem_default",
        "rmem_max", "wmem_default", "wmem_max", "optmem_max", "default_qdisc", "rps_sock_flow_entries",
        "flow_limit_cpu_bitmap", "flow_limit_table_len", "gro_normal_batch", "bpf_jit_enable",
    )),
    *(f"ipv4/{name}" for name in (
        "ip_forward", "ip_local_port_range", "ip_local_reserved_ports", "ip_nonlocal_bind", "icmp_echo_ignore_all",
        "icmp_ratelimit", "icmp_ratemask", "icmp_msgs_per_sec", "icmp_msgs_burst", "ipfrag_time",
        "ipfrag_high_thresh", "tcp_max_syn_backlog", "tcp_syncookies", "tcp_synack_retries", "tcp_syn_retries",
        "tcp_abort_on_overflow", "tcp_mem", "tcp_rmem", "tcp_wmem", "udp_mem", "udp_rmem_min", "udp_wmem_min",
        "tcp_max_orphans", "tcp_max_tw_buckets", "tcp_tw_reuse", "tcp_fin_timeout", "tcp_retries2", "tcp_timestamps",
        "tcp_sack", "tcp_window_scaling", "tcp_congestion_control", "tcp_mtu_probing", "tcp_challenge_ack_limit",
        "fib_multipath_hash_policy",
    )),
    *(f"ipv6/{name}" for name in ("ip6frag_time", "ip6frag_high_thresh", "icmp/echo_ignore_all", "icmp/ratelimit")),
    *(f"ipv4/conf/{scope}/{name}" for scope in ("all", "default") for name in INET),
    *(f"ipv6/conf/{scope}/{name}" for scope in ("all", "default") for name in INET6),
    *NEIGH,
    *(f"netfilter/{name}" for name in (
        "nf_conntrack_max", "nf_conntrack_buckets", "nf_conntrack_tcp_be_liberal", "nf_conntrack_tcp_loose",
        "nf_conntrack_tcp_timeout_established", "nf_conntrack_udp_timeout", "nf_conntrack_checksum",
    )),
)  # fmt: skip

COLUMNS = (
    Column("name", "text", "key", help="as sysctl spells it; a dot in a device's name is a slash"),
    Column("value", "text", "label", help="as the kernel tells it"),
    Column("number", "i8", "label", help="the value where it is one number"),
)


def read(host: Host) -> Iterator[Block]:
    """A block for the devices, and one for each file that this kernel and namespace have."""
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_SKIP_STATS))
    yield from dump(host, NETLINK_ROUTE, RTM_GETLINK, body, "devices")
    for path in FILES:
        with contextlib.suppress(OSError):
            yield Block(path, host.read(f"sys/net/{path}"))


def decode(raw: Raw) -> Table:
    """A row for each setting, devices' last."""
    found: dict[str, str] = {}
    devices: dict[str, str] = {}
    for item in raw:
        if not isinstance(item, Block):
            continue
        if item.part == "devices":
            devices.update(of_devices(messages(item.data).of(RTM_NEWLINK)))
        else:
            found[spelled(item.part)] = " ".join(text(bytes(item.data)).split())
    values = {**found, **devices}
    draft = Draft(COLUMNS, len(values))
    draft.cells("name", list(values))
    draft.cells("value", list(values.values()))
    numbers = [number(value) for value in values.values()]
    known = np.array([value is not None for value in numbers], np.bool_)
    draft.numbers("number", np.array([value or 0 for value in numbers], np.int64), known=known)
    return draft.table()


def spelled(path: str) -> str:
    return f"net.{path.replace('/', '.')}"


def of_devices(links: Messages) -> Iterator[tuple[str, str]]:
    """Settings of each device and family: struct ifinfomsg, then attributes."""
    for offset, length in zip(links.offsets.tolist(), links.lengths.tolist(), strict=True):
        held = attribute_map(links.data[offset + 16 + IFINFOMSG : offset + length].tobytes())
        device = text(held.get(IFLA_IFNAME, b"")).replace(".", "/")
        families = attribute_map(held.get(IFLA_AF_SPEC, b""))
        for family, (version, kind, names) in DEVICES.items():
            array = attribute_map(families.get(family, b"")).get(kind, b"")
            for name, place in names.items():
                if len(array) >= 4 * place + 4:
                    yield f"net.{version}.conf.{device}.{name}", str(struct.unpack_from("=i", array, 4 * place)[0])


def number(value: str) -> int | None:
    """The value, where it is one number that fits."""
    try:
        found = int(value)
    except ValueError:
        return None
    return found if -(1 << 63) <= found < 1 << 63 else None


SETTINGS = Collector("settings", COLUMNS, read, decode, "rtnetlink RTM_GETLINK, /proc/sys/net", every=10.0)
