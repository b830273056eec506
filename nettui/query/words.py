"""Words that a filter understands beside the tables' own: other names of columns and of values."""

from __future__ import annotations

# another name -> the columns it may mean; the first that the table has. A column's own name always comes first.
COLUMNS: dict[str, tuple[str, ...]] = {
    "proto": ("netid", "protocol", "ipproto"),
    "protocol": ("netid", "ipproto", "proto"),
    "dev": ("ifname",),
    "ifname": ("dev",),
    "iface": ("ifname", "dev"),
    "interface": ("ifname", "dev"),
    "device": ("ifname", "dev"),
    "name": ("ifname", "dev", "counter"),
    "oif": ("dev",),
    "mac": ("lladdr", "address"),
    "gw": ("gateway",),
    "state": ("operstate",),
    "type": ("kind",),
    "comm": ("process",),
    "program": ("process",),
    "command": ("process",),
    "recv-q": ("recv_q",),
    "send-q": ("send_q",),
    "congestion": ("cong",),
    "alias": ("ifalias",),
    "drops": ("dropped",),
}

# words for one end or direction or the other (tcpdump's, mostly): a comparison holds if it holds for any of them
EITHER: dict[str, tuple[str, ...]] = {
    "port": ("sport", "dport"),
    "host": ("src", "dst", "local"),
    "net": ("src", "dst", "local"),
    "addr": ("src", "dst", "local"),
    "drops": ("rx_dropped", "tx_dropped"),
    "dropped": ("rx_dropped", "tx_dropped"),
    "errors": ("rx_errors", "tx_errors"),
    "packets": ("rx_packets", "tx_packets"),
    "bytes": ("rx_bytes", "tx_bytes"),
}

CONNECTED = frozenset(
    ("estab", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "close-wait", "last-ack", "closing")
)

# column -> typed word -> the words (lower case) that it stands for, beside itself
VALUES: dict[str, dict[str, frozenset[str]]] = {
    "state": {
        "established": frozenset({"estab"}),
        "estab": frozenset({"established"}),
        "listening": frozenset({"listen"}),
        "closed": frozenset({"unconn", "close"}),
        "close": frozenset({"unconn"}),
        "syn-sent": frozenset({"syn_sent"}),
        "syn_sent": frozenset({"syn-sent"}),
        "synsent": frozenset({"syn-sent", "syn_sent"}),
        "syn-recv": frozenset({"syn_recv"}),
        "syn-received": frozenset({"syn-recv", "syn_recv"}),
        "syn_recv": frozenset({"syn-recv"}),
        "time-wait": frozenset({"time_wait"}),
        "time_wait": frozenset({"time-wait"}),
        "timewait": frozenset({"time-wait", "time_wait"}),
        "fin-wait1": frozenset({"fin-wait-1"}),
        "fin-wait2": frozenset({"fin-wait-2"}),
        "fin-wait": frozenset({"fin-wait-1", "fin-wait-2", "fin_wait"}),
        "close-wait": frozenset({"close_wait"}),
        "close_wait": frozenset({"close-wait"}),
        "last-ack": frozenset({"last_ack"}),
        "last_ack": frozenset({"last-ack"}),
        "connected": CONNECTED,
        "synchronized": CONNECTED - {"syn-sent"},
    },
    "netid": {
        "unix": frozenset({"u_str", "u_seq", "u_dgr"}),
        "packet": frozenset({"p_raw", "p_dgr"}),
        "netlink": frozenset({"nl"}),
    },
    "family": {
        "ipv4": frozenset({"inet"}),
        "ip": frozenset({"inet"}),
        "ipv6": frozenset({"inet6"}),
        "ip6": frozenset({"inet6"}),
    },
}

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})
