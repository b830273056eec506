"""Secondary addresses that the deletion of their primary would take along, as promote_secondaries is off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from shlex import quote

from nettui.findings.finding import Diagnosis, Finding, Tables
from nettui.findings.rows import above, capped, conf, device, device_names, is_one_of, of_device, picked, settings

SETTING = "promote_secondaries"


def find(tables: Tables) -> Iterator[Finding]:
    table, names = tables["addresses"], device_names(tables)
    depending = above(table, "secondary") & is_one_of(table, "family", "inet")
    if not depending.any():
        return
    known = settings(tables)
    if known.get(f"net.ipv4.conf.all.{SETTING}") != 0:
        return
    found = Counter((row["ifindex"], row.get("primary")) for row in picked(table, depending, "ifindex", "primary"))
    off = {index: of_device(known, device(names, index), SETTING) == 0 for index, _ in found}
    yield from capped(
        taken_along(device(names, index), index, primary, count)
        for (index, primary), count in found.most_common()
        if off[index]
    )


def taken_along(name: str, index: object, primary: object, count: int) -> Finding:
    addresses = f"{count:,} secondary addresses" if count > 1 else "a secondary address"
    return Finding(
        "note",
        f"{primary} on {name}",
        f"deleting {primary} from {name} would delete {addresses} with it",
        (f"addresses: {count:,} with primary {primary}", f"settings: net.ipv4.conf.{name}.{SETTING} 0"),
        (
            f"nettui report addresses --where 'ifindex {index} and primary {primary}'  # those that would go too",
            f"sysctl -w {quote(conf(name, SETTING))}=1  # changes the host: the next takes over",
        ),
        "addresses",
        f"ifindex {index} and has secondary",
    )


SECONDARY_ADDRESSES = Diagnosis(
    "secondary_addresses", "deleting an address would take others along", ("addresses", "settings", "links"), find
)
