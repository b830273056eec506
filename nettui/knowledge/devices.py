"""What a network device counts: every field of struct rtnl_link_stats64 (uapi linux/if_link.h)."""

from nettui.knowledge.entry import Counter

LINK = "rtnl_link_stats64."
WHICH = "ip -s -s link show dev DEV  # the errors by kind; ethtool -S DEV has the driver's own names"
CABLE = "ethtool -m DEV  # light levels of the optic; then change cable or module: the link goes down meanwhile"
DUPLEX = "ethtool DEV | grep -E 'Speed|Duplex'  # both ends must negotiate, or both be fixed to the same"
RING = "ethtool -g DEV  # is the ring below its maximum?"
LARGER_RING = "ethtool -G DEV rx N  # up to that maximum; the link is down for a moment, more memory and latency"
REASONS = "nettui drops --reasons --layer device  # the kernel's own reason for each packet, with its device"
UAPI = "include/uapi/linux/if_link.h, struct rtnl_link_stats64"

TRAFFIC = (
    Counter(
        name=LINK + "rx_packets",
        layer="device",
        direction="rx",
        severity="traffic",
        counts="Good packets received, also those that the host dropped later.",
        cause="traffic",
        source=UAPI,
    ),
    Counter(
        name=LINK + "tx_packets",
        layer="device",
        direction="tx",
        severity="traffic",
        counts="Packets that were handed over to the device.",
        cause="traffic",
        source=UAPI,
    ),
    Counter(
        name=LINK + "rx_bytes",
        layer="device",
        direction="rx",
        severity="traffic",
        counts="Bytes of the good packets received, without the frame check sequence on Ethernet.",
        cause="traffic",
        source=UAPI,
    ),
    Counter(
        name=LINK + "tx_bytes",
        layer="device",
        direction="tx",
        severity="traffic",
        counts="Bytes of the packets that were handed over to the device.",
        cause="traffic",
        source=UAPI,
    ),
    Counter(
        name=LINK + "multicast",
        layer="device",
        direction="rx",
        severity="traffic",
        counts="Multicast packets received; hardware often counts them before it filters, so some never reached the "
        "host.",
        cause="multicast traffic",
        source=UAPI,
    ),
    Counter(
        name=LINK + "rx_compressed",
        layer="device",
        direction="rx",
        severity="traffic",
        counts="Compressed packets received well (PPP, CSLIP).",
        cause="traffic of a compressing link",
        source=UAPI,
    ),
    Counter(
        name=LINK + "tx_compressed",
        layer="device",
        direction="tx",
        severity="traffic",
        counts="Compressed packets sent (PPP, CSLIP).",
        cause="traffic of a compressing link",
        source=UAPI,
    ),
)

