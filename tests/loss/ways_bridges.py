"""Ways of losing packets in bridges, VXLAN and macvlan."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

from tests.loss import frames
from tests.loss.traffic import (
    COUNT,
    OTHER_MAC,
    PORT,
    RIGHT,
    address,
    catcher,
    caught,
    datagram_frame,
    datagrams,
    neighbours,
    packet_socket,
    script,
    sender,
)
from tests.loss.way import Lab, way

VXLAN_PORT, UNKNOWN = 4789, 0x88B5
KNOWN = f"neighbour add 10.5.0.1 lladdr {OTHER_MAC.hex(':')} dev vx0 nud permanent"
BEYOND = bytes.fromhex("0200000000bb")  # a MAC address behind the bridge's other port


def bridge(lab: Lab, *more: str, details: str = "") -> None:
    """br0 of the right namespace, between right0 and far1, whose other end is left's far0."""
    lab.right.ip(
        f"link add br0 type bridge mcast_snooping 0 {details}",
        f"link add far1 type veth peer name far0 netns {lab.left.name}",
        "link set right0 master br0",
        "link set far1 master br0",
        "link set br0 up",
        "link set far1 up",
        *more,
    )
    lab.left.ip("link set far0 up")


def across(lab: Lab, to: bytes = BEYOND, of: bytes | None = None, size: int = 100) -> Callable[[], int]:
    """Frames into the bridge at right0, none of which comes out of far0."""
    wire, end = packet_socket(lab, lab.left, "left0"), packet_socket(lab, lab.left, "far0", frames.IPV4)
    frame = datagram_frame(to, of or address(lab.left, "left0"), size=size)

    def lose() -> int:
        for _ in range(COUNT):
            wire.send(frame)
        assert caught(end) == 0
        return COUNT

    return lose


def port(lab: Lab, *settings: str) -> None:
    """Settings of ports that have their carrier: its coming sets a port forwarding."""
    until = time.monotonic() + 3
    while "state disabled" in lab.right.run("bridge link show") and time.monotonic() < until:
        time.sleep(0.01)
    lab.right.run(*(f"bridge link set dev {setting}" for setting in settings))


@way("bridge", None, reason="BRIDGE_INGRESS_STP_STATE")
def disabled_port(lab: Lab) -> Callable[[], int]:
    bridge(lab)
    port(lab, "right0 state 0")
    return across(lab)


@way("bridge", None, reason="BRIDGE_INGRESS_STP_STATE")
def port_that_still_listens(lab: Lab) -> Callable[[], int]:
    """A port is not used before the spanning tree has listened for 15 seconds."""
    bridge(lab, details="stp_state 1")
    return across(lab)


@way("bridge", None, reason="NO_TX_TARGET")
def isolated_ports(lab: Lab) -> Callable[[], int]:
    bridge(lab)
    port(lab, "right0 isolated on", "far1 isolated on")
    return across(lab)


@way("bridge", None, reason="NO_TX_TARGET")
def unknown_address_not_flooded(lab: Lab) -> Callable[[], int]:
    bridge(lab)
    port(lab, "far1 flood off")
    return across(lab)


@way("bridge", None, reason="NOT_SPECIFIED")
def back_to_the_port_it_came_from(lab: Lab) -> Callable[[], int]:
    bridge(lab)
    lab.right.run(f"bridge fdb add {BEYOND.hex(':')} dev right0 master static")
    return across(lab)


@way("bridge", None, reason="NOT_SPECIFIED")
def locked_port(lab: Lab) -> Callable[[], int]:
    bridge(lab)
    port(lab, "right0 learning off", "right0 locked on")
    return across(lab, of=OTHER_MAC)


@way("bridge", None, reason="NOT_SPECIFIED")
def bridge_port_takes_smaller_packets(lab: Lab) -> Callable[[], int]:
    """Not IP, which bridge-nf would cut into fragments."""
    bridge(lab, "link set far1 mtu 1000")
    wire, end = packet_socket(lab, lab.left, "left0"), packet_socket(lab, lab.left, "far0", UNKNOWN)
    frame = frames.ethernet(BEYOND, address(lab.left, "left0"), UNKNOWN, b"x" * 1200)

    def lose() -> int:
        for _ in range(COUNT):
            wire.send(frame)
        assert caught(end) == 0
        return COUNT

    return lose


@way("bridge", None, reason="MAC_INVALID_SOURCE")
def multicast_address_as_source(lab: Lab) -> Callable[[], int]:
    bridge(lab)
    return across(lab, of=b"\3" + bytes(5))


@way("netfilter", "rule.drop", scope="bridge lost forward", reason="NETFILTER_DROP")
def nft_rule_of_the_bridge(lab: Lab) -> Callable[[], int]:
    bridge(lab)
    script(
        lab.right,
        "add table bridge lost\nadd chain bridge lost forward { type filter hook forward priority 0; }\n"
        f"add rule bridge lost forward udp dport {PORT} counter drop\n",
    )
    return across(lab)


