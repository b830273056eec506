"""Kernel functions that drop packets: the layer of each, and what is lost there when the reason says little.

Read in torvalds/linux; the names are those of the event skb:kfree_skb (its location) and of /proc/kallsyms.
"""

from __future__ import annotations

from functools import cache

from nettui.knowledge.entry import Place

NOT_TAKEN = "a half open connection does not want it (SYN again, RST), no socket, filter, policy, or bad check sum"
HALF_OPEN = ("TcpExt.EmbryonicRsts",)
HEADER6 = ("Ip6.InHdrErrors",)

PLACES = (
    Place("nft_do_chain", "netfilter", "refused", "a rule of nftables or a base chain's policy dropped it"),
    Place("ipt_do_table", "netfilter", "refused", "a rule of iptables or a chain's policy dropped it"),
    Place("ip6t_do_table", "netfilter", "refused", "a rule of ip6tables or a chain's policy dropped it"),
    Place("ebt_do_table", "netfilter", "refused", "a rule of ebtables or a chain's policy dropped it"),
    Place(
        "nf_hook_slow",
        "netfilter",
        "loss",
        "a hook dropped it: conntrack (no entry), NAT, or a chain that does not free packets itself",
    ),
    Place(
        "nf_hook_slow_list",
        "netfilter",
        "loss",
        "a hook dropped it: conntrack (no entry), NAT, or a chain that does not free packets itself",
    ),
    Place("nf_queue", "netfilter", "loss", "NFQUEUE could not take it: nobody reads the queue, or it is full"),
    Place("nfqnl_reinject", "netfilter", "refused", "the program behind NFQUEUE said drop"),
    Place("nf_reinject", "netfilter", "refused", "the program behind NFQUEUE said drop"),
    Place("nfqnl_flush", "netfilter", "loss", "it waited in an NFQUEUE whose program went away"),
    Place("nf_conntrack_in", "conntrack", "loss", "connection tracking had no entry for it: table full or no memory"),
    Place("nf_ct_frag6_gather", "conntrack", "loss", "an IPv6 fragment that does not fit, or no memory for fragments"),
    Place("nf_ct_frag6_expire", "conntrack", "loss", "the other fragments did not come in time"),
    Place("br_nf_pre_routing", "netfilter", "loss", "a bridged IP packet with a bad header (bridge-nf)"),
    Place("synproxy_send_tcp", "netfilter", "loss", "SYNPROXY had no route for its answer"),
    Place("ip_rcv", "ip", "loss", "IPv4 header refused"),
    Place(
        "ip_rcv_core",
        "ip",
        "loss",
        "IPv4 header refused: too short, bad version, length or check sum, or a frame for another host",
    ),
    Place(
        "ip_rcv_finish_core",
        "ip",
        "loss",
        "no way for a received packet: no route, rp_filter, a source route (accept_source_route), or an address that "
        "must not come in",
    ),
    Place(
        "ip_defrag",
        "ip",
        "loss",
        "a fragment that cannot be put together: no memory (ipfrag_high_thresh), overlap, or a wrong length",
    ),
    Place("ip_expire", "ip", "loss", "fragments that were missing did not come in time"),
    Place(
        "ip_forward", "ip", "loss", "not forwarded: TTL used up, too large with DF set, no policy, or not for this host"
    ),
    Place("ip_error", "route", "loss", "no route, or forwarding is off: unreachable, prohibit, or no default route"),
    Place("ip_local_deliver_finish", "ip", "refused", "no protocol takes it, or IPsec policy refuses it"),
    Place("ip_protocol_deliver_rcu", "ip", "refused", "nobody takes this IP protocol, or IPsec policy refuses it"),
    Place(
        "ip_finish_output2",
        "neighbour",
        "loss",
        "no neighbour entry: the table is full (gc_thresh3), or no memory for the header",
    ),
    Place("__ip_finish_output", "ip", "refused", "a cgroup's BPF program refuses it"),
    Place("ip_do_fragment", "ip", "loss", "could not be cut into fragments: no memory"),
    Place("ip_fragment", "ip", "loss", "larger than the MTU and must not be fragmented (DF)"),
    Place("ip_mc_output", "ip", "noise", "a multicast copy with TTL 0 for the wire"),
    Place("ip_mc_finish_output", "ip", "refused", "a cgroup's BPF program refuses it"),
    Place("ip_mr_forward", "route", "refused", "multicast that no route takes, or from the wrong device"),
    Place("ip6_mr_forward", "route", "refused", "multicast that no route takes, or from the wrong device"),
    Place("ip_mr_input", "route", "refused", "multicast that no route takes"),
    Place("ip_send_unicast_reply", "ip", "loss", "an answer of the kernel itself (RST, ICMP) could not be sent"),
    Place("__ip_queue_xmit", "route", "loss", "a socket's packet without a route"),
    Place("ip_handle_martian_source", "route", "loss", "a source address that must not come in here"),
    Place(
        "ip6_rcv_core",
        "ip",
        "loss",
        "IPv6 header refused: too short, bad version or address, or IPv6 is off on the device",
        HEADER6,
    ),
    Place("ip6_rcv_finish_core", "ip", "loss", "no way for a received IPv6 packet"),
    Place("ip6_mc_input", "ip", "noise", "IPv6 multicast that no socket of this host asked for"),
    Place("ip6_input", "ip", "loss", "IPv6 packet not taken"),
    Place("ip6_input_finish", "ip", "loss", "IPv6 packet not taken: bad extension header or no protocol"),
    Place("ip6_protocol_deliver_rcu", "ip", "refused", "nobody takes this IPv6 protocol, or IPsec policy refuses it"),
    Place("ip6_forward", "ip", "loss", "not forwarded: hop limit used up, too large, no policy, or forwarding is off"),
    Place("ip6_pkt_discard", "route", "loss", "IPv6: no route to the destination"),
    Place("ip6_pkt_prohibit", "route", "refused", "IPv6: a prohibit route"),
    Place("ip6_pkt_drop", "route", "loss", "IPv6: no route, prohibited, or a blackhole"),
    Place(
        "ip6_finish_output2",
        "neighbour",
        "loss",
        "no neighbour entry: the table is full (gc_thresh3), or no memory for the header",
    ),
    Place("ip6_fragment", "ip", "loss", "larger than the MTU, or no memory for fragments"),
    Place("ipv6_frag_rcv", "ip", "loss", "an IPv6 fragment that cannot be put together", HEADER6),
    Place("ipv6_destopt_rcv", "ip", "loss", "IPv6 destination options that cannot be read", HEADER6),
    Place("ipv6_rthdr_rcv", "ip", "loss", "an IPv6 routing header that this host does not take", HEADER6),
    Place("ip6frag_expire_frag_queue", "ip", "loss", "IPv6 fragments that were missing did not come in time"),
    Place(
        "dst_discard_out",
        "route",
        "refused",
        "a blackhole route, one just removed, or an IPsec policy without SA",
        ("xfrm.OutNoStates",),
    ),
    Place("dst_discard", "route", "refused", "a blackhole route, or a route that was just removed"),
    Place("dst_blackhole_output", "route", "refused", "a blackhole route"),
    Place("blackhole_netdev_xmit", "route", "noise", "its device was just removed"),
    Place(
        "icmp_rcv",
        "icmp",
        "loss",
        "ICMP refused: check sum, too short, a broadcast, or a kind that is not answered",
        ("Icmp.InErrors",),
    ),
    Place("icmpv6_rcv", "icmp", "loss", "ICMPv6 refused: check sum or policy"),
    Place(
        "icmpv6_param_prob_reason",
        "ip",
        "loss",
        "IPv6: an extension header or option that is not understood; the sender is told",
        HEADER6,
    ),
    Place("ip6_tlvopt_unknown", "ip", "loss", "IPv6: an option that is not understood; the sender is told", HEADER6),
    Place("ip6_parse_tlv", "ip", "loss", "IPv6: options that are malformed or not understood", HEADER6),
    Place("ping_rcv", "icmp", "noise", "a ping reply without a ping socket: usual, as raw sockets have had their copy"),
    Place("igmp_rcv", "icmp", "loss", "IGMP refused: check sum or kind"),
    Place("ndisc_rcv", "neighbour", "loss", "neighbour discovery message refused: hop limit, code or options"),
    Place("arp_rcv", "neighbour", "loss", "ARP not taken: for another host, a device without ARP, or malformed"),
    Place("arp_process", "neighbour", "noise", "ARP that needs no answer here, or whose answer could not be sent"),
    Place("arp_error_report", "neighbour", "loss", "the next hop did not answer ARP"),
    Place("ndisc_error_report", "neighbour", "loss", "the next hop did not answer neighbour discovery"),
    Place("neigh_invalidate", "neighbour", "loss", "the next hop did not answer: what waited for it is thrown away"),
    Place(
        "__neigh_event_send",
        "neighbour",
        "loss",
        "queue of a neighbour without an answer is full, or the entry is dead",
    ),
    Place("neigh_resolve_output", "neighbour", "loss", "link-layer header could not be made"),
    Place("neigh_connected_output", "neighbour", "loss", "link-layer header could not be made"),
    Place("pneigh_enqueue", "neighbour", "loss", "too many requests wait for proxy ARP or NDP"),
    Place(
        "__udp4_lib_rcv",
        "udp",
        "loss",
        "UDP not taken: no socket, bad check sum, too short, or multicast nobody wanted",
        ("Udp.IgnoredMulti",),
    ),
    Place(
        "__udp6_lib_rcv",
        "udp",
        "loss",
        "UDP over IPv6 not taken: no socket, bad check sum, too short, or multicast nobody wanted",
        ("Udp6.IgnoredMulti",),
    ),
    Place(
        "__udp4_lib_mcast_deliver",
        "udp",
        "noise",
        "multicast or broadcast that no socket here wanted",
        ("Udp.IgnoredMulti",),
    ),
    Place("__udp6_lib_mcast_deliver", "udp", "noise", "multicast that no socket here wanted", ("Udp6.IgnoredMulti",)),
    Place("udp_queue_rcv_one_skb", "udp", "loss", "socket's buffer full, filter, policy or check sum"),
    Place("udpv6_queue_rcv_one_skb", "udp", "loss", "socket's buffer full, filter, policy or check sum"),
    Place("__udp_enqueue_schedule_skb", "udp", "loss", "socket's receive buffer full, or UDP memory used up"),
    Place("tcp_v4_rcv", "tcp", "loss", f"TCP segment not taken: {NOT_TAKEN}", HALF_OPEN),
    Place("tcp_v6_rcv", "tcp", "loss", f"TCP segment over IPv6 not taken: {NOT_TAKEN}", HALF_OPEN),
    Place("tcp_v4_do_rcv", "tcp", "loss", "TCP segment not taken in its state"),
    Place("tcp_v6_do_rcv", "tcp", "loss", "TCP segment over IPv6 not taken in its state"),
    Place(
        "tcp_rcv_established", "tcp", "loss", "TCP segment of an open connection refused: sequence, ACK or check sum"
    ),
    Place("tcp_rcv_state_process", "tcp", "loss", "TCP segment refused in its state"),
    Place("tcp_data_queue", "tcp", "noise", "TCP data that had come already, or outside the window"),
    Place("tcp_conn_request", "tcp", "loss", "a SYN refused: accept or SYN queue full, or no memory"),
    Place("tcp_write_queue_purge", "tcp", "noise", "unsent data of a connection that is closed"),
    Place("tcp_prune_ofo_queue", "tcp", "loss", "out-of-order segments thrown away: receive memory used up"),
    Place("raw_rcv", "socket", "loss", "raw socket did not take it: policy or buffer full"),
    Place("raw_local_deliver", "socket", "loss", "raw socket did not take it"),
    Place("rawv6_rcv", "socket", "loss", "raw IPv6 socket did not take it: policy, check sum or buffer full"),
    Place("packet_rcv", "socket", "loss", "a packet socket (capture) did not take its copy: buffer full"),
    Place("tpacket_rcv", "socket", "loss", "a packet socket (capture) did not take its copy: ring full"),
    Place("sk_filter_trim_cap", "socket", "refused", "a socket's filter (BPF) refuses it"),
    Place("sock_queue_rcv_skb_reason", "socket", "loss", "socket's receive buffer full, or its filter refuses it"),
    Place("sk_stream_kill_queues", "socket", "noise", "what an ended connection had not read or sent"),
    Place("skb_queue_purge_reason", "socket", "noise", "a queue is emptied: its socket, neighbour or device goes away"),
    Place("inet_csk_destroy_sock", "socket", "noise", "what a closed connection had left"),
    Place("inet_sock_destruct", "socket", "noise", "what a closed socket had left"),
    Place("unix_release_sock", "socket", "noise", "what a closed UNIX socket had not read"),
    Place("unix_dgram_sendmsg", "socket", "loss", "UNIX datagram not taken: the receiver is gone or refuses it"),
    Place("unix_stream_connect", "socket", "loss", "UNIX connection refused: nobody listens or the backlog is full"),
    Place("unix_stream_sendmsg", "socket", "noise", "the other end of a UNIX connection is closed"),
    Place("unix_stream_read_generic", "socket", "noise", "UNIX data that was read"),
    Place("netlink_attachskb", "socket", "loss", "netlink message not taken: the receiver's buffer is full"),
    Place("netlink_unicast", "socket", "loss", "netlink message without a receiver"),
    Place(
        "netlink_broadcast_filtered",
        "socket",
        "noise",
        "netlink broadcast that nobody took, or a copy that did not fit",
    ),
    Place("do_one_broadcast", "socket", "loss", "netlink broadcast that did not fit into a receiver's buffer"),
    Place("do_xdp_generic", "xdp", "refused", "an XDP program in generic mode drops"),
    Place("bpf_prog_run_generic_xdp", "xdp", "refused", "an XDP program in generic mode drops, or a fault in it"),
    Place("generic_xdp_tx", "xdp", "loss", "XDP_TX in generic mode: the send queue is stopped"),
    Place("xdp_do_generic_redirect", "xdp", "loss", "XDP_REDIRECT in generic mode: target down or MTU too small"),
    Place("enqueue_to_backlog", "softnet", "loss", "receive backlog of a CPU full, or its flow limit"),
    Place("netif_receive_skb_list_internal", "device", "loss", "packets that came while the device went away"),
    Place(
        "__netif_receive_skb_core",
        "device",
        "noise",
        "no protocol takes it (LLDP and the like), or a tc, XDP or bridge handler dropped it",
    ),
    Place("flush_backlog", "softnet", "noise", "waiting packets of a device that goes away"),
    Place("tc_run", "tc", "refused", "a tc filter or BPF program at clsact or ingress drops"),
    Place("tcf_mirred_to_dev", "tc", "loss", "a mirrored or redirected packet: target down or too many times"),
    Place(
        "__dev_forward_skb2",
        "device",
        "loss",
        "too large for the receiving veth or macvlan (MTU), or that device is down",
        ("rtnl_link_stats64.tx_dropped", "rtnl_link_stats64.rx_dropped"),
    ),
    Place(
        "__dev_queue_xmit",
        "qdisc",
        "loss",
        "not sent: the qdisc dropped it, device down, no carrier, or a loop of devices",
    ),
    Place("__dev_xmit_skb", "qdisc", "loss", "the qdisc dropped it: full, over its rate, or without carrier"),
    Place("__dev_direct_xmit", "device", "loss", "not sent: device down or its queue stopped (packet sockets, XDP)"),
    Place("__qdisc_run", "qdisc", "loss", "dropped by the qdisc as it sends"),
    Place(
        "sch_direct_xmit", "qdisc", "loss", "dropped between qdisc and driver: it could not be made fit for the device"
    ),
    Place("validate_xmit_skb", "device", "loss", "could not be segmented or checksummed for the device"),
    Place("dev_hard_start_xmit", "device", "loss", "the driver did not take it"),
    Place("noop_enqueue", "qdisc", "loss", "the device is down or has no carrier: its noop qdisc drops all"),
    Place("qdisc_reset", "qdisc", "loss", "a qdisc was replaced or its device set down while it held packets"),
    Place("pfifo_enqueue", "qdisc", "loss", "qdisc full"),
    Place("pfifo_fast_enqueue", "qdisc", "loss", "qdisc full (txqueuelen)"),
    Place("tbf_enqueue", "qdisc", "loss", "tbf full: more than its rate, or larger than its burst"),
    Place("htb_enqueue", "qdisc", "loss", "htb: a class is full, or no class takes the packet"),
    Place("br_handle_frame", "bridge", "loss", "bridge port is blocked or disabled, or the source address is invalid"),
    Place(
        "br_handle_frame_finish",
        "bridge",
        "loss",
        "bridge: VLAN not allowed, port locked, learning only, or snooping refuses it",
    ),
    Place("br_forward", "bridge", "loss", "bridge: the port out is down, blocked, isolated, or the same as in"),
    Place("__br_forward", "bridge", "loss", "bridge: VLAN not allowed on the port out"),
    Place("br_flood", "bridge", "loss", "bridge: no port to flood to (no flooding, isolated)"),
    Place("br_multicast_flood", "bridge", "noise", "bridge: no port asked for this multicast"),
    Place("br_dev_queue_push_xmit", "bridge", "loss", "bridge: larger than the port's MTU"),
    Place("br_dev_xmit", "bridge", "loss", "bridge: the host's own packet, VLAN not allowed or no memory"),
    Place("br_pass_frame_up", "bridge", "refused", "bridge: VLAN not allowed for the host itself"),
    Place("vxlan_rcv", "tunnel", "loss", "VXLAN: unknown VNI, bad header, own address, or the device is down"),
    Place("vxlan_xmit", "tunnel", "loss", "VXLAN: no remote end known for the address"),
    Place("vxlan_xmit_one", "tunnel", "loss", "VXLAN: no route to the remote end, or a bad packet"),
    Place("vxlan_encap_bypass", "tunnel", "loss", "VXLAN: the device of the same host is down"),
    Place("ip_tunnel_rcv", "tunnel", "loss", "tunnel: check sum, sequence or ECN mark wrong"),
    Place("ip_tunnel_xmit", "tunnel", "loss", "tunnel: no route to the far end, or too large"),
    Place("ip_md_tunnel_xmit", "tunnel", "loss", "tunnel: no route to the far end, or too large"),
    Place("iptunnel_xmit", "tunnel", "loss", "tunnel: the outer packet was not sent"),
    Place("veth_xmit", "device", "loss", "veth: the other end is missing, or its XDP ring is full"),
    Place("tun_net_xmit", "device", "loss", "tun/tap: its program reads too slowly, or is not attached"),
    Place(
        "tun_get_user",
        "device",
        "loss",
        "tun/tap: the program wrote a packet that is not taken",
        ("rtnl_link_stats64.rx_frame_errors", "rtnl_link_stats64.rx_dropped"),
    ),
    Place("tap_handle_frame", "device", "loss", "macvtap: its program reads too slowly"),
    Place("macvlan_broadcast_enqueue", "device", "loss", "macvlan: its broadcast queue is full"),
    Place("loopback_xmit", "device", "loss", "loopback: the CPU's backlog is full"),
    Place("xfrm_input", "xfrm", "loss", "IPsec: no state, replayed, or the wrong key"),
    Place("xfrm_output", "xfrm", "loss", "IPsec: could not be encrypted"),
    Place("xfrm_output_resume", "xfrm", "loss", "IPsec: could not be encrypted, or its state has expired"),
    Place("xfrm_lookup_with_ifid", "xfrm", "loss", "IPsec: a policy asks for a state that is not there"),
    Place("__xfrm_policy_check", "xfrm", "refused", "IPsec policy refuses it"),
    Place("xfrm_trans_reinject", "xfrm", "loss", "IPsec: what was decrypted found no way"),
    Place("ip_vs_leave", "ipvs", "loss", "IPVS: no living real server"),
    Place("sctp_rcv", "sctp", "loss", "SCTP: no association, bad check sum, or policy"),
    Place("mptcp_incoming_options", "mptcp", "refused", "MPTCP options refused"),
    Place("mpls_forward", "tunnel", "loss", "MPLS: no route for the label, TTL used up, or MPLS is off"),
)

