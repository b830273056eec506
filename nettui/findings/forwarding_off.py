"""Forwarding is off, and address translation, containers or tunnels need it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collectors.table import Table
from collectors.values import IPV4, Addresses
from nettui.findings.finding import Diagnosis, Finding, Severity, Tables, number
from nettui.findings.rows import Row, addressed, counted, equals, has, is_one_of, listed, picked, settings

IP_FORWARD = "net.ipv4.ip_forward"
CONTAINERS = ("KUBE-", "DOCKER-", "CNI-", "FLANNEL-", "NETAVARK", "cali-", "CILIUM_")
OVERLAYS = ("vxlan", "geneve")  # of other tunnels a host is as often the end as the way through
HOST_ROUTE = 32  # prefix length of a route to one IPv4 address
PORTS = ("veth", "tun")  # kinds of a container's or virtual machine's port


def find(tables: Tables) -> Iterator[Finding]:
    known = settings(tables)
    if known.get(IP_FORWARD) != 0 or any(
        value and name.startswith("net.ipv4.conf.") and name.endswith(".forwarding") and ".default." not in name
        for name, value in known.items()
    ):
        return
    links = tables["links"]
    nets = [*behind(links, addressed(tables)), *pods(tables)]
    others = has(links, "UP") & ~has(links, "LOOPBACK") & equals(links, "ifindex", addressed(tables))
    translating, chains = translations(tables), by_chains(tables)
    if not (((nets or translating) and int(others.sum()) > 1) or (translating and chains)):
        return
    severity: Severity = "error" if nets and translating else "warning" if chains or translating else "note"
    yield told(severity, nets, translating, chains)


def told(severity: Severity, nets: list[Row], translating: int, chains: set[str]) -> Finding:
    names = [f"{row['ifname']} ({row['kind']})" for row in nets]
    why = [f"{listed(names, 3)} leads to networks of its own" if len(names) == 1 else
           f"{listed(names, 3)} lead to networks of their own"] if names else []  # fmt: skip
    why += [f"translation of addresses waits for such packets ({counted(translating, 'rule')})"] if translating else []
    return Finding(
        severity,
        "IPv4 forwarding",
        f"forwarding is off, so that no packet passes through this host, and {' and '.join(why)}",
        (
            f"settings: {IP_FORWARD} 0",
            *([f"links: {listed(names)}"] if names else []),
            *([f"netfilter: {counted(translating, 'rule')} with dnat, snat or masquerade"] if translating else []),
            *([f"netfilter: chains {listed(sorted(chains))}"] if chains else []),
        ),
        (
            f"sysctl -a -r '{IP_FORWARD}|ipv4.conf.*.forwarding'  # all of them; what set them is in /etc/sysctl.d",
            f"sysctl -w {IP_FORWARD}=1  # changes the host: it routes between all its networks, so filter first",
        ),
        "links" if nets else "netfilter",
        "kind in (bridge, veth, vxlan, geneve)" if nets else "verdict in (dnat, snat, masquerade)",
    )


def behind(links: Table, with_address: set[int]) -> list[Row]:
    """Devices that have an address, are up and lead to networks that only this host can reach for others.

    A bridge with a port of other kinds than a container's is a network that reaches out without this host's routes.
    """
    masters = links.numbers("master_index")
    ports = is_one_of(links, "kind", *PORTS) & masters.present()
    outward = masters.numbers[masters.present() & ~is_one_of(links, "kind", *PORTS)]
    inward = np.setdiff1d(masters.numbers[ports], outward)
    bridge = is_one_of(links, "kind", "bridge") & equals(links, "ifindex", inward.tolist())
    overlay = is_one_of(links, "kind", *OVERLAYS) & ~masters.present()
    found = (bridge | overlay) & has(links, "UP") & equals(links, "ifindex", with_address)
    rows = list(picked(links, found, "ifindex", "ifname", "kind"))
    return sorted(rows, key=lambda row: (row["kind"] != "bridge", number(row, "ifindex")))


def pods(tables: Tables) -> list[Row]:
    """veth devices that single hosts in other namespaces are routed to, where there are several."""
    if "routes" not in tables:
        return []
    links, routes = tables["links"], tables["routes"]
    dst = routes["dst"]
    assert isinstance(dst, Addresses)
    single = is_one_of(routes, "type", "unicast") & is_one_of(routes, "scope", "link") & (dst.form == IPV4)
    single &= dst.prefix >= HOST_ROUTE if dst.prefix is not None else single
    reached = set(routes.numbers("oif").numbers[single & routes["oif"].present()].tolist())
    away = is_one_of(links, "kind", "veth") & links["link_netnsid"].present() & ~links["master_index"].present()
    rows = list(picked(links, away & has(links, "UP") & equals(links, "ifindex", reached), "ifindex", "ifname", "kind"))
    return rows if len(rows) > 1 else []


def translations(tables: Tables) -> int:
    """Rules that change the addresses of IPv4 packets which this host passes on."""
    if "netfilter" not in tables:
        return 0
    table = tables["netfilter"]
    nat = is_one_of(table, "verdict", "dnat", "masquerade", "snat") & is_one_of(table, "family", "ip", "inet")
    return int(nat.sum())


def by_chains(tables: Tables) -> set[str]:
    """Chains that container engines make."""
    if "netfilter" not in tables:
        return set()
    return {str(name) for name in tables["netfilter"].codes("chain").pool if str(name).startswith(CONTAINERS)}


FORWARDING_OFF = Diagnosis(
    "forwarding_off", "forwarding is off and something needs it", ("settings", "links", "addresses"), find,
    ("netfilter", "routes"),
)  # fmt: skip
