"""From a row of any panel to a capture of its packets: the device, and libpcap's filter. Only checked values get in."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from collectors.values import Cell

ANY = "any"
Row = Mapping[str, Cell]
# words of libpcap for the names that ip, ss and conntrack use
PROTOCOLS = {
    "tcp": "tcp", "udp": "udp", "sctp": "sctp", "mptcp": "tcp", "icmp": "icmp", "icmpv6": "icmp6",
    "ipv6-icmp": "icmp6", "udplite": "(ip proto 136 or ip6 proto 136)", "dccp": "(ip proto 33 or ip6 proto 33)",
}  # fmt: skip
OF_SOCKETS = ("tcp", "udp", "sctp", "mptcp", "udplite", "dccp")
WITH_PORTS = ("tcp", "udp", "sctp", "mptcp")  # of which libpcap's `port` is; with others no packet would pass
GROUPS = {
    "Udp": "udp", "Udp6": "udp", "UdpLite": PROTOCOLS["udplite"], "UdpLite6": PROTOCOLS["udplite"], "Tcp": "tcp",
    "TcpExt": "tcp", "MPTcpExt": "tcp", "Icmp": "icmp", "IcmpMsg": "icmp", "Icmp6": "icmp6", "Ip": "ip", "IpExt": "ip",
    "Ip6": "ip6", "Sctp": "sctp", "neigh": "arp or icmp6", "arp_cache": "arp", "ndisc_cache": "icmp6",
    "synproxy": "tcp",
}  # fmt: skip


class Wanted(NamedTuple):
    """``expression``: "" for all packets of the device."""

    device: str
    expression: str


def wanted(panel: str, row: Row) -> Wanted | None:
    """What to capture for a row; None where it stands for no packets."""
    teller = TELLERS.get(panel)
    expression = teller(row) if teller else None
    device = device_of(row)
    if expression is None or (expression == "" and not device):
        return None
    return Wanted(device or ANY, expression)


def device_of(row: Row) -> str:
    device = row.get("dev") or row.get("ifname")
    return device if isinstance(device, str) else ""


def socket(row: Row) -> str | None:
    netid = str(row.get("netid"))
    if netid in ("p_raw", "p_dgr"):
        return ""
    if netid not in OF_SOCKETS:
        return None
    return every(PROTOCOLS[netid], *ends(row, netid))


def connection(row: Row) -> str | None:
    """As it came, and as NAT made it: on either side of that the packets look otherwise."""
    found = dict.fromkeys(tuple_of(row, before) for before in ("", "reply_"))
    told = [text for text in found if text]
    return None if not told else told[0] if len(told) == 1 else " or ".join(f"({text})" for text in told)


def tuple_of(row: Row, before: str) -> str:
    """ "" without an address: a protocol alone would be all of it."""
    proto = str(row.get("proto"))
    found = every(*ends(row, proto, before))
    return every(PROTOCOLS.get(proto, ""), found) if "host " in found else ""


def route(row: Row) -> str | None:
    network = str(row.get("dst"))
    if network == "default":
        return ""
    return net(network) or None


def address(row: Row) -> str | None:
    return host(row, "local") or None


def neighbour(row: Row) -> str | None:
    """Its packets, and those that look for it; by its MAC on a device only, as `any` has no Ethernet header."""
    if own := host(row, "dst"):
        return own
    octets = str(row.get("lladdr") or row.get("mac") or "")
    return f"ether host {octets}" if MAC.fullmatch(octets) and device_of(row) else None


def service(row: Row) -> str | None:
    proto = str(row.get("proto"))
    number = port(row, "port") if proto in WITH_PORTS else ""
    return every(PROTOCOLS.get(proto, ""), host(row, "address"), number) or None


def rule(row: Row) -> str | None:
    return every(net(str(row.get("from", ""))), net(str(row.get("to", "")))) or None


def flow(row: Row) -> str | None:
    """Of packets and flows that were captured."""
    return tuple_of(row, "") or None


def counter(row: Row) -> str | None:
    """Of its protocol; of a device alone, all."""
    group = str(row.get("counter", "")).partition(".")[0]
    return GROUPS.get(group, "" if row.get("dev") else None)


def everything(row: Row) -> str | None:
    return ""


TELLERS: Mapping[str, Callable[[Row], str | None]] = {
    "sockets": socket, "conntrack": connection, "expectations": connection, "routes": route, "addresses": address,
    "neighbours": neighbour, "links": everything, "qdiscs": everything, "classes": everything, "services": service,
    "rules": rule, "drops": counter, "protocols": counter, "nexthops": lambda row: host(row, "gateway") or None,
    "capture": flow,
}  # fmt: skip
MAC = re.compile("[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)


def every(*terms: str) -> str:
    return " and ".join(dict.fromkeys(term for term in terms if term))


def host(row: Row, name: str) -> str:
    """ "" for none, and for an address that stands for all."""
    text = str(row.get(name, "")).partition("%")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return "" if found.is_unspecified else f"host {found}"


def net(text: str) -> str:
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return ""
    return f"net {found}" if found.prefixlen else ""


def port(row: Row, name: str) -> str:
    number = row.get(name)
    return f"port {number}" if isinstance(number, int) and 0 < number < 65536 else ""


def ends(row: Row, proto: str, before: str = "") -> Iterator[str]:
    """Addresses, and the ports that libpcap knows."""
    for address, number in (("src", "sport"), ("dst", "dport")):
        yield host(row, before + address)
        if proto in WITH_PORTS:
            yield port(row, before + number)
