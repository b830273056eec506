"""The columns of the links table, and the attributes that are plain numbers (uapi linux/if_link.h)."""

from __future__ import annotations

import numpy as np

from collectors.table import Column

IFLA_MASTER, IFLA_LINK_NETNSID = 10, 37

# uapi linux/if_link.h, struct rtnl_link_stats64, in its order: column -> where ip's JSON has it
STATS = {
    "rx_packets": "rx.packets",
    "tx_packets": "tx.packets",
    "rx_bytes": "rx.bytes",
    "tx_bytes": "tx.bytes",
    "rx_errors": "rx.errors",
    "tx_errors": "tx.errors",
    "rx_dropped": "rx.dropped",
    "tx_dropped": "tx.dropped",
    "multicast": "rx.multicast",
    "collisions": "tx.collisions",
    "rx_length_errors": "rx.length_errors",
    "rx_over_errors": "rx.over_errors",
    "rx_crc_errors": "rx.crc_errors",
    "rx_frame_errors": "rx.frame_errors",
    "rx_fifo_errors": "rx.fifo_errors",
    "rx_missed_errors": "rx.missed_errors",
    "tx_aborted_errors": "tx.aborted_errors",
    "tx_carrier_errors": "tx.carrier_errors",
    "tx_fifo_errors": "tx.fifo_errors",
    "tx_heartbeat_errors": "tx.heartbeat_errors",
    "tx_window_errors": "tx.window_errors",
    "rx_compressed": "rx.compressed",
    "tx_compressed": "tx.compressed",
    "rx_nohandler": "rx.nohandler",  # since 4.6
    "rx_otherhost_dropped": "rx.otherhost_dropped",  # since 5.19
}
STATS64 = np.dtype([(name, "<u8") for name in STATS])
STATS32 = np.dtype([(name, "<u4") for name in [*STATS][:24]])  # struct rtnl_link_stats, of kernels before 2.6.35
STATS_HELP = {
    "rx_dropped": "received and not processed: no memory, or a protocol that nobody takes",
    "rx_packets": "good packets received by the device",
    "tx_packets": "packets handed to the wire",
    "rx_bytes": "bytes of the good packets received",
    "tx_bytes": "bytes of the packets handed to the wire",
    "rx_errors": "bad packets received, of every kind",
    "tx_errors": "transmit problems, of every kind",
    "multicast": "multicast packets received",
    "collisions": "collisions while transmitting (half duplex)",
    "tx_aborted_errors": "given up after too many or late collisions",
    "tx_heartbeat_errors": "missing heartbeat (half duplex)",
    "tx_window_errors": "late collisions (half duplex)",
    "rx_compressed": "compressed packets received (PPP and the like)",
    "tx_compressed": "compressed packets sent (PPP and the like)",
    "rx_missed_errors": "lost by the device for want of buffers: the host is slower than the link",
    "rx_over_errors": "did not fit into the host's buffers",
    "rx_fifo_errors": "receive FIFO overruns",
    "rx_crc_errors": "frames with a wrong check sum",
    "rx_frame_errors": "frames with a wrong alignment",
    "rx_length_errors": "frames of an invalid length",
    "rx_nohandler": "received on a device that takes none, such as a bond's standby port",
    "rx_otherhost_dropped": "addressed to another host's MAC address",
    "tx_dropped": "dropped on the way to transmission",
    "tx_carrier_errors": "carrier lost while transmitting",
    "tx_fifo_errors": "transmit FIFO underruns",
}
# column -> attribute, of plain numbers
NUMBERS = {
    "mtu": 4, "master_index": IFLA_MASTER, "txqlen": 13, "promiscuity": 30, "num_tx_queues": 31, "num_rx_queues": 32,
    "carrier_changes": 35, "link_netnsid": IFLA_LINK_NETNSID, "gso_max_segs": 40, "gso_max_size": 41,
    "carrier_up_count": 47, "carrier_down_count": 48, "min_mtu": 50, "max_mtu": 51, "gro_max_size": 58,
    "tso_max_size": 59, "tso_max_segs": 60, "allmulti": 61, "gso_ipv4_max_size": 63, "gro_ipv4_max_size": 64,
}  # fmt: skip
COLUMNS = (
    Column("ifindex", "i4", "key", help="number of the device in its namespace"),
    Column("ifname", "text", "label", help="name"),
    Column("altnames", "json", "label", help="further names"),
    Column("ifalias", "text", "label", help="description that an administrator gave"),
    Column("flags", "json", "label", help="UP, LOWER_UP, NO-CARRIER, PROMISC, …"),
    Column("mtu", "u4", "label", "B", "largest packet"),
    Column("min_mtu", "u4", "label", "B", "smallest MTU that may be set"),
    Column("max_mtu", "u4", "label", "B", "largest MTU that may be set, 0: no limit"),
    Column("qdisc", "text", "label", help="root queueing discipline"),
    Column("operstate", "text", "label", help="RFC 2863 state"),
    Column("linkmode", "text", "label", help="whether user space decides on the state"),
    Column("group", "text", "label", help="device group, by its name"),
    Column("txqlen", "u4", "label", "packets", "length of the transmit queue"),
    Column("link_type", "text", "label", help="hardware type: ether, loopback, none, …"),
    Column("address", "address", "label", help="link-layer address, or the tunnel's near end"),
    Column("broadcast", "address", "label", help="broadcast address, or the tunnel's far end"),
    Column("permaddr", "address", "label", help="address that the hardware came with"),
    Column("master_index", "u4", "label", help="interface index of the bridge, bond or VRF that it is a port of"),
    Column("link_index", "u4", "label", help="interface index of the device below, or of a veth's peer"),
    Column("link_netnsid", "i4", "label", help="namespace in which link_index counts"),
    Column("promiscuity", "u4", "gauge", help="how many want every frame"),
    Column("allmulti", "u4", "gauge", help="how many want every multicast frame"),
    Column("carrier", "bool", "label", help="whether the link has a carrier"),
    Column("carrier_changes", "u4", "counter", "", "times the carrier came or went", "stats64.tx.carrier_changes"),
    Column("carrier_up_count", "u4", "counter", "", "times the carrier came; since 4.16"),
    Column("carrier_down_count", "u4", "counter", "", "times the carrier went; since 4.16"),
    Column("proto_down", "bool", "label", help="held down by a protocol, such as MLAG"),
    Column("num_tx_queues", "u4", "label", help="transmit queues"),
    Column("num_rx_queues", "u4", "label", help="receive queues"),
    Column("gso_max_size", "u4", "label", "B", "largest segmentation offload packet"),
    Column("gso_max_segs", "u4", "label", "packets", "most segments of one"),
    Column("gro_max_size", "u4", "label", "B", "largest receive offload packet"),
    Column("tso_max_size", "u4", "label", "B", "largest that the device can segment"),
    Column("tso_max_segs", "u4", "label", "packets", "most segments of one"),
    Column("gso_ipv4_max_size", "u4", "label", "B", "largest segmentation offload packet of IPv4; since 6.3"),
    Column("gro_ipv4_max_size", "u4", "label", "B", "largest receive offload packet of IPv4; since 6.3"),
    Column("inet6_addr_gen_mode", "text", "label", help="how IPv6 interface identifiers are made"),
    Column("xdp", "json", "label", help="XDP programs: mode 1 driver, 2 generic, 3 hardware, 4 several"),
    Column("phys_port_name", "text", "label", help="name of the port on the hardware"),
    Column("phys_port_id", "text", "label", help="identifier of the port on the hardware"),
    Column("phys_switch_id", "text", "label", help="identifier of the switch that the port belongs to"),
    Column("parentbus", "text", "label", help="bus of the device below"),
    Column("parentdev", "text", "label", help="place on that bus"),
    Column("kind", "text", "label", help="veth, bridge, vxlan, …", path="linkinfo.info_kind"),
    Column("slave_kind", "text", "label", help="kind of the master", path="linkinfo.info_slave_kind"),
    Column("info_data", "json", "label", help="details by kind", path="linkinfo.info_data"),
    Column("info_slave_data", "json", "label", help="details as a port", path="linkinfo.info_slave_data"),
    Column("vlan_id", "u2", "label", help="VLAN"),
    Column("vxlan_id", "u4", "label", help="VXLAN network identifier"),
    *(
        Column(
            name, "u8", "counter", "B" if name.endswith("bytes") else "packets", STATS_HELP.get(name, ""),
            f"stats64.{path}",
        )
        for name, path in STATS.items()
    ),
)  # fmt: skip
