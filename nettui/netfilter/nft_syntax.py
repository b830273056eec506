"""What a rule in nft's syntax plainly matches."""

from __future__ import annotations

import re

from nettui.netfilter.plain import PROTOCOLS, Plain, network, ports

DEVICES = {"iif": "iif", "iifname": "iif", "oif": "oif", "oifname": "oif"}
TRANSPORT = {"sport", "dport", "flags", "length", "type", "window", "doff", "ack", "checksum"}
ICMP = {"type", "code", "id", "sequence", "mtu"}
# first word of a match -> the words that may follow it; nothing else is understood
FIELDS = {
    "ip": {"saddr", "daddr", "protocol", "ttl", "dscp", "length", "id", "version", "hdrlength", "ecn"},
    "ip6": {"saddr", "daddr", "nexthdr", "hoplimit", "dscp", "length", "flowlabel", "version", "ecn"},
    "meta": {"l4proto", "nfproto", "mark", "pkttype", "skuid", "skgid", "cgroup", "length", "protocol", *DEVICES},
    "ct": {"state", "status", "mark", "direction", "helper", "expiration", "zone"},
    "icmp": ICMP,
    "icmpv6": ICMP,
    "th": {"sport", "dport"},
    "tcp": TRANSPORT,
    "udp": TRANSPORT,
    "udplite": TRANSPORT,
    "sctp": TRANSPORT,
    "dccp": TRANSPORT,
}
ADDRESSES = {"saddr": "src", "daddr": "dst"}
PROTOCOL_FIELDS = {"protocol", "nexthdr", "l4proto"}
KEY = r"(?:fib [sd]addr type|[io]if(?:name)?|(?:ip6?|meta|ct|th|tcp|udp|udplite|sctp|dccp|icmp|icmpv6) \w+)"
WORD = r'(?:"[^"]*"|(?!(?:set|vmap|map|and|or|xor)\b)[\w@:][^\s{}"]*)'
LEADING = re.compile(KEY)
MATCH = re.compile(
    rf"(?P<key>{KEY})(?P<more>(?: \. {KEY})*) (?:(?P<turned>[!=<>]=|[<>]) )?"
    rf"(?:\{{(?P<set>[^{{}}]*)\}}|(?P<value>{WORD})(?P<masked> / {WORD})?)(?: |$)"
)
DEVICE = re.compile(r' ?"[^"*\\]+" ?')
COUNTER = re.compile(r'counter(?: name (?:"[^"]*"|\S+))?(?: |$)')


def plainly(text: str) -> Plain:
    """Matches from the left as long as they are understood; from the first other word on, nothing is taken.

    ``text`` is without what its counter counted.
    """
    found, at = Plain(), 0
    if text.count('"') % 2:  # a name with a quote in it: what is inside and what outside cannot be told
        return found
    while True:
        match = MATCH.match(text, at)
        if match is None:
            match = COUNTER.match(text, at)
            if match is None:
                break
            at = match.end()
            continue
        key, more, turned, members, value, masked = match.groups()
        first, _, second = key.rpartition(" ")
        if first and second not in FIELDS.get(first, ("type",)):
            break
        implied(found, first)
        if not (more or turned or masked):
            take(found, first or "meta", second, members if value is None else value)
        at = match.end()
    leading = LEADING.match(text, at)
    if leading:  # not understood, but there is no tcp port without tcp
        first, _, second = leading[0].partition(" ")
        if second in FIELDS.get(first, ()):
            implied(found, first)
    return found


def implied(found: Plain, first: str) -> None:
    """A protocol's field implies the protocol."""
    if found.proto is None:
        found.proto = PROTOCOLS.get(first)


def take(found: Plain, first: str, second: str, value: str) -> None:
    """``value``: one word, or several with commas between them."""
    if second in ("sport", "dport"):
        if getattr(found, second) is None:
            setattr(found, second, ports(value))
    elif second in ADDRESSES and first in ("ip", "ip6"):
        if getattr(found, ADDRESSES[second]) is None:
            setattr(found, ADDRESSES[second], network(value.strip()))
    elif second in PROTOCOL_FIELDS and first != "ct":
        found.proto = found.proto or PROTOCOLS.get(value.strip())
    elif second in DEVICES and DEVICE.fullmatch(value):
        name = DEVICES[second]
        setattr(found, name, getattr(found, name) or value.strip(' "'))
