"""Drivers' own counters (ethtool -S) whose names mean loss: patterns over whole names, from the drivers' string tables.

A name means the same whichever driver gives it, so that a look-up needs the name only; ``drivers`` says where it was
read. tun, tap, team, bridge and dummy devices have no counters of their own.
"""

from __future__ import annotations

from nettui.knowledge.driver_kinds import (
    CLOUD,
    ETHERNET,
    LINK,
    MEMORY,
    RING,
    SENDING,
    STUCK,
    XDP,
    XDP_SENDING,
    pattern,
)
from nettui.knowledge.driver_receive import RECEIVE
from nettui.knowledge.driver_send import SEND

VIRTUAL = (
    pattern(
        "rx_queue_*_drops",
        (r"rx_queue_\d+_(hw_)?drops", r"rx\d*_(hw_)?drops", r"rx\d*_(hw_)?drop_overruns"),
        "Packets that one receive queue dropped: no memory, or a frame of the wrong size; veth: those its XDP program "
        "could "
        "not send or redirect.",
        "a receive queue drops: memory or XDP",
        MEMORY,
        "drivers/net/veth.c, veth_xdp_rcv_one; drivers/net/virtio_net.c, receive_buf; intel/igb/igb_ethtool.c",
        drivers=("veth", "virtio_net", "igb", "igc"),
        along=(LINK + "rx_dropped", LINK + "rx_fifo_errors"),
    ),
    pattern(
        "rx_queue_*_xdp_drops",
        (
            r"rx_queue_\d+_xdp_drops?",
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
        drivers=("veth", "virtio_net", "mlx5_core", "mlx4_en", "ena", "gve", "hv_netvsc"),
        reasons=("XDP",),
    ),
    pattern(
        "tx_queue_*_xdp_xmit_errors",
        (
            r"[rt]x_queue_\d+_xdp_(tx|xmit)_(errors|drops)",
            r"tx\d*_xdp_tx_drops",
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
        (r"tx_no_(memory|space)", "tx_too_big", "vlan_error"),
        "Packets that could not be handed to the Hyper-V host: no memory, no room in its ring, too many pieces, or a "
        "VLAN tag that could not be taken off.",
        "the Hyper-V host takes packets too slowly",
        SENDING,
        "drivers/net/hyperv/netvsc_drv.c, netvsc_start_xmit",
        direction="tx",
        drivers=("hv_netvsc",),
        part_of=(LINK + "tx_dropped",),
    ),
    pattern(
        "netvsc busy",
        ("rx_comp_busy", "tx_busy", "tx_send_full"),
        "Times that the Hyper-V host could not take at once what was to be handed over: answers about received "
        "packets, packets to send, a place in the send buffer. Nothing is lost by it.",
        "the Hyper-V host is slow",
        STUCK,
        "drivers/net/hyperv/netvsc.c, enq_receive_complete, netvsc_send; drivers/net/hyperv/netvsc_drv.c, netvsc_xmit",
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

PATTERNS = (*VIRTUAL, *RECEIVE, *SEND)
