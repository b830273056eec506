"""What a packet says, in a few words for a list: its flags and size, the name asked for, the first line of its text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from collectors.table import Column, Table
from collectors.values import Codes
from collectors.wire.packets.records import Records
from nettui.packets.judged import MISSING, RETRANS
from nettui.packets.line import ICMP, ICMPV6, TUNNEL, Told, about, by_protocol, cells, other, resolutions, within
from nettui.packets.payload import TCP, UDP, payloads

BEGINNING = Column("beginning", "text", help="first line of what TCP or UDP carry, where it is text")
# (family, type): ICMP errors, RFC 792 and RFC 4443
EXPIRED = (("inet", 11), ("inet6", 3))
UNREACHABLE = (("inet", 3), ("inet6", 1))
FRAGMENT_NEEDED, TOO_BIG = ("inet", 3, 4), ("inet6", 2)
LOOKED_AT = 64  # bytes of a payload
WORDS = {"S": "SYN", "F": "FIN", "R": "RST", "P": "PSH", ".": "ACK", "U": "URG", "E": "ECE", "W": "CWR", "A": "AE"}
USUAL = 7  # letters of PSH ACK
TEXT = re.compile(rb"[ -~]{4,}")
# RFC 8446, appendix B.1: kinds of records, whose next byte is a version 3
TLS = {20: "change cipher spec", 21: "alert", 22: "handshake", 23: "application data"}


def infos(table: Table, records: Records) -> list[str]:
    """A text for each packet, behind a sign; ``records``: where the same packets stand."""
    carried = payloads(records, TCP, UDP, most=LOOKED_AT)
    first = [beginning(carried[row][0]) if row in carried else None for row in range(len(table))]
    texts = by_protocol(table.extended((BEGINNING,), {BEGINNING.name: Codes.of(first)}), TELLERS, apart)
    fragments = table["fragment"].cells()
    return [
        f"{sign} {text}{'' if fragment != 0 else '  first fragment'}"
        for sign, text, fragment in zip(signs(table), texts, fragments, strict=True)
    ]


def signs(table: Table) -> Iterator[str]:
    """``!`` it was lost, or another before it; ``x`` it refuses; ``~`` it is worth a look; else a space."""
    wanted = (RETRANS, MISSING, "flags", "window", "family", "icmp_type", "icmp_code", "dns_rcode")
    for again, missing, flags, window, family, kind, code, answer in cells(table, *wanted):
        if again or missing or (family, kind) in EXPIRED:
            yield "!"
        elif (flags is not None and "R" in flags) or answer == "REFUSED":
            yield "x"
        elif (family, kind) in UNREACHABLE:
            yield "~" if (family, kind, code) == FRAGMENT_NEEDED else "x"
        elif answer not in (None, "NOERROR") or (family, kind) == TOO_BIG or (flags in (".", "P.") and not window):
            yield "~"
        else:
            yield " "


def beginning(octets: bytes) -> str | None:
    if found := TEXT.match(octets):
        return found[0].decode("ascii")
    kind = TLS.get(octets[0]) if len(octets) > 5 and octets[1] == 3 else None
    return f"TLS {kind}" if kind else None


def tcp(table: Table) -> Told:
    wanted = ("flags", "payload", "window", "mss", "sack", "cut", "sni", "beginning", RETRANS, MISSING)
    for flags, payload, window, mss, sack, cut, sni, text, again, missing in cells(table, *wanted):
        if flags is None:
            yield f"cut off in {cut or 'TCP'}"
            continue
        words = " ".join(word for letter, word in WORDS.items() if letter in flags) or "no flags"
        told = (
            f"{words:{USUAL}}",
            "sent again or late" if again else "",
            f"{missing} B missing before" if missing else "",
            f"{payload} B" if payload else "",
            f"win {window}" + ("" if mss is None else f" mss {mss}") if "S" in flags else "",
            "zero window" if flags in (".", "P.") and not window else "",
            "SACK " + " ".join(f"{begin}-{end}" for begin, end in sack) if sack else "",
            f"ClientHello {sni}" if sni else text or "",
        )
        yield "  ".join(part for part in told if part).rstrip()


def udp(table: Table) -> Told:
    for payload, text in cells(table, "payload", "beginning"):
        yield "cut off in UDP" if payload is None else f"{payload} B  {text}" if text else f"{payload} B"


def dns(table: Table) -> Told:
    wanted = ("dns_id", "dns_name", "dns_type", "dns_flags", "dns_rcode", "dns_answers", "payload")
    for number, name, kind, flags, code, answers, size in cells(table, *wanted):
        if number is None:
            yield "cut off in DNS"
        elif name is None:
            yield f"{size} B, no question"
        elif code is None:
            yield f"{kind}? {name}"
        else:
            short = "  truncated: asked again by TCP" if "tc" in flags else ""
            yield f"{kind} {name}  {f'{answers} answers' if code == 'NOERROR' else code}{short}"


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
    names = cells(table, "dns_name", "dns_rcode", "sni")
    for (carrier, place, words), (asked, answer, server) in zip(within(table), names, strict=True):
        named = f"  ClientHello {server}" if server else f"  {asked} {answer or '?'}" if asked is not None else ""
        yield f"{carrier or 'IP in IP'}  {place.partition(' ')[2]} {words}{named}"


def arp(table: Table) -> Told:
    for told in resolutions(table):
        yield told.removeprefix("Request ").removeprefix("Reply ") or "cut off in ARP"


def apart(table: Table) -> Told:
    """What has no words of its own: tcpdump's, without the addresses."""
    for text in other(table):
        yield text.partition(": ")[2] or text


TELLERS: dict[str, Callable[[Table], Told]] = {
    "TCP": tcp, "TLS": tcp, "UDP": udp, "DNS": dns, "ICMP": icmp, "ICMPv6": icmp, "ARP": arp, "RARP": arp,
    TUNNEL: tunnel,
}  # fmt: skip
