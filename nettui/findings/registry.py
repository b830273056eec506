"""The only list of diagnoses."""

from __future__ import annotations

from nettui.findings.checksum_errors import CHECKSUM_ERRORS
from nettui.findings.close_wait import CLOSE_WAIT
from nettui.findings.conntrack_drops import CONNTRACK_DROPS
from nettui.findings.conntrack_full import CONNTRACK_FULL
from nettui.findings.default_route import DEFAULT_ROUTE
from nettui.findings.dropping_rules import DROPPING_RULES
from nettui.findings.duplicate_address import DUPLICATE_ADDRESS
from nettui.findings.ephemeral_ports import EPHEMERAL_PORTS
from nettui.findings.finding import SEVERITIES, Diagnosis, Finding, Tables
from nettui.findings.forwarding_off import FORWARDING_OFF
from nettui.findings.link_errors import LINK_ERRORS
from nettui.findings.link_flapping import LINK_FLAPPING
from nettui.findings.listen_queue import LISTEN_QUEUE
from nettui.findings.mtu import MTU
from nettui.findings.neighbour_table import NEIGHBOUR_TABLE
from nettui.findings.next_hop import NEXT_HOP
from nettui.findings.nfqueue_drops import NFQUEUE_DROPS
from nettui.findings.no_carrier import NO_CARRIER
from nettui.findings.orphans import ORPHANS
from nettui.findings.promiscuous import PROMISCUOUS
from nettui.findings.qdisc_drops import QDISC_DROPS
from nettui.findings.reassembly import REASSEMBLY
from nettui.findings.receive_buffers import RECEIVE_BUFFERS
from nettui.findings.retransmissions import RETRANSMISSIONS
from nettui.findings.rp_filter import RP_FILTER
from nettui.findings.secondary_addresses import SECONDARY_ADDRESSES
from nettui.findings.silent_drops import SILENT_DROPS
from nettui.findings.slow_link import SLOW_LINK
from nettui.findings.small_ring import SMALL_RING
from nettui.findings.socket_memory import SOCKET_MEMORY
from nettui.findings.softirq import SOFTIRQ
from nettui.findings.syn_flood import SYN_FLOOD
from nettui.findings.time_wait import TIME_WAIT
from nettui.findings.two_rulesets import TWO_RULESETS

DIAGNOSES: tuple[Diagnosis, ...] = (
    CHECKSUM_ERRORS,
    CLOSE_WAIT,
    CONNTRACK_DROPS,
    CONNTRACK_FULL,
    DEFAULT_ROUTE,
    DROPPING_RULES,
    DUPLICATE_ADDRESS,
    EPHEMERAL_PORTS,
    FORWARDING_OFF,
    LINK_ERRORS,
    LINK_FLAPPING,
    LISTEN_QUEUE,
    MTU,
    NEIGHBOUR_TABLE,
    NEXT_HOP,
    NFQUEUE_DROPS,
    NO_CARRIER,
    ORPHANS,
    PROMISCUOUS,
    QDISC_DROPS,
    REASSEMBLY,
    RECEIVE_BUFFERS,
    RETRANSMISSIONS,
    RP_FILTER,
    SECONDARY_ADDRESSES,
    SILENT_DROPS,
    SLOW_LINK,
    SMALL_RING,
    SOCKET_MEMORY,
    SOFTIRQ,
    SYN_FLOOD,
    TIME_WAIT,
    TWO_RULESETS,
)


def found(tables: Tables, diagnoses: tuple[Diagnosis, ...] = DIAGNOSES) -> list[tuple[Diagnosis, Finding]]:
    """What the tables show, worst first; a diagnosis whose tables are missing is left out."""
    told = [
        (diagnosis, finding)
        for diagnosis in diagnoses
        if all(name in tables for name in diagnosis.needs)
        for finding in diagnosis.find(tables)
    ]
    return sorted(told, key=lambda entry: SEVERITIES.index(entry[1].severity))
