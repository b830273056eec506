"""Rules and chains of iptables beside iptables-save -c, of the nft-backed tools and of the legacy ones."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from collectors.collector import Block
from collectors.netfilter import ipset, nfnetlink
from collectors.netfilter.nft.model import Context
from collectors.netfilter.nft.rules import by_table
from collectors.netfilter.told import NotTheirs, Rules, told
from collectors.netfilter.xt import entry, legacy, nft_rule
from collectors.wire.netlink import messages
from collectors.wire.templates import Templates
from tests import iptables_rules
from tests import netfilter_scenes as scenes
from tests.iptables_rules import NFT_MSG_NEWRULE, load, nft_blocks
from tests.lab import Namespace, namespace, needs_root
from tests.rulesets import kubernetes

pytestmark = [pytest.mark.root, needs_root]

Lines = dict[tuple[str, str], list[str]]  # rules by table and chain, "[packets:bytes] -A ..."


def saved(inside: Namespace, family: int, world: str) -> tuple[Lines, dict[str, list[str]]]:
    """The peer's rules, and its chain lines by table."""
    rules: Lines = {}
    chains: dict[str, list[str]] = {}
    table = ""
    for line in iptables_rules.saved(inside, family, world).split("\n"):
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            chains.setdefault(table, []).append(line)
        elif line.startswith("["):
            rules.setdefault((table, line.split()[2]), []).append(normal(line))
    return rules, chains


def normal(line: str) -> str:
    return " ".join(line.split())


def lines(table: str, rules: Rules) -> Lines:
    found: Lines = {}
    for chain, text, packets, octets in zip(rules.chains.cells(), rules.texts, rules.packets, rules.bytes, strict=True):
        found.setdefault((table, chain), []).append(normal(f"[{packets}:{octets}] {text}"))
    return found


def nft_rules(inside: Namespace, family: int) -> Iterator[tuple[str, Rules]]:
    """Rules of iptables-nft by table."""
    names = set_names(inside)
    devices = dict(inside.host.inside(socket.if_nameindex))
    for block in nft_blocks(inside.host):
        found = messages(block.data).of(nfnetlink.kind(nfnetlink.NFTABLES, NFT_MSG_NEWRULE))
        for key, records, _ in by_table(found):
            if key.family != family:
                continue
            context = Context(key.family, key.name, device=devices.get, ipsets=names)
            yield (
                key.name,
                told(records, Templates(partial(nft_rule.tell, context=context)), lambda chain: f"-A {chain}"),
            )


def set_names(inside: Namespace) -> dict[int, str]:
    return dict(ipset.decode_names([item for item in ipset.read_names(inside.host) if isinstance(item, Block)]))


def legacy_tables(inside: Namespace, family: int) -> list[legacy.LegacyTable]:
    blocks = list(legacy.read(inside.host))
    return [table for table in legacy.decode(blocks) if table.family == family]


def legacy_rules(inside: Namespace, family: int) -> Iterator[tuple[str, Rules]]:
    names = set_names(inside)
    for table in legacy_tables(inside, family):
        tell = Templates(entry.teller(family, table.jumps, names))
        yield table.name, told(table.rules, tell, lambda chain: f"-A {chain}")


READ = {"nft": nft_rules, "legacy": legacy_rules}


def ours(inside: Namespace, family: int, world: str) -> Lines:
    found: Lines = {}
    for table, rules in READ[world](inside, family):
        for place, said in lines(table, rules).items():
            found.setdefault(place, []).extend(said)
    return found


def same(inside: Namespace, family: int, world: str, at_least: int) -> None:
    theirs, _ = saved(inside, family, world)
    found = ours(inside, family, world)
    differing = [
        pair
        for place in theirs.keys() | found.keys()
        for pair in zip_longest_lines(theirs.get(place, []), found.get(place, []))
    ]
    assert not differing
    assert sum(map(len, theirs.values())) >= at_least


def zip_longest_lines(theirs: list[str], found: list[str]) -> list[tuple[str, str]]:
    both = zip([*theirs, *[""] * len(found)], [*found, *[""] * len(theirs)], strict=False)
    return [(peer, line) for peer, line in both if peer != line]


@pytest.mark.parametrize("world", ["nft", "legacy"])
@pytest.mark.parametrize("family", [2, 10])
def test_every_option_without_a_match_is_told_as_iptables_save_tells_it(family, world):
    rules = iptables_rules.rules_of(family)
    with namespace() as inside:
        load(inside, family, world, rules)
        same(inside, family, world, at_least=len(rules.split("\n")) - 6)


