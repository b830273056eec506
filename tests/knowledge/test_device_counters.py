"""Counters that are no protocol's: each has an entry that an engineer can use; patterns take what they should."""

import re
import shlex
from pathlib import Path

import pytest

from collectors.netfilter.conntrack.statistics import COLUMNS as CONNTRACK_COLUMNS
from collectors.netlink.link_columns import STATS
from collectors.proc.softnet import COLUMNS as SOFTNET_COLUMNS
from nettui.knowledge.bridges import BRIDGES
from nettui.knowledge.conntrack import CONNTRACK
from nettui.knowledge.devices import DEVICES
from nettui.knowledge.drivers import PATTERNS
from nettui.knowledge.entry import LAYERS, Counter
from nettui.knowledge.neighbours import NEIGHBOURS
from nettui.knowledge.netfilter import NETFILTER
from nettui.knowledge.places import PLACES, layer_of
from nettui.knowledge.qdiscs import QDISCS
from nettui.knowledge.sockets import SOCKETS
from nettui.knowledge.softnet import SOFTNET
from nettui.query import compile
from nettui.report.schema import declared

PLAIN = (*DEVICES, *SOFTNET, *QDISCS, *BRIDGES, *NETFILTER, *CONNTRACK, *NEIGHBOURS, *SOCKETS)
ENTRIES = (*PLAIN, *(pattern.entry for pattern in PATTERNS))
NAMES = {entry.name for entry in ENTRIES}
LEDGER = [entry for entry in ENTRIES if entry.severity != "traffic"]
# functions of modules that need not be loaded, of other configurations, and what compilers put into their callers
ELSEWHERE = {
    "ebt_do_table", "nf_reinject", "nfqnl_flush", "ip6frag_expire_frag_queue", "dst_blackhole_output",
    "do_one_broadcast",     "__dev_xmit_skb", "macvlan_broadcast_enqueue", "ip_vs_leave", "sctp_rcv", "mpls_forward",
}  # fmt: skip


def named(entry: Counter) -> str:
    return entry.name


def test_every_field_of_the_link_statistics_has_an_entry() -> None:
    assert {f"rtnl_link_stats64.{field}" for field in STATS} == {entry.name for entry in DEVICES}


def test_every_conntrack_statistic_has_an_entry() -> None:
    assert {f"nf_conntrack.{column.name}" for column in CONNTRACK_COLUMNS if column.name != "cpu"} <= NAMES


def test_every_softnet_counter_has_an_entry() -> None:
    assert {f"softnet.{column.name}" for column in SOFTNET_COLUMNS if column.kind == "counter"} <= NAMES


@pytest.mark.parametrize(
    ("file", "group"),
    [("arp_cache", "neigh"), ("ndisc_cache", "neigh"), ("rt_cache", "rt_cache"), ("synproxy", "synproxy")],
)
def test_every_column_of_the_kernels_own_file_has_an_entry(file: str, group: str) -> None:
    path = Path("/proc/net/stat") / file
    if not path.exists():
        pytest.skip(f"{path} is not here: its module is not loaded")
    columns = path.read_text().splitlines()[0].split()
    assert columns
    assert {f"{group}.{column}" for column in columns} <= NAMES


def test_every_neighbour_statistic_of_netlink_has_an_entry() -> None:
    header = Path("/usr/include/linux/neighbour.h")
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    fields = re.findall(r"ndts_(\w+);", header.read_text())
    assert len(fields) >= 10
    assert {f"neigh.{field}" for field in fields} <= NAMES


def test_names_are_unique() -> None:
    assert len(NAMES) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_an_entry_is_short_whole_and_of_a_known_layer(entry: Counter) -> None:
    assert entry.layer in LAYERS
    assert 0 < len(entry.cause) <= 50
    assert entry.counts.endswith(".")
    assert entry.source
    assert not entry.since or tuple(map(int, entry.since.split("."))) > (4, 18)


