"""What is told of a packet: in the words of ip, ss and conntrack where they have one, else tcpdump's, Wireshark's."""

from __future__ import annotations

from collectors.table import Column

INNER, QUOTED = "inner_", "quoted_"
TOLD = ("", INNER)  # of DNS and TLS, which have one set of columns: of a packet itself, or of the one in its tunnel

FRAME = (
    Column("number", "u8", "key", help="in the order of capture, from 1"),
    Column("time", "i8", "label", "ns", "since 1970-01-01 UTC"),
    Column("length", "u4", "label", "B", "on the wire, or as large as GRO and TSO made it"),
    Column("captured", "u4", "label", "B", "of it that were kept (snaplen)"),
    Column("dev", "text", "label", help="interface"),
    Column("ifindex", "u4", "label", help="interface's number; cooked captures of version 2 tell it"),
    Column("direction", "text", "label", help="in, out, broadcast, multicast or otherhost; cooked captures tell it"),
    Column("protocol", "text", "label", help="the innermost protocol that is known"),
    Column("cut", "text", "label", help="the header that the capture's snaplen or the packet's end cut off"),
)
LINK = (
    Column("smac", "address", "label", help="source link-layer address"),
    Column("dmac", "address", "label", help="destination link-layer address"),
    Column("ethertype", "u2", "label", help="of what the link layer carries"),
    Column("vlan", "u2", "label", help="VLAN, the outermost"),
    Column("vlan_priority", "u1", "label", help="its priority (PCP)"),
    Column("inner_vlan", "u2", "label", help="VLAN inside the outermost (QinQ)"),
)
NETWORK = (
    Column("family", "text", "label", help="inet or inet6"),
    Column("src", "address", "label", help="source address"),
    Column("dst", "address", "label", help="destination address"),
    Column("proto", "text", "label", help="protocol that IP carries: tcp, udp, icmp, ..."),
    Column("ttl", "u1", "label", help="time to live, hop limit"),
    Column("dscp", "u1", "label", help="differentiated services code point"),
    Column("ecn", "u1", "label", help="0 not capable, 1 and 2 capable, 3 congestion experienced"),
    Column("flow_label", "u4", "label", help="of IPv6"),
    Column("ip_id", "u4", "label", help="identification, of IPv6 that of the fragment header"),
    Column("ip_length", "u4", "label", "B", "that the IP header claims for the packet, header included"),
    Column("df", "bool", "label", help="do not fragment"),
    Column("mf", "bool", "label", help="more fragments follow"),
    Column("fragment", "u2", "label", "B", "offset of this fragment; absent: not a fragment"),
)
TRANSPORT = (
    Column("sport", "u2", "label", help="source port"),
    Column("dport", "u2", "label", help="destination port"),
    Column("flags", "text", "label", help="TCP's: F S R P . (ack) U E W A as tcpdump writes them"),
    Column("seq", "u4", "label", help="TCP sequence number, as it is on the wire"),
    Column("ack", "u4", "label", help="TCP acknowledgement number"),
    Column("window", "u2", "label", help="TCP window, not scaled"),
    Column("mss", "u2", "label", "B", "TCP option: maximum segment size"),
    Column("wscale", "u1", "label", help="TCP option: window scale"),
    Column("sack_ok", "bool", "label", help="TCP option: selective acknowledgements permitted"),
    Column("sack", "json", "label", help="TCP option: blocks of sequence numbers that arrived"),
    Column("tsval", "u4", "label", help="TCP option: timestamp"),
    Column("tsecr", "u4", "label", help="TCP option: timestamp echoed"),
    Column("payload", "u4", "label", "B", "that the transport carries"),
    Column("icmp_type", "u1", "label", help="of ICMP or ICMPv6"),
    Column("icmp_code", "u1", "label", help="of ICMP or ICMPv6"),
    Column("icmp_id", "u2", "label", help="of an echo"),
    Column("icmp_seq", "u2", "label", help="of an echo"),
    Column("icmp_mtu", "u4", "label", "B", "that a router asks for (need-frag, too big)"),
    Column("vtag", "u4", "label", help="SCTP verification tag"),
    Column("chunks", "json", "label", help="kinds of SCTP chunks"),
)
APPLICATION = (
    Column("arp_op", "u2", "label", help="1 request, 2 reply"),
    Column("arp_sha", "address", "label", help="ARP's sender hardware address; that of the frame is smac"),
    Column("arp_tha", "address", "label", help="ARP's target hardware address, zeros where it is asked for"),
    Column("vni", "u4", "label", help="network of VXLAN or Geneve"),
    Column("gre_key", "u4", "label", help="GRE key"),
    Column("dns_id", "u2", "label", help="DNS transaction"),
    Column("dns_name", "text", "label", help="DNS name asked for"),
    Column("dns_type", "text", "label", help="DNS type asked for"),
    Column("dns_flags", "text", "label", help="DNS: aa tc rd ra ad cd, as dig writes them"),
    Column("dns_rcode", "text", "label", help="DNS answer's code; absent: a question"),
    Column("dns_answers", "u2", "label", help="DNS answers counted in the header"),
    Column("sni", "text", "label", help="server name of a TLS ClientHello"),
)
# of the packet inside a tunnel, and of the one that an ICMP error quotes
WITHIN = tuple(
    Column(f"{of}{column.name}", column.dtype, "label", column.unit, f"{where}: {column.help}")
    for of, where in ((INNER, "inside the tunnel"), (QUOTED, "quoted by the ICMP error"))
    for column in (*NETWORK, *TRANSPORT)
    if column.name
    in ("family", "src", "dst", "proto", "sport", "dport", "ttl", "flags", "seq", "icmp_type", "icmp_code")
)
COLUMNS = (*FRAME, *LINK, *NETWORK, *TRANSPORT, *APPLICATION, *WITHIN)