@pytest.mark.parametrize("world", ["nft", "legacy"])
def test_devices_to_leave_by_are_told_too(world):
    with namespace() as inside:
        load(inside, 2, world, "-i eth0 -o eth1\n-i + -o +\n! -o +\n! -o veth+ -j ACCEPT\n", "FORWARD")
        same(inside, 2, world, at_least=5)


@pytest.mark.parametrize("world", ["nft", "legacy"])
def test_every_protocol_has_the_name_that_iptables_gives_it(world):
    with namespace() as inside:
        load(inside, 2, world, "".join(f"-p {number}\n" for number in range(256)))
        same(inside, 2, world, at_least=256)


@pytest.mark.parametrize("world", ["nft", "legacy"])
@pytest.mark.parametrize("family", [2, 10])
def test_every_match_and_target_is_told_as_iptables_save_tells_it(family, world):
    with scenes.every_xt_rule(family, legacy=world == "legacy") as inside:
        same(inside, family, world, at_least=350)


def test_the_rules_of_a_docker_host_are_told_with_their_counters():
    with scenes.docker_host() as inside:
        same(inside, 2, "nft", at_least=20)


@pytest.mark.parametrize("family", [2, 10])
def test_the_rules_of_kube_proxy_are_told(family):
    with scenes.kubernetes_host(100, 3, 50) as inside:
        same(inside, family, "nft", at_least=500)


def test_the_rules_of_kube_proxy_are_told_by_legacy_too():
    with namespace() as inside:
        scenes.objects.accounting(inside, "ct_state_invalid_dropped_pkts")
        scenes.load(inside, "ipset restore", kubernetes.ipsets(False))
        scenes.load(inside, "iptables-legacy-restore", kubernetes.restore_file(False, 50, 3))
        same(inside, 2, "legacy", at_least=500)


CHAINS = """*filter
:INPUT DROP [7:700]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:zeta - [0:0]
:alpha - [0:0]
:Mike - [0:0]
-A INPUT -j zeta
-A zeta -g alpha
-A alpha -j RETURN
COMMIT
*mangle
COMMIT
*nat
:PREROUTING DROP [1:2]
COMMIT
"""


def test_chains_of_legacy_stand_in_the_order_and_with_the_policies_that_iptables_save_tells():
    with namespace() as inside:
        scenes.load(inside, "iptables-legacy-restore -c", CHAINS.replace(":PREROUTING DROP", ":PREROUTING ACCEPT"))
        inside.run("ip6tables-legacy -P FORWARD DROP", "ip6tables-legacy -N more")
        for family in (2, 10):
            _, theirs = saved(inside, family, "legacy")
            assert {table.name: chain_lines(table) for table in legacy_tables(inside, family)} == theirs
            assert theirs
        filters = next(table for table in legacy_tables(inside, 2) if table.name == "filter")
    assert [chain.name for chain in filters.chains] == ["INPUT", "FORWARD", "OUTPUT", "Mike", "alpha", "zeta"]
    assert [chain.hook for chain in filters.chains] == ["input", "forward", "output", None, None, None]


def chain_lines(table: legacy.LegacyTable) -> list[str]:
    return [
        f":{chain.name} {(chain.policy or '-').upper()} [{chain.packets or 0}:{chain.bytes or 0}]"
        for chain in table.chains
    ]


VERDICTS = {
    "-j ACCEPT": "accept",
    "-j DROP": "drop",
    "-j RETURN": "return",
    "-j REJECT": "reject",
    "-j NFQUEUE --queue-num 3": "queue",
    "-j other": "jump other",
    "-g other": "goto other",
    "-j LOG": "",
    "-m comment --comment none": "",
}


@pytest.mark.parametrize("world", ["nft", "legacy"])
def test_verdicts_are_in_the_words_of_nft(world):
    with namespace() as inside:
        load(inside, 2, world, "\n".join(VERDICTS))
        inside.run(
            f"iptables-{world} -t nat -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1",
            f"iptables-{world} -t nat -A POSTROUTING -j MASQUERADE",
        )
        found = dict(READ[world](inside, 2))
    rules = found["filter"]
    pairs = zip(rules.chains.cells(), rules.verdicts.cells(), strict=True)
    told_ones = [verdict for chain, verdict in pairs if chain == "INPUT"]
    assert [verdict or "" for verdict in told_ones] == list(VERDICTS.values())
    assert found["nat"].verdicts.cells() == ["dnat", "masquerade"]
    assert [comment for comment in rules.comments.cells() if comment] == ["none"]


