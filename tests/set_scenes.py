"""Sets, maps, objects and ipsets of every kind that this kernel has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from tests import rulesets
from tests.lab import Namespace, namespace
from tests.netfilter_scenes import load, load_nft

ICMP_TYPES, ICMP_CODES = range(20), range(17)
ICMPV6_TYPES, ICMPV6_CODES = (1, 2, 3, 4, 5, *range(127, 139)), range(8)


@contextmanager
def sets() -> Iterator[Namespace]:
    """nft's sets, maps and objects, anonymous ones in rules, and ipsets."""
    with namespace() as inside:
        load_nft(inside, rulesets.text("sets.nft"))
        load(inside, "ipset restore", rulesets.text("sets.ipset"))
        yield inside


@contextmanager
def icmp_members() -> Iterator[Namespace]:
    """ipsets with every ICMP and ICMPv6 type and code that has a name, and some that have none."""
    members = [
        *(f"add icmp 192.0.2.1,icmp:{kind}/{code}" for kind, code in itertools.product(ICMP_TYPES, ICMP_CODES)),
        *(f"add icmp6 fd00::1,icmpv6:{kind}/{code}" for kind, code in itertools.product(ICMPV6_TYPES, ICMPV6_CODES)),
    ]
    with namespace() as inside:
        created = ["create icmp hash:ip,port", "create icmp6 hash:ip,port family inet6"]
        load(inside, "ipset restore", "\n".join([*created, *members]) + "\n")
        yield inside
