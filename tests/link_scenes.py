"""Namespaces with a link of every kind that this kernel can make: for recording, and for parity with ip and ethtool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab import Namespace, namespace

HOSTILE_ALIAS = "\x1b]0;owned\x07[/red] \u202egnp.exe \N{SNOWMAN} " + "x" * 200


@contextmanager
def links() -> Iterator[Namespace]:
    """veth pairs (one into another namespace), bridges with ports, vxlan, macvlan, macvtap, ifb, tun, tap."""
    with namespace() as inside, namespace() as other:
        inside.ip(
            "link add veth0 type veth peer name veth1",
            f"link add away type veth peer name home netns {other.name}",
            "link add longest-name-15 numtxqueues 4 type veth peer name q",
            "link add br0 type bridge mcast_snooping 0 priority 4096",
            "link add br1 type bridge",
            "link set veth0 master br0",
            "link set veth0 type bridge_slave hairpin on isolated on cost 7 group_fwd_mask 16388",
            "link set q master br1",
            "link add vx0 type vxlan id 42 remote 192.0.2.1 local 192.0.2.2 dev veth1 dstport 4789",
            "link add vx1 type vxlan id 43 group 239.1.1.1 dev veth1 dstport 8472 ttl 5 nolearning l2miss proxy",
            "link add vx6 type vxlan id 44 remote 2001:db8::1 local 2001:db8::2 dstport 4789 ttl inherit tos 0x10",
            "link add vxe type vxlan external dstport 4790",
            "link add mv0 link veth1 type macvlan mode bridge",
            "link add mv1 link veth1 type macvlan mode source",
            "link add mvtap link veth1 type macvtap mode vepa",
            "link add ifb5 type ifb",
            "tuntap add tap0 mode tap user 0 group 0 multi_queue vnet_hdr",
            "tuntap add tun0 mode tun",
            "link property add dev veth0 altname first-further-name altname second",
            "link set veth1 alias left",
            "link set veth1 group 7 mtu 1400 txqueuelen 250",
            "link set veth0 up",
            "link set veth1 up promisc on",
            "link set br0 up",
            "link set q up",
            "link set away up",
            "link set vx0 master br0",
            "link set tun0 up",
        )
        inside.run("sysctl -q -w net.ipv6.conf.away.addr_gen_mode=1")
        other.ip("link set home up alias there")
        yield inside
