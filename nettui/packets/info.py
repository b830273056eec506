"""What a packet says, in a few words for a list: its flags and size, the name asked for, the first line of its text."""

from __future__ import annotations

import re
from collections.abc import Callable

from collectors.table import Column, Table
from collectors.values import Codes
from collectors.wire.packets.records import Records
from nettui.packets.line import ICMP, ICMPV6, TUNNEL, Told, about, by_protocol, cells, other, within
from nettui.packets.payload import TCP, UDP, payloads

BEGINNING = Column("beginning", "text", help="first line of what TCP or UDP carry, where it is text")
LOOKED_AT = 64  # bytes of a payload
WORDS = {"S": "SYN", "F": "FIN", "R": "RST", "P": "PSH", ".": "ACK", "U": "URG", "E": "ECE", "W": "CWR", "A": "AE"}
USUAL = 7  # letters of PSH ACK
TEXT = re.compile(rb"[ -~]{4,}")
# RFC 8446, appendix B.1: kinds of records, whose next byte is a version 3
TLS = {20: "change cipher spec", 21: "alert", 22: "handshake", 23: "application data"}


def infos(table: Table, records: Records) -> list[str]:
    """A text for each packet; ``records``: where the same packets stand."""
    carried = payloads(records, TCP, UDP, most=LOOKED_AT)
    first = [beginning(carried[row][0]) if row in carried else None for row in range(len(table))]
    return by_protocol(table.extended((BEGINNING,), {BEGINNING.name: Codes.of(first)}), TELLERS, apart)


def beginning(octets: bytes) -> str | None:
    if found := TEXT.match(octets):
        return found[0].decode("ascii")
    kind = TLS.get(octets[0]) if len(octets) > 5 and octets[1] == 3 else None
    return f"TLS {kind}" if kind else None


def tcp(table: Table) -> Told:
    wanted = ("flags", "payload", "window", "mss", "sack", "cut", "sni", "beginning")
    for flags, payload, window, mss, sack, cut, sni, text in cells(table, *wanted):
        if flags is None:
            yield f"cut off in {cut or 'TCP'}"
            continue
        words = " ".join(word for letter, word in WORDS.items() if letter in flags) or "no flags"
        parts = [f"{words:{USUAL}}"]
        if payload:
            parts.append(f"{payload} B")
        if "S" in flags:
            parts.append(f"win {window} mss {mss}" if mss is not None else f"win {window}")
        elif not window and "R" not in flags:
            parts.append("zero window")
        if sack:
            parts.append("SACK " + " ".join(f"{begin}-{end}" for begin, end in sack))
        parts += [f"ClientHello {sni}"] if sni else [text] if text else []
        yield "  ".join(parts).rstrip()


def udp(table: Table) -> Told:
    for payload, text in cells(table, "payload", "beginning"):
        yield "cut off in UDP" if payload is None else f"{payload} B  {text}" if text else f"{payload} B"


def dns(table: Table) -> Told:
    wanted = ("dns_id", "dns_name", "dns_type", "dns_rcode", "dns_answers", "payload")
    for number, name, kind, code, answers, size in cells(table, *wanted):
        if number is None:
            yield "cut off in DNS"
        elif name is None:
            yield f"{size} B, no question"
        elif code is None:
            yield f"{kind}? {name}"
        else:
            yield f"{kind} {name}  {f'{answers} answers' if code == 'NOERROR' else code}"


def icmp(table: Table) -> Told:
    wanted = ("family", "icmp_type", "icmp_code", "icmp_id", "icmp_seq", "icmp_mtu",
              "quoted_src", "quoted_sport", "quoted_dst", "quoted_dport", "quoted_proto")  # fmt: skip
    for family, kind, code, number, seq, mtu, *quoted in cells(table, *wanted):
        words = ICMP if family == "inet" else ICMPV6
        if kind is None:
            yield "cut off in ICMP"
            continue
        told = words.get((kind, code)) or words.get((kind, None)) or f"type {kind} code {code}"
        told += f"  id {number} seq {seq}" if number is not None else ""
        told += f"  mtu {mtu}" if mtu is not None else ""
        yield told + (f"  of {about(quoted)}" if quoted[0] else "")


def tunnel(table: Table) -> Told:
    for carrier, place, words in within(table):
        yield f"{carrier or 'IP in IP'}  {place.partition(' ')[2]} {words}"


def arp(table: Table) -> Told:
    for operation, sender, target, mac in cells(table, "arp_op", "src", "dst", "smac"):
        if operation == 1:
            yield f"who has {target}? tell {sender}"
        else:
            yield f"{sender} is at {mac}" if operation == 2 else f"operation {operation}"


def apart(table: Table) -> Told:
    """What has no words of its own: tcpdump's, without the addresses."""
    for text in other(table):
        yield text.partition(": ")[2] or text


TELLERS: dict[str, Callable[[Table], Told]] = {
    "TCP": tcp, "TLS": tcp, "UDP": udp, "DNS": dns, "ICMP": icmp, "ICMPv6": icmp, "ARP": arp, TUNNEL: tunnel,
}  # fmt: skip