@way("netfilter", "rule.drop", scope="FORWARD", reason="NETFILTER_DROP")
def ebtables_rule(lab: Lab) -> Callable[[], int]:
    bridge(lab)
    lab.right.run(f"ebtables -A FORWARD -d {BEYOND.hex(':')} -j DROP")
    return across(lab)


def tunnel(lab: Lab, *more: str, details: str = "id 7") -> None:
    """vx0 of the right namespace, which takes VXLAN packets."""
    lab.right.ip(
        f"link add vx0 type vxlan {details} dstport {VXLAN_PORT} local {RIGHT} nolearning",
        "address add 10.5.0.2/24 dev vx0",
        "link set vx0 address 02:00:00:00:00:cc",
        "link set vx0 up",
        *more,
    )


def wrapped(lab: Lab, vni: int = 7, flags: int = 8, outer: int = 0, of: bytes = OTHER_MAC) -> Callable[[], int]:
    """VXLAN packets with a datagram for 10.5.0.2, none of which is caught. ``outer``: the outer header's TOS."""
    neighbours(lab)
    inner = frames.ipv4("10.5.0.1", "10.5.0.2", frames.UDP, frames.udp("10.5.0.1", "10.5.0.2", PORT))
    frame = frames.ethernet(bytes.fromhex("0200000000cc"), of, frames.IPV4, inner)
    out, end = sender(lab), catcher(lab, "10.5.0.2")
    out.setsockopt(0, 1, outer)  # IP_TOS

    def lose() -> int:
        for _ in range(COUNT):
            out.sendto(struct.pack("!II", flags << 24, vni << 8) + frame, (RIGHT, VXLAN_PORT))
        assert caught(end) == 0
        return COUNT

    return lose


@way("tunnel", None, reason="VXLAN_VNI_NOT_FOUND")
def network_that_nobody_has(lab: Lab) -> Callable[[], int]:
    tunnel(lab)
    return wrapped(lab, vni=8)


@way("tunnel", None, reason="VXLAN_INVALID_HDR")
def header_without_a_network(lab: Lab) -> Callable[[], int]:
    tunnel(lab)
    return wrapped(lab, flags=0)


@way("device", "rtnl_link_stats64.rx_frame_errors", scope="vx0", reason="IP_TUNNEL_ECN")
def congestion_mark_that_must_not_be(lab: Lab) -> Callable[[], int]:
    tunnel(lab)
    return wrapped(lab, outer=3)


@way("tunnel", None, reason="LOCAL_MAC")
def own_address_as_source(lab: Lab) -> Callable[[], int]:
    tunnel(lab)
    return wrapped(lab, of=bytes.fromhex("0200000000cc"))


@way("device", "rtnl_link_stats64.tx_dropped", scope="vx0", reason="NO_TX_TARGET")
def no_remote_known(lab: Lab) -> Callable[[], int]:
    tunnel(lab, KNOWN)
    return through_tunnel(lab)


@way("device", "rtnl_link_stats64.tx_carrier_errors", scope="vx0", reason="IP_OUTNOROUTES")
def no_route_to_the_remote(lab: Lab) -> Callable[[], int]:
    tunnel(lab, KNOWN, details="id 7 remote 10.4.0.1")
    return through_tunnel(lab)


@way("device", "rtnl_link_stats64.collisions", scope="vx0", reason="IP_OUTNOROUTES")
def routed_into_itself(lab: Lab) -> Callable[[], int]:
    tunnel(
        lab,
        KNOWN,
        "route add 10.4.0.0/24 dev vx0",
        details="id 7 remote 10.4.0.1",
    )
    return through_tunnel(lab)


def through_tunnel(lab: Lab) -> Callable[[], int]:
    """Datagrams of the right namespace into its tunnel, nothing of which comes to the left one."""
    out, end = catcher(lab, "10.5.0.2"), packet_socket(lab, lab.left, "left0", frames.IPV4)

    def lose() -> int:
        datagrams(out, to="10.5.0.1")
        assert caught(end) == 0
        return COUNT

    return lose


@way("device", "rtnl_link_stats64.rx_otherhost_dropped", scope="right0", reason="OTHERHOST")
def macvlan_that_is_down(lab: Lab) -> Callable[[], int]:
    lab.right.ip(
        "link add mv0 link right0 address 02:00:00:00:00:dd type macvlan mode bridge",
        "link set mv0 up",
        "link set right0 promisc on",
        "link set mv0 down",
    )
    wire, end = packet_socket(lab, lab.left, "left0"), catcher(lab)
    frame = datagram_frame(bytes.fromhex("0200000000dd"), address(lab.left, "left0"))

    def lose() -> int:
        for _ in range(COUNT):
            wire.send(frame)
        assert caught(end) == 0
        return COUNT

    return lose
