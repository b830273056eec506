"""ICMP (Icmp, IcmpMsg) and ICMPv6 (Icmp6): messages by type, and those that could not be read or sent."""

from __future__ import annotations

import re

from nettui.knowledge.entry import Counter
from nettui.knowledge.icmp_types import TYPES, TYPES6, Sign, Type
from nettui.knowledge.traffic import traffic

MESSAGE = re.compile(r"(IcmpMsg|Icmp6)\.(In|Out)Type(\d{1,3})")
SOURCES = {"Icmp": "net/ipv4/icmp.c, ", "Icmp6": "net/ipv6/icmp.c, "}
RATES = "sysctl net.ipv4.icmp_msgs_per_sec net.ipv4.icmp_msgs_burst  # messages a second, and at once"


def icmp_message(name: str) -> Counter | None:
    """The entry of "IcmpMsg.InType3", "Icmp6.OutType135" and the like, which the kernel shows only above zero."""
    match = MESSAGE.fullmatch(name)
    if match is None or int(match[3]) > 255:
        return None
    number = int(match[3])
    group = "Icmp6" if match[1] == "Icmp6" else "Icmp"
    known = (TYPES6 if group == "Icmp6" else TYPES).get(number) or Type(f"type {number}")
    named = (f"{group}.{match[2]}{known.word}",) if known.word else ()
    return message(name, group, match[2], known, named)


def message(name: str, group: str, way: str, known: Type, same: tuple[str, ...] = ()) -> Counter:
    """``way``: In or Out; ``same``: the counter that has the same messages by name, not by number."""
    received = way == "In"
    sign = known.received if received else known.sent
    family = "ICMPv6" if group == "Icmp6" else "ICMP"
    counts = f"{family} messages {'received' if received else 'sent'}: {known.message}."
    if sign is None:
        return Counter(name, "icmp", "rx" if received else "tx", "traffic", counts, "")
    return told(name, group, received, counts, sign, same)


def told(name: str, group: str, received: bool, counts: str, sign: Sign, same: tuple[str, ...]) -> Counter:
    functions = {
        ("Icmp", True): "icmp_rcv, icmp_unreach, icmp_redirect",
        ("Icmp", False): "icmp_out_count, __icmp_send",
        ("Icmp6", True): "icmpv6_rcv, icmpv6_notify",
        ("Icmp6", False): "icmp6_send",
    }
    return Counter(
        name=name,
        layer="icmp",
        direction="rx" if received else "tx",
        severity=sign.severity,
        counts=counts,
        cause=sign.cause,
        causes=sign.causes,
        remedies=sign.remedies,
        part_of=same,
        along=sign.along,
        source=SOURCES[group] + functions[group, received],
    )


# reasons under which one of the two alone throws messages away
REFUSED = {"Icmp": ("INVALID_PROTO", "UNHANDLED_PROTO"), "Icmp6": ("IPV6_BAD_EXTHDR",)}