@pytest.mark.parametrize("world", ["nft", "legacy"])
def test_twenty_three_packets_are_counted_by_the_rule_that_met_them(world):
    with namespace() as inside:
        load(inside, 2, world, "-p udp --dport 8\n-i lo -p udp -m udp --dport 9 -j DROP\n")
        with inside.host.socket(socket.SOCK_DGRAM, 0, socket.AF_INET) as sock:
            for _ in range(23):
                sock.sendto(b"x", ("127.0.0.1", 9))
        same(inside, 2, world, at_least=3)
        (_, rules), *_ = READ[world](inside, 2)
    counted = dict(zip(rules.texts, zip(rules.packets.tolist(), rules.bytes.tolist(), strict=True), strict=True))
    assert counted["-A INPUT -i lo -p udp -m udp --dport 9 -j DROP"] == (23, 23 * 29)
    assert counted["-A INPUT -p udp -m udp --dport 8"] == (0, 0)


# what nft writes into a table of iptables, and iptables reads as its own
READ_AS_ITS_OWN = """
ip ttl 5
ip ttl != 5
ip ttl < 5
ip ttl >= 5
meta pkttype broadcast
meta mark 5
meta mark and 7 == 5
iif lo
oif != lo accept
tcp dport < 10
tcp dport >= 10
tcp dport 10-20
tcp dport != 10-20
tcp sport 7 tcp dport 8
tcp flags syn
tcp flags & syn == syn
ip protocol tcp drop
limit rate 5/minute
limit rate 5/second burst 7 packets
log prefix "two words" group 5
log group 3 snaplen 7 queue-threshold 9
ip saddr & 255.0.255.0 == 1.0.3.0
ip saddr 0.0.0.0/0
icmp type echo-request
continue
meta nftrace set 1
iifname "eth*" counter jump other
meta l4proto 6 th dport 80 goto other
"""
NOT_THEIRS = (
    "meta mark set 5", "meta length 5", "ip dscp 5", "limit rate over 5/second", 'log prefix "x"', "ct state new",
    "tcp dport { 1, 2 }", "reject", "ip saddr 1.2.3.4-1.2.3.9", "udp length 9", "sctp dport 5",
    "meta skuid 0", "quota 5 bytes", "ip version 4", "ip saddr 1.0.0.0/25 ip saddr 1.0.0.0/8",
    "meta nftrace set 0", "th dport 80", "iif 4242",
)  # fmt: skip


def test_what_nft_wrote_into_a_table_of_iptables_is_told_as_iptables_reads_it():
    with namespace() as inside:
        load(inside, 2, "nft", "")
        rules = [rule for rule in READ_AS_ITS_OWN.splitlines() if rule]
        scenes.load_nft(inside, "".join(f"add rule ip filter INPUT {rule}\n" for rule in rules))
        same(inside, 2, "nft", at_least=len(rules))


@pytest.mark.parametrize("rule", NOT_THEIRS)
def test_what_iptables_could_not_have_written_is_left_to_nft(rule):
    with namespace() as inside:
        load(inside, 2, "nft", "")
        try:
            scenes.load_nft(inside, f"add rule ip filter INPUT {rule}\n")
        except AssertionError as refused:
            pytest.skip(f"nft or this kernel does not take it: {refused}")
        with pytest.raises(NotTheirs):
            list(nft_rules(inside, 2))


def test_reading_makes_no_table():
    with namespace() as inside:
        inside.run("ip6tables-legacy -t mangle -A INPUT -j ACCEPT")
        assert [block.part for block in legacy.read(inside.host)] == ["legacy ip6 mangle"]
        assert inside.host.read("net/ip_tables_names") == b""
        assert inside.host.read("net/ip6_tables_names") == b"mangle\n"


WITHOUT_RIGHTS = """
from collectors.host import Host
from collectors.netfilter.xt import legacy
print(*legacy.read(Host()))
"""


def test_without_cap_net_admin_there_is_a_gap_that_says_so():
    with namespace() as inside:
        inside.run("iptables-legacy -A INPUT -j ACCEPT")
        words = ["ip", "netns", "exec", inside.name, "setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
        done = subprocess.run(
            [*words, sys.executable, "-c", WITHOUT_RIGHTS],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            cwd=Path(__file__).parents[2],
        )
    assert re.fullmatch(r"Gap\(.*CAP_NET_ADMIN.*\)\n", done.stdout)