@pytest.mark.parametrize("entry", LEDGER, ids=named)
def test_an_entry_of_the_ledger_says_why_and_what_to_do(entry: Counter) -> None:
    assert entry.causes
    assert entry.remedies
    assert all(isinstance(text, str) and len(text) > 2 for text in (*entry.causes, *entry.remedies, *entry.reasons))


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_what_an_entry_refers_to_is_there(entry: Counter) -> None:
    groups = {name.split(".")[0] for name in NAMES}
    for other in (*entry.part_of, *entry.along):
        assert other != entry.name
        assert other.split(".")[0] not in groups or other in NAMES, other


def test_nothing_is_part_of_itself_by_way_of_others() -> None:
    above = {entry.name: set(entry.part_of) for entry in ENTRIES}
    for name in above:
        seen: set[str] = set()
        reached = set(above[name])
        while reached - seen:
            seen |= reached
            reached = {further for one in seen for further in above.get(one, ())}
        assert name not in seen


@pytest.mark.parametrize("entry", LEDGER, ids=named)
def test_every_filter_that_a_remedy_gives_is_understood(entry: Counter) -> None:
    for remedy in entry.remedies:
        if remedy.startswith("nettui report "):
            words = shlex.split(remedy, comments=True)
            columns = declared(words[2])
            assert columns, words[2]
            if "--where" in words:
                compile(words[words.index("--where") + 1], columns)
            if "--columns" in words:
                assert set(words[words.index("--columns") + 1].split(",")) <= {column.name for column in columns}


@pytest.mark.parametrize("entry", LEDGER, ids=named)
def test_a_remedy_that_changes_the_host_says_what_it_costs(entry: Counter) -> None:
    for remedy in entry.remedies:
        if re.search(r"sysctl -w|ethtool -[GAK] ", remedy):
            assert "  # " in remedy, remedy


