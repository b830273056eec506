"""Drop reasons: the running kernel's have an entry each, and entries hold to what they promise."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from getopt import gnu_getopt

import pytest

from collectors.tracing.btf import VMLINUX
from nettui.knowledge import find
from nettui.knowledge.entry import LAYERS, Reason
from nettui.knowledge.reasons_subsystems import OTHER_NAMES
from nettui.query import compile
from nettui.report.schema import declared
from tests.lab import needs_root

REASONS = [entry for module in find.REASONS for entry in find.entries(module)]
NO_REASONS = {"CONSUMED", "MAX", "SUBSYS_MASK"}
FORMAT = "/sys/kernel/tracing/events/skb/kfree_skb/format"
# include/net/dropreason-core.h of 5.17, 5.18, 6.2, 6.8, 6.13 and 6.18: some of each, by the name they had there
OTHER_KERNELS = {
    "NOT_SPECIFIED", "NO_SOCKET", "PKT_TOO_SMALL", "TCP_CSUM", "SOCKET_FILTER", "UDP_CSUM", "PTYPE_ABSENT",
    "NETFILTER_DROP", "TAP_TXFILTER", "DUP_FRAG", "TC_ERROR", "TC_COOKIE_ERROR", "VXLAN_NO_REMOTE", "TCP_AOFAILURE",
    "PSP_INPUT", "DUALPI2_STEP_DROP",
}  # fmt: skip


def named(entry: Reason) -> str:
    return entry.name


def in_btf() -> set[str]:
    """Names of the enum in this kernel's BTF, which is one string after the other."""
    found = re.findall(rb"\0SKB_DROP_REASON_([A-Z0-9_]+)(?=\0)", VMLINUX.read_bytes())
    return {name.decode() for name in found if not name.startswith(b"SUBSYS_")}


def in_the_event() -> set[str]:
    """Names in the event's format, from a tracefs that only the process asked can see."""
    mounted = f"mount -t tracefs tracefs /sys/kernel/tracing 2>&-; cat {FORMAT}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", mounted], capture_output=True, text=True, check=False)
    return set(re.findall(r'\{ \d+, "(\w+)" \}', done.stdout))


@pytest.mark.skipif(not VMLINUX.exists(), reason="this kernel has no BTF")
def test_every_reason_of_the_running_kernel_has_an_entry() -> None:
    known = in_btf()
    assert len(known) > 50
    assert {name for name in known - NO_REASONS if find.reason(name) is None} == set()


@pytest.mark.root
@needs_root
def test_every_reason_that_the_event_names_has_an_entry() -> None:
    known = in_the_event()
    if not known:
        pytest.skip("no event skb:kfree_skb, or one without reasons")
    assert {name for name in known - NO_REASONS if find.reason(name) is None} == set()


@pytest.mark.parametrize("name", sorted(OTHER_KERNELS))
def test_names_of_other_kernels_have_an_entry(name: str) -> None:
    assert find.reason(name) is not None


def test_reasons_of_subsystems_are_found_by_number_and_by_name() -> None:
    assert find.reason("openvswitch.3") is find.reason("OVS_DROP_EXPLICIT")
    assert find.reason("openvswitch.11") is not None
    assert find.reason("mac80211.7") is find.reason("mac80211")
    assert find.reason("subsystem9.1") is None
    assert set(OTHER_NAMES.values()) <= set(find.reasons())


def test_no_reason_is_described_twice() -> None:
    assert len({entry.name for entry in REASONS}) == len(REASONS)


@pytest.mark.parametrize("entry", REASONS, ids=named)
def test_a_reason_says_what_it_means_and_fits_a_line(entry: Reason) -> None:
    assert entry.meaning.endswith(".")
    assert 0 < len(entry.cause) <= 50
    assert entry.layer in {*LAYERS, ""}
    assert entry.severity != "traffic"
    assert entry.causes
    assert entry.remedies
    assert re.match(r"[56]\.\d+", entry.since)
    assert entry.source


@pytest.mark.parametrize("entry", REASONS, ids=named)
def test_counters_that_a_reason_names_are_described_and_in_the_ledger(entry: Reason) -> None:
    for name in entry.counters:
        known = find.counter(name)
        assert known is not None, name
        assert known.severity != "traffic", name


def test_reasons_that_counters_name_are_described() -> None:
    told = {name for entry in find.counters().values() for name in entry.reasons}
    told |= {name for _, pattern in find.patterns() for name in pattern.entry.reasons}
    assert {name for name in told if name not in find.reasons()} == set()


def commands() -> list[str]:
    return sorted({
        remedy for entry in REASONS for remedy in entry.remedies if remedy.startswith("nettui report ")
    })  # fmt: skip


@pytest.mark.parametrize("command", commands())
def test_a_remedy_of_nettui_names_sections_and_columns_that_exist(command: str) -> None:
    words = shlex.split(command, comments=True)[2:]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    columns = declared(words[0])
    names = {column.name for column in columns}
    assert set(options) <= {"--where", "--sort", "--columns", "--limit"}
    compile(options.get("--where", ""), columns)
    for option in ("--sort", "--columns"):
        assert {name.lstrip("-") for name in options.get(option, "").split(",") if name} <= names


def filters() -> list[str]:
    """What remedies ask tcpdump for, with addresses in place of words."""
    lines = {remedy for entry in (*REASONS, *find.counters().values()) for remedy in entry.remedies}
    found = set()
    for line in lines:
        if not line.startswith("tcpdump "):
            continue
        words = shlex.split(line.partition(" | ")[0], comments=True)[1:]
        found.add(" ".join(gnu_getopt(words, "B:M:c:i:AXelnpqvx")[1]))
    return sorted(re.sub(r"\b[A-Z][A-Z-]+\b", example, expression) for expression in found - {""})


def example(word: re.Match[str]) -> str:
    return {"PORT": "80", "MAC": "02:00:00:00:00:01"}.get(word[0], "192.0.2.1")


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="no tcpdump")
@pytest.mark.parametrize("expression", filters())
def test_a_filter_of_a_remedy_is_one_that_tcpdump_takes(expression: str) -> None:
    command = ["tcpdump", "-y", "EN10MB", "-d", expression]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
