"""Arguments of iptables without an extension: addresses, interfaces, protocols, fragments, jumps and gotos."""

from __future__ import annotations

BOTH = """
-j ACCEPT
-j DROP
-j RETURN
-j QUEUE
-j own
-g own

-i lo -j ACCEPT
-i eth+ -j ACCEPT
-i + -j ACCEPT
-i a.b -j ACCEPT
-i 123456789012345 -j ACCEPT
-i 12345678901234+ -j ACCEPT
! -i lo -j ACCEPT
! -i eth+ -g own
-p tcp -j ACCEPT
-p udp
! -p tcp -j DROP
! -p icmp
-p 47 -j ACCEPT
-p 250 -j ACCEPT
-p sctp
-p esp
-p ah
-p gre
-p ospf
-p all -j ACCEPT
-i lo -p tcp -m tcp --dport 80 -m comment --comment all -j own
"""
V4 = """
-s 10.0.0.1 -j ACCEPT
-s 10.0.0.0/8 -j ACCEPT
-s 10.1.0.0/16 -d 10.2.0.0/16
-s 10.1.1.0/24 -j DROP
-s 10.0.0.0/9
-s 10.1.1.4/30
-s 128.0.0.0/1
-s 0.0.0.0/0 -j ACCEPT
-s 0.0.0.0/255.0.255.0
-s 10.0.1.0/255.0.255.0 -j ACCEPT
-d 10.0.0.1/0.0.0.255
! -s 10.0.0.1 -j DROP
! -d 10.0.0.0/8 -j DROP
! -d 10.0.0.0/255.0.0.255 -j DROP
! -s 10.0.0.0/8 ! -d 10.0.0.0/8 ! -i lo ! -p tcp -j own
-f -j DROP
! -f -j ACCEPT
-s 10.0.0.1 -f -p udp
-p icmp -s 10.0.0.1 -d 255.255.255.255 -j ACCEPT
"""
V6 = """
-s fd00::1 -j ACCEPT
-s fd00::/8 -j ACCEPT
-s fd00::/64 -d fd01::/65
-s fd00::/127
-s ::/0 -j ACCEPT
-s ::ffff:10.0.0.1
-s ::1/128 -j ACCEPT
-d fd00::1/ffff::ffff
! -s fd00::1 -j DROP
! -d fd00::/16 -j DROP
! -d ff02::fb/ff0f::ff
-p ipv6-icmp -j ACCEPT
-p 58
-p 0
-p ipv6-route
"""
FORWARD = """
-i eth0 -o eth1 -j ACCEPT
-o eth+ -j ACCEPT
! -o eth0 -j own
! -i eth0 ! -o eth+ -g own
-o +
"""


def rules(family: int) -> list[tuple[str, str, str]]:
    """(table, chain, arguments) for NFPROTO 2 (ip) or 10 (ip6); the chain ``own`` must be there."""
    lines = [("INPUT", line) for line in (BOTH + (V4 if family == 2 else V6)).splitlines()[1:]]
    forwarded = [("FORWARD", line) for line in FORWARD.splitlines()[1:]]
    return [("filter", chain, line) for chain, line in (*lines, *forwarded)]
