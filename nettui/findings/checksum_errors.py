"""Packets whose checksum is wrong: damaged on the way, or by a device that says it checked them."""

from __future__ import annotations

from collections.abc import Iterator

from nettui.findings.counted import counters_of, evidence, moved, pace
from nettui.findings.finding import Diagnosis, Finding, Tables
from nettui.findings.rows import figure

# what is wrong, and of how many that arrived
CHECKED = {
    "Tcp.InCsumErrors": "Tcp.InSegs",
    "Udp.InCsumErrors": "Udp.InDatagrams",
    "Udp6.InCsumErrors": "Udp6.InDatagrams",
    "Icmp.InCsumErrors": "Icmp.InMsgs",
    "Icmp6.InCsumErrors": "Icmp6.InMsgs",
    "IpExt.InCsumErrors": "Ip.InReceives",
}
SHARE = 1e-4  # of what arrives, up to which it is a note: TCP sends such segments again


def find(tables: Tables) -> Iterator[Finding]:
    known = counters_of(tables)
    for name in moved(known, *CHECKED):
        wrong, arriving = pace(known, name), pace(known, CHECKED[name])
        yield Finding(
            "note" if wrong <= SHARE * arriving else "error",
            name,
            f"{figure(wrong)} packets/s are dropped for a wrong checksum ({name}), of {figure(arriving)}/s",
            evidence(known, name, CHECKED[name]),
            (
                "nettui report links --where 'rx_errors > 0 or rx_dropped > 0 or rx_packets > 0'"
                " --columns ifname,kind,rx_packets,rx_errors  # by which device they may come",
                "tcpdump -ni any -vv -c 1000 | grep -i incorrect  # who sends them; outgoing ones are no fault (root)",
                "ethtool -K DEVICE rx off  # changes the host: tells whether the device's own check is at fault",
            ),
            "protocols",
            f"counter {name}",
        )


CHECKSUM_ERRORS = Diagnosis("checksum_errors", "packets with a wrong checksum are dropped", ("protocols",), find)
