"""Fragments of IP packets, IPv4's and IPv6's alike: reassembly here, and packets too big for the next device."""

from __future__ import annotations

from nettui.knowledge.entry import Counter
from nettui.knowledge.traffic import traffic

SOURCE = "net/ipv4/ip_fragment.c and net/ipv6/reassembly.c, "
FRAGMENTS = {
    "Ip": "tcpdump -ni any 'ip[6:2] & 0x3fff != 0'  # the fragments, and which are missing",
    "Ip6": "tcpdump -ni any 'ip6[6] == 44'  # the fragments, and which are missing",
}
LIMITS = {
    "Ip": "sysctl net.ipv4.ipfrag_high_thresh net.ipv4.ipfrag_time; grep FRAG /proc/net/sockstat  # bytes, s; in use",
    "Ip6": "sysctl net.ipv6.ip6frag_high_thresh net.ipv6.ip6frag_time; grep FRAG /proc/net/sockstat6  # bytes, s; used",
}
RAISE = {
    "Ip": "sysctl -w net.ipv4.ipfrag_high_thresh=BYTES  # per namespace; memory that a flood of fragments may take",
    "Ip6": "sysctl -w net.ipv6.ip6frag_high_thresh=BYTES  # per namespace; memory that a flood of fragments may take",
}
SMALLER = "nettui report links --columns ifname,mtu,master,link  # devices with a smaller MTU: tunnels, bridge ports"


def reassembly(group: str) -> tuple[Counter, ...]:
    fails = f"{group}.ReasmFails"
    icmp = "Icmp6" if group == "Ip6" else "Icmp"
    return (
        *traffic(
            "ip",
            group,
            "rx",
            {
                "ReasmReqds": "Fragments received that were to be put together here.",
                "ReasmOKs": "Packets put together from their fragments.",
            },
        ),
        Counter(
            name=fails,
            layer="ip",
            direction="rx",
            severity="loss",
            counts="Times that putting a packet together was given up: fragments missing, overlapping, too many at "
            "once, or no memory. Not the number of fragments.",
            cause="fragments lost, or reassembly memory full",
            causes=(
                "a fragment was lost on the way: ReasmTimeout moves by the same number",
                "more fragments wait than the reassembly memory holds (high_thresh): ReasmTimeout stands still",
                "fragments that overlap, or a sender whose IP ids wrap faster than its fragments arrive",
            ),
            remedies=(FRAGMENTS[group], LIMITS[group], RAISE[group]),
            reasons=("FRAG_REASM_TIMEOUT", *(("FRAG_TOO_FAR",) if group == "Ip" else ()), "NOT_SPECIFIED"),
            source=SOURCE + "ip_defrag, ip_frag_queue, ip_frag_too_far, ip_frag_reasm, ip_expire; ip6_frag_queue",
        ),
        Counter(
            name=f"{group}.ReasmTimeout",
            layer="ip",
            direction="rx",
            severity="loss",
            counts="Packets given up because not all of their fragments came in time (30 s, IPv6 60 s).",
            cause="a fragment of each was lost on the way",
            causes=(
                "loss on the way: one lost fragment loses the whole packet",
                "a firewall or load balancer that passes only first fragments",
                "fragments of one packet that take different ways to different hosts (ECMP)",
            ),
            remedies=(
                FRAGMENTS[group],
                "ping -c 3 -M do -s 1472 PEER  # the largest packet that passes whole; smaller ones avoid fragments",
            ),
            part_of=(fails,),
            along=(f"{icmp}.OutTimeExcds",),
            reasons=("FRAG_REASM_TIMEOUT",),
            source="net/ipv4/ip_fragment.c, ip_expire; include/net/ipv6_frag.h, ip6frag_expire_frag_queue",
        ),
    )


def fragmentation(group: str) -> tuple[Counter, ...]:
    icmp = "Icmp6.OutPktTooBigs" if group == "Ip6" else "Icmp.OutDestUnreachs"
    told = "packet too big" if group == "Ip6" else "fragmentation needed"
    return (
        *traffic(
            "ip",
            group,
            "tx",
            {
                "FragOKs": "Packets cut into fragments for sending.",
                "FragCreates": "Fragments made for sending.",
            },
        ),
        Counter(
            name=f"{group}.FragFails",
            layer="ip",
            direction="tx",
            severity="loss",
            counts="Packets too big for the device they were to leave by, and not to be cut into fragments: dropped, "
            f"and the sender told (ICMP {told}).",
            cause="larger than the MTU of the next device",
            causes=(
                "forwarded into a tunnel, VPN or link with a smaller MTU; usual once for each new path",
                "moves on and on: the sender does not get the ICMP, or does not heed it (a path MTU black hole)",
                "a process here that sends datagrams larger than the MTU and forbids fragments",
            ),
            remedies=(
                SMALLER,
                "ip route get PEER  # the path MTU that is known, if smaller",
                "nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu  # forwarded TCP "
                "agrees on smaller segments",
            ),
            along=(icmp,),
            reasons=("PKT_TOO_BIG",),
            source="net/ipv4/ip_forward.c, ip_forward; net/ipv4/ip_output.c, ip_fragment; net/ipv6/ip6_output.c, "
            "ip6_forward, ip6_xmit, ip6_fragment",
        ),
    )