KNOWN = {place.function: place.layer for place in PLACES}
# What a name begins with, without leading underscores; the longest that fits counts.
PREFIXES = {
    "xdp": ("xdp_", "generic_xdp", "do_xdp", "bpf_prog_run", "cpu_map_", "dev_map_", "xsk_"),
    "softnet": ("enqueue_to_backlog", "netif_rx", "net_rx_action", "process_backlog", "flush_backlog", "rps_"),
    "tc": ("tcf_", "tc_", "act_", "cls_", "sch_handle_", "mini_qdisc", "skb_do_redirect"),
    "qdisc": (
        "qdisc_", "sch_", "dev_requeue", "pfifo", "bfifo", "noop_", "noqueue_", "fq_", "tbf_", "htb_", "hfsc_",
        "cake_",
        "red_", "sfq_", "netem_", "codel_", "prio_", "drr_", "ets_", "mq_", "gred_", "choke_", "pie_", "taprio_",
        "net_tx_action",
    ),
    "bridge": ("br_", "ovs_", "do_output", "batadv_"),
    "tunnel": (
        "vxlan_", "geneve_", "gre_", "gre6_", "ipgre_", "ip6gre_", "erspan_", "ip_tunnel", "ip_md_tunnel",
        "ip6_tnl", "ip6_tunnel",
        "iptunnel", "ipip_", "ipip6_", "sit_", "udp_tunnel", "mpls_", "l2tp_", "fou_", "gue_", "gtp_", "bareudp_",
        "macsec_",
        "lwtunnel_", "seg6_", "wg_", "ip_vti", "vti6_", "tunnel4_", "tunnel6_", "tunnel64_", "ppp_", "pppoe_",
    ),
    "xfrm": ("xfrm", "esp_", "esp4_", "esp6_", "ah_", "ah4_", "ah6_", "ipcomp"),
    "netfilter": (
        "nf_", "nft_", "ipt_", "ip6t_", "arpt_", "ebt_", "xt_", "nfqnl_", "nfnl", "nfulnl_", "synproxy_", "ip_set_",
        "br_nf_", "ipv4_synproxy", "ipv6_synproxy", "reject_",
    ),
    "conntrack": ("nf_conntrack", "nf_ct_", "nf_confirm", "ctnetlink_"),
    "ipvs": ("ip_vs_",),
    "route": (
        "ip_error", "ip_rt_", "ip_route", "ip_mr_", "ipmr_", "ip6mr_", "ip6_mr_", "ip6_route", "ip6_pkt_",
        "ip6_rt_", "rt6_",
        "fib_", "fib6_", "fib4_", "dst_", "blackhole_", "ip_handle_martian", "vrf_",
    ),
    "neighbour": ("neigh_", "pneigh_", "arp_", "ndisc_", "addrconf_"),
    "icmp": ("icmp", "ping_", "igmp", "mld_"),
    "udp": ("udp", "udplite"),
    "tcp": ("tcp_", "inet_csk_", "reqsk_", "cookie_", "inet_hash", "inet_twsk", "tls_"),
    "mptcp": ("mptcp_", "subflow_"),
    "sctp": ("sctp_",),
    "ip": ("ip_", "ip6_", "ipv6_", "inet_", "inet6_", "inetpeer", "ip6frag", "ipfrag", "ioam6_", "calipso_", "cipso_"),
    "socket": (
        "sk_", "sock_", "unix_", "netlink_", "packet_", "tpacket_", "raw_", "rawv6_", "raw6_", "skb_queue_purge",
        "datagram_",
        "skb_free_datagram", "vsock_", "virtio_transport", "inet_sock_destruct", "rtnl", "can_", "bcm_",
        "do_one_broadcast",
        "skb_errqueue", "kcm_", "smc_", "tipc_", "rds_", "bt_", "hci_",
    ),
    "device": (
        "dev_", "netif_", "netdev_", "napi_", "validate_xmit", "veth_", "tun_", "tap_", "bond_", "team_",
        "macvlan_", "macvtap_",
        "ipvlan_", "ipvtap_", "vlan_", "dummy_", "loopback_", "ifb_", "virtnet_", "netvsc_", "xennet_", "vmxnet3_",
        "start_xmit",
        "mlx4_", "mlx5", "e1000", "igb_", "igc_", "ixgbe_", "i40e_", "iavf_", "ice_", "bnxt_", "bnx2x_", "tg3_",
        "ena_", "gve_",
        "qede_", "nfp_", "efx_", "cxgb4_", "rtl8169_", "stmmac_", "dpaa_", "eth_", "gro_", "skb_gso", "nsim_",
        "usbnet_", "ieee80211_",
    ),
}  # fmt: skip
# What it ends with, where no beginning tells: "my_sched_enqueue", "rtl8139_start_xmit".
SUFFIXES = {
    "qdisc": ("_enqueue", "_dequeue", "_qdisc"),
    "device": ("_xmit", "_xmit_frame", "_xmit_skb", "_rx_handler", "_poll", "_clean_rx_irq", "_rx"),
}
BY_LENGTH = sorted(
    ((prefix, layer) for layer in PREFIXES for prefix in PREFIXES[layer]), key=lambda pair: -len(pair[0])
)


@cache
def layer_of(function: str) -> str:
    """The layer of a kernel function, from PLACES or from its name's form; "other" where nothing tells.

    What compilers append (".isra.0", ".constprop.0", ".part.0") and an offset ("+0x1f/0x40") do not matter.
    """
    plain = function.split("+")[0].split(".")[0]
    if plain in KNOWN:
        return KNOWN[plain]
    bare = plain.lstrip("_")
    for prefix, layer in BY_LENGTH:
        if bare.startswith(prefix):
            return layer
    return next((layer for layer, ends in SUFFIXES.items() if bare.endswith(ends)), "other")
