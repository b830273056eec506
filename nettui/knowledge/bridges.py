"""What bridges, VXLAN networks, MPLS and LACP count on their own, over netlink (IFLA_STATS_LINK_XSTATS, AF_SPEC)."""

from nettui.knowledge.entry import Counter, Direction

BRIDGE_SHOW = "ip stats show dev BRIDGE group xstats  # iproute2 5.19; before: ip link xstats type bridge"


def told(name: str, layer: str, direction: Direction, counts: str, source: str, since: str = "") -> Counter:
    """A counter of what goes well."""
    return Counter(
        name=name,
        layer=layer,
        direction=direction,
        severity="traffic",
        counts=counts,
        cause="not a loss",
        since=since,
        source=source,
    )


MULTICAST = "net/bridge/br_multicast.c, br_multicast_count, br_multicast_err_count"
STP = "net/bridge/br_stp.c, br_set_state, br_transmit_config, br_received_config_bpdu"
VLAN = "net/bridge/br_vlan.c, br_allowed_ingress, br_handle_vlan"

BRIDGE = (
    Counter(
        name="bridge.igmp_parse_errors",
        layer="bridge",
        direction="rx",
        severity="loss",
        counts="IGMP packets that the bridge's snooping could not read; it drops them.",
        cause="malformed IGMP",
        causes=("a faulty sender, or a wrong checksum", "an attack on snooping"),
        remedies=(BRIDGE_SHOW, "tcpdump -vvni PORT igmp  # who sends it"),
        reasons=("NOT_SPECIFIED",),
        source=MULTICAST + ", br_multicast_ipv4_rcv",
    ),
    Counter(
        name="bridge.mld_parse_errors",
        layer="bridge",
        direction="rx",
        severity="loss",
        counts="MLD packets that the bridge's snooping could not read; it drops them.",
        cause="malformed MLD",
        causes=("a faulty sender, or a wrong checksum", "an attack on snooping"),
        remedies=(BRIDGE_SHOW, "tcpdump -vvni PORT 'ip6 multicast and icmp6'  # who sends it"),
        reasons=("NOT_SPECIFIED",),
        source=MULTICAST + ", br_multicast_ipv6_rcv",
    ),
    Counter(
        name="bridge.transition_blk",
        layer="bridge",
        direction="",
        severity="warning",
        counts="Times that a port was set to blocking: from then its frames are dropped, and no counter tells how "
        "many.",
        cause="spanning tree blocks a port",
        causes=("a loop, or a change of the topology", "a port whose carrier comes and goes"),
        remedies=("bridge -d link show  # states of the ports", "nettui drops --reasons --layer bridge"),
        reasons=("BRIDGE_INGRESS_STP_STATE",),
        since="5.6",
        source=STP,
    ),
    Counter(
        name="bridge.rx_tcn",
        layer="bridge",
        direction="rx",
        severity="warning",
        counts="Topology changes that neighbour bridges told: the forwarding table ages fast and frames are flooded.",
        cause="the spanning tree changes",
        causes=("ports go up and down somewhere", "hosts' ports that are not edge ports"),
        remedies=("bridge -s link show", "tcpdump -vni PORT stp"),
        since="5.6",
        source=STP,
    ),
    told("bridge.tx_tcn", "bridge", "tx", "Topology changes told to others.", STP, "5.6"),
    told("bridge.transition_fwd", "bridge", "", "Times that a port was set to forwarding.", STP, "5.6"),
    told("bridge.rx_bpdu", "bridge", "rx", "Spanning tree messages received.", STP, "5.6"),
    told("bridge.tx_bpdu", "bridge", "tx", "Spanning tree messages sent.", STP, "5.6"),
    told("bridge.mcast_packets", "bridge", "", "Multicast packets that the bridge saw.", MULTICAST),
    told("bridge.mcast_bytes", "bridge", "", "Bytes of multicast that the bridge saw.", MULTICAST),
    *(
        told(f"bridge.{name}", "bridge", "", f"{words} that the bridge saw or sent.", MULTICAST)
        for name, words in (
            ("igmp_v1queries", "IGMPv1 queries"),
            ("igmp_v2queries", "IGMPv2 queries"),
            ("igmp_v3queries", "IGMPv3 queries"),
            ("igmp_leaves", "IGMP leave messages"),
            ("igmp_v1reports", "IGMPv1 reports"),
            ("igmp_v2reports", "IGMPv2 reports"),
            ("igmp_v3reports", "IGMPv3 reports"),
            ("mld_v1queries", "MLDv1 queries"),
            ("mld_v2queries", "MLDv2 queries"),
            ("mld_leaves", "MLD done messages"),
            ("mld_v1reports", "MLDv1 reports"),
            ("mld_v2reports", "MLDv2 reports"),
        )
    ),
    *(
        told(f"bridge.{name}", "bridge", "", f"{words} one VLAN of the bridge or port.", VLAN)
        for name, words in (
            ("rx_packets", "Frames received in"),
            ("tx_packets", "Frames sent in"),
            ("rx_bytes", "Bytes received in"),
            ("tx_bytes", "Bytes sent in"),
        )
    ),
)

