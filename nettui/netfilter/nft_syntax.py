"""What a rule in nft's syntax plainly matches."""

from __future__ import annotations

import re

from nettui.netfilter.plain import PROTOCOLS, Plain, network, ports

TOKEN = re.compile(r'"[^"]*"|[{},]|[^\s{},"]+')
DEVICES = {"iif": "iif", "iifname": "iif", "oif": "oif", "oifname": "oif"}
TRANSPORT = {"sport", "dport", "flags", "length", "type", "window", "doff", "ack", "checksum"}
# first word of a match -> the words that may follow it; nothing else is understood
FIELDS = {
    "ip": {"saddr", "daddr", "protocol", "ttl", "dscp", "length", "id", "version", "hdrlength", "ecn"},
    "ip6": {"saddr", "daddr", "nexthdr", "hoplimit", "dscp", "length", "flowlabel", "version", "ecn"},
    "meta": {"l4proto", "nfproto", "mark", "pkttype", "skuid", "skgid", "cgroup", "length", "protocol", *DEVICES},
    "ct": {"state", "status", "mark", "direction", "helper", "expiration", "zone"},
    "icmp": {"type", "code", "id", "sequence", "mtu"},
    "icmpv6": {"type", "code", "id", "sequence", "mtu"},
    "th": {"sport", "dport"},
    "tcp": TRANSPORT,
    "udp": TRANSPORT,
    "udplite": TRANSPORT,
    "sctp": TRANSPORT,
    "dccp": TRANSPORT,
}
OPERATORS = {"!=", "==", "<", ">", "<=", ">="}
PROTOCOL_FIELDS = {("ip", "protocol"), ("ip6", "nexthdr"), ("meta", "l4proto")}
ADDRESS_FIELDS = {"saddr": "src", "daddr": "dst"}


def plainly(text: str) -> Plain:
    """Matches from the left as long as every word is understood; from the first other one on, nothing is taken."""
    found = Plain()
    if text.count('"') % 2:  # a name with a quote in it: what is inside and what outside cannot be told
        return found
    walk = Walk(TOKEN.findall(text), found)
    while walk.statement():
        pass
    return found


class Walk:
    """A rule's words, and where it stands among them."""

    def __init__(self, words: list[str], found: Plain) -> None:
        self.words, self.at, self.found = words, 0, found

    def word(self, ahead: int = 0) -> str:
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else ""

    def statement(self) -> bool:
        """Pass one match or counter; False at anything else."""
        if self.word() == "counter":
            self.at += 1
            self.at += {"packets": 4, "name": 2}.get(self.word(), 0)
            return True
        key = self.key()
        if key is None:
            return False
        if self.word() == ".":
            return self.concatenation()
        return self.match(*key)

    def key(self) -> tuple[str, str] | None:
        """What is compared: ("ip", "saddr"), ("meta", "iifname"); a protocol's field implies the protocol."""
        first, second = self.word(), self.word(1)
        if first in DEVICES:
            self.at += 1
            return "meta", first
        if first == "fib" and second in ("saddr", "daddr") and self.word(2) == "type":
            self.at += 3
            return "fib", "type"
        if second not in FIELDS.get(first, ()):
            return None
        self.at += 2
        self.found.narrow("proto", PROTOCOLS.get(first))
        return first, second

    def concatenation(self) -> bool:
        """``ip daddr . tcp dport { ... }``: its parts are not plain."""
        while self.word() == ".":
            self.at += 1
            if self.key() is None:
                return False
        return self.values() is not None

    def match(self, first: str, second: str) -> bool:
        turned = self.word() in OPERATORS
        self.at += turned
        values = self.values()
        if values is None:
            return False
        if not turned:
            self.take(first, second, values)
        return True

    def values(self) -> list[str] | None:
        """The words that a match compares with: [] for those of a named set, None when it is not understood."""
        if self.word() == "{":
            end = self.words.index("}", self.at) if "}" in self.words[self.at :] else 0
            inner = self.words[self.at + 1 : end]
            self.at = end + 1
            plain = end and inner[1::2] == [","] * (len(inner) // 2) and "{" not in inner
            return inner[::2] if plain else [] if end else None
        word = self.word()
        if not word or not (word[0].isalnum() or word[0] in '"@:') or word in ("set", "vmap", "map", "and", "or"):
            return None
        found = self.listed()
        if self.word() == "/":  # tcp flags syn / fin,syn,rst,ack
            self.at += 1
            self.listed()
            return []
        return [] if word[0] == "@" else found

    def listed(self) -> list[str]:
        """Words joined by commas."""
        found = [self.word()]
        self.at += 1
        while self.word() == ",":
            found.append(self.word(1))
            self.at += 2
        return found

    def take(self, first: str, second: str, values: list[str]) -> None:
        if second in ("sport", "dport"):
            self.found.narrow(second, ports(values))
        elif len(values) != 1:
            return
        elif first in ("ip", "ip6") and second in ADDRESS_FIELDS:
            self.found.narrow(ADDRESS_FIELDS[second], network(values[0]))
        elif (first, second) in PROTOCOL_FIELDS:
            self.found.narrow("proto", PROTOCOLS.get(values[0]))
        elif second in DEVICES and values[0][0] == '"' and not set(values[0]) & set("*\\"):
            self.found.narrow(DEVICES[second], values[0].strip('"'))
