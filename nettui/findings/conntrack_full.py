"""The conntrack table is full, or filling: new flows are dropped then."""

from __future__ import annotations

from collections.abc import Iterator

from nettui.findings.finding import Diagnosis, Finding, Tables, number

FULL, FILLING = 0.95, 0.8


def find(tables: Tables) -> Iterator[Finding]:
    for row in tables["limits"].rows():
        used, limit = number(row, "used"), number(row, "limit")
        if row["name"] != "conntrack entries" or not limit or used < FILLING * limit:
            continue
        yield Finding(
            "error" if used >= FULL * limit else "warning",
            "conntrack",
            f"{used:,} of {limit:,} entries are in use ({used / limit:.0%}); when it is full, new flows are dropped",
            (f"nf_conntrack_count {used:,}", f"nf_conntrack_max {limit:,}"),
            (
                "nettui report conntrack_statistics  # drop and early_drop: whether it was full already",
                "nettui report conntrack --columns state,timeout,src,dst,dport --limit 50  # what fills it",
                "sysctl -w net.netfilter.nf_conntrack_max=N  # changes the host; about 400 bytes of memory an entry",
            ),
            "conntrack",
        )


CONNTRACK_FULL = Diagnosis("conntrack_full", "the conntrack table is filling", ("limits",), find)
