"""Packets as lines, in the words of `tcpdump -nS`: written a protocol at a time, since they are many."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.table import Table
from collectors.values import Cell
from nettui.packets.flows import end_words, port_words
from nettui.rates import as_words, mixed

NANO = 1_000_000_000
DIGITS = np.array([10**power for power in (8, 7, 6, 5, 4, 3)])  # of nanoseconds: those that are told
ENDED = ("family", "src", "sport", "dst", "dport", "vlan")
ENDS: tuple[tuple[str, Callable[[Table, str], NDArray[np.uint64]]], ...] = (
    ("src", end_words), ("dst", end_words), ("sport", port_words), ("dport", port_words), ("vlan", port_words),
)  # fmt: skip
ICMP_HEADER = 8  # bytes, which tcpdump counts in the length
ETHERNET, COOKED, COOKED2, VLAN = 14, 16, 20, 4  # bytes of link layer headers, which it does not count
Rows = NDArray[np.intp]
Told = Iterator[str]
TUNNEL = "in a tunnel"
GENEVE = 6081  # port
FAMILY = {"inet": "IP", "inet6": "IP6"}
WAYS = {"in": "In", "out": "Out", "broadcast": "B", "multicast": "M", "otherhost": "P"}  # in tcpdump's words
NO_MAC = "00:00:00:00:00:00"
ARP = {  # RFC 826, 903, 2390: operations on hardware (ha) and network (pa) addresses of sender (s) and target (t)
    1: "Request who-has {tpa}{known} tell {spa}", 2: "Reply {spa} is-at {sha}",
    3: "Reverse Request who-is {tha} tell {sha}", 4: "Reverse Reply {tha} at {tpa}",
    8: "Inverse Request who-is {tha} tell {sha}", 9: "Inverse Reply {sha} at {spa}",
}  # fmt: skip
# uapi linux/icmp.h, linux/icmpv6.h: type, and (type, code), in tcpdump's words
ICMP: dict[tuple[int, int | None], str] = {
    (0, None): "echo reply", (8, None): "echo request", (11, 0): "time exceeded in-transit",
    (11, 1): "ip reassembly time exceeded", (3, 0): "net unreachable", (3, 1): "host unreachable",
    (3, 2): "protocol unreachable", (3, 3): "port unreachable", (3, 4): "unreachable - need to frag",
    (3, 9): "net unreachable - admin prohibited", (3, 10): "host unreachable - admin prohibited",
    (3, 13): "admin prohibited filter", (5, 0): "redirect to net", (5, 1): "redirect to host",
}  # fmt: skip
ICMPV6: dict[tuple[int, int | None], str] = {
    (128, None): "echo request", (129, None): "echo reply", (1, 0): "unreachable route",
    (1, 1): "unreachable prohibited", (1, 3): "unreachable address", (1, 4): "unreachable port",
    (2, None): "packet too big", (3, 0): "time exceeded in-transit", (133, None): "router solicitation",
    (134, None): "router advertisement", (135, None): "neighbor solicitation", (136, None): "neighbor advertisement",
    (137, None): "redirect", (131, None): "multicast listener report", (143, None): "multicast listener report v2",
}  # fmt: skip


def lines(table: Table) -> list[str]:
    """A line for each packet, without its end."""
    heads = zip(clock(table.numbers("time").numbers), places(table), strict=True)
    texts = by_protocol(table, TELLERS, other)
    return [f"{stamp} {place}{text}" for (stamp, place), text in zip(heads, texts, strict=True)]


def places(table: Table) -> list[str]:
    """Device and direction, where each packet tells its own."""
    if not table["ifindex"].present().any():
        return [""] * len(table)
    return [
        "" if number is None else f"{name or f'ifindex {number}':5} {WAYS.get(way, '?'):3} "
        for number, name, way in cells(table, "ifindex", "dev", "direction")
    ]


def by_protocol(
    table: Table, tellers: Mapping[str, Callable[[Table], Told]], other: Callable[[Table], Told]
) -> list[str]:
    """A text for each packet, by the teller of its protocol; ``other``: of those that have none."""
    told: list[str] = [""] * len(table)
    kinds = table.codes("protocol")
    tunneled = table["inner_family"].present()
    chosen = [(str(name), (kinds.codes == code) & ~tunneled) for code, name in [(-1, None), *enumerate(kinds.pool)]]
    for protocol, those in [(TUNNEL, tunneled), *chosen]:
        rows = np.flatnonzero(those)
        if len(rows):
            part = table if len(rows) == len(table) else table.take(rows)
            for row, text in zip(rows.tolist(), tellers.get(protocol, other)(part), strict=True):
                told[row] = text
    return told


def clock(times: NDArray[np.int64]) -> list[str]:
    """Local time of day with microseconds, as tcpdump writes it."""
    seconds, rest = np.divmod(times, NANO)
    known, which = np.unique(seconds, return_inverse=True)
    heads = np.array([time.strftime("%H:%M:%S.", time.localtime(second)) for second in known.tolist()], "<U9")
    letters = np.empty((len(times), 15), np.uint32)  # of one text each
    letters[:, :9] = heads.view(np.uint32).reshape(-1, 9)[which]
    letters[:, 9:] = rest[:, None] // DIGITS % 10 + ord("0")
    found: list[str] = letters.view("<U15").ravel().tolist()
    return found


def cells(table: Table, *names: str) -> Iterable[tuple[Any, ...]]:
    """Cells of these columns, row by row."""
    return zip(*(table[name].cells() for name in names), strict=True)


def ends(table: Table) -> list[str]:
    """IP 10.0.0.1.53 > 10.0.0.2.4000: the protocol, the addresses with their ports, VLAN before them.

    Packets are of fewer flows than they are: each flow's words are made once.
    """
    words = [as_words(table.codes("family").codes), *(words_of(table, name) for name, words_of in ENDS)]
    _, first, which = np.unique(mixed(np.hstack(words)), return_index=True, return_inverse=True)
    told = np.array(ends_each(table.select(ENDED).take(first)), object)
    found: list[str] = told[which].tolist()
    return found


def ends_each(table: Table) -> list[str]:
    told = []
    for family, src, sport, dst, dport, vlan in cells(table, "family", "src", "sport", "dst", "dport", "vlan"):
        before = "" if vlan is None else f"vlan {vlan}, "
        name = FAMILY.get(family, family)
        told.append(
            f"{before}{name} {src} > {dst}:" if sport is None else f"{before}{name} {src}.{sport} > {dst}.{dport}:"
        )
    return told


def tcp(table: Table) -> Told:
    wanted = ("flags", "seq", "ack", "window", "payload", "cut")
    for place, options, (flags, seq, ack, window, payload, short) in zip(
        ends(table), tcp_options(table), cells(table, *wanted), strict=True
    ):
        if flags is None:
            yield f"{place} [|{short or 'tcp'}]"
            continue
        size = payload or 0
        numbers = (
            ""
            if seq is None or (not size and flags == ".")
            else f" seq {seq}:{seq + size},"
            if size
            else f" seq {seq},"
        )
        answer = f" ack {ack}," if "." in flags else ""
        yield f"{place} Flags [{flags or 'none'}],{numbers}{answer} win {window},{options} length {size}"


def tcp_options(table: Table) -> list[str]:
    found = []
    for mss, sack_ok, sack, value, echo, scale in cells(table, "mss", "sack_ok", "sack", "tsval", "tsecr", "wscale"):
        words = []
        if mss is not None:
            words.append(f"mss {mss}")
        if sack_ok:
            words.append("sackOK")
        if value is not None:
            words.append(f"TS val {value} ecr {echo}")
        if scale is not None:
            words.append(f"wscale {scale}")
        if sack:
            words.append(f"sack {len(sack)} " + "".join("{" + f"{block[0]}:{block[1]}" + "}" for block in sack))
        found.append(f" options [{','.join(words)}]," if words else "")
    return found


def udp(table: Table) -> Told:
    for place, (payload,) in zip(ends(table), cells(table, "payload"), strict=True):
        yield f"{place} UDP, length {payload}" if payload is not None else f"{place} [|udp]"


def dns(table: Table) -> Told:
    wanted = ("dns_id", "dns_name", "dns_type", "dns_flags", "dns_rcode", "dns_answers", "payload")
    for place, (number, name, kind, flags, code, answers, size) in zip(ends(table), cells(table, *wanted), strict=True):
        if number is None:
            yield f"{place} [|domain]"
        elif name is None:  # no question
            yield f"{place} {number} ({size})"
        elif code is None:
            yield f"{place} {number}{'+' * ('rd' in flags)}{'%' * ('cd' in flags)} {kind}? {name}. ({size})"
        else:
            result = "" if code == "NOERROR" else f" {code}"
            result += "*" * ("aa" in flags) + "-" * ("ra" not in flags) + "|" * ("tc" in flags) + "$" * ("ad" in flags)
            yield f"{place} {number}{result} {answers}/ {kind}? {name}. ({size})"


def icmp(table: Table) -> Told:
    wanted = ("family", "icmp_type", "icmp_code", "icmp_id", "icmp_seq", "icmp_mtu", "payload",
              "quoted_src", "quoted_sport", "quoted_dst", "quoted_dport", "quoted_proto")  # fmt: skip
    for place, row in zip(ends(table), cells(table, *wanted), strict=True):
        family, kind, code, number, seq, mtu, size, *quoted = row
        name, words = ("ICMP", ICMP) if family == "inet" else ("ICMP6", ICMPV6)
        if kind is None:
            yield f"{place} [|{name.lower()}]"
            continue
        told = words.get((kind, code)) or words.get((kind, None)) or f"type {kind} code {code}"
        more = f", id {number}, seq {seq}" if number is not None else ""
        more += f" (mtu {mtu})" if mtu is not None else ""
        more += f", of {about(quoted)}" if quoted[0] else ""
        yield f"{place} {name} {told}{more}" + ("" if size is None else f", length {size + ICMP_HEADER}")


def about(quoted: Sequence[Cell]) -> str:
    """The packet that an ICMP error is about."""
    src, sport, dst, dport, protocol = quoted
    return f"{src} > {dst} {protocol}" if sport is None else f"{src}.{sport} > {dst}.{dport} {protocol}"


def tunnel(table: Table) -> Told:
    """The packet inside, behind the ends of the tunnel."""
    for place, (carrier, *inside), (size,) in zip(ends(table), within(table), cells(table, "length"), strict=True):
        words = [place, *([f"{carrier}:"] if carrier else []), *inside]
        yield f"{' '.join(words)}, length {size}"


def within(table: Table) -> Iterator[tuple[str, str, str]]:
    """Of packets in a tunnel: what carries them, from where to where they go inside, and what they are."""
    wanted = ("inner_family", "inner_src", "inner_sport", "inner_dst", "inner_dport", "inner_proto", "inner_flags",
              "inner_seq", "inner_icmp_type", "inner_icmp_code")  # fmt: skip
    carriers = cells(table, "proto", "dport", "vni", "gre_key")
    for carrier, row in zip(carriers, cells(table, *wanted), strict=True):
        family, src, sport, dst, dport, proto, flags, seq, kind, code = row
        place = f"{src} > {dst}:" if sport is None else f"{src}.{sport} > {dst}.{dport}:"
        words = ICMP if family == "inet" else ICMPV6
        told = words.get((kind, code)) or words.get((kind, None), "") if kind is not None else ""
        more = f" {told}" if told else "" if flags is None else f" Flags [{flags or 'none'}], seq {seq}"
        yield carried_by(*carrier), f"{FAMILY.get(family, family)} {place}", f"{proto or 'packet'}{more}"


def carried_by(proto: str, dport: int | None, vni: int | None, key: int | None) -> str:
    """ "" where the one header follows the other."""
    if vni is not None:
        return f"{'Geneve' if dport == GENEVE else 'VXLAN'} vni {vni}"
    return "" if proto != "gre" else "GRE" if key is None else f"GRE key {key}"


def arp(table: Table) -> Told:
    wanted = ("length", "ifindex", "direction", "vlan", "inner_vlan")
    for operation, (length, number, way, *vlans) in zip(resolutions(table), cells(table, *wanted), strict=True):
        size = length - (COOKED2 if number is not None else COOKED if way is not None else ETHERNET)
        size -= VLAN * sum(vlan is not None for vlan in vlans)
        yield f"ARP, {operation}, length {size}" if operation else "[|arp]"


def resolutions(table: Table) -> Told:
    """What is asked and answered by ARP, RARP and InARP; "" where that is cut off."""
    wanted = ("arp_op", "arp_sha", "src", "arp_tha", "dst", "cut")
    for operation, hardware, sender, target_hardware, target, short in cells(table, *wanted):
        named = f"operation {operation}"
        known = "" if target_hardware == NO_MAC else f" ({target_hardware})"
        if sender is None:
            yield "" if short else f"{named} on other addresses than IPv4's"
        else:
            told = ARP.get(operation, named)
            yield told.format(sha=hardware, spa=sender, tha=target_hardware, tpa=target, known=known)


def other(table: Table) -> Told:
    """What has no words of its own: the addresses where there are some, the protocol, its size."""
    wanted = ("protocol", "src", "proto", "fragment", "smac", "dmac", "ethertype", "length", "cut")
    for place, row in zip(ends(table), cells(table, *wanted), strict=True):
        protocol, src, carried, fragment, source, target, kind, size, short = row
        if src is not None:
            piece = "" if fragment is None else f" frag at {fragment}"
            yield f"{place} {protocol if carried is None else carried}{piece}, length {size}"
        elif source is not None:
            yield f"{source} > {target}, ethertype 0x{kind or 0:04x}, length {size}"
        else:
            yield f"{short or protocol or 'packet'}, length {size}"


TELLERS: dict[str, Callable[[Table], Told]] = {
    "TCP": tcp, "TLS": tcp, "UDP": udp, "DNS": dns, "ICMP": icmp, "ICMPv6": icmp, "ARP": arp, "RARP": arp,
    TUNNEL: tunnel,
}  # fmt: skip