# driver, name of ethtool -S, entry or None: harmless
EXPECTED = [
    ("veth", "rx_queue_0_drops", "ethtool.rx_queue_*_drops"),
    ("veth", "rx_queue_3_xdp_drops", "ethtool.rx_queue_*_xdp_drops"),
    ("veth", "tx_queue_0_xdp_xmit_errors", "ethtool.tx_queue_*_xdp_xmit_errors"),
    ("veth", "rx_queue_0_xdp_tx_errors", "ethtool.tx_queue_*_xdp_xmit_errors"),
    ("veth", "peer_ifindex", None),
    ("veth", "rx_queue_0_xdp_packets", None),
    ("veth", "rx_queue_0_xdp_redirect", None),
    ("veth", "rx_pp_recycle_ring_full", None),
    ("virtio_net", "rx_queue_0_drops", "ethtool.rx_queue_*_drops"),
    ("virtio_net", "rx0_drops", "ethtool.rx_queue_*_drops"),
    ("virtio_net", "tx_queue_1_xdp_tx_drops", "ethtool.tx_queue_*_xdp_xmit_errors"),
    ("virtio_net", "tx_queue_0_tx_timeouts", "ethtool.tx_timeout"),
    ("virtio_net", "rx_drops", "ethtool.rx_queue_*_drops"),
    ("virtio_net", "tx_xdp_tx_drops", "ethtool.tx_queue_*_xdp_xmit_errors"),
    ("virtio_net", "tx0_tx_timeouts", "ethtool.tx_timeout"),
    ("hv_netvsc", "rx_queue_3_xdp_drop", "ethtool.rx_queue_*_xdp_drops"),
    ("hv_netvsc", "vlan_error", "ethtool.netvsc tx_no_memory"),
    ("hv_netvsc", "tx_send_full", "ethtool.netvsc busy"),
    ("gve", "dma_mapping_error", "ethtool.alloc_rx_page_failed"),
    ("virtio_net", "rx_queue_0_kicks", None),
    ("virtio_net", "rx_queue_0_packets", None),
    ("ena", "bw_in_allowance_exceeded", "ethtool.*_allowance_exceeded"),
    ("ena", "pps_allowance_exceeded", "ethtool.*_allowance_exceeded"),
    ("ena", "conntrack_allowance_exceeded", "ethtool.*_allowance_exceeded"),
    ("ena", "linklocal_allowance_exceeded", "ethtool.*_allowance_exceeded"),
    ("ena", "conntrack_allowance_available", None),
    ("ena", "queue_0_rx_page_alloc_fail", "ethtool.alloc_rx_page_failed"),
    ("ena", "queue_1_tx_missed_tx", "ethtool.tx_errors_phy"),
    ("ena", "queue_1_tx_queue_stop", None),
    ("ena", "queue_0_rx_csum_good", None),
    ("ena", "tx_timeout", "ethtool.tx_timeout"),
    ("ixgbe", "rx_no_buffer_count", "ethtool.rx_no_buffer_count"),
    ("ixgbe", "rx_missed_errors", "ethtool.rx_missed_errors"),
    ("ixgbe", "rx_no_dma_resources", "ethtool.rx_out_of_buffer"),
    ("ixgbe", "alloc_rx_page_failed", "ethtool.alloc_rx_page_failed"),
    ("ixgbe", "rx_csum_offload_errors", "ethtool.rx_csum_offload_errors"),
    ("ixgbe", "fdir_miss", None),
    ("ixgbe", "non_eop_descs", None),
    ("ixgbe", "tx_restart_queue", None),
    ("ixgbe", "rx_flow_control_xoff", None),
    ("i40e", "port.rx_dropped", "ethtool.rx_dropped"),
    ("i40e", "port.rx_crc_errors", "ethtool.rx_crc_errors_phy"),
    ("i40e", "port.tx_dropped_link_down", "ethtool.tx_dropped"),
    ("i40e", "port.mac_local_faults", "ethtool.link_down_events_phy"),
    ("i40e", "veb.rx_discards", "ethtool.rx_discards"),
    ("i40e", "port.rx_size_64", None),
    ("ice", "rx_dropped.nic", "ethtool.rx_dropped"),
    ("ice", "rx_csum_bad.nic", "ethtool.rx_csum_offload_errors"),
    ("ice", "tx_linearize", None),
    ("igb", "rx_queue_0_drops", "ethtool.rx_queue_*_drops"),
    ("igb", "rx_queue_0_csum_err", "ethtool.rx_csum_offload_errors"),
    ("igb", "tx_deferred_ok", None),
    ("e1000e", "rx_long_length_errors", "ethtool.rx_length_errors"),
    ("e1000e", "tx_abort_late_coll", "ethtool.tx_window_errors"),
    ("e1000e", "rx_long_byte_count", None),
    ("mlx5_core", "rx_out_of_buffer", "ethtool.rx_out_of_buffer"),
    ("mlx5_core", "rx_discards_phy", "ethtool.rx_discards_phy"),
    ("mlx5_core", "rx_prio0_discards", "ethtool.rx_discards_phy"),
    ("mlx5_core", "rx_crc_errors_phy", "ethtool.rx_crc_errors_phy"),
    ("mlx5_core", "rx_symbol_err_phy", "ethtool.rx_crc_errors_phy"),
    ("mlx5_core", "tx_errors_phy", "ethtool.tx_errors_phy"),
    ("mlx5_core", "rx_xdp_drop", "ethtool.rx_queue_*_xdp_drops"),
    ("mlx5_core", "rx7_xdp_drop", "ethtool.rx_queue_*_xdp_drops"),
    ("mlx5_core", "tx_queue_dropped", "ethtool.tx_dropped"),
    ("mlx5_core", "rx_steer_missed_packets", "ethtool.rx_steer_missed_packets"),
    ("mlx5_core", "rx_oversize_pkts_sw_drop", "ethtool.rx_length_errors"),
    ("mlx5_core", "rx_buff_alloc_err", "ethtool.alloc_rx_page_failed"),
    ("mlx5_core", "link_down_events_phy", "ethtool.link_down_events_phy"),
    ("mlx5_core", "rx_packets_phy", None),
    ("mlx5_core", "tx_queue_stopped", None),
    ("mlx5_core", "rx_csum_none", None),
    ("mlx5_core", "rx_prio0_packets", None),
    ("mlx5_core", "rx_vport_unicast_packets", None),
    ("mlx4_en", "rx0_dropped", "ethtool.rx_dropped"),
    ("mlx4_en", "queue_stopped", None),
    ("bnxt_en", "[0]: rx_discards", "ethtool.rx_discards"),
    ("bnxt_en", "rx_total_discard_pkts", "ethtool.rx_discards"),
    ("bnxt_en", "[2]: tx_drops", "ethtool.tx_dropped"),
    ("bnxt_en", "rx_fcs_err_frames", "ethtool.rx_crc_errors_phy"),
    ("bnxt_en", "rx_total_frames", None),
    ("bnxt_en", "[0]: rx_ucast_packets", None),
    ("tg3", "rxbds_empty", "ethtool.rx_no_buffer_count"),
    ("tg3", "rx_discards", "ethtool.rx_discards"),
    ("tg3", "tx_late_collisions", "ethtool.tx_window_errors"),
    ("tg3", "nic_avoided_irqs", None),
    ("tg3", "rx_threshold_hit", None),
    ("bnx2x", "rx_brb_discard", "ethtool.rx_discards_phy"),
    ("bnx2x", "rx_filtered_packets", "ethtool.rx_steer_missed_packets"),
    ("qede", "no_buff_discards", "ethtool.rx_out_of_buffer"),
    ("qede", "tx_err_drop_pkts", "ethtool.tx_dropped"),
    ("qede", "coalesced_aborts_num", None),
    ("hv_netvsc", "tx_no_memory", "ethtool.netvsc tx_no_memory"),
    ("hv_netvsc", "cpu0_vf_rx_packets", None),
    ("hv_netvsc", "stop_queue", None),
    ("vmxnet3", "  pkts rx OOB", "ethtool.vmxnet3 rx dropped"),
    ("vmxnet3", "pkts rx OOB", "ethtool.vmxnet3 rx dropped"),
    ("vmxnet3", "  drv dropped tx total", "ethtool.vmxnet3 tx dropped"),
    ("vmxnet3", "  TSO pkts tx", None),
    ("vmxnet3", "  hdr cloned", None),
    ("gve", "rx_queue_drop_cnt[0]", "ethtool.rx_out_of_buffer"),
    ("gve", "rx_drops_packet_over_mru[1]", "ethtool.rx_length_errors"),
    ("gve", "rx_copybreak_pkt[0]", None),
    ("nfp", "dev_rx_discards", "ethtool.rx_discards"),
    ("nfp", "mac.rx_mac_head_drop", "ethtool.rx_discards_phy"),
    ("nfp", "hw_rx_csum_ok", None),
    ("sfc", "port_rx_nodesc_drops", "ethtool.rx_out_of_buffer"),
    ("sfc", "port_rx_pm_discard_bb_overflow", "ethtool.rx_discards_phy"),
    ("sfc", "port_rx_dp_streaming_packets", None),
    ("cxgb4", "rx_bg0_frames_dropped  ", "ethtool.rx_discards_phy"),
    ("cxgb4", "rx_fcs_errors          ", "ethtool.rx_crc_errors_phy"),
    ("cxgb4", "tso                    ", None),
    ("cxgb4", "rx_frames_ok           ", None),
    ("r8169", "rx_missed", "ethtool.rx_missed_errors"),
    ("r8169", "align_errors", "ethtool.rx_crc_errors_phy"),
    ("r8169", "tx_single_collisions", None),
    ("st_gmac", "mmc_rx_fifo_overflow", "ethtool.rx_missed_errors"),
    ("st_gmac", "mmc_rx_framecount_gb", None),
    ("st_gmac", "timestamp_dropped", None),
    ("fsl_dpaa", "qman cg_tdrop", "ethtool.tx_dropped"),
    ("fsl_dpaa", "rx error [TOTAL]", "ethtool.rx_errors"),
    ("fsl_dpaa", "bpool a [CPU 0]", None),
    ("any", "rx_packets", None),
    ("any", "tx_bytes", None),
    ("any", "rx_errors", "ethtool.rx_errors"),
    ("any", "tx_dropped", "ethtool.tx_dropped"),
    ("any", "multicast", None),
]


