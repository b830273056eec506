"""Which header follows which, as the decoder by columns has it (collectors.wire.packets.decode)."""

from __future__ import annotations

from collections.abc import Callable

from nettui.packets.headers import application, link, network, transport, tunnels
from nettui.packets.headers.part import Part, Told

Layer = Callable[[Part], Told]


def raw(part: Part) -> Told:
    """IP without a link layer."""
    return {4: network.ipv4, 6: network.ipv6}.get(part.number(0, 1) >> 4, unknown)(part)


def unknown(part: Part) -> Told:
    return Told(part.node("", 0, 0), "", 0, part)


def marked(text: str) -> Layer:
    """A header of which only the name is told."""
    return lambda part: Told(part.node(text, 0, part.left()), "", 0, part.ahead(part.left()))


LAYERS: dict[tuple[str, int], Layer] = {
    ("link", 0): link.loopback, ("link", 1): link.ethernet, ("link", 12): raw, ("link", 101): raw,
    ("link", 108): link.loopback, ("link", 113): link.cooked, ("link", 228): network.ipv4,
    ("link", 229): network.ipv6, ("link", 276): link.cooked2,
    ("ether", 0x0800): network.ipv4, ("ether", 0x0806): network.arp, ("ether", 0x8035): network.arp,
    ("ether", 0x86DD): network.ipv6, ("ether", 0x8100): link.vlan, ("ether", 0x88A8): link.vlan,
    ("ether", 0x9100): link.vlan, ("ether", 0x88CC): marked("LLDP"), ("ether", 0x8847): marked("MPLS"),
    ("ether", 0x8864): marked("PPPoE"), ("ether", 0x8809): marked("LACP"), ("ether", 0x888E): marked("EAPOL"),
    ("llc", 0): link.llc, ("version", 4): network.ipv4, ("version", 6): network.ipv6,
    ("ip", 1): transport.icmp, ("ip", 2): marked("IGMP"), ("ip", 4): network.ipv4, ("ip", 6): transport.tcp,
    ("ip", 17): transport.udp, ("ip", 33): transport.dccp, ("ip", 41): network.ipv6, ("ip", 47): tunnels.gre,
    ("ip", 50): marked("ESP"), ("ip", 51): network.authentication, ("ip", 58): transport.icmp6,
    ("ip", 89): marked("OSPF"), ("ip", 103): marked("PIM"), ("ip", 112): marked("VRRP"), ("ip", 132): transport.sctp,
    ("ip", 136): transport.udplite,
    ("ip6", 0): network.extension, ("ip6", 43): network.extension, ("ip6", 44): network.fragment,
    ("ip6", 51): network.authentication6, ("ip6", 60): network.extension, ("ip6", 135): network.extension,
    ("udp", 53): application.dns, ("udp", 5353): application.dns, ("udp", 4789): tunnels.vxlan,
    ("udp", 8472): tunnels.vxlan, ("udp", 6081): tunnels.geneve, ("tcp", 53): application.dns_in_stream,
    ("tcp", 0): application.data,
}  # fmt: skip
LAYERS |= {("ip6", number): layer for (kind, number), layer in LAYERS.items() if kind == "ip" and number != 51}
