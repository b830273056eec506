"""Drivers' own counters (ethtool -S) whose names mean loss: patterns over whole names, from the drivers' string tables.

A name means the same whichever driver gives it, so that a look-up needs the name only; ``drivers`` says where it was
read. tun, tap, team, bridge and dummy devices have no counters of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from nettui.knowledge.entry import Counter, Direction, Pattern, Severity

ETHERNET = "drivers/net/ethernet/"
ALL = "ethtool -S DEV | grep -v ': 0$'  # the counters beside it often tell more"
INTEL = ("e1000", "e1000e", "igb", "igc", "ixgbe", "ixgbevf", "i40e", "iavf", "ice")
INTEL_TABLES = ETHERNET + "intel/igc/igc_ethtool.c, e1000/e1000_ethtool.c, ixgbe/ixgbe_ethtool.c"
LINK = "rtnl_link_stats64."


@dataclass(frozen=True, slots=True)
class Kind:
    """What counters of one kind have in common, whatever a driver calls them."""

    causes: tuple[str, ...]
    remedies: tuple[str, ...]


RING = Kind(
    (
        "bursts larger than the receive ring",
        "the CPU of the queue is busy, or its interrupts come late",
        "all traffic on one queue: too few queues, or one large flow",
    ),
    (
        "ethtool -g DEV  # is the receive ring below its maximum?",
        "ethtool -G DEV rx N  # up to that maximum; the link is down for a moment, more memory and latency",
        "ethtool -l DEV; cat /proc/interrupts | grep DEV  # queues, and the CPUs that serve them",
        "nettui report softnet  # time_squeeze on those CPUs?",
    ),
)
PORT = Kind(
    (
        "the device's own packet buffer is full: the host or its PCIe slot is too slow for the line rate",
        "pause frames are off, and a burst comes faster than the device can hand over",
    ),
    (
        "lspci -vv -s $(ethtool -i DEV | sed -n 's/bus-info: //p') | grep -i lnksta  # width and speed of the slot",
        "ethtool -a DEV; ethtool -A DEV rx on tx on  # pause frames, if the switch takes them; may stall others",
        ALL,
    ),
)
MEMORY = Kind(
    ("the host had no free memory at that moment (GFP_ATOMIC)", "memory is fragmented, or a container's limit is near"),
    (
        "free -m; grep -i . /proc/buddyinfo; dmesg | grep -i 'allocation failure'",
        "sysctl -w vm.min_free_kbytes=N  # keeps more memory free for the kernel; takes it from programs",
    ),
)
CABLE = Kind(
    (
        "a bad or dirty cable, optic or connector",
        "a faulty port at either end",
        "speed or duplex differ between the ends",
    ),
    (
        "ethtool -m DEV  # light levels of the optic",
        "ethtool DEV | grep -E 'Speed|Duplex|Link'",
        "# change cable or optic: the link goes down meanwhile",
    ),
)
SIZE = Kind(
    ("the sender's or the switch's MTU is larger than this device's", "a faulty sender"),
    ("ip -d link show dev DEV  # MTU; all hosts of the segment must have the same", "ip link set dev DEV mtu N"),
)
FILTER = Kind(
    (
        "frames for other VLANs or hosts: the filter does its work",
        "a VLAN or MAC address that the device was not told of",
    ),
    ("bridge vlan show; ip -d link show dev DEV  # VLANs and MAC addresses", "ethtool -k DEV | grep vlan"),
)
XDP = Kind(
    ("the XDP program drops on purpose (a firewall, a balancer)", "a fault in the XDP program"),
    ("ip -d link show dev DEV | grep -i xdp; bpftool net show  # which program", "bpftool prog show id N"),
)
XDP_SENDING = Kind(
    ("the ring of the device that XDP sends through is full", "frames larger than the receiving device's MTU"),
    (
        "ip -d link show dev DEV | grep -i xdp; bpftool net show",
        "ethtool -g DEV; ethtool -l DEV  # as many queues as CPUs",
    ),
)
CLOUD = Kind(
    ("the instance sends or receives more than its type may", "bursts: the limit counts in much less than a second"),
    (
        "ethtool -S DEV | grep allowance  # which limit",
        "# spread the load over more instances, or take a larger type; nothing on the host lifts the limit",
    ),
)
SENDING = Kind(
    ("a packet that the device cannot send: too many fragments, a bad header", "no memory or DMA mapping", "link down"),
    (ALL, "dmesg | grep DEV", "ethtool -K DEV tso off gso off  # to try whether offloads are at fault; more CPU"),
)
STUCK = Kind(
    (
        "the device or its firmware hangs",
        "virtual: the host behind does not take packets",
        "pause frames from the switch",
    ),
    (
        "dmesg | grep -iE 'DEV|timeout|reset'",
        "ethtool -i DEV  # driver and firmware: is there a newer one?",
        "ethtool -a DEV",
    ),
)
CHECKSUM = Kind(
    ("damaged packets from the sender's side", "packets that a program or tunnel made with a wrong check sum"),
    ("nettui report protocols --where 'name ~ Csum'  # where they end", "tcpdump -vvni DEV | grep -i incorrect"),
)
DUPLEX = Kind(
    ("half duplex on one end and full duplex on the other", "a cable too long for half duplex"),
    ("ethtool DEV | grep -E 'Speed|Duplex'", "ethtool -s DEV autoneg on  # the link goes down for a moment"),
)


def pattern(
    place: str,
    names: tuple[str, ...],
    counts: str,
    cause: str,
    kind: Kind,
    source: str,
    *,
    severity: Severity = "loss",
    direction: Direction = "rx",
    layer: str = "device",
    drivers: tuple[str, ...] = (),
    part_of: tuple[str, ...] = (),
    along: tuple[str, ...] = (),
    reasons: tuple[str, ...] = (),
) -> Pattern:
    entry = Counter(
        name=f"ethtool.{place}",
        layer=layer,
        direction=direction,
        severity=severity,
        counts=counts,
        cause=cause,
        causes=kind.causes,
        remedies=kind.remedies,
        part_of=part_of,
        along=along,
        reasons=reasons,
        source=source,
    )
    return Pattern("|".join(names), entry, drivers)


VIRTUAL = (
    pattern(
        "rx_queue_*_drops",
        (r"rx_queue_\d+_drops", r"rx\d+_(hw_)?drops", r"rx\d+_(hw_)?drop_overruns", r"rx_queue_\d+_hw_drops"),
        "Packets that one receive queue dropped: no memory, or a frame of the wrong size; veth: those its XDP program "
        "could "
        "not send or redirect.",
        "a receive queue drops: memory or XDP",
        MEMORY,
        "drivers/net/veth.c, veth_xdp_rcv_one; drivers/net/virtio_net.c, receive_buf; intel/igb/igb_ethtool.c",
        drivers=("veth", "virtio_net", "igb", "igc"),
        part_of=(LINK + "rx_dropped",),
    ),
    pattern(
        "rx_queue_*_xdp_drops",
        (
            r"rx_queue_\d+_xdp_drops",
            r"rx\d*_xdp_drops?",
            r"rx\d*_xsk_xdp_drop",
            r"queue_\d+_rx_xdp_(drop|aborted)",
            r"rx_xdp_(drop|aborted)\[\d+\]",
        ),
        "Packets that an XDP program dropped in the driver. No counter of the link shows them.",
        "an XDP program drops",
        XDP,
        f"drivers/net/veth.c, veth_xdp_rcv_skb; {ETHERNET}mellanox/mlx5/core/en_stats.c; drivers/net/virtio_net.c",
        severity="refused",
        layer="xdp",
        drivers=("veth", "virtio_net", "mlx5_core", "mlx4_en", "ena", "gve"),
        reasons=("XDP",),
    ),
    pattern(
        "tx_queue_*_xdp_xmit_errors",
        (
            r"[rt]x_queue_\d+_xdp_(tx|xmit)_(errors|drops)",
            r"tx\d+_xdp_tx_drops",
            r"(rx\d*_xdp_tx|tx\d*_xdp|tx\d*_xsk)_(full|err)",
            r"tx_xdp_xmit_errors\[\d+\]",
        ),
        "Packets of XDP_TX or XDP_REDIRECT that could not be sent: the ring was full or the frame too large.",
        "XDP sends faster than the ring takes",
        XDP_SENDING,
        f"drivers/net/veth.c, veth_xdp_xmit; {ETHERNET}mellanox/mlx5/core/en_stats.c; drivers/net/virtio_net.c",
        direction="tx",
        layer="xdp",
        drivers=("veth", "virtio_net", "mlx5_core", "gve"),
        along=(LINK + "tx_dropped", LINK + "rx_dropped"),
    ),
    pattern(
        "*_allowance_exceeded",
        (r"(eni_)?(bw_in|bw_out|pps|conntrack|linklocal)_allowance_exceeded",),
        "Packets that the cloud's own card queued or dropped because the instance was above a limit: bandwidth, "
        "packets per "
        "second, tracked connections, or link-local services (DNS, metadata, time).",
        "above the instance's limit in the cloud",
        CLOUD,
        f"{ETHERNET}amazon/ena/ena_ethtool.c; Amazon's ENA documentation",
        direction="",
        drivers=("ena",),
    ),
    pattern(
        "netvsc tx_no_memory",
        (r"tx_no_(memory|space)", "tx_too_big"),
        "Packets that could not be handed to the Hyper-V host: no memory, no room in its ring, or too many pieces.",
        "the Hyper-V host takes packets too slowly",
        SENDING,
        "drivers/net/hyperv/netvsc_drv.c, netvsc_start_xmit",
        direction="tx",
        drivers=("hv_netvsc",),
        part_of=(LINK + "tx_dropped",),
    ),
    pattern(
        "netvsc rx_comp_busy",
        ("rx_comp_busy",),
        "Answers about received packets that the Hyper-V host could not take at once.",
        "the Hyper-V host is slow",
        STUCK,
        "drivers/net/hyperv/netvsc.c, enq_receive_complete",
        severity="warning",
        drivers=("hv_netvsc",),
    ),
    pattern(
        "vmxnet3 rx dropped",
        (r" *pkts rx OOB", r" *drv dropped rx total", r" *pkts rx err", r" {5}(err|fcs)"),
        "Packets that VMware's device or its driver dropped on arrival: no buffer (OOB), damaged, or no memory.",
        "vmxnet3 ring empty, or damaged packets",
        RING,
        "drivers/net/vmxnet3/vmxnet3_ethtool.c, vmxnet3_get_stats64",
        drivers=("vmxnet3",),
        along=(LINK + "rx_dropped", LINK + "rx_errors"),
    ),
    pattern(
        "vmxnet3 tx dropped",
        (r" *drv dropped tx total", r" *pkts tx (err|discard)", r" {5}(too many frags|giant hdr|hdr err|tso)"),
        "Packets that VMware's device or its driver did not send.",
        "vmxnet3 could not send the packet",
        SENDING,
        "drivers/net/vmxnet3/vmxnet3_ethtool.c, vmxnet3_get_stats64",
        direction="tx",
        drivers=("vmxnet3",),
        along=(LINK + "tx_dropped", LINK + "tx_errors"),
    ),
)

RECEIVE = (
    pattern(
        "rx_missed_errors",
        (
            r"(port\.|mac\.)?rx_missed(_errors)?",
            r"rx_fifo_errors",
            r"rx_over(run)?_errors",
            r"rx_queue_\d+_(missed|fifo_err)",
            r"rx_missed_cntr|rx_overflow_cntr|overflow_error|rx_gmac_overflow|mmc_rx_fifo_overflow",
        ),
        "Packets that the hardware threw away because the host gave it no free buffer in time.",
        "receive ring full: the host is too slow",
        RING,
        f"{INTEL_TABLES}; {ETHERNET}realtek/r8169_main.c; {ETHERNET}stmicro/stmmac/stmmac_ethtool.c",
        drivers=(*INTEL, "r8169", "st_gmac", "stmmaceth", "mlx4_en"),
        along=(LINK + "rx_missed_errors", LINK + "rx_fifo_errors", LINK + "rx_over_errors"),
    ),
    pattern(
        "rx_no_buffer_count",
        (
            "rx_no_buffer_count",
            "rxbds_empty",
            "rx_buf_unav_irq",
            r"rx_no_buffers_posted\[\d+\]",
            r"queue_\d+_rx_empty_rx_ring",
        ),
        "Times that the receive ring had no free descriptor. The packet may still wait in the device; when it does "
        "not, "
        "rx_missed_errors moves.",
        "receive ring runs empty at times",
        RING,
        f"{INTEL_TABLES}; {ETHERNET}broadcom/tg3.c; {ETHERNET}amazon/ena/ena_ethtool.c; "
        f"{ETHERNET}google/gve/gve_ethtool.c",
        severity="warning",
        drivers=("e1000", "e1000e", "igb", "igc", "ixgbe", "tg3", "st_gmac", "gve", "ena"),
        along=("ethtool.rx_missed_errors", LINK + "rx_missed_errors"),
    ),
    pattern(
        "rx_out_of_buffer",
        (
            "rx_out_of_buffer",
            "rx_no_dma_resources",
            r"(port_)?rx_nodesc_drops",
            "no_buff_discards",
            r"rx_queue_drop_cnt\[\d+\]",
            "dev_internal_queue_oob",
        ),
        "Packets dropped because a receive queue had no buffer posted: the host fills the ring too slowly.",
        "receive ring full: the host is too slow",
        RING,
        f"{ETHERNET}mellanox/mlx5/core/en_stats.c; {ETHERNET}intel/ixgbe/ixgbe_ethtool.c; {ETHERNET}sfc/ef10.c; "
        f"{ETHERNET}qlogic/qede/qede_ethtool.c; {ETHERNET}google/gve/gve_ethtool.c",
        drivers=("mlx5_core", "ixgbe", "sfc", "qede", "gve"),
        along=(LINK + "rx_missed_errors", LINK + "rx_dropped"),
    ),
    pattern(
        "rx_discards",
        (
            r"(\[\d+\]: )?rx_(discards|drops)",
            r"rx_total_(ring_|oom_|netpoll_)?discard(s|_pkts)",
            r"rx_stat_discard",
            r"dev_rx_discards",
            r"veb\.rx_discards",
            r"rx_fw_discards",
        ),
        "Packets that the device discarded on arrival, mostly for want of buffers.",
        "the device discards: no buffers",
        RING,
        f"{ETHERNET}broadcom/bnxt/bnxt_ethtool.c; {ETHERNET}broadcom/bnx2x/bnx2x_ethtool.c; {ETHERNET}broadcom/tg3.c; "
        f"{ETHERNET}netronome/nfp/nfp_net_ethtool.c; {ETHERNET}intel/i40e/i40e_ethtool.c",
        drivers=("bnxt_en", "bnx2x", "tg3", "nfp", "i40e"),
        along=(LINK + "rx_dropped", LINK + "rx_missed_errors"),
    ),
    pattern(
        "rx_discards_phy",
        (
            "rx_discards_phy",
            r"rx_prio\d+_(buf_|cong_)?discards?",
            r"rx_discard_packets_cos\d+",
            r"(rx_)?brb_(discards?|truncates?)",
            r"rx_bg\d_frames_(dropped|trunc) *",
            r"mac\.rx_(drop_events|mac_head_drop)",
            r"(port_)?rx_pm_(discard|trunc)_\w+",
            r"(port_)?rx_overflow",
            r"(port_)?rx_dp_(q_disabled|di_dropped)_packets",
            r"mbuf_lwm_thresh_hit|dma_writeq_full|dma_write_prioq_full",
        ),
        "Packets that the port dropped because its own buffer was full, before any receive ring.",
        "port's buffer full: PCIe or host too slow",
        PORT,
        f"{ETHERNET}mellanox/mlx5/core/en_stats.c; {ETHERNET}qlogic/qede/qede_ethtool.c; "
        f"{ETHERNET}chelsio/cxgb4/cxgb4_ethtool.c; {ETHERNET}netronome/nfp/nfp_net_ethtool.c; {ETHERNET}sfc/ef10.c",
        drivers=("mlx5_core", "bnxt_en", "bnx2x", "qede", "cxgb4", "nfp", "sfc", "tg3"),
        along=(LINK + "rx_missed_errors", LINK + "rx_dropped"),
    ),
    pattern(
        "rx_dropped",
        (
            r"(port\.)?rx_dropped(\.nic)?",
            r"rx\d+_dropped",
            r"rx_dropped_pkt\[\d+\]",
            r"(vf_|vport_)rx_dropped",
            r"rx_fcoe_dropped",
            r"rx_desc_err_dropped_pkt",
            r"rx_if_down_packets",
        ),
        "Packets received and dropped by the driver or device: no buffer, no memory, or a wrong descriptor.",
        "driver drops: no buffer or memory",
        RING,
        f"{ETHERNET}intel/i40e/i40e_ethtool.c (rx_discards); {ETHERNET}intel/ice/ice_ethtool.c; "
        f"{ETHERNET}google/gve/gve_ethtool.c; {ETHERNET}mellanox/mlx4/en_ethtool.c",
        drivers=("i40e", "ice", "ixgbe", "gve", "mlx4_en", "mlx5_core"),
        along=(LINK + "rx_dropped", LINK + "rx_missed_errors"),
    ),
    pattern(
        "alloc_rx_page_failed",
        (
            r"alloc_rx_(page|buff)(_failed)?",
            r"rx_alloc_fail(ed)?|rx_pg_alloc_fail",
            r"rx_queue_\d+_alloc_failed",
            r"rx(\d+|_xsk)?_buff_alloc_err",
            r"queue_\d+_rx_(page|skb)_alloc_fail",
            r"rx_(skb|buf)_alloc_fail",
            r"page_alloc_fail",
            r"(\d+: )?rx_alloc_errors",
            r"rx_replace_buf_alloc_fail",
            r"rx_noskb_drops|rx_skb_alloc_discard|rx_no_memory",
            r" *rx buf alloc fail",
        ),
        "Buffers for receiving that could not be had. The packet is lost, or the ring stays short of a buffer for a "
        "while.",
        "no memory for receive buffers",
        MEMORY,
        f"{INTEL_TABLES}; {ETHERNET}intel/ice/ice_ethtool.c; {ETHERNET}amazon/ena/ena_ethtool.c; "
        f"{ETHERNET}mellanox/mlx5/core/en_stats.c; {ETHERNET}qlogic/qede/qede_ethtool.c; {ETHERNET}sfc/ef10.c",
        severity="warning",
        drivers=(*INTEL, "ena", "gve", "mlx4_en", "mlx5_core", "qede", "nfp", "sfc", "bnx2x", "vmxnet3", "hv_netvsc"),
        along=(LINK + "rx_dropped",),
    ),
    pattern(
        "rx_csum_offload_errors",
        (
            r"rx_csum_offload_errors",
            r"(port\.)?rx_csum_bad(\.nic)?",
            r"(\[\d+\]: )?rx_l4_csum_errors|rx_total_l4_csum_errors",
            r"rx_queue_\d+_csum_err",
            r"queue_\d+_rx_(bad_csum|csum_bad)",
            r"rx_drops_invalid_checksum\[\d+\]",
            r"hw_rx_csum_err(or)?",
            r"ipc_csum_error|ip_hdr_err|ip_payload_err",
        ),
        "Packets whose check sum the hardware found wrong. Most drivers still hand them up, and IP, TCP or UDP drops "
        "and "
        "counts them.",
        "wrong check sums, dropped higher up",
        CHECKSUM,
        f"{INTEL_TABLES}; {ETHERNET}broadcom/bnxt/bnxt_ethtool.c; {ETHERNET}amazon/ena/ena_ethtool.c; "
        f"{ETHERNET}netronome/nfp/nfp_net_ethtool.c",
        severity="warning",
        drivers=(*INTEL, "bnxt_en", "bnx2x", "ena", "gve", "nfp", "st_gmac"),
        along=("Ip.InHdrErrors", "Tcp.InCsumErrors", "Udp.InCsumErrors"),
    ),
    pattern(
        "rx_crc_errors_phy",
        (
            r"(port\.)?rx_crc_errors(\.nic|_phy)?",
            r"rx_symbol_err(ors)?(_phy)? *",
            r"rx_(pcs_symbol_err|err_lane_\d+)_phy",
            r"(rx_fcs_err(ors)?|rx_(align|alignment|frame)_err(ors)?|rx_fcs_err_frames|rx_align_err_frames) *",
            r"align_errors|dribbling_bit|rx_mii",
            r"mac\.rx_(frame_check_sequence|alignment)_errors",
            r"mmc_rx_(crc|align|run)_error",
            r"(port_)?rx_align_error",
            r"rx (frame physical|header) error",
            r"(port\.)?illegal_bytes(\.nic)?",
        ),
        "Frames damaged on the wire: wrong check sum, alignment or symbols.",
        "bad cable, optic or port",
        CABLE,
        f"{ETHERNET}mellanox/mlx5/core/en_stats.c; {ETHERNET}intel/i40e/i40e_ethtool.c; {ETHERNET}broadcom/tg3.c; "
        f"{ETHERNET}chelsio/cxgb4/cxgb4_ethtool.c; {ETHERNET}stmicro/stmmac/stmmac_ethtool.c",
        drivers=(*INTEL, "mlx5_core", "bnxt_en", "bnx2x", "tg3", "cxgb4", "nfp", "sfc", "qede", "st_gmac", "fsl_dpaa"),
        along=(LINK + "rx_crc_errors", LINK + "rx_frame_errors", LINK + "rx_errors"),
    ),
    pattern(
        "rx_length_errors",
        (
            r"((port\.)?rx_(length|long_length|short_length|in_length|out_length|frame_too_long)_errors)(\.nic)? *",
            r"(port\.|mac\.)?rx_(undersize|oversize|jabbers?|fragments)(_pkts|_packets)?(\.nic|_phy)?",
            r"rx_(undersize_pkts|oversize_pkts|jabbers|fragments|in_range_len_errors|out_of_range_len)_phy",
            r"rx(\d+|_xsk)?_oversize_pkts_sw_drop",
            r"rx_(ovrsz|jbr|mtu_err|undrsz|runt)_frames *",
            r"rx_(frames_too_long|jabber_errors) *",
            r"mac\.rx_(frame_too_long|range_length)_errors",
            r"rx_drops_packet_over_mru\[\d+\]",
            r"mmc_rx_(jabber|length|watchdog)_error",
            r"(port_)?rx_length_error",
            r"rx frame size error",
        ),
        "Frames dropped because they were too short, too long, or not as long as they say.",
        "frames too long for this device (MTU)",
        SIZE,
        f"{ETHERNET}mellanox/mlx5/core/en_stats.c; {ETHERNET}intel/i40e/i40e_ethtool.c; "
        f"{ETHERNET}broadcom/bnxt/bnxt_ethtool.c; {ETHERNET}google/gve/gve_ethtool.c",
        drivers=(*INTEL, "mlx5_core", "bnxt_en", "bnx2x", "tg3", "cxgb4", "nfp", "sfc", "gve", "qede", "st_gmac"),
        along=(LINK + "rx_length_errors", LINK + "rx_errors"),
    ),
    pattern(
        "rx_errors",
        (
            r"(\[\d+\]: )?rx_(errors|error_packets|buf_errors)",
            r"dev_rx_errors|mac\.rx_errors|rx_stat_err|rx_total_buf_errors",
            r"(port_)?rx_bad",
            r"(\d+: )?rx_hw_errors|rx_phy_ip_err_discards",
            r"rx(\d+|_xsk)?_wqe_err",
            r"queue_\d+_rx_(bad_desc_num|bad_req_id|dma_mapping_err)",
            r"rx error \[(CPU \d+|TOTAL)\]|rx dma error",
        ),
        "Packets that came in damaged or whose descriptor was wrong.",
        "damaged frames or device faults",
        CABLE,
        f"{ETHERNET}broadcom/bnxt/bnxt_ethtool.c; {ETHERNET}mellanox/mlx5/core/en_stats.c; "
        f"{ETHERNET}amazon/ena/ena_ethtool.c; {ETHERNET}freescale/dpaa/dpaa_ethtool.c",
        drivers=(*INTEL, "bnxt_en", "bnx2x", "tg3", "nfp", "sfc", "qede", "mlx5_core", "ena", "r8169", "fsl_dpaa"),
        along=(LINK + "rx_errors",),
    ),
    pattern(
        "rx_steer_missed_packets",
        (
            r"rx_steer_missed_packets",
            r"mac_filter_discards|mftag_filter_discards|rx_mf_tag_discard|rx_filtered_packets",
            r"(sa_|da_|sa_rx_|da_rx_)filter_fail",
            r"(port\.|veb\.)?rx_unknown_protocol",
            r"dropped_smbus",
        ),
        "Packets that the device's filter did not want: another VLAN, MAC address or an unknown protocol.",
        "frames for others, filtered by the device",
        FILTER,
        f"{ETHERNET}mellanox/mlx5/core/en_stats.c (nic_receive_steering_discard); "
        "{ETHERNET}qlogic/qede/qede_ethtool.c; "
        f"{ETHERNET}broadcom/bnx2x/bnx2x_ethtool.c; {ETHERNET}stmicro/stmmac/stmmac_ethtool.c",
        severity="noise",
        drivers=("mlx5_core", "qede", "bnx2x", "st_gmac", "i40e", "ice", "igb", "igc"),
    ),
)

SEND = (
    pattern(
        "tx_timeout",
        (
            r"(port\.)?tx_timeouts?(_count|\.nic)?",
            r"tx_queue_\d+_(tx_)?timeouts",
            r"tx\d+_timeouts",
            r"tx timeout count",
        ),
        "Times that the watchdog found the device's send queue stuck and reset it; the packets in the ring are lost.",
        "device hung: send queue reset",
        STUCK,
        f"net/sched/sch_generic.c, dev_watchdog; {INTEL_TABLES}; {ETHERNET}amazon/ena/ena_ethtool.c; "
        "drivers/net/virtio_net.c, virtnet_tx_timeout",
        direction="tx",
        drivers=(*INTEL, "ena", "gve", "mlx4_en", "virtio_net", "vmxnet3"),
    ),
    pattern(
        "tx_dropped",
        (
            r"(port\.)?tx_dropped(_link_down)?(\.nic)?",
            r"tx\d+_dropped|tx_queue_dropped|tx_queue_\d+_drops|tx\d+_(hw_)?drops",
            r"(vf_|vport_)tx_dropped",
            r"(\[\d+\]: )?tx_(discards|drops)",
            r"tx_total_(ring_)?discard(s|_pkts)|tx_stat_discard",
            r"dev_tx_discards|veb\.tx_discards|mac\.tx_queue_drop|tx_err_drop_pkts",
            r"tx_frames_dropped *",
            r"tx_discards_phy",
            r"tx_frame_flushed",
            r"tx_tls_drop_(no_sync_data|bypass_req) *",
            r"qman (cg_tdrop|wred|fq tdrop|fq retired|orp disabled|error cond|early window|late window)",
        ),
        "Packets that the driver or device dropped instead of sending.",
        "driver or device drops on sending",
        SENDING,
        f"{ETHERNET}intel/i40e/i40e_ethtool.c; {ETHERNET}mellanox/mlx5/core/en_stats.c; "
        f"{ETHERNET}broadcom/bnxt/bnxt_ethtool.c; {ETHERNET}freescale/dpaa/dpaa_ethtool.c",
        direction="tx",
        drivers=("i40e", "ice", "mlx5_core", "mlx4_en", "bnxt_en", "tg3", "nfp", "qede", "cxgb4", "gve", "fsl_dpaa"),
        along=(LINK + "tx_dropped",),
    ),
    pattern(
        "tx_errors_phy",
        (
            r"(\[\d+\]: |port\.|veb\.|mac\.|dev_)?tx_errors(\.nic|_phy)?",
            r"tx_(err|error_frames|stat_error|mac_errors|fcs_err_frames|jabber_frames) *",
            r"tx\d*_cqe_err",
            r"tx_(carrier|carrier_sense|aborted|fifo|heartbeat)_errors|tx_aborted|tx_underrun|tx_fifo_underruns",
            r"tx_(underflow|losscarrier|jabber|payload_error|ip_header_error)",
            r"mmc_tx_(underflow|carrier)_error",
            r"queue_\d+_tx_(dma_mapping_err|linearize_failed|prepare_ctx_err|bad_req_id|missed_tx)",
            r"tx_dma_mapping_error\[\d+\]",
            r"tx error \[(CPU \d+|TOTAL)\]",
            r"tx_tcp_seg_failed|tx_dma_out_of_sync",
            r"db_drop *",
        ),
        "Packets that the device could not send: carrier, underrun, DMA or a descriptor that it did not take.",
        "the device failed to send",
        SENDING,
        f"{ETHERNET}mellanox/mlx5/core/en_stats.c; {INTEL_TABLES}; {ETHERNET}amazon/ena/ena_ethtool.c; "
        f"{ETHERNET}stmicro/stmmac/stmmac_ethtool.c",
        direction="tx",
        drivers=(*INTEL, "mlx5_core", "bnxt_en", "bnx2x", "tg3", "nfp", "cxgb4", "ena", "gve", "st_gmac", "r8169"),
        along=(LINK + "tx_errors",),
    ),
    pattern(
        "tx_window_errors",
        (
            r"tx_window_errors|tx_abort_late_coll",
            r"tx_(late|excessive)_collisions",
            r"mmc_tx_(latecol|exesscol|excessdef)",
        ),
        "Frames given up after a late collision or too many collisions: half duplex only.",
        "duplex mismatch: late collisions",
        DUPLEX,
        f"{INTEL_TABLES}; {ETHERNET}broadcom/tg3.c; {ETHERNET}stmicro/stmmac/stmmac_ethtool.c",
        direction="tx",
        drivers=("e1000", "e1000e", "igb", "igc", "tg3", "bnx2x", "st_gmac"),
        along=(LINK + "tx_window_errors", LINK + "tx_aborted_errors"),
    ),
    pattern(
        "link_down_events_phy",
        (r"link_down_events(_phy)?", r"(port\.)?mac_(local|remote)_faults(\.nic)?"),
        "Times that the physical link was lost or one end told of a fault.",
        "the link goes up and down",
        CABLE,
        f"{ETHERNET}mellanox/mlx5/core/en_stats.c; {ETHERNET}broadcom/bnxt/bnxt_ethtool.c; "
        "{ETHERNET}intel/i40e/i40e_ethtool.c",
        severity="warning",
        direction="",
        drivers=("mlx5_core", "bnxt_en", "i40e", "ice"),
    ),
)

PATTERNS = (*VIRTUAL, *RECEIVE, *SEND)
