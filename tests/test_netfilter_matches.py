"""What rules plainly match, in both syntaxes: never a constraint that the kernel does not have."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettui.netfilter.matches import Memo, meaning
from nettui.netfilter.rules import netfilter
from tests.ruleset_by_hand import At, nft, ruleset

FIELDS = ("proto", "src", "dst", "sport", "dport", "iif", "oif")

PLAIN = [
    (
        "-A INPUT -s 10.0.0.0/8 -i eth0 -p tcp -m tcp --dport 80 -j ACCEPT",
        "proto tcp src 10.0.0.0/8 dport [80] iif eth0",
    ),
    ("-A X -s 10.1.2.3/32 -d fd00::/8 -o br-1 -j DROP", "src 10.1.2.3 dst fd00::/8 oif br-1"),
    ("-A X ! -s 10.0.0.0/8 -d 10.9.0.1/32 ! -i lo -o veth+ ! -p tcp -j DROP", "dst 10.9.0.1"),
    ("-A X -p tcp -m tcp ! --sport 1:1023 --dport 0:80", "proto tcp"),
    ("-A X -p tcp -m tcp ! --dport 80 --sport 53", "proto tcp sport [53]"),
    ("-A X -p udp -m multiport --dports 53,67,68 -j DROP", "proto udp dport [53, 67, 68]"),
    ("-A X -p udp -m multiport ! --dports 53,67", "proto udp"),
    ("-A X -p tcp -m multiport --dports 22,1024:2048", "proto tcp"),
    ("-A X -p tcp -m multiport --ports 22,80", "proto tcp"),
    ("-A X -p ipv6-icmp -m icmp6 --icmpv6-type 134 -j ACCEPT", "proto icmpv6"),
    ("-A X -p 89 -j ACCEPT", ""),
    ("-A X -s 10.0.0.5/255.0.255.0 -j DROP", ""),
    ('-A X -p tcp -m comment --comment "-m tcp --dport 80" -m tcp --dport 443', "proto tcp dport [443]"),
    ('-A X -m comment --comment "x -s 10.0.0.1 -j DROP" -j ACCEPT', ""),
    ("-A X -m comment --comment -d -m conntrack --ctorigdst 10.0.0.1 -j ACCEPT", ""),
    ("-A X -p tcp -m conntrack --ctproto tcp --ctorigdstport 80:90 -j ACCEPT", "proto tcp"),
    ('-A "-s 10.0.0.1" -d 10.0.0.2/32 -j DROP', "dst 10.0.0.2"),
    ("-A X -p tcp -m tcp -j DNAT --to-destination 10.0.0.1:80", "proto tcp"),
    ("ip saddr 10.0.0.0/8 tcp dport 80 counter accept", "proto tcp src 10.0.0.0/8 dport [80]"),
    ("tcp dport { 22, 80, 443 } drop", "proto tcp dport [22, 80, 443]"),
    ("tcp dport { 22, 8000-8100 } drop", "proto tcp"),
    ("tcp dport != 22 udp sport 53 drop", "proto tcp sport [53]"),
    ("tcp dport 1-1023 drop", "proto tcp"),
    ('iifname "eth0" oifname != "lo" ip daddr 192.0.2.1 accept', "dst 192.0.2.1 iif eth0"),
    ('iifname "veth*" oif "lo" drop', "oif lo"),
    ('iifname { "a", "b" } meta l4proto { tcp, udp } th dport 53 accept', "dport [53]"),
    ("meta l4proto udp ip6 saddr fd00::1 drop", "proto udp src fd00::1"),
    ("ip saddr @blocked tcp dport 80 drop", "proto tcp dport [80]"),
    ("ip saddr { 10.0.0.1, 10.0.0.2 } tcp dport 80 drop", "proto tcp dport [80]"),
    ("ip saddr . tcp dport { 10.0.0.1 . 80 } udp sport 5 drop", "sport [5] proto udp"),
    ("ip saddr 10.0.0.1-10.0.0.9 drop", ""),
    ("ct original ip saddr 10.0.0.1 tcp dport 80 drop", ""),
    ("ct state established,related ip saddr 10.0.0.1 accept", "src 10.0.0.1"),
    ("ct state vmap { established : accept, new : jump fresh } ip saddr 10.0.0.1", ""),
    ("tcp flags syn / fin,syn,rst,ack tcp dport 80 drop", "proto tcp dport [80]"),
    ("tcp flags & (fin | syn) == syn tcp dport 80 drop", "proto tcp"),
    ("meta mark & 0x000000ff == 0x00000001 tcp dport 80 drop", ""),
    ("meta mark set 0x00000001 tcp dport 80", ""),
    ("ip saddr set 10.0.0.1 tcp dport 80", ""),
    ("add @seen { ip saddr timeout 5m } tcp dport 80", ""),
    ("dnat ip to ip daddr map { 10.0.0.1 : 10.0.0.2 }", ""),
    ("fib daddr type local tcp dport 80 accept", "proto tcp dport [80]"),
    ('log prefix "tcp dport 80 " tcp dport 22', ""),
    ('iifname "a" tcp dport 5" drop', ""),
    ("vxlan ip saddr 10.0.0.1 drop", ""),
    ("icmp type echo-request accept", "proto icmp"),
    ("[expr novel] ip saddr 10.0.0.1 drop", ""),
]


@pytest.mark.parametrize(("text", "wanted"), PLAIN)
def test_a_rule_has_the_constraints_that_it_plainly_tells_and_no_other(text: str, wanted: str):
    row = next(netfilter({"netfilter": ruleset(At("X", [text]))}).rows(slice(1, 2)))
    shown = {name: row[name] for name in FIELDS if name in row}
    words = {}
    for name in FIELDS:
        if f"{name} " in wanted:
            rest = wanted.split(f"{name} ", 1)[1]
            words[name] = (
                [int(port) for port in rest[1 : rest.index("]")].split(",")] if rest[0] == "[" else rest.split()[0]
            )
    assert shown == words


def test_the_text_is_without_the_chains_name_and_the_counter():
    assert meaning("-A INPUT -s 10.0.0.1/32 -j DROP").text == "-s 10.0.0.1/32 -j DROP"
    assert meaning('-A "two words" -j DROP').text == "-j DROP"
    table = ruleset(nft(At("input", ["tcp dport 80 counter packets 5 bytes 300 drop"], "input", policy="drop")))
    assert netfilter({"netfilter": table})["text"].cells() == [
        "inet filter input  policy drop",
        "tcp dport 80 counter drop",
    ]


def test_a_refresh_of_counters_reads_no_rule_again():
    memo = Memo()
    first = memo.columns(["counter packets 1 bytes 2 drop", "quota over 5 mbytes used 1 mbytes drop"])
    assert memo.columns(["counter packets 9 bytes 900 drop", "quota over 5 mbytes used 3 mbytes drop"]) is first
    assert memo.columns(["counter packets 9 bytes 900 accept"]) is not first


def test_a_text_with_a_nul_in_it_stays_one_text():
    assert len(Memo().columns(["a\0b", "counter packets 1 bytes 1 drop"])) == 3


def test_sets_and_maps_are_named():
    rules = [
        "ip saddr @blocked drop",
        "@th,0,16 80 drop",
        '-A X -m set --match-set "s 1" src -j DROP',
        "-A X -m set --match-set s1 src -j DROP",
        'log prefix "to @home" drop',
    ]
    assert netfilter({"netfilter": ruleset(At("X", rules))})["set"].cells()[1:] == ["blocked", None, None, "s1", None]


def test_managers_are_told_by_chain_table_and_where_a_rule_leads():
    table = ruleset(
        At("FORWARD", ["-A FORWARD -j DOCKER-USER", "-A FORWARD -j cali-FORWARD", "-A FORWARD -j DROP"], "forward"),
        At("KUBE-SVC-X", ["-A KUBE-SVC-X -j KUBE-SEP-Y"], table="nat"),
        nft(At("filter_INPUT", ["ct state established accept"], "input", table="firewalld")),
    )
    found = netfilter({"netfilter": table})["manager"].cells()
    assert found == [None, "docker", "calico", None, "kubernetes", "kubernetes", "firewalld", "firewalld"]


def test_what_drops_is_marked_and_a_loss_that_nothing_counts_too():
    rules = ["counter packets 1 bytes 1 drop", "drop", "reject", "queue", "masquerade", "accept"]
    table = ruleset(nft(At("input", rules, "input", policy="drop", counts=[1, 0, 0, 0, 0, 0])))
    cells = netfilter({"netfilter": table})["mark"].cells()
    assert cells == ["policy drop", "drop", "drop", "reject", "queue", "nat", None]
    uncounted = netfilter({"netfilter": ruleset(nft(At("input", ["drop", "reject"], "input")))})
    assert uncounted["mark"].cells()[1:] == ["drop, not counted", "reject, not counted"]


def test_rules_of_legacy_and_of_nf_tables_at_once_are_noted():
    legacy = At("INPUT", ["-A INPUT -j DROP"], "input", world="iptables-legacy")
    both = netfilter({"netfilter": ruleset(legacy, nft(At("input", ["drop"], "input")))})
    assert "1 rules of iptables-legacy and 1 of nf_tables" in both.gaps[0].reason
    assert netfilter({"netfilter": ruleset(legacy)}).gaps == ()
    assert netfilter({"netfilter": ruleset(legacy, nft(At("input", (), "input")))}).gaps == ()


def test_a_refresh_of_20_000_rules_costs_little():
    def table(count: int):
        texts = [f"ip saddr 10.1.{n >> 8}.{n & 255} counter packets {count} bytes 5 drop" for n in range(20_000)]
        return ruleset(nft(At("input", texts, "input")))

    netfilter({"netfilter": table(1)})
    again = table(2)
    started = time.process_time()
    netfilter({"netfilter": again})
    assert time.process_time() - started < 0.06


ODD = ['"', "\\", "{", "}", "\x1b[31m", "\0", "²", "[/red]", "99999"]
PIECES = [*(word for text, _ in PLAIN for word in text.split()), *ODD]


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.text(max_size=8))
def test_no_text_is_too_odd_to_be_read(pieces: list[str], more: str):
    for text in (" ".join(pieces) + more, "-A X " + " ".join(pieces) + more):
        row = Memo().columns([text]).row(0)
        assert all(0 <= port < 100_000 for name in ("sport", "dport") for port in row.get(name, ()))


def test_a_quotation_that_never_ends_costs_little():
    started = time.process_time()
    meaning("-A X " + '" \\' * 3000)
    meaning('iifname "' * 3000)
    assert time.process_time() - started < 0.5
