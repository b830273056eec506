"""Tables that iptables makes, and their built-in chains with hook, priority and type (iptables/nft.c, xtables_ipv4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class BuiltIn(NamedTuple):
    hook: str
    priority: int
    type: str = "filter"


CHAINS: Mapping[str, Mapping[str, BuiltIn]] = {
    "raw": {"PREROUTING": BuiltIn("prerouting", -300), "OUTPUT": BuiltIn("output", -300)},
    "mangle": {
        "PREROUTING": BuiltIn("prerouting", -150), "INPUT": BuiltIn("input", -150),
        "FORWARD": BuiltIn("forward", -150), "OUTPUT": BuiltIn("output", -150, "route"),
        "POSTROUTING": BuiltIn("postrouting", -150),
    },
    "nat": {
        "PREROUTING": BuiltIn("prerouting", -100, "nat"), "INPUT": BuiltIn("input", 100, "nat"),
        "OUTPUT": BuiltIn("output", -100, "nat"), "POSTROUTING": BuiltIn("postrouting", 100, "nat"),
    },
    "filter": {"INPUT": BuiltIn("input", 0), "FORWARD": BuiltIn("forward", 0), "OUTPUT": BuiltIn("output", 0)},
    "security": {"INPUT": BuiltIn("input", 50), "FORWARD": BuiltIn("forward", 50), "OUTPUT": BuiltIn("output", 50)},
}  # fmt: skip