DROPPED = (
    Counter(
        name=LINK + "rx_dropped",
        layer="device",
        direction="rx",
        severity="loss",
        counts="Packets that were received and thrown away before a protocol took them, by the driver or by the core: "
        "full CPU backlog, no memory, larger than the MTU, or a protocol that nobody takes. "
        "'drop' of /proc/net/dev is this and rx_missed_errors.",
        cause="backlog full, MTU too small, unknown protocol",
        causes=(
            "on a virtual device (veth, bridge, tun): the CPU's receive backlog is full, softnet.dropped moves too",
            "the packet is larger than this device's MTU: the peer of a veth has a larger one",
            "protocols that nobody listens to (LLDP, STP, VLANs without a device, IPX): reason UNHANDLED_PROTO, "
            "harmless",
            "the driver had no memory for the packet",
            "packets came while the device was down",
        ),
        remedies=(
            REASONS,
            "nettui drops --layer softnet  # does the CPU backlog overflow?",
            "ip -d link show dev DEV  # MTU here; compare with the peer's",
            "tcpdump -eni DEV not ip and not ip6 and not arp  # which protocols nobody takes",
        ),
        along=("softnet.dropped", LINK + "tx_dropped", "ethtool.rx_queue_*_drops"),
        reasons=("CPU_BACKLOG", "UNHANDLED_PROTO", "NOT_SPECIFIED", "DEV_READY", "NOMEM"),
        source="net/core/dev.c, __netif_receive_skb_core, enqueue_to_backlog, __dev_forward_skb2; drivers/net/veth.c",
    ),
    Counter(
        name=LINK + "rx_missed_errors",
        layer="device",
        direction="rx",
        severity="loss",
        counts="Packets that the hardware threw away because the host had given it no free buffer.",
        cause="receive ring full: the host is too slow",
        causes=(
            "bursts larger than the receive ring",
            "the CPU that serves the queue is busy or its interrupts come late (power saving, virtual CPU not running)",
            "all traffic goes to one queue: too few queues or one large flow",
        ),
        remedies=(
            RING,
            LARGER_RING,
            "ethtool -l DEV; ethtool -x DEV  # number of queues and how flows are spread over them",
            "nettui report softnet  # time_squeeze on the CPU that serves it?",
        ),
        along=("ethtool.rx_out_of_buffer", "ethtool.rx_missed_errors", "softnet.time_squeeze"),
        source=UAPI + "; drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_update_stats",
    ),
    Counter(
        name=LINK + "rx_nohandler",
        layer="device",
        direction="rx",
        severity="noise",
        counts="Packets received on a device that takes none, such as the standby port of a bond or team.",
        cause="broadcasts on a bond's standby port",
        causes=(
            "the switch floods to the standby port as well: usual",
            "a wrong active port: the traffic comes to the other",
        ),
        remedies=(
            "cat /proc/net/bonding/BOND  # is the active port the one that the switch sends to?",
            "ip -d link show type bond",
        ),
        reasons=("UNHANDLED_PROTO",),
        source="net/core/dev.c, __netif_receive_skb_core (deliver_exact)",
    ),
    Counter(
        name=LINK + "rx_otherhost_dropped",
        layer="device",
        direction="rx",
        severity="noise",
        counts="IP packets that were addressed to another host's MAC address and that only promiscuous mode let in.",
        cause="promiscuous mode: frames for other hosts",
        causes=(
            "tcpdump or another sniffer runs",
            "a bridge, macvlan or virtual switch keeps the device promiscuous and the switch floods",
            "a stale neighbour entry or a duplicate address sends frames to the wrong MAC address",
        ),
        remedies=(
            "ip -d link show dev DEV | grep promiscuity  # how many asked for it",
            "tcpdump -eni DEV -c 20 'not ether host MAC'  # MAC: this device's; who sends to whom?",
        ),
        reasons=("OTHERHOST",),
        since="5.19",
        source="net/ipv4/ip_input.c, ip_rcv_core; net/ipv6/ip6_input.c, ip6_rcv_core",
    ),
    Counter(
        name=LINK + "tx_dropped",
        layer="device",
        direction="tx",
        severity="loss",
        counts="Packets that were dropped on their way to transmission, by the driver or by the core after the qdisc.",
        cause="the device refuses: peer, tun reader, no carrier",
        causes=(
            "veth: the other end could not take the packet (its MTU, its CPU's backlog, its XDP program's full ring)",
            "tun/tap: the program behind it reads too slowly and its queue is full, or it is not attached",
            "vxlan and other tunnels: no destination known for the address, or no route to it",
            "no carrier: the device's queue is the noop qdisc (counted here since 6.11, nowhere before), or it is down",
            "the packet could not be segmented or checksummed for it",
            "hardware: no DMA mapping, too many fragments",
        ),
        remedies=(
            REASONS,
            "ip -d link show dev DEV  # its kind, and link-netnsid of a veth's other end",
            "bridge fdb show dev DEV  # vxlan: is the destination there?",
            "ip link set dev DEV txqueuelen N  # tun: a longer queue; more latency",
        ),
        along=(LINK + "rx_dropped", "softnet.dropped", "Ip.OutDiscards", "Udp.SndbufErrors"),
        reasons=(
            "FULL_RING",
            "DEV_READY",
            "TAP_FILTER",
            "TAP_TXFILTER",
            "SKB_GSO_SEG",
            "NO_TX_TARGET",
            "NOMEM",
            "QDISC_DROP",
        ),
        source="net/core/dev.c, validate_xmit_skb, __dev_queue_xmit; drivers/net/veth.c, veth_xmit; drivers/net/tun.c, "
        "tun_net_xmit; drivers/net/vxlan/vxlan_core.c, vxlan_xmit",
    ),
)