def errors(group: str) -> tuple[Counter, ...]:
    """What ICMP and ICMPv6 count alike."""
    family, source = ("ICMPv6", SOURCES["Icmp6"]) if group == "Icmp6" else ("ICMP", SOURCES["Icmp"])
    capture = "icmp6" if group == "Icmp6" else "icmp"
    return (
        *traffic("icmp", group, "rx", {"InMsgs": f"{family} messages received, those with errors too."}),
        *traffic("icmp", group, "tx", {"OutMsgs": f"{family} messages sent."}),
        Counter(
            name=f"{group}.InErrors",
            layer="icmp",
            direction="rx",
            severity="noise",
            counts=f"{family} messages received that could not be used: wrong checksum, too short, "
            f"{'' if group == 'Icmp6' else 'of no known type, '}"
            "or an error about a connection or socket that is not here (any more).",
            cause="errors about connections that are gone",
            causes=(
                "an ICMP error that comes after its socket was closed: usual",
                "an ICMP error about a packet that this host did not send (forged source, NAT)",
                *(() if group == "Icmp6" else ("pings to broadcast or multicast addresses, which are ignored",)),
                "damaged messages: InCsumErrors moves too",
            ),
            remedies=(
                f"tcpdump -nvi any {capture}  # which, from whom, about which packet",
                f"nettui report protocols --where 'counter ~ \"^{group}[.]In\"'  # which type moves with it",
            ),
            reasons=("ICMP_CSUM", "PKT_TOO_SMALL", *REFUSED[group]),
            source=source
            + (
                "icmpv6_rcv, icmpv6_notify; net/ipv6/tcp_ipv6.c, tcp_v6_err; net/ipv6/udp.c, __udp6_lib_err"
                if group == "Icmp6"
                else "icmp_rcv, icmp_unreach; net/ipv4/tcp_ipv4.c, tcp_v4_err; net/ipv4/udp.c, __udp4_lib_err"
            ),
        ),
        Counter(
            name=f"{group}.InCsumErrors",
            layer="icmp",
            direction="rx",
            severity="loss",
            counts=f"{family} messages dropped because their checksum is wrong.",
            cause="damaged on the way, or by a faulty NAT",
            causes=("a device on the way that damages packets", "a NAT that changes addresses and not the checksum"),
            remedies=(f"tcpdump -nvi any {capture} | grep -i 'cksum\\|checksum'  # from whom",),
            part_of=(f"{group}.InErrors",),
            reasons=("ICMP_CSUM",),
            source=source + ("icmpv6_rcv" if group == "Icmp6" else "icmp_rcv"),
        ),
        Counter(
            name=f"{group}.OutErrors",
            layer="icmp",
            direction="tx",
            severity="loss",
            counts=f"{family} messages that the kernel could not make or send, for want of memory or buffer.",
            cause="no memory or buffer for the message",
            causes=("memory is short", "more messages wait in the kernel's own ICMP socket than its buffer holds"),
            remedies=("nettui report qdiscs --where 'drops > 0'  # a queue that is full below", "free -m"),
            source=source
            + (
                "icmp6_send, icmpv6_echo_reply; net/ipv6/ndisc.c, ndisc_send_skb"
                if group == "Icmp6"
                else "icmp_push_reply"
            ),
        ),
        Counter(
            name=f"{group}.OutRateLimitHost",
            layer="icmp",
            direction="tx",
            severity="refused",
            counts=f"{family} messages not sent because as many were sent to the same host just before.",
            cause="limit per destination (ratelimit)",
            causes=(
                "one host sends much that is answered by errors: closed ports, no route, TTL used up",
                "traceroute and mtr through this router: hops that seem to lose packets",
            ),
            remedies=(
                "sysctl net.ipv6.icmp.ratelimit net.ipv6.icmp.ratemask  # ms between messages to a host; types"
                if group == "Icmp6"
                else "sysctl net.ipv4.icmp_ratelimit net.ipv4.icmp_ratemask  # ms between messages to a host; types",
                f"tcpdump -nvi any {capture}  # what is still sent tells whose packets are at fault",
            ),
            since="6.3",
            source=source + ("icmpv6_xrlim_allow" if group == "Icmp6" else "icmpv4_xrlim_allow"),
        ),
    )


GLOBAL_LIMIT = Counter(
    name="Icmp.OutRateLimitGlobal",
    layer="icmp",
    direction="tx",
    severity="refused",
    counts="ICMP and ICMPv6 messages (both are counted here) not sent because as many were sent from here to all "
    "hosts together within the second.",
    cause="limit of all messages (icmp_msgs_per_sec)",
    causes=(
        "a scan or flood that is answered by errors: closed ports, no route, TTL used up",
        "a router whose neighbours went away: host unreachable for much traffic",
    ),
    remedies=(
        RATES,
        "tcpdump -nvi any 'icmp or icmp6'  # what is still sent tells whose packets are at fault",
        "sysctl -w net.ipv4.icmp_msgs_per_sec=N  # more answers to a flood",
    ),
    since="6.3",
    source="net/ipv4/icmp.c, icmpv4_global_allow; net/ipv6/icmp.c, icmpv6_global_allow",
)

ICMP = (
    *errors("Icmp"),
    GLOBAL_LIMIT,
    *errors("Icmp6"),
    *(
        message(f"{group}.{way}{known.word}", group, way, known)
        for group, types in (("Icmp", TYPES), ("Icmp6", TYPES6))
        for way in ("In", "Out")
        for known in types.values()
        if known.word
    ),
)
