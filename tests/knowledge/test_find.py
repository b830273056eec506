"""Names as people spell them: from nstat, ip, ethtool, tc, conntrack, /proc, the kernel's log, and with mistakes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettui.knowledge import find
from nettui.knowledge.entry import LAYERS

LINK = "rtnl_link_stats64."
UDP4 = [f"{group}.RcvbufErrors" for group in ("Udp", "Udp6", "UdpLite", "UdpLite6")]
# as it is spelled -> what it means, the likeliest first
SPELLED = {
    "Udp.RcvbufErrors": ["Udp.RcvbufErrors"],
    "UdpRcvbufErrors": ["Udp.RcvbufErrors"],
    "udp rcvbuf errors": ["Udp.RcvbufErrors"],
    "udp6RcvbufErrors": ["Udp6.RcvbufErrors"],
    "rcvbuferrors": UDP4,
    "  RcvbufErrors  ": UDP4,
    "TCPBacklogDrop": ["TcpExt.TCPBacklogDrop"],
    "tcp_backlog_drop": ["TcpExt.TCPBacklogDrop"],
    "LINUX_MIB_TCPBACKLOGDROP": ["TcpExt.TCPBacklogDrop"],
    "TcpExtListenDrops  0": ["TcpExt.ListenDrops"],
    "TcpExtListenDrops               0                  0.0": ["TcpExt.ListenDrops"],
    "ListenOverflows": ["TcpExt.ListenOverflows"],
    "IP.INDISCARDS": ["Ip.InDiscards"],
    "InDiscards": ["Ip.InDiscards", "Ip6.InDiscards"],
    "XfrmInNoStates": ["xfrm.InNoStates"],
    "InNoStates": ["xfrm.InNoStates"],
    "TlsDecryptError": ["tls.DecryptError"],
    "SctpChecksumErrors": ["Sctp.ChecksumErrors"],
    "Icmp6InType135": ["Icmp6.InType135"],
    "InType3": ["IcmpMsg.InType3", "Icmp6.InType3"],
    "softnet.dropped": ["softnet.dropped"],
    "softnet dropped": ["softnet.dropped"],
    "softnet_stat dropped": ["softnet.dropped"],
    "time_squeeze": ["softnet.time_squeeze"],
    "squeezed": ["softnet.time_squeeze"],
    "missed": [LINK + "rx_missed_errors"],
    "TX dropped": [LINK + "tx_dropped", "mpls.tx_dropped"],
    "RX-OVR": [LINK + "rx_fifo_errors"],
    "/sys/class/net/eth0/statistics/rx_nohandler": [LINK + "rx_nohandler"],
    "stats64.rx_crc_errors": [LINK + "rx_crc_errors"],
    "collsns": [LINK + "collisions"],
    "insert_failed": ["nf_conntrack.insert_failed"],
    "insert_failed=3": ["nf_conntrack.insert_failed"],
    "conntrack insert_failed": ["nf_conntrack.insert_failed"],
    "nf_conntrack.clashres": ["nf_conntrack.clash_resolve"],
    "chainlength": ["nf_conntrack.chaintoolong"],
    "nf_conntrack: table full": ["nf_conntrack.drop"],
    "arp_cache.table_fulls": ["neigh.table_fulls"],
    "unres_discards": ["neigh.unresolved_discards"],
    "qdisc.dropped": ["qdisc.drops"],
    "tc drops": ["qdisc.drops"],
    "requeues": ["qdisc.requeues", "class.requeues"],
    "nft drop": ["rule.drop"],
    "sk_drops": ["socket.drops"],
    "rp_filter": ["TcpExt.IPReversePathFilter"],
    "NO_SOCKET": ["kfree_skb.NO_SOCKET"],
    "no socket": ["kfree_skb.NO_SOCKET"],
    "SKB_DROP_REASON_NO_SOCKET": ["kfree_skb.NO_SOCKET"],
    "kfree_skb.no_socket": ["kfree_skb.NO_SOCKET"],
    "PTYPE_ABSENT": ["kfree_skb.UNHANDLED_PROTO"],
    "mac80211.5": ["kfree_skb.mac80211.5"],
    "tcp_v4_rcv": ["tcp_v4_rcv"],
    "tcp_v4_rcv+0x1a3/0x9f0": ["tcp_v4_rcv"],
    "rx_queue_0_drops": ["ethtool.rx_queue_0_drops"],
    "     rx_queue_0_drops: 55": ["ethtool.rx_queue_0_drops"],
    "ethtool.rx_out_of_buffer": ["ethtool.rx_out_of_buffer"],
    "Pkts Rx OOB": ["ethtool.Pkts Rx OOB"],
    "     err": ["ethtool.     err"],
    "[0]: rx_discards": ["ethtool.[0]: rx_discards"],
}
# with a mistake -> what is suggested first
MISSPELLED = {
    "ListenOverflow": "TcpExt.ListenOverflows",
    "UdpInCsumErors": "Udp.InCsumErrors",
    "rx_mised_errors": LINK + "rx_missed_errors",
    "NO_SOKET": "NO_SOCKET",
    "insert_faild": "nf_conntrack.insert_failed",
    "syncookies": "TcpExt.SyncookiesSent",
    "softnet": "softnet.dropped",
    "conntrack": "nf_conntrack.drop",
    "udp": "Udp.InErrors",
}


@pytest.mark.parametrize("text", SPELLED)
def test_a_name_is_known_as_it_is_spelled(text: str) -> None:
    assert [found.name for found in find.found(text)] == SPELLED[text]


@pytest.mark.parametrize("text", MISSPELLED)
def test_a_mistake_is_not_taken_for_a_name_and_the_right_one_is_suggested_first(text: str) -> None:
    assert find.found(text) == []
    assert find.similar(text)[0] == MISSPELLED[text]
    assert len(find.similar(text)) <= 6


def test_a_name_of_many_groups_is_told_of_all_the_likeliest_first() -> None:
    names = [found.name for found in find.found("InCsumErrors")]
    assert names[:2] == ["Tcp.InCsumErrors", "Udp.InCsumErrors"]
    assert sorted(names) == sorted(name for name in find.counters() if name.endswith(".InCsumErrors"))


def test_every_counter_is_found_by_its_own_name_and_as_nstat_spells_it() -> None:
    for name in find.counters():
        assert [found.name for found in find.found(name)] == [name]
        assert name in [found.name for found in find.found(name.replace(".", ""))]
        assert name in [found.name for found in find.found(name.partition(".")[2])], name


def test_every_reason_and_function_is_found_by_its_own_name() -> None:
    for name, known in find.reasons().items():
        assert known in [found.entry for found in find.found(name)]
        assert known in [found.entry for found in find.found(f"SKB_DROP_REASON_{name}")]
    for name, place in find.places().items():
        assert place in [found.entry for found in find.found(f"{name}+0x10")]


def test_the_driver_decides_between_patterns_that_both_match() -> None:
    for names, pattern in find.patterns():
        for driver in pattern.drivers:
            known = find.of_driver("rx_dropped", driver)
            if names.fullmatch("rx_dropped"):
                assert known == pattern.entry


def test_a_reason_of_a_subsystem_is_its_subsystems() -> None:
    assert find.reason("mac80211.77") is find.reasons()["mac80211"]
    assert find.reason("nosuch.77") is None


def test_what_is_unknown_has_no_entry_and_a_layer_all_the_same() -> None:
    assert find.counter("TcpExt.NoSuch") is None
    assert find.counter("ethtool.no_such_thing") is None
    assert find.place("no_such_function") is None
    assert find.layer_of("no_such_function") == "other"
    assert {find.layer_of(name) for name in find.places()} <= set(LAYERS)


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "\n", ".", "...", "_", "*", "((((", "[", "\\", "é", "\udcff", "\x1b[31m"]
)
def test_what_is_no_name_is_nothing(text: str) -> None:
    assert find.found(text) == []
    assert find.similar(text) == []


@given(st.text(max_size=60))
def test_any_text_is_looked_up_without_a_fault(text: str) -> None:
    for found in find.found(text):
        assert found.entry
    assert len(find.similar(text)) <= 6


@pytest.mark.parametrize("letter", ["a", " ", "_", "1", ": ", "[", "\t1", "rx_"])
def test_ten_thousand_letters_cost_no_more_than_a_few(letter: str) -> None:
    find.similar("warm"), find.found("warm")
    begun = time.process_time()
    assert find.found(letter * 10_000 + "!") == []
    find.similar(letter * 10_000)
    assert time.process_time() - begun < 0.5