@pytest.mark.parametrize(("driver", "name", "expected"), EXPECTED)
def test_a_drivers_counter_is_known_by_its_whole_name(driver: str, name: str, expected: str | None) -> None:
    found = [pattern for pattern in PATTERNS if re.fullmatch(pattern.names, name)]
    assert [pattern.entry.name for pattern in found] == ([expected] if expected else [])
    if expected and driver != "any":
        assert driver in found[0].drivers


@pytest.mark.parametrize("name", ["x" * 5000, "rx_" * 2000, " " * 5000, "rx_queue_" + "1" * 5000])
def test_a_name_of_any_length_is_looked_up_at_once(name: str) -> None:
    assert not any(re.fullmatch(pattern.names, name) for pattern in PATTERNS)


def test_a_place_has_a_known_layer_and_stands_once() -> None:
    assert len(PLACES) >= 80
    assert len({place.function for place in PLACES}) == len(PLACES)
    for place in PLACES:
        assert place.layer in LAYERS
        assert place.severity != "traffic"
        assert place.meaning
        assert layer_of(place.function) == place.layer


def test_the_running_kernel_has_the_functions_of_the_places() -> None:
    symbols = Path("/proc/kallsyms")
    if not symbols.exists():
        pytest.skip("no /proc/kallsyms")
    here = {line.split()[2].split(".")[0] for line in symbols.read_text().splitlines()}
    if "ip_rcv" not in here:
        pytest.skip("/proc/kallsyms names no functions here")
    gone = {place.function for place in PLACES} - here - ELSEWHERE
    assert len(gone) <= len(PLACES) // 10, gone


