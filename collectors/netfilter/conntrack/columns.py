"""The columns of conntrack entries, named as conntrack(8) names them."""

from __future__ import annotations

from collectors.netfilter.conntrack import tuples
from collectors.table import Column

COLUMNS = (
    Column("id", "u4", "key", help="the kernel's number of the entry"),
    Column("family", "text", help="inet or inet6"),
    Column("proto", "text", help="tcp, udp, icmp, …; the number of a protocol that conntrack(8) calls unknown"),
    Column("state", "text", help="TCP, SCTP and DCCP: what the flow has come to"),
    *tuples.columns("", "of the first packet", "sport", "dport"),
    *tuples.columns("reply_", "that replies are expected with"),
    Column("nat", "text", help="SNAT, DNAT or both, where replies do not come from and go to what was addressed"),
    Column("nat_src", "address", help="source address that takes the place of src"),
    Column("nat_sport", "u2", help="source port that takes the place of sport"),
    Column("nat_dst", "address", help="destination address that takes the place of dst"),
    Column("nat_dport", "u2", help="destination port that takes the place of dport"),
    Column("status", "json", help="SEEN_REPLY, ASSURED, SRC_NAT, DST_NAT, DYING, HELPER, OFFLOAD, …: IPS_ bits"),
    Column("timeout", "u4", "gauge", "s", "until the entry is forgotten, unless packets come"),
    Column("mark", "u4", help="connection mark"),
    Column("zone", "u2", help="zone of both directions; absent: the default one"),
    Column("orig_zone", "u2", help="zone of the first packet's direction, where replies have no zone"),
    Column("reply_zone", "u2", help="zone of the replies, where the first packet's direction has none"),
    Column("packets", "u8", "counter", "packets", "in the first packet's direction; accounting must be on"),
    Column("bytes", "u8", "counter", "B", "in the first packet's direction; accounting must be on"),
    Column("reply_packets", "u8", "counter", "packets", "replies; accounting must be on"),
    Column("reply_bytes", "u8", "counter", "B", "of replies; accounting must be on"),
    Column("helper", "text", help="the helper that reads the flow and expects others"),
    Column("labels", "json", help="connection labels, by their names in connlabel.conf, otherwise by number"),
    Column("secctx", "text", help="security context"),
    Column("master", "json", help="the flow that this one was expected by"),
    Column("start", "u8", "label", "ns", "when the flow began, since the epoch; timestamps must be on"),
    Column("stop", "u8", "label", "ns", "when it ended"),
    Column("delta_time", "u8", "gauge", "s", "how long it has lasted"),
    Column("use", "u4", "gauge", help="references to the entry"),
    Column("wscale", "u1", help="TCP: window scale of the side that began"),
    Column("reply_wscale", "u1", help="TCP: window scale of the other side"),
    Column("tcp_flags", "json", help="TCP: what is known of the side that began: WINDOW_SCALE, SACK_PERM, …"),
    Column("reply_tcp_flags", "json", help="TCP: the same of the other side"),
    Column("vtag", "u4", help="SCTP: verification tag of the side that began"),
    Column("reply_vtag", "u4", help="SCTP: verification tag of the other side"),
    Column("dccp_role", "text", help="DCCP: client or server began"),
    Column("seqadj", "json", help="TCP sequence numbers shifted by NAT: correction_pos, offset_before, offset_after"),
    Column("reply_seqadj", "json", help="the same for replies"),
    Column("synproxy", "json", help="what SYN proxying keeps: isn, its, tsoff"),
)
