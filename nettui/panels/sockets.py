"""Sockets: TCP, UDP, RAW, PACKET, UNIX and NETLINK, with the process that holds them."""

from nettui.panels.panel import Panel

SOCKETS = Panel(
    name="sockets",
    title="Sockets",
    key="0",
    show=(
        "netid", "state", "recv_q", "send_q", "src", "sport", "dst", "dport", "process", "pid", "drops", "path",
        "protocol",
    ),
    more=(
        "rtt", "retrans_total", "dev", "cong", "cwnd", "uid", "inode",
    ),
    command="ss -anpemio",
    empty="no sockets",
    pivots=(
        ("its neighbour", "neighbours", "dst {dst}"),
        ("same process", "sockets", "pid {pid}"),
        ("same peer", "sockets", "dst {dst}"),
        ("link", "links", "ifindex {oif}"),
        (
            "its conntrack entry", "conntrack",
            "src {src} and sport {sport} and dst {dst} and dport {dport} or reply_src {src} and reply_sport {sport} "
            "and reply_dst {dst} and reply_dport {dport}",
        ),
    ),
)  # fmt: skip