VNI = "drivers/net/vxlan/vxlan_vnifilter.c, vxlan_vnifilter_count"
VNI_SHOW = "bridge -s vni show dev DEV"
VXLAN = (
    Counter(
        name="vxlan.rx_drops",
        layer="tunnel",
        direction="rx",
        severity="loss",
        counts="Packets of this VXLAN network that were dropped on arrival: the VXLAN device was down, or the CPU's "
        "backlog full.",
        cause="vxlan device down, or CPU backlog full",
        causes=(
            "the device was set down while others still send",
            "between two VXLAN devices of one host: backlog full",
        ),
        remedies=(VNI_SHOW, "ip link set dev DEV up"),
        part_of=("rtnl_link_stats64.rx_dropped",),
        along=("softnet.dropped",),
        reasons=("DEV_READY", "CPU_BACKLOG"),
        since="5.18",
        source=VNI + "; drivers/net/vxlan/vxlan_core.c, vxlan_rcv",
    ),
    Counter(
        name="vxlan.rx_errors",
        layer="tunnel",
        direction="rx",
        severity="loss",
        counts="Packets of this VXLAN network that were wrong inside: too short, or an ECN mark that must not be.",
        cause="wrong packets from the other end",
        causes=("a cut packet: MTU of the path too small", "the outer header is marked CE, the inner one takes no ECN"),
        remedies=(VNI_SHOW, "ip -s -s link show dev DEV  # frame: ECN; length: too short"),
        part_of=("rtnl_link_stats64.rx_errors",),
        reasons=("IP_TUNNEL_ECN", "PKT_TOO_SMALL", "HDR_TRUNC"),
        since="5.18",
        source=VNI + "; drivers/net/vxlan/vxlan_core.c, vxlan_rcv",
    ),
    Counter(
        name="vxlan.tx_drops",
        layer="tunnel",
        direction="tx",
        severity="loss",
        counts="Packets of this VXLAN network that were not sent: no destination is known for the address, or a bad "
        "packet.",
        cause="no remote end known for the address",
        causes=(
            "the forwarding table has no entry, and there is no default remote (00:00:00:00:00:00)",
            "learning is off",
        ),
        remedies=(VNI_SHOW, "bridge fdb show dev DEV  # is the MAC or the default entry there?"),
        part_of=("rtnl_link_stats64.tx_dropped",),
        reasons=("NO_TX_TARGET",),
        since="5.18",
        source=VNI + "; drivers/net/vxlan/vxlan_core.c, vxlan_xmit",
    ),
    Counter(
        name="vxlan.tx_errors",
        layer="tunnel",
        direction="tx",
        severity="loss",
        counts="Packets of this VXLAN network that could not be sent: no route to the remote end, or one through the "
        "tunnel.",
        cause="no route to the remote end",
        causes=("no route to the remote address", "the route to it leads into the tunnel itself"),
        remedies=(VNI_SHOW, "ip route get REMOTE"),
        part_of=("rtnl_link_stats64.tx_errors",),
        reasons=("IP_OUTNOROUTES", "VXLAN_VNI_NOT_FOUND", "NOMEM", "NOT_SPECIFIED"),
        since="5.18",
        source=VNI + "; drivers/net/vxlan/vxlan_core.c, vxlan_xmit_one",
    ),
    told("vxlan.rx_pkts", "tunnel", "rx", "Packets of this VXLAN network received.", VNI, "5.18"),
    told("vxlan.rx_bytes", "tunnel", "rx", "Bytes of this VXLAN network received.", VNI, "5.18"),
    told("vxlan.tx_pkts", "tunnel", "tx", "Packets of this VXLAN network sent.", VNI, "5.18"),
    told("vxlan.tx_bytes", "tunnel", "tx", "Bytes of this VXLAN network sent.", VNI, "5.18"),
)

