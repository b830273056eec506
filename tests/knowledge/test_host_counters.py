"""Every counter that this host exposes has an entry: names of the kernel's own files and types, none left out.

They are read here without nettui's collectors, so that a counter which no collector knows is missed too.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from collectors.tracing.btf import STRUCT, VMLINUX, Btf
from nettui.knowledge import find
from nettui.knowledge.entry import LAYERS
from nettui.knowledge.find import found
from nettui.ledger.row import LOSSY
from tests.lab import joined_pair, needs_root, run

NET = Path("/proc/net")
PREFIX = "SKB_DROP_REASON_"
CPUS = {"arp_cache": "neigh", "ndisc_cache": "neigh", "rt_cache": "rt_cache", "synproxy": "synproxy"}
# of these files a host has those whose module is loaded
BY_LINE = {"xfrm_stat": ("Xfrm", "xfrm."), "tls_stat": ("Tls", "tls."), "sctp/snmp": ("Sctp", "Sctp.")}
# structure of the kernel -> group of the ledger
STRUCTURES = {"rtnl_link_stats64": "rtnl_link_stats64", "ndt_stats": "neigh", "br_mcast_stats": "bridge",
              "ip_conntrack_stat": "nf_conntrack"}  # fmt: skip


def undescribed(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if find.counter(name) is None)


def unexplained(names: Iterable[str]) -> list[str]:
    """Spellings of others, such as conntrack's files, that `nettui explain` does not understand."""
    return sorted(name for name in names if not found(name))


def in_pairs(path: Path) -> Iterator[str]:
    """snmp and netstat: a line of names, a line of numbers, each behind its group."""
    lines = path.read_text().splitlines()
    for names, numbers in zip(lines[::2], lines[1::2], strict=True):
        group, *words = names.split()
        assert numbers.split()[0] == group
        yield from (f"{group.removesuffix(':')}.{word}" for word in words)


def version6(path: Path) -> Iterator[str]:
    """snmp6: group and name are one word; ifIndex of a device's own file is no counter."""
    for line in path.read_text().splitlines():
        if match := re.match(r"(Ip6|Icmp6|Udp6|UdpLite6)(\w+)", line):
            yield f"{match[1]}.{match[2]}"
        else:
            assert line.startswith("ifIndex"), line


@pytest.fixture(scope="module")
def btf() -> Btf:
    if not VMLINUX.exists():
        pytest.skip("this kernel has no BTF")
    return Btf.read()


@pytest.mark.parametrize("file", ["snmp", "netstat"])
def test_every_counter_of_the_protocols_has_an_entry(file: str) -> None:
    names = set(in_pairs(NET / file))
    assert len(names) > 80
    assert undescribed(names) == []


def test_every_counter_of_ipv6_has_an_entry_of_the_namespace_and_of_devices() -> None:
    if not (NET / "snmp6").exists():
        pytest.skip("no IPv6 here")
    names = {name for path in (NET / "snmp6", *(NET / "dev_snmp6").iterdir()) for name in version6(path)}
    assert len(names) > 50
    assert undescribed(names) == []


def test_every_name_that_nstat_prints_is_explained() -> None:
    """As nstat spells them: TcpExtListenDrops, Ip6InDiscards."""
    names = set(json.loads(run("nstat -azj"))["kernel"])
    assert len(names) > 300
    assert unexplained(names) == []


@pytest.mark.parametrize("file", [file for file in BY_LINE if (NET / file).exists()])
def test_every_counter_of_a_file_of_names_and_numbers_has_an_entry(file: str) -> None:
    path, (prefix, group) = NET / file, BY_LINE[file]
    words = [line.split()[0] for line in path.read_text().splitlines()]
    assert words
    assert all(word.startswith(prefix) for word in words)
    assert undescribed(group + word.removeprefix(prefix) for word in words) == []


@pytest.mark.parametrize("file", [file for file in CPUS if (NET / "stat" / file).exists()])
def test_every_column_of_the_statistics_by_cpu_has_an_entry(file: str) -> None:
    path = NET / "stat" / file
    columns = path.read_text().splitlines()[0].split()
    assert columns
    assert undescribed(f"{CPUS[file]}.{column}" for column in columns) == []