RECEIVE_ERRORS = (
    Counter(
        name=LINK + "rx_errors",
        layer="device",
        direction="rx",
        severity="loss",
        counts="Bad packets received, of every kind: wrong length, check sum or alignment, and what has no field of "
        "its own.",
        cause="damaged frames: cable, optic, or other end",
        causes=(
            "a bad cable, optic or port",
            "duplex or speed differ between the ends",
            "tunnels: malformed or wrong packets",
        ),
        remedies=(WHICH, CABLE, DUPLEX),
        source=UAPI,
    ),
    Counter(
        name=LINK + "rx_length_errors",
        layer="device",
        direction="rx",
        severity="loss",
        counts="Frames dropped because their length is not valid: too short, too long, or not what their header says.",
        cause="frames longer than this device takes (MTU)",
        causes=(
            "the sender or switch uses jumbo frames and this device does not",
            "a tunnel packet without an inner header",
        ),
        remedies=(WHICH, "ip link set dev DEV mtu N  # as large as the network's; all hosts of the segment alike"),
        part_of=(LINK + "rx_errors",),
        source=UAPI + "; drivers/net/vxlan/vxlan_core.c, vxlan_rcv",
    ),
    Counter(
        name=LINK + "rx_crc_errors",
        layer="device",
        direction="rx",
        severity="loss",
        counts="Frames whose check sum was wrong: they were damaged on the wire.",
        cause="bad cable, optic or port",
        causes=("a bad or dirty cable, optic or connector", "a faulty port at either end", "duplex mismatch"),
        remedies=(CABLE, DUPLEX, "ethtool -S DEV | grep -iE 'crc|fcs|symbol'  # which lane or side"),
        part_of=(LINK + "rx_errors",),
        source=UAPI,
    ),
    Counter(
        name=LINK + "rx_frame_errors",
        layer="device",
        direction="rx",
        severity="loss",
        counts="Frames with a wrong alignment; vxlan and geneve: a wrong ECN mark; tun: a bad header from its program.",
        cause="damaged frames, or tunnel's ECN marks",
        causes=("duplex mismatch or a bad cable", "tunnel: the outer header is marked CE, the inner one takes no ECN"),
        remedies=(WHICH, DUPLEX, CABLE),
        part_of=(LINK + "rx_errors",),
        reasons=("IP_TUNNEL_ECN",),
        source=UAPI + "; drivers/net/vxlan/vxlan_core.c, vxlan_rcv",
    ),
    Counter(
        name=LINK + "rx_over_errors",
        layer="device",
        direction="rx",
        severity="loss",
        counts="Packets that did not fit into the buffers that the host gave: too large, or the next buffer was "
        "missing. "
        "Old drivers count overflow events instead.",
        cause="packet larger than the buffers, or ring empty",
        causes=("the MTU is smaller than what arrives", "the receive ring ran empty in the middle of a packet"),
        remedies=(RING, LARGER_RING, "ip link show dev DEV  # the MTU"),
        along=(LINK + "rx_errors",),
        source=UAPI,
    ),
    Counter(
        name=LINK + "rx_fifo_errors",
        layer="device",
        direction="rx",
        severity="loss",
        counts="Overruns of the receive FIFO in the hardware; software devices: queue overflow or wrong sequence "
        "(GRE).",
        cause="hardware FIFO overran: bus or host too slow",
        causes=(
            "the bus or the host takes packets too slowly",
            "a tunnel with sequence numbers gets packets out of order",
        ),
        remedies=(
            RING,
            LARGER_RING,
            "ethtool -A DEV rx on tx on  # pause frames, if the switch takes them; may stall others",
        ),
        along=(LINK + "rx_errors", LINK + "rx_missed_errors"),
        source=UAPI + "; net/ipv4/ip_tunnel.c, ip_tunnel_rcv",
    ),
)