FORWARD = "net/mpls/af_mpls.c, mpls_forward"
MPLS_SHOW = "ip stats show dev DEV group afstats; ip -f mpls route  # before iproute2 5.19: ip -s -f mpls link"
MPLS = (
    Counter(
        name="mpls.rx_dropped",
        layer="tunnel",
        direction="rx",
        severity="refused",
        counts="MPLS packets dropped because the device does not take MPLS (net.mpls.conf.DEV.input is 0).",
        cause="MPLS input is off on this device",
        causes=("a neighbour sends labelled packets to a device on which MPLS was not switched on",),
        remedies=(
            "sysctl -w net.mpls.conf.DEV.input=1  # takes labelled packets from everybody on that network",
            MPLS_SHOW,
        ),
        source=FORWARD,
    ),
    Counter(
        name="mpls.rx_noroute",
        layer="tunnel",
        direction="rx",
        severity="loss",
        counts="MPLS packets dropped because their label is not in the table.",
        cause="label without a route",
        causes=(
            "the label was taken back, or never told: LDP, BGP or the static table does not agree with the neighbour",
        ),
        remedies=(MPLS_SHOW, "tcpdump -eni DEV mpls  # which label comes"),
        source=FORWARD,
    ),
    Counter(
        name="mpls.rx_errors",
        layer="tunnel",
        direction="rx",
        severity="loss",
        counts="MPLS packets that were wrong: too short, TTL used up, not for this host's MAC address, or no living "
        "next hop.",
        cause="TTL used up or no living next hop",
        causes=("a loop (TTL)", "all next hops of the label are down", "malformed packets"),
        remedies=(MPLS_SHOW, "tcpdump -evni DEV mpls  # label, TTL"),
        source=FORWARD,
    ),
    Counter(
        name="mpls.tx_errors",
        layer="tunnel",
        direction="tx",
        severity="loss",
        counts="MPLS packets that could not be sent: the way out is down, its MTU too small, or there is no memory.",
        cause="device down or MTU too small for the labels",
        causes=("the outgoing device is down", "the labels (4 bytes each) do not fit into its MTU"),
        remedies=(MPLS_SHOW, "ip link show dev DEV  # up? MTU at least the packet and 4 bytes a label"),
        source=FORWARD + " (tx_err); net/mpls/mpls_iptunnel.c, mpls_xmit",
    ),
    Counter(
        name="mpls.tx_dropped",
        layer="tunnel",
        direction="tx",
        severity="loss",
        counts="MPLS packets dropped on their way out; the kernel's own code counts tx_errors instead.",
        cause="dropped on the way out",
        causes=("nothing in net/mpls moves it",),
        remedies=(MPLS_SHOW,),
        source="net/mpls/internal.h, struct mpls_pcpu_stats; " + FORWARD,
    ),
    told("mpls.rx_packets", "tunnel", "rx", "Labelled packets received.", FORWARD),
    told("mpls.tx_packets", "tunnel", "tx", "Labelled packets sent.", FORWARD),
    told("mpls.rx_bytes", "tunnel", "rx", "Bytes of labelled packets received.", FORWARD),
    told("mpls.tx_bytes", "tunnel", "tx", "Bytes of labelled packets sent.", FORWARD),
)

LACP = "drivers/net/bonding/bond_3ad.c, bond_3ad_rx_indication"
LACP_SHOW = "cat /proc/net/bonding/BOND  # LACP state of both ends of every port"
BOND = (
    Counter(
        name="bond.lacpdu_unknown_rx",
        layer="device",
        direction="rx",
        severity="warning",
        counts="Slow protocol frames of an unknown kind that came to a port of the bond.",
        cause="unknown slow protocol frames",
        causes=("the switch speaks another slow protocol (OAM, ESMC) on the port: harmless",),
        remedies=(LACP_SHOW, "tcpdump -evni PORT ether proto 0x8809"),
        since="5.1",
        source=LACP,
    ),
    Counter(
        name="bond.lacpdu_illegal_rx",
        layer="device",
        direction="rx",
        severity="warning",
        counts="Slow protocol frames that were illegal.",
        cause="malformed LACP frames",
        causes=("a faulty switch, or damaged frames",),
        remedies=(LACP_SHOW, "tcpdump -evni PORT ether proto 0x8809"),
        since="5.1",
        source=LACP,
    ),
    Counter(
        name="bond.marker_unknown_rx",
        layer="device",
        direction="rx",
        severity="warning",
        counts="LACP marker frames of an unknown kind.",
        cause="unknown LACP marker frames",
        causes=("a faulty switch",),
        remedies=(LACP_SHOW, "tcpdump -evni PORT ether proto 0x8809"),
        since="5.1",
        source=LACP,
    ),
    told("bond.lacpdu_rx", "device", "rx", "LACP frames received.", LACP, "5.1"),
    told("bond.lacpdu_tx", "device", "tx", "LACP frames sent.", LACP, "5.1"),
    told("bond.marker_rx", "device", "rx", "LACP marker frames received.", LACP, "5.1"),
    told("bond.marker_tx", "device", "tx", "LACP marker frames sent.", LACP, "5.1"),
    told("bond.marker_resp_rx", "device", "rx", "LACP marker answers received.", LACP, "5.1"),
    told("bond.marker_resp_tx", "device", "tx", "LACP marker answers sent.", LACP, "5.1"),
)

BRIDGES = (*BRIDGE, *VXLAN, *MPLS, *BOND)
