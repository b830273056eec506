"""Names of ICMP types and codes, as ipset writes them in the place of a port."""

from __future__ import annotations

IPPROTO_ICMP, IPPROTO_ICMPV6 = 1, 58
# type << 8 | code
ICMP = {
    0x0000: "echo-reply", 0x0300: "network-unreachable", 0x0301: "host-unreachable", 0x0302: "protocol-unreachable",
    0x0303: "port-unreachable", 0x0304: "fragmentation-needed", 0x0305: "source-route-failed",
    0x0306: "network-unknown", 0x0307: "host-unknown", 0x0309: "network-prohibited", 0x030A: "host-prohibited",
    0x030B: "TOS-network-unreachable", 0x030C: "TOS-host-unreachable", 0x030D: "communication-prohibited",
    0x030E: "host-precedence-violation", 0x030F: "precedence-cutoff", 0x0400: "source-quench",
    0x0500: "network-redirect", 0x0501: "host-redirect", 0x0502: "TOS-network-redirect", 0x0503: "TOS-host-redirect",
    0x0800: "echo-request", 0x0900: "router-advertisement", 0x0A00: "router-solicitation",
    0x0B00: "ttl-zero-during-transit", 0x0B01: "ttl-zero-during-reassembly", 0x0C00: "ip-header-bad",
    0x0C01: "required-option-missing", 0x0D00: "timestamp-request", 0x0E00: "timestamp-reply",
    0x1100: "address-mask-request", 0x1200: "address-mask-reply",
}  # fmt: skip
ICMPV6 = {
    0x0100: "no-route", 0x0101: "communication-prohibited", 0x0103: "address-unreachable", 0x0104: "port-unreachable",
    0x0200: "packet-too-big", 0x0300: "ttl-zero-during-transit", 0x0301: "ttl-zero-during-reassembly",
    0x0400: "bad-header", 0x0401: "unknown-header-type", 0x0402: "unknown-option", 0x8000: "echo-request",
    0x8100: "echo-reply", 0x8500: "router-solicitation", 0x8600: "router-advertisement",
    0x8700: "neighbour-solicitation", 0x8800: "neighbour-advertisement", 0x8900: "redirect",
}  # fmt: skip