@pytest.mark.parametrize(
    ("function", "layer"),
    [
        ("tcp_v4_rcv.isra.0", "tcp"),
        ("tcp_unheard_of", "tcp"),
        ("__udp_disconnect+0x1f/0x40", "udp"),
        ("udpv6_unheard_of", "udp"),
        ("ip6_unheard_of", "ip"),
        ("ip6_route_unheard_of", "route"),
        ("nft_unheard_of", "netfilter"),
        ("nf_conntrack_tcp_packet", "conntrack"),
        ("br_unheard_of", "bridge"),
        ("br_nf_unheard_of", "netfilter"),
        ("vxlan_unheard_of", "tunnel"),
        ("ip_tunnel_unheard_of", "tunnel"),
        ("icmp_unheard_of", "icmp"),
        ("arp_unheard_of", "neighbour"),
        ("pneigh_enqueue", "neighbour"),
        ("fq_codel_enqueue", "qdisc"),
        ("my_own_enqueue", "qdisc"),
        ("xfrm4_unheard_of", "xfrm"),
        ("unix_unheard_of", "socket"),
        ("netlink_unheard_of", "socket"),
        ("dev_unheard_of", "device"),
        ("rtl8139_start_xmit", "device"),
        ("tcf_unheard_of", "tc"),
        ("ip_vs_unheard_of", "ipvs"),
        ("mptcp_unheard_of", "mptcp"),
        ("unheard_of", "other"),
        ("", "other"),
        ("0xffffffff81000000", "other"),
    ],
)
def test_a_function_that_is_no_known_place_gets_its_layer_from_its_name(function: str, layer: str) -> None:
    assert layer_of(function) == layer
