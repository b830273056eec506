"""A row of any panel leads to a filter that libpcap takes, and that takes the row's packets."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from collectors.capture.filters import compiled
from nettui import sources
from nettui.packets.wanted import PROTOCOLS, TELLERS, wanted
from nettui.panels.registry import PANELS
from tests.lab import joined_pair, needs_root

ETHERNET, LINUX_SLL2 = 1, 276
EVIL = '" or 1; $(reboot) \x1b[31m'


@pytest.mark.parametrize(
    ("panel", "row", "device", "expression"),
    [
        ("sockets", {"netid": "tcp", "src": "10.0.0.1", "sport": 5, "dst": "10.0.0.2", "dport": 80}, "any",
         "tcp and host 10.0.0.1 and port 5 and host 10.0.0.2 and port 80"),
        ("sockets", {"netid": "tcp", "src": "0.0.0.0", "sport": 22, "dst": "0.0.0.0", "dport": 0}, "any",
         "tcp and port 22"),
        ("sockets", {"netid": "udp", "src": "::ffff:10.0.0.1", "sport": 53, "dev": "eth0"}, "eth0",
         "udp and host 10.0.0.1 and port 53"),
        ("sockets", {"netid": "udp", "src": "fe80::1%eth0", "sport": 546}, "any", "udp and host fe80::1 and port 546"),
        ("sockets", {"netid": "p_raw", "dev": "eth0"}, "eth0", ""),
        ("conntrack", {"proto": "tcp", "src": "10.0.0.1", "dst": "10.0.0.2", "sport": 4, "dport": 80,
                       "reply_src": "172.17.0.2", "reply_dst": "10.0.0.1", "reply_sport": 8080, "reply_dport": 4},
         "any",
         "(tcp and host 10.0.0.1 and port 4 and host 10.0.0.2 and port 80) or "
         "(tcp and host 172.17.0.2 and port 8080 and host 10.0.0.1 and port 4)"),
        ("conntrack", {"proto": "icmp", "src": "10.0.0.1", "dst": "10.0.0.2"}, "any",
         "icmp and host 10.0.0.1 and host 10.0.0.2"),
        ("routes", {"dst": "10.1.0.0/16", "dev": "eth0"}, "eth0", "net 10.1.0.0/16"),
        ("routes", {"dst": "default", "dev": "eth0"}, "eth0", ""),
        ("addresses", {"local": "fd00::1", "ifname": "eth0"}, "eth0", "host fd00::1"),
        ("neighbours", {"dst": "10.0.0.9", "lladdr": "02:00:00:00:00:01", "dev": "eth0"}, "eth0", "host 10.0.0.9"),
        ("neighbours", {"mac": "02:00:00:00:00:01", "dev": "br0"}, "br0", "ether host 02:00:00:00:00:01"),
        ("links", {"ifname": "eth0"}, "eth0", ""),
        ("services", {"proto": "tcp", "address": "10.96.0.1", "port": 443}, "any",
         "tcp and host 10.96.0.1 and port 443"),
        ("rules", {"from": "10.77.0.0/16"}, "any", "net 10.77.0.0/16"),
        ("drops", {"counter": "Udp.RcvbufErrors"}, "any", "udp"),
        ("drops", {"counter": "rtnl_link_stats64.rx_dropped", "dev": "eth0"}, "eth0", ""),
        ("protocols", {"counter": "TcpExt.ListenDrops"}, "any", "tcp"),
    ],
)  # fmt: skip
def test_a_row_has_its_device_and_filter(panel: str, row: dict[str, Any], device: str, expression: str):
    assert wanted(panel, row) == (device, expression)
    compiled(expression)
    compiled(expression, LINUX_SLL2 if device == "any" else ETHERNET)


@pytest.mark.parametrize(
    ("panel", "row"),
    [
        ("sockets", {"netid": "u_str", "path": "/run/x"}),
        ("drops", {"counter": "softnet.dropped"}),
        ("routes", {"dst": EVIL}),
        ("addresses", {"local": EVIL}),
        ("neighbours", {"lladdr": EVIL, "dst": EVIL}),
        ("conntrack", {}),
        ("conntrack", {"proto": "tcp", "sport": 5}),
        ("neighbours", {"mac": "02:00:00:00:00:01"}),
        ("overview", {"layer": "error"}),
    ],
)
def test_what_stands_for_no_packets_leads_nowhere(panel: str, row: dict[str, Any]):
    assert wanted(panel, row) is None


@pytest.mark.parametrize("panel", TELLERS)
def test_nothing_hostile_gets_in(panel: str):
    row = dict.fromkeys(("src", "dst", "local", "lladdr", "mac", "address", "gateway", "from", "to", "counter", "proto",
                         "netid", "sport", "dport", "port", "reply_src"), EVIL)  # fmt: skip
    found = wanted(panel, {**row, "dev": "eth0"})
    assert found is None or found.expression == ""


def test_every_protocol_is_one_that_libpcap_knows():
    for word in PROTOCOLS.values():
        compiled(word)


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("proto", PROTOCOLS)
@pytest.mark.parametrize("panel", ["sockets", "conntrack", "services", "capture"])
def test_packets_of_every_protocol_can_pass(panel: str, proto: str):
    net = "fd00::" if "v6" in proto else "10.0.0."
    ends = {"src": f"{net}1", "sport": 5, "dst": f"{net}2", "dport": 6, "address": f"{net}3", "port": 7}
    found = wanted(panel, {"netid": proto, "proto": proto, **ends})
    for link in (ETHERNET, LINUX_SLL2):
        compiled(found.expression if found else "", link)  # libpcap refuses what rejects all packets
    assert found is None or ("port" in found.expression) == (proto in ("tcp", "udp", "sctp", "mptcp"))


def test_rows_of_this_kernel_compile():
    with joined_pair() as (left, right):
        server = right.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
        server.bind(("10.9.0.2", 8080))
        server.listen()
        client = left.host.socket(socket.SOCK_STREAM, 0, socket.AF_INET)
        client.connect(("10.9.0.2", 8080))
        tables = sources.read([panel.name for panel in PANELS], left.host).tables
        found = [wanted(name, row) for name, table in tables.items() for row in table.rows(slice(0, 200))]
        for each in filter(None, found):
            compiled(each.expression)
            compiled(each.expression, LINUX_SLL2 if each.device == "any" else ETHERNET)
        own = [each.expression for each in found if each and "port 8080" in each.expression]
        assert any("host 10.9.0.1" in text and "host 10.9.0.2" in text for text in own)
        client.close()
        server.close()
