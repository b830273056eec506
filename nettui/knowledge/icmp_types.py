"""Types of ICMP and ICMPv6 messages: what each says, and what it means when many come or go."""

from __future__ import annotations

from typing import NamedTuple

from nettui.knowledge.entry import Severity


class Sign(NamedTuple):
    """What messages of a type are a sign of, in one direction; fields as in Counter."""

    severity: Severity
    cause: str
    causes: tuple[str, ...]
    remedies: tuple[str, ...]
    along: tuple[str, ...] = ()


class Type(NamedTuple):
    """``word``: what the kernel calls it behind In and Out ("DestUnreachs"), "" where it has a number only."""

    message: str
    word: str = ""
    received: Sign | None = None
    sent: Sign | None = None


def unreachable(version6: bool) -> Type:
    them = "tcpdump -nvi any 'icmp6[0] == 1'" if version6 else "tcpdump -nvi any 'icmp[0] == 3'"
    too_big = () if version6 else ("fragmentation needed: a smaller MTU on the way, usual for each new path",)
    along: tuple[str, ...]
    if version6:
        along = ("Udp6.NoPorts", "Ip6.InNoRoutes", "rule.reject")
    else:
        along = ("Udp.NoPorts", "IpExt.InNoRoutes", "rule.reject", "Ip.InUnknownProtos", "Ip.FragFails")
    return Type(
        "destination unreachable",
        "DestUnreachs",
        Sign(
            "warning",
            "another host says: not delivered",
            (
                "port unreachable: the service on the other host is down",
                "host unreachable: it does not answer ARP or neighbour discovery, or does not exist",
                "net unreachable or prohibited: a router has no route, or a firewall rejects",
                *too_big,
            ),
            (f"{them}  # who says so, the code, and the packet it is about",),
        ),
        Sign(
            "refused",
            "told a sender: not delivered",
            (
                "port unreachable: nothing listens on the UDP port",
                "no route, or an unreachable or prohibit route",
                "a rule with reject",
                "host unreachable: a neighbour does not answer",
                *too_big,
            ),
            (
                f"{them}  # to whom, the code, and the packet it is about",
                "nettui report sockets --where 'netid udp and state unconn' --columns src,sport,process  # who listens",
            ),
            along,
        ),
    )


def exceeded(version6: bool) -> Type:
    them = "tcpdump -nvi any 'icmp6[0] == 3'" if version6 else "tcpdump -nvi any 'icmp[0] == 11'"
    ip = "Ip6" if version6 else "Ip"
    return Type(
        "time exceeded",
        "TimeExcds",
        Sign(
            "warning",
            "a packet from here died of its TTL on the way",
            ("a traceroute or mtr from here: usual", "a routing loop on the way", "a fragment that did not arrive"),
            (
                f"{them}  # which router, and the packet it is about",
                "mtr -n DST  # two routers that take turns: a loop",
            ),
        ),
        Sign(
            "warning",
            "told a sender: TTL used up, or fragments missing",
            (
                "a traceroute through this router: usual",
                "a routing loop",
                "fragments of a packet that did not all come",
            ),
            (f"{them}  # to whom, and the packet it is about",),
            (f"{ip}.InHdrErrors", f"{ip}.ReasmTimeout"),
        ),
    )


def problem(version6: bool) -> Type:
    them = "tcpdump -nvi any 'icmp6[0] == 4'" if version6 else "tcpdump -nvi any 'icmp[0] == 12'"
    look = (f"{them}  # who, and the packet it is about",)
    along = ("Ip6.InHdrErrors", "Ip6.InUnknownProtos") if version6 else ()
    return Type(
        "parameter problem",
        "ParmProblems" if version6 else "ParmProbs",
        Sign(
            "warning",
            "another host does not take a header from here",
            ("an extension header or IP option that it does not know", "packets made by hand"),
            look,
        ),
        Sign(
            "refused",
            "told a sender: header not understood",
            ("an unknown next header, extension header or option", "malformed packets, a scan"),
            look,
            along,
        ),
    )


