"""Which program put a chain or rule there, by the names that it gives its chains and tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from collectors.table import Column, Table
from collectors.values import Cell, Codes

MANAGER = Column("manager", "text", help="program that made the chain, or that the rule leads to, by its names")
MARK = Column("mark", "text", help="what to look at: drop, reject, queue, nat, and whether nothing counts the loss")

# beginnings of chain names
CHAINS = (
    ("KUBE-", "kubernetes"), ("CALI-", "calico"), ("cali-", "calico"), ("CILIUM_", "cilium"), ("OLD_CILIUM_", "cilium"),
    ("DOCKER", "docker"), ("FLANNEL-", "flannel"), ("LIBVIRT_", "libvirt"), ("NETAVARK", "podman"), ("CNI-", "cni"),
    ("ufw-", "ufw"), ("ufw6-", "ufw"), ("f2b-", "fail2ban"), ("WEAVE", "weave"), ("ts-", "tailscale"),
)  # fmt: skip
# beginnings of table names
TABLES = (
    ("firewalld", "firewalld"), ("kube-proxy", "kubernetes"), ("docker-", "docker"), ("netavark", "podman"),
    ("libvirt_", "libvirt"), ("calico", "calico"), ("flannel-", "flannel"), ("f2b-", "fail2ban"), ("incus", "incus"),
    ("lxd", "lxd"),
)  # fmt: skip
NAT = frozenset({"snat", "dnat", "masquerade", "redirect", "netmap"})
MARKED = frozenset({"drop", "reject", "queue", "tproxy", "synproxy"})
UNCOUNTED = ", not counted"


def by_beginning(beginnings: tuple[tuple[str, str], ...]) -> Callable[[Cell], Cell]:
    return lambda name: next((who for start, who in beginnings if str(name).startswith(start)), None)


def with_managers(table: Table) -> Table:
    """By the chain's own name, its table's, or that of the chain that the rule leads to: the first that tells."""
    found = [
        translated(table.codes("chain"), by_beginning(CHAINS)),
        translated(table.codes("table"), by_beginning(TABLES)),
        translated(table.codes("target"), by_beginning(CHAINS)),
    ]
    pool = tuple(dict.fromkeys(who for codes in found for who in codes.pool))
    codes = np.full(len(table), -1, np.int8)
    for part in reversed(found):
        own = Codes(np.array([*map(pool.index, part.pool), -1], np.int8)[part.codes])
        codes = np.where(own.codes >= 0, own.codes, codes)
    return table.extended([MANAGER], {"manager": Codes(codes, pool)})


def with_marks(table: Table) -> Table:
    """A word for what a reader looks for; a loss that nothing counts says so."""
    rules = translated(table.codes("verdict"), verdict_mark)
    chains = translated(table.codes("policy"), lambda policy: "policy drop" if policy == "drop" else None)
    pool = tuple(dict.fromkeys((*rules.pool, *chains.pool)))
    shifted = [np.array([*map(pool.index, part.pool), -1], np.int8)[part.codes] for part in (rules, chains)]
    codes = np.where(shifted[0] >= 0, shifted[0], shifted[1])
    uncounted = table.numbers("uncounted")
    lost = (codes >= 0) & uncounted.present() & uncounted.numbers.astype(np.bool_)
    codes = np.where(lost, codes + len(pool), codes).astype(np.int8)
    dormant = table.codes("table_flags").matching(lambda flags: isinstance(flags, list) and "dormant" in flags)
    codes[dormant] = 2 * len(pool)
    words = (*pool, *(f"{word}{UNCOUNTED}" for word in pool), "dormant")
    return table.extended([MARK], {"mark": Codes(codes, words)})


def verdict_mark(verdict: Cell) -> Cell:
    word = str(verdict).partition(" ")[0]
    return "nat" if word in NAT else word if word in MARKED else None


def translated(codes: Codes, name: Callable[[Cell], Cell]) -> Codes:
    """Each cell's name, asked once for each of the pool."""
    names = [name(cell) for cell in codes.pool]
    pool = tuple(dict.fromkeys(found for found in names if found is not None))
    own = np.array([*(-1 if found is None else pool.index(found) for found in names), -1], np.int8)
    return Codes(own[codes.codes], pool)