def test_every_column_of_conntracks_statistics_is_explained() -> None:
    path = NET / "stat" / "nf_conntrack"
    if not path.exists():
        pytest.skip("conntrack is not loaded")
    columns = path.read_text().splitlines()[0].split()
    assert len(columns) > 10
    assert unexplained(f"nf_conntrack.{column}" for column in columns) == []
    assert unexplained(columns) == []


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_member_of_a_structure_of_counters_has_an_entry(structure: str, btf: Btf) -> None:
    try:
        names = [member.name for member in btf._members(btf.find(structure, STRUCT))]
    except KeyError:
        pytest.skip(f"struct {structure} belongs to a module of this kernel")
    assert len(names) > 5
    words = [name.removeprefix("ndts_") for name in names]
    assert undescribed(f"{STRUCTURES[structure]}.{word}" for word in words) == []


def test_every_word_of_proc_net_dev_is_explained() -> None:
    heading = (NET / "dev").read_text().splitlines()[1]
    words = set(heading.replace("|", " ").split()[1:])
    assert {"drop", "errs", "fifo"} <= words
    assert unexplained(words) == []


def test_every_drop_reason_of_the_running_kernel_has_an_entry(btf: Btf) -> None:
    reasons = btf.enumerators("skb_drop_reason")
    (end,) = [number for number, name in reasons.items() if name == f"{PREFIX}MAX"]
    names = [name.removeprefix(PREFIX) for number, name in reasons.items() if name.startswith(PREFIX) and number < end]
    assert len(names) > 50
    assert [name for name in names if name not in find.reasons() and find.reason(name) is None] == []
    assert all(known.layer in ("", *LAYERS) for name in names if (known := find.reason(name)))


def drivers_counters(namespace: str = "") -> Iterator[str]:
    """Names of `ethtool -S` of every device."""
    prefix = f"ip netns exec {namespace} " if namespace else ""
    for link in json.loads(run(f"{prefix}ip -j link show")):
        told = subprocess.run(
            [*prefix.split(), "ethtool", "-S", link["ifname"]], capture_output=True, text=True, check=False, timeout=60
        )
        for line in told.stdout.splitlines()[1:]:
            name, colon, number = line.rpartition(":")
            if colon and number.strip().isdigit():
                yield name.strip()


def lossy(names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if LOSSY.search(name)})


def test_every_drivers_counter_here_that_speaks_of_loss_has_an_entry() -> None:
    assert undescribed(f"{find.ETHTOOL}{name}" for name in lossy(drivers_counters())) == []


@needs_root
@pytest.mark.root
def test_every_counter_of_veth_that_speaks_of_loss_has_an_entry() -> None:
    with joined_pair() as (left, _):
        names = lossy(drivers_counters(left.name))
    assert names
    assert undescribed(f"{find.ETHTOOL}{name}" for name in names) == []


@needs_root
@pytest.mark.root
def test_every_counter_that_tc_shows_of_a_queue_is_explained() -> None:
    with joined_pair() as (left, _):
        left.run("tc qdisc add dev left0 root handle 1: htb default 1", "tc class add dev left0 parent 1: classid 1:1 "
                 "htb rate 1mbit", "tc qdisc add dev left0 clsact")  # fmt: skip
        told = left.run("tc -s qdisc show dev left0") + left.run("tc -s class show dev left0")
    words = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"\((.*?)\)", told))))
    assert {"dropped", "overlimits", "requeues"} <= words
    assert unexplained(words) == []
    assert unexplained(f"{group}.{word}" for group in ("qdisc", "class") for word in words - {"requeues"}) == []


def test_the_drops_that_sockets_count_have_an_entry() -> None:
    assert (NET / "udp").read_text().splitlines()[0].split()[-1] == "drops"
    assert (NET / "netlink").read_text().splitlines()[0].split()[-2].lower() == "drops"
    assert undescribed(["socket.drops"]) == []


def test_the_backlogs_counters_have_an_entry() -> None:
    """softnet_stat has no names; those of its columns are told by its own text in the kernel (softnet_seq_show)."""
    columns = len((NET / "softnet_stat").read_text().splitlines()[0].split())
    assert columns <= 15, "a column that is not known yet"
    assert undescribed(["softnet.dropped", "softnet.time_squeeze", "softnet.flow_limit"]) == []