def redirect(version6: bool) -> Type:
    them = "tcpdump -nvi any 'icmp6[0] == 137'" if version6 else "tcpdump -nvi any 'icmp[0] == 5'"
    conf = "net.ipv6.conf" if version6 else "net.ipv4.conf"
    return Type(
        "redirect",
        "Redirects",
        Sign(
            "warning",
            "a router says: use another router",
            ("a route here names the wrong gateway of two in one network", "an attack on the routing of this host"),
            (
                f"{them}  # which router, for which destination",
                f"sysctl {conf}.all.accept_redirects  # 1: taken, for as long as the route is cached",
            ),
        ),
        Sign(
            "warning",
            "told a sender: use another router",
            ("hosts send here what the next router in their own network could take directly",),
            (
                f"{them}  # to whom, for which destination",
                "ip route get DST from SRC iif DEV  # leaves by the device it came by: the sender's route is at fault",
            ),
        ),
    )


TOO_BIG = Type(
    "packet too big",
    "PktTooBigs",
    Sign(
        "warning",
        "a smaller MTU on the way; packet to be sent again",
        ("a tunnel or link with a smaller MTU on the way: usual for each new path",),
        (
            "tcpdump -nvi any 'icmp6[0] == 2'  # which router, which MTU",
            "ip -6 route get DST  # the path MTU that is known now",
        ),
    ),
    Sign(
        "refused",
        "told a sender: larger than the next MTU",
        ("forwarded into a tunnel, VPN or link with a smaller MTU",),
        (
            "tcpdump -nvi any 'icmp6[0] == 2'  # to whom, which MTU",
            "nettui report links --columns ifname,mtu,master,link  # devices with a smaller MTU",
        ),
        ("Ip6.InTooBigErrors", "Ip6.FragFails"),
    ),
)
QUENCH = Type(
    "source quench",
    "SrcQuenchs",
    Sign(
        "noise",
        "obsolete; not heeded",
        ("a very old router, or an attack: Linux ignores it (RFC 6633)",),
        ("tcpdump -nvi any 'icmp[0] == 4'  # from whom",),
    ),
)

TYPES = {
    0: Type("echo reply (the answer to a ping)", "EchoReps"),
    3: unreachable(version6=False),
    4: QUENCH,
    5: redirect(version6=False),
    8: Type("echo request (a ping)", "Echos"),
    9: Type("router advertisement"),
    10: Type("router solicitation"),
    11: exceeded(version6=False),
    12: problem(version6=False),
    13: Type("timestamp request", "Timestamps"),
    14: Type("timestamp reply", "TimestampReps"),
    17: Type("address mask request", "AddrMasks"),
    18: Type("address mask reply", "AddrMaskReps"),
    42: Type("extended echo request (PROBE)"),
    43: Type("extended echo reply (PROBE)"),
}
TYPES6 = {
    1: unreachable(version6=True),
    2: TOO_BIG,
    3: exceeded(version6=True),
    4: problem(version6=True),
    128: Type("echo request (a ping)", "Echos"),
    129: Type("echo reply (the answer to a ping)", "EchoReplies"),
    130: Type("multicast listener query", "GroupMembQueries"),
    131: Type("multicast listener report", "GroupMembResponses"),
    132: Type("multicast listener done", "GroupMembReductions"),
    133: Type("router solicitation", "RouterSolicits"),
    134: Type("router advertisement", "RouterAdvertisements"),
    135: Type("neighbour solicitation (IPv6's ARP request)", "NeighborSolicits"),
    136: Type("neighbour advertisement (IPv6's ARP reply)", "NeighborAdvertisements"),
    137: redirect(version6=True),
    143: Type("multicast listener report, version 2", "MLDv2Reports"),
    160: Type("extended echo request (PROBE)"),
    161: Type("extended echo reply (PROBE)"),
}
