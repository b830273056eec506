"""Network states that parity tests compare with the peers and that fixtures are recorded from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab import Namespace, joined_pair


@contextmanager
def addresses() -> Iterator[Namespace]:
    """Primaries with secondaries in two subnets, a peer, lifetimes, labels, and IPv6 with a temporary address."""
    with joined_pair() as (left, right):
        left.run("sysctl -qw net.ipv6.conf.left0.use_tempaddr=2 net.ipv4.conf.all.promote_secondaries=0")
        left.ip(
            "address add 10.9.0.3/24 dev left0",
            "address add 10.8.0.1/16 broadcast 10.8.255.255 dev left0",
            "address add 10.9.0.4/24 dev left0 label left0:four",
            "address add 10.8.7.1/16 dev left0",
            "address add 10.9.0.5/25 dev left0 metric 77",
            "address add 10.7.0.1 peer 10.7.0.2/32 dev left0",
            "address add 10.6.0.1/24 dev left0 scope link valid_lft 3000 preferred_lft 2000",
            "address add 10.6.0.2/24 dev left0 scope link valid_lft 3000 preferred_lft 0",
            "address add fd08::1/64 dev left0 valid_lft 3000 preferred_lft 2000 mngtmpaddr",
            "address add fd07::1 peer fd07::2 dev left0 nodad noprefixroute",
            "address add fd06::1/64 dev left0 home nodad valid_lft 3000 preferred_lft 0",
            "link add held0 type veth peer name held1",
            "address add fd05::1/64 dev held0",
        )
        right.ip("address add fd08::2/64 dev right0 nodad")
        yield left


RULES = (
    "priority 500 from 10.0.0.0/8 to 10.9.0.7 table 100",
    "priority 501 from 10.1.2.3 to 10.64.0.0/10 table 100 protocol static",
    "priority 502 not from 10.0.0.0/8 fwmark 0x10 table 7000",
    "priority 503 fwmark 0x10/0x30 table main realms 3/7",
    "priority 504 iif lo oif left0 table 100 protocol bgp",
    "priority 505 iif absent0 table 100",
    "priority 506 oif absent0 table 100",
    "priority 507 uidrange 1000-2000 ipproto tcp sport 1024-2048 dport 443 table 100",
    "priority 508 ipproto udp sport 53 dport 5000-6000 table 100",
    "priority 509 ipproto 250 table 100",
    "priority 510 l3mdev",
    "priority 511 table main suppress_prefixlength 0",
    "priority 512 table main suppress_ifgroup default",
    "priority 513 tun_id 77 table 100",
    "priority 514 from 10.3.0.0/16 goto 600",
    "priority 515 goto 700",
    "priority 516 from 10.4.0.0/16 prohibit",
    "priority 517 from 10.5.0.0/16 blackhole",
    "priority 518 from 10.6.0.0/16 unreachable",
    "priority 519 tos 0x10 table 100 realms 9",
    "priority 520 fwmark 0/0xff table 7000",
    "priority 600 nop",
)
RULES6 = (
    "priority 500 from fd00::/16 to fd01::1 iif left0 table 100",
    "priority 501 not to fd02::/32 fwmark 0xff/0xff ipproto tcp dport 22 table 7000",
    "priority 502 from fd04::/16 uidrange 0-0 tos 4 table local suppress_prefixlength 64 protocol 99",
    "priority 503 from fd03::3 prohibit",
)


@contextmanager
def rules() -> Iterator[Namespace]:
    """Policy rules of every selector and action."""
    with joined_pair() as (left, _):
        left.ip(*(f"rule add {rule}" for rule in RULES))
        left.run(*(f"ip -6 rule add {rule}" for rule in RULES6))
        yield left


NEXTHOPS = (
    "id 1 via 10.9.0.2 dev left0",
    "id 2 via 10.9.0.3 dev left0 protocol bgp",
    "id 3 group 1,5/2",
    "id 4 via fd09::2 dev left0 onlink",
    "id 5 blackhole",
    "id 6 group 1/2 type resilient buckets 8 idle_timer 60 unbalanced_timer 300",
    "id 7 via 10.9.0.9 fdb",
    "id 8 group 7 fdb",
    "id 9 encap ip id 5 dst 1.2.3.4 ttl 7 via 10.9.0.2 dev left0",
    "id 10 dev left0",
)
ROUTES = (
    "20.1.0.0/16 via 10.9.0.2 mtu 1400",
    "20.2.0.0/16 via 10.9.0.2 mtu lock 1400 rtt 100 rttvar 20 rto_min 5 congctl cubic window 9 cwnd 3 initcwnd 10"
    " initrwnd 11 advmss 1000 hoplimit 9 quickack 1 features ecn reordering 5 ssthresh 7",
    "20.3.0.0/16 realm 3/5 via 10.9.0.2",
    "20.4.0.0/16 realm 5 via 10.9.0.2",
    "20.5.0.0/16 via inet6 fd09::2 dev left0",
    "20.6.0.0/16 nhid 3",
    "20.7.0.0/16 encap ip id 100 dst 10.9.0.5 ttl 5 tos 3 via 10.9.0.2",
    "20.8.0.0/16 nexthop via 10.9.0.2 weight 3 realm 4 nexthop via inet6 fd09::3 dev left0 weight 2",
    "20.9.0.0/16 nexthop via 10.9.0.2 dev left0 weight 256 nexthop via 9.9.9.9 dev left0 onlink",
    "20.10.0.0/16 via 9.9.9.9 dev left0 onlink",
    "20.11.0.0/16 tos 0x10 via 10.9.0.2",
    "20.12.0.0/16 via 10.9.0.2 protocol 99 table 5000",
    "20.13.0.0/16 encap ip6 id 7 dst fd09::7 hoplimit 4 dev left0",
    "20.14.0.0/16 encap seg6 mode encap segs fd09::8,fd09::9 dev left0",
    "20.15.0.0/16 dev left0 src 10.9.0.1 metric 4000000000 congctl lock cubic",
    "20.16.0.0/16 via 10.9.0.2 protocol bird scope global table 4000000000",
    "20.17.0.0/16 nexthop encap ip id 8 dst 10.9.0.5 via 10.9.0.2 dev left0 nexthop via 10.9.0.3 dev left0",
    "blackhole 20.20.0.0/16 metric 1",
    "prohibit 20.20.0.0/16 metric 2",
    "unreachable 20.20.0.0/16 metric 3",
    "throw 20.20.0.0/16 metric 4 table 5000",
    "multicast 239.0.0.0/8 dev left0",
    "local 20.21.0.0/16 dev lo",
    "default via 10.9.0.2",
)
ROUTES6 = (
    "fd20:1::/32 via fd09::2 expires 3000",
    "fd20:2::/32 via fd09::2 pref high",
    "fd20:3::/32 via fd09::2 pref low metric 9 protocol bgp",
    "fd20:4::/32 nexthop via fd09::2 weight 2 nexthop via fd09::3",
    "fd20:5::/32 from fd09::/64 via fd09::2",
    "fd20:6::/32 nhid 4",
    "fd20:7::/32 encap ip6 id 7 dst fd09::7 hoplimit 4 tc 5 dev left0",
    "fd20:8::/32 encap seg6 mode inline segs fd09::8,fd09::9 dev left0",
    "fd20:9::/32 encap seg6local action End dev left0",
    "fd20:10::/32 via fd09::2 mtu 1300 hoplimit 3 table 5000",
    "fd20:11::/32 encap seg6local action End.X nh6 fd09::9 dev left0",
    "blackhole fd21::/16 metric 1",
    "prohibit fd21::/16 metric 2",
    "unreachable fd21::/16 metric 3",
    "throw fd21::/16 metric 4",
    "default via fd09::2",
)


@contextmanager
def nexthops() -> Iterator[Namespace]:
    """Nexthop objects: plain, groups, resilient, for VXLAN, blackhole, with a tunnel."""
    with joined_pair() as (left, _):
        left.run(*(f"ip nexthop add {hop}" for hop in NEXTHOPS))
        yield left


@contextmanager
def routes() -> Iterator[Namespace]:
    """Routes of every kind that iproute2 can add without loading a module."""
    with nexthops() as left:
        left.run(*(f"ip route add {route}" for route in ROUTES), *(f"ip -6 route add {route}" for route in ROUTES6))
        yield left


@contextmanager
def neighbours() -> Iterator[Namespace]:
    """ARP, NDP and proxy entries in several states, a bridge and VXLAN entries."""
    with joined_pair() as (left, _):
        left.run("ping -c 1 10.9.0.2", "ping -c 1 fd09::2")
        left.ip(
            "neighbour add 10.9.0.7 lladdr 02:00:00:00:00:07 dev left0 nud permanent",
            "neighbour add 10.9.0.8 lladdr 02:00:00:00:00:08 dev left0 nud stale protocol bird",
            "neighbour add 10.9.0.9 dev left0 nud failed",
            "neighbour add fd09::7 lladdr 02:00:00:00:00:07 dev left0 nud permanent router",
            "neighbour add fd09::8 lladdr 02:00:00:00:00:08 dev left0 extern_learn nud reachable",
            "neighbour add proxy 10.9.0.99 dev left0",
            "neighbour add proxy fd09::99 dev left0 protocol bgp",
            "link add bridge0 type bridge",
            "link add port0 type veth peer name port1",
            "link set port0 master bridge0",
            "link add vx0 type vxlan id 42 dstport 4789 remote 10.9.0.2 dev left0",
            "link add vx1 type vxlan external dstport 4790",
            "link add vx6 type vxlan id 43 dstport 4791 remote fd09::2 dev left0",
            "nexthop add id 7 via 10.9.0.9 fdb",
            "nexthop add id 8 group 7 fdb",
            "link set bridge0 up",
            "link set port0 up",
            "link set vx0 up",
        )
        for entry in (
            "fdb add 02:00:00:00:01:01 dev port0 master static",
            "fdb add 02:00:00:00:01:02 dev port0 master dynamic extern_learn",
            "fdb add 02:00:00:00:01:03 dev port0 master static sticky",
            "fdb append 02:00:00:00:02:01 dev vx0 dst 10.9.0.3 port 8472 vni 99 via left0",
            "fdb append 02:00:00:00:02:02 dev vx6 dst fd09::3 dynamic",
            "fdb append 02:00:00:00:02:03 dev vx1 dst 10.9.0.4 src_vni 1000 vni 2000",
            "fdb add 02:00:00:00:02:04 dev vx0 nhid 8",
        ):
            left.run(f"bridge {entry}")
        yield left


@contextmanager
def qdiscs() -> Iterator[Namespace]:
    """htb with leaves, tbf with and without a peak rate, mq, fifos, clsact, a shared ingress block; and traffic."""
    with joined_pair() as (left, right):
        left.ip("link add more0 type veth peer name more1", "link set more0 up", "link set more1 up")
        left.ip("link add queues0 numtxqueues 3 type veth peer name queues1", "link set queues0 up")
        for command in (
            "qdisc add dev left0 root handle 1: htb default 20 r2q 500",
            "class add dev left0 parent 1: classid 1:1 htb rate 100mbit ceil 200mbit",
            "class add dev left0 parent 1:1 classid 1:20 htb rate 10mbit ceil 100mbit prio 3 overhead 8 mpu 64",
            "class add dev left0 parent 1:1 classid 1:30 est 1sec 8sec htb rate 40gbit quantum 60000",
            "qdisc add dev left0 parent 1:20 handle 20: tbf rate 5mbit burst 10k latency 50ms peakrate 8mbit mtu 1600",
            "qdisc add dev left0 clsact",
            "qdisc add dev more0 root handle 8: tbf rate 1mbit burst 5k limit 3k",
            "qdisc add dev more0 ingress_block 5 ingress",
            "qdisc add dev more1 root handle 9: est 1sec 4sec bfifo limit 10000",
            "qdisc add dev lo root handle 7: pfifo_head_drop limit 30",
            "qdisc add dev queues0 root handle 4: mq",
            "qdisc add dev queues0 parent 4:2 handle 5: pfifo limit 7",
        ):
            left.run(f"tc {command}")
        left.run("ping -c 23 -f -q 10.9.0.2")
        right.ip("link set lo down")
        yield left
