"""Names of `ethtool -S` that mean loss on sending, or of the link itself, of network cards."""

from __future__ import annotations

from nettui.knowledge.driver_kinds import (
    CABLE,
    DUPLEX,
    ETHERNET,
    INTEL,
    INTEL_TABLES,
    LINK,
    SENDING,
    STUCK,
    pattern,
)

SEND = (
    pattern(
        "tx_timeout",
        (
            r"(port\.)?tx_timeouts?(_count|\.nic)?",
            r"tx\d*_tx_timeouts",
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
            r"tx\d+_dropped|tx_queue_dropped|tx_queue_\d+_drops|tx\d+_drops|tx\d*_hw_drop(s|_malformed)",
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
