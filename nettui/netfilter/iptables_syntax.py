"""What a rule in iptables-save's syntax plainly matches."""

from __future__ import annotations

import re

from nettui.netfilter.plain import PROTOCOLS, Plain, network, ports

TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)
HEADER = {"-s": "src", "-d": "dst", "-i": "iif", "-o": "oif", "-p": "proto"}
TRANSPORTS = ("tcp", "udp", "udplite", "sctp", "dccp")
PORTS = {
    **{(module, f"--{name}"): name for module in TRANSPORTS for name in ("sport", "dport")},
    ("multiport", "--sports"): "sport",
    ("multiport", "--dports"): "dport",
}  # fmt: skip
LEAD = re.compile(r'-A (?:"(?:[^"\\]|\\.)*"|\S+) ?', re.DOTALL)


def words(text: str) -> list[str]:
    """The rule's arguments. A quoted one begins with ``"``, so that none of them is taken for an option."""
    return [f'"{quoted}' if quoted or not plain else plain for quoted, plain in TOKEN.findall(text)]


def plainly(text: str) -> Plain:
    """Addresses, devices and protocol stand before the first -m; ports belong to the module named last.

    An option's argument that looks like an option ends the walk or is passed over: it never becomes a constraint.
    """
    found, arguments = Plain(), words(text)[2:]
    at = header(found, arguments)
    module, negated = "", False
    while at < len(arguments) - 1:
        word, value = arguments[at], arguments[at + 1]
        if word in ("-j", "-g"):
            break
        if word == "-m":
            module, at = value, at + 2
        elif (name := PORTS.get((module, word))) and not negated:
            found.narrow(name, ports(value.split(",")))
            at += 2
        else:
            at += 2 if (module, word) == ("comment", "--comment") else 1
        negated = word == "!"
    return found


def header(found: Plain, arguments: list[str]) -> int:
    """Take what stands before the matches; the place behind it."""
    at, negated = 0, False
    while at < len(arguments) - 1 and (arguments[at] in HEADER or arguments[at] in ("!", "-f")):
        name = HEADER.get(arguments[at])
        if name is None:
            negated = arguments[at] == "!"
            at += 1
            continue
        if not negated:
            take(found, name, arguments[at + 1])
        at, negated = at + 2, False
    return at


def take(found: Plain, name: str, value: str) -> None:
    if name in ("src", "dst"):
        found.narrow(name, network(value))
    elif name == "proto":
        found.narrow(name, PROTOCOLS.get(value))
    elif not value.endswith("+") and not value.startswith('"'):
        found.narrow(name, value)
