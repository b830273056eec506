"""What a rule in iptables-save's syntax plainly matches."""

from __future__ import annotations

import re
from functools import lru_cache

from nettui.netfilter.plain import PROTOCOLS, Network, Plain, network, ports

TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)
NAME = r'(?:"(?:[^"\\]|\\.)*"|\S+)'
# iptables-save prints these first and in this order (print_rule4 in iptables.c)
LEAD = re.compile(
    rf"-A {NAME} ?(?:(?:! -s \S+|-s (?P<src>\S+)) ?)?(?:(?:! -d \S+|-d (?P<dst>\S+)) ?)?"
    r"(?:(?:! -i \S+|-i (?P<iif>\S+)) ?)?(?:(?:! -o \S+|-o (?P<oif>\S+)) ?)?(?:(?:! -p \S+|-p (?P<proto>\S+))(?: |$))?",
    re.DOTALL,
)
CHAIN = re.compile(rf"-A {NAME} ?", re.DOTALL)
TRANSPORT = frozenset({"tcp", "udp", "udplite", "sctp", "dccp"})
MODULE = re.compile(r"(?<= )-m (?P<name>tcp|udp|udplite|sctp|dccp|multiport)(?P<options>(?: +(?!-m |-j |-g )\S+)*)")
PORT = re.compile(r"(?P<not>! +)?--(?P<name>[sd]port)s? +(?P<ports>[\d,]+)(?: |$)")


@lru_cache(65536)
def words(text: str) -> list[str]:
    """The rule's arguments. A quoted one begins with ``"``, so that none of them is taken for an option."""
    return [f'"{quoted}' if quoted or not plain else plain for quoted, plain in TOKEN.findall(text)]


def plainly(text: str) -> Plain:
    """``text`` has nothing inside its quotes.

    An argument that looks like an option (a chain or comment may be named -d) stands behind the header, and never with
    what makes a port of it: it is no constraint.
    """
    lead = LEAD.match(text)
    if lead is None:
        return Plain()
    src, dst, iif, oif, proto = lead.groups()
    found = Plain(PROTOCOLS.get(proto), address(src), address(dst), iif=device(iif), oif=device(oif))
    if proto in TRANSPORT:
        for module in MODULE.finditer(text, lead.end() - 1):
            for port in PORT.finditer(module["options"]):
                if not port["not"] and getattr(found, port["name"]) is None:
                    setattr(found, port["name"], ports(port["ports"]))
    return found


def address(text: str | None) -> Network | None:
    return None if text is None else network(text)


def device(name: str | None) -> str | None:
    """A device told in full; one that ends with + stands for many."""
    return None if name is None or name.endswith("+") or '"' in name else name
