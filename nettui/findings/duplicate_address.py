"""Another host has an address of this one: duplicate address detection failed, or a neighbour answers for it."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

import numpy as np

from collectors.table import Table
from collectors.values import Addresses
from nettui.findings.finding import Diagnosis, Finding, Tables
from nettui.findings.rows import Mask, above, capped, counted, device, device_names, has, is_one_of, listed, picked
from nettui.rates import address_words, mixed

OURS = ("PERMANENT", "NOARP", "FAILED", "INCOMPLETE")  # states that no other host has brought about


def find(tables: Tables) -> Iterator[Finding]:
    table, names = tables["addresses"], device_names(tables)
    lost = picked(table, above(table, "dadfailed"), "ifindex", "local", "prefixlen")
    yield from capped(failed(str(row["local"]), device(names, row["ifindex"]), row["prefixlen"]) for row in lost)
    if "links" in tables:
        yield from waiting(table, tables["links"], names)
    if "neighbours" in tables and "links" in tables:
        yield from capped(claimed(tables, names))


def failed(address: str, name: str, length: object) -> Finding:
    return Finding(
        "error",
        f"{address} on {name}",
        f"{address} is not in use on {name}: duplicate address detection found that another host has it",
        (f"addresses: {address} dadfailed",),
        (
            f"nettui report addresses --where 'local {address}'  # its flags",
            f"tcpdump -nei {quote(name)} 'icmp6[0] == 136'  # who advertises it: the other's MAC address",
            f"ip address del {address}/{length} dev {quote(name)}  # changes the host; then give it another address",
        ),
        "addresses",
        f"local {address}",
    )


def waiting(table: Table, links: Table, names: dict[int, str]) -> Iterator[Finding]:
    """Detection takes a second or two where there is a carrier; without one it waits for it, which is no news."""
    live = links.numbers("ifindex").numbers[has(links, "LOWER_UP")]
    running = above(table, "tentative") & ~above(table, "optimistic") & ~above(table, "dadfailed")
    running &= np.isin(table.numbers("ifindex").numbers, live)
    found = [f"{row['local']} on {device(names, row['ifindex'])}" for row in picked(table, running, "ifindex", "local")]
    if found:
        yield Finding(
            "note",
            "duplicate address detection",
            f"{counted(len(found), 'address')} cannot be used yet, detection runs: {listed(found, 3)}",
            ("addresses: tentative",),
            ("nettui report addresses --where 'has tentative'  # those that stay tentative for more than seconds",),
            "addresses",
            "has tentative",
        )


def claimed(tables: Tables, names: dict[int, str]) -> Iterator[Finding]:
    """A neighbour on the same device with an address of ours and a MAC address that is none of ours."""
    table, addresses = tables["neighbours"], tables["addresses"]
    for row in picked(table, same(table, addresses) & learned(table, tables["links"]), "ifindex", "dst", "lladdr"):
        name = device(names, row["ifindex"])
        yield Finding(
            "warning",
            f"{row['dst']} on {name}",
            f"{row['dst']} is an address of {name}, and a neighbour there with MAC address {row['lladdr']} has it too",
            (f"addresses: {row['dst']} on {name}", f"neighbours: {row['dst']} lladdr {row['lladdr']}"),
            (
                f"nettui report neighbours --where 'lladdr {row['lladdr']}'  # what else that host answers for",
                f"arping -D -I {quote(name)} {row['dst']}  # asks who has it (IPv4)",
            ),
            "neighbours",
            f"dst {row['dst']}",
        )


def same(table: Table, addresses: Table) -> Mask:
    """Neighbours whose device and address are those of an address of this host."""
    near, ours = table["dst"], addresses["local"]
    assert isinstance(near, Addresses)
    assert isinstance(ours, Addresses)
    marks = [
        mixed(np.column_stack([address_words(plain(values), 32), holder.numbers("ifindex").numbers.astype(np.uint64)]))
        for values, holder in ((near, table), (ours, addresses))
    ]
    return np.isin(marks[0], marks[1]) & near.present()


def plain(values: Addresses) -> Addresses:
    return Addresses(values.octets, values.form)


def learned(table: Table, links: Table) -> Mask:
    """Neighbours that another machine made known: by a MAC address that no device here has."""
    macs, own = table["lladdr"], links["address"]
    assert isinstance(macs, Addresses)
    assert isinstance(own, Addresses)
    foreign = ~np.isin(mixed(address_words(plain(macs), 32)), mixed(address_words(plain(own), 32)))
    made = table.codes("state").matching(lambda state: isinstance(state, list) and not set(state) & set(OURS))
    proxied = has(table, "proxy") | has(table, "extern_learn")
    return foreign & made & ~proxied & macs.present() & is_one_of(table, "family", "inet", "inet6")


DUPLICATE_ADDRESS = Diagnosis(
    "duplicate_address", "another host has an address of this one", ("addresses",), find, ("neighbours", "links")
)
