"""Counters of protocols: this host's have an entry each, and entries hold to what they promise."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.host import Host
from collectors.proc import protocols
from nettui.knowledge.bridges import BRIDGES
from nettui.knowledge.conntrack import CONNTRACK
from nettui.knowledge.devices import DEVICES
from nettui.knowledge.entry import LAYERS, Counter
from nettui.knowledge.icmp import ICMP, icmp_message
from nettui.knowledge.ip import IP
from nettui.knowledge.mptcp import MPTCP
from nettui.knowledge.neighbours import NEIGHBOURS
from nettui.knowledge.netfilter import NETFILTER
from nettui.knowledge.qdiscs import QDISCS
from nettui.knowledge.sctp import SCTP
from nettui.knowledge.sockets import SOCKETS
from nettui.knowledge.softnet import SOFTNET
from nettui.knowledge.tcp import TCP
from nettui.knowledge.tcp_checks import TCP_CHECKS
from nettui.knowledge.tcp_listen import TCP_LISTEN
from nettui.knowledge.tcp_memory import TCP_MEMORY
from nettui.knowledge.tcp_retransmission import TCP_RETRANSMISSION
from nettui.knowledge.tls import TLS
from nettui.knowledge.udp import UDP
from nettui.knowledge.xfrm import XFRM
from nettui.query import compile
from nettui.report.schema import declared

TCP_ALL = (*TCP, *TCP_LISTEN, *TCP_RETRANSMISSION, *TCP_MEMORY, *TCP_CHECKS)
OWN = (*IP, *ICMP, *UDP, *TCP_ALL, *MPTCP, *SCTP, *XFRM, *TLS)
BELOW = (*BRIDGES, *CONNTRACK, *DEVICES, *NEIGHBOURS, *NETFILTER, *QDISCS, *SOCKETS, *SOFTNET)
NAMES = {entry.name for entry in OWN}
OTHERS = {entry.name for entry in BELOW}
LEDGER = [entry for entry in OWN if entry.severity != "traffic"]
# counters that kernels from 4.18 to 6.18 have or had, and this host may lack; one of each file and kernel
KNOWN = {
    "Ip.OutTransmits", "Icmp.OutRateLimitGlobal", "Icmp6.OutRateLimitHost", "TcpExt.TCPAODroppedIcmps",
    "TcpExt.BeyondWindow", "TcpExt.TSEcrRejected", "TcpExt.PAWSTimewait", "TcpExt.TCPWqueueTooBig", "Udp6.MemErrors",
    "UdpLite6.MemErrors", "MPTcpExt.RcvPruned", "MPTcpExt.WinProbe", "xfrm.AcquireError", "xfrm.InIptfsError",
    "tls.DecryptError", "tls.RxDeviceResync", "Sctp.InPktDiscards",
}  # fmt: skip


def named(entry: Counter) -> str:
    return entry.name


def in_the_files(host: Host) -> Iterator[str]:
    table = protocols.decode(list(protocols.read(host)))
    yield from (name for name in map(str, table["counter"].cells()) if not name.startswith("sockstat."))
    for path, group, prefix in (
        ("xfrm_stat", "xfrm", "Xfrm"),
        ("tls_stat", "tls", "Tls"),
        ("sctp/snmp", "Sctp", "Sctp"),
    ):
        file = Path("/proc/net") / path
        lines = file.read_text().splitlines() if file.exists() else []
        yield from (f"{group}.{line.split()[0].removeprefix(prefix)}" for line in lines)


def test_every_counter_of_this_host_has_an_entry() -> None:
    missing = {name for name in in_the_files(Host()) if name not in NAMES and icmp_message(name) is None}
    assert missing == set()


def test_counters_of_other_kernels_have_an_entry() -> None:
    assert KNOWN <= NAMES


def test_no_counter_is_described_twice() -> None:
    assert len(NAMES) == len(OWN)
    assert not NAMES & OTHERS


@pytest.mark.parametrize("entry", OWN, ids=named)
def test_an_entry_says_what_it_counts_and_fits_a_line(entry: Counter) -> None:
    assert entry.counts.endswith(".")
    assert entry.layer in LAYERS
    assert len(entry.cause) <= 50
    assert bool(entry.cause) == (entry.severity != "traffic")


@pytest.mark.parametrize("entry", LEDGER, ids=named)
def test_what_may_be_loss_has_causes_remedies_and_a_source(entry: Counter) -> None:
    assert entry.causes
    assert entry.remedies
    assert entry.source


@pytest.mark.parametrize("entry", OWN, ids=named)
def test_other_counters_named_are_described(entry: Counter) -> None:
    assert {*entry.part_of, *entry.along} <= NAMES | OTHERS
    assert entry.name not in {*entry.part_of, *entry.along}


def test_what_is_no_loss_is_part_of_nothing() -> None:
    assert not [entry.name for entry in OWN if entry.severity == "traffic" and (entry.part_of or entry.along)]


def commands() -> list[str]:
    """Remedies that this project answers itself."""
    remedies = {remedy for entry in OWN for remedy in entry.remedies if remedy.startswith("nettui report ")}
    return sorted(remedies)


@pytest.mark.parametrize("command", commands())
def test_a_remedy_of_nettui_names_sections_and_columns_that_exist(command: str) -> None:
    words = shlex.split(command, comments=True)[2:]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    columns = declared(words[0])
    names = {column.name for column in columns}
    assert set(options) <= {"--where", "--sort", "--columns", "--limit", "--to"}
    compile(options.get("--where", ""), columns)
    assert {name.lstrip("-") for name in re.split("[, ]+", options.get("--sort", "")) if name} <= names
    assert {name for name in options.get("--columns", "").split(",") if name} <= names


@pytest.mark.parametrize(
    ("name", "severity", "part_of"),
    [
        ("IcmpMsg.InType3", "warning", ("Icmp.InDestUnreachs",)),
        ("IcmpMsg.OutType8", "traffic", ()),
        ("Icmp6.OutType1", "refused", ("Icmp6.OutDestUnreachs",)),
        ("Icmp6.InType135", "traffic", ()),
        ("IcmpMsg.InType254", "traffic", ()),
    ],
)
def test_a_message_counted_by_type_has_an_entry_made_from_its_type(
    name: str, severity: str, part_of: tuple[str, ...]
) -> None:
    entry = icmp_message(name)
    assert entry is not None
    assert (entry.name, entry.severity, entry.part_of) == (name, severity, part_of)


@pytest.mark.parametrize("name", ["IcmpMsg.InType256", "Icmp.InMsgs", "Icmp6.InType", "TcpExt.InType3", ""])
def test_what_is_no_message_by_type_has_none(name: str) -> None:
    assert icmp_message(name) is None