SEND_ERRORS = (
    Counter(
        name=LINK + "tx_errors",
        layer="device",
        direction="tx",
        severity="loss",
        counts="Transmit problems of every kind; tunnels count packets here that they could not route or wrap.",
        cause="hardware trouble, or a tunnel without a route",
        causes=(
            "tunnel: no route to the far end, or a route through itself",
            "carrier lost, FIFO underrun, watchdog timeout",
        ),
        remedies=(WHICH, "ip route get FAR-END  # tunnels: is there a route, and not through the tunnel?"),
        source=UAPI + "; include/net/ip_tunnels.h, iptunnel_xmit_stats",
    ),
    Counter(
        name=LINK + "tx_aborted_errors",
        layer="device",
        direction="tx",
        severity="loss",
        counts="Frames given up after too many collisions; some fast devices count every discard here; tunnels: the "
        "packet "
        "could not be sent.",
        cause="half duplex collisions, or device discards",
        causes=("half duplex with a full duplex other end", "a device that uses it for its own discards"),
        remedies=(DUPLEX, WHICH),
        part_of=(LINK + "tx_errors",),
        source=UAPI + "; include/net/ip_tunnels.h, iptunnel_xmit_stats",
    ),
    Counter(
        name=LINK + "tx_carrier_errors",
        layer="device",
        direction="tx",
        severity="loss",
        counts="Frames that were not sent because the carrier was lost; tunnels: there was no route to the far end.",
        cause="carrier lost, or tunnel's far end unreachable",
        causes=("the link went down while sending", "tunnel: no route to the far end", "a bad cable or port"),
        remedies=(
            "ip -s -s link show dev DEV; dmesg | grep DEV  # how often the carrier changed, and why",
            "ip route get FAR-END  # tunnels",
        ),
        part_of=(LINK + "tx_errors",),
        source=UAPI + "; drivers/net/vxlan/vxlan_core.c, vxlan_xmit_one; net/ipv4/ip_tunnel.c, ip_tunnel_xmit",
    ),
    Counter(
        name=LINK + "tx_fifo_errors",
        layer="device",
        direction="tx",
        severity="loss",
        counts="Frames that the device began to send and could not get out of memory in time.",
        cause="bus too slow for the device",
        causes=("memory or PCIe bus overloaded, or a slot with too few lanes", "a faulty device"),
        remedies=(
            "lspci -vv -s $(ethtool -i DEV | sed -n 's/bus-info: //p') | grep -i lnksta  # width and speed",
            WHICH,
        ),
        part_of=(LINK + "tx_errors",),
        source=UAPI,
    ),
    Counter(
        name=LINK + "tx_heartbeat_errors",
        layer="device",
        direction="tx",
        severity="warning",
        counts="Heartbeats (SQE test) missing after a frame: old half duplex Ethernet only.",
        cause="old half duplex Ethernet",
        causes=("a transceiver of old half duplex Ethernet without heartbeat",),
        remedies=(DUPLEX,),
        part_of=(LINK + "tx_errors",),
        source=UAPI,
    ),
    Counter(
        name=LINK + "tx_window_errors",
        layer="device",
        direction="tx",
        severity="loss",
        counts="Late collisions: another station sent when this one had long begun.",
        cause="duplex mismatch: late collisions",
        causes=("this end is half duplex and the other full duplex", "a cable that is too long for half duplex"),
        remedies=(DUPLEX, "ethtool -s DEV autoneg on  # the link goes down for a moment"),
        part_of=(LINK + "tx_errors",),
        source=UAPI,
    ),
    Counter(
        name=LINK + "collisions",
        layer="device",
        direction="tx",
        severity="warning",
        counts="Collisions while sending; vxlan and other tunnels: packets whose route leads into the tunnel itself.",
        cause="half duplex, or a tunnel routed into itself",
        causes=(
            "half duplex: the frame is sent again, a few are usual",
            "tunnel: the route to the far end goes through it",
        ),
        remedies=(DUPLEX, "ip route get FAR-END  # tunnels: must not go out of the tunnel device"),
        along=(LINK + "tx_errors",),
        source=UAPI + "; drivers/net/vxlan/vxlan_core.c, vxlan_xmit_one; net/ipv4/ip_tunnel.c, ip_tunnel_xmit",
    ),
)

DEVICES = (*TRAFFIC, *DROPPED, *RECEIVE_ERRORS, *SEND_ERRORS)
