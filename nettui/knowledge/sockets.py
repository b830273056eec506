"""What a socket itself counts: its drops, and its queue of connections that wait for accept."""

from nettui.knowledge.entry import Counter

SOCKETS = (
    Counter(
        name="socket.drops",
        layer="socket",
        direction="rx",
        severity="loss",
        counts="Packets that this one socket did not take (sk_drops): receive buffer full, a filter, a wrong "
        "checksum, no "
        "memory. A TCP socket also counts duplicates and segments out of its window here, and a listener counts 2 for "
        "each "
        "ACK that finds its accept queue full. A packet socket with a ring (tcpdump) does not count here: its program "
        "alone can ask for that number.",
        cause="the process reads too slowly",
        causes=(
            "UDP, raw, packet, netlink: the process behind the socket reads more slowly than packets come",
            "a listener: its accept queue is full, its process accepts too slowly",
            "a TCP connection: duplicates and old segments, harmless in small numbers",
            "a socket filter (BPF) that does not take the packet",
        ),
        remedies=(
            "nettui report sockets --where 'drops > 0' --sort -drops  # which socket, which process",
            "sysctl net.core.rmem_max  # the process may ask for SO_RCVBUF up to it; more memory, not more speed",
            "top -H -p PID  # is the process busy, or does it wait?",
        ),
        along=("Udp.RcvbufErrors", "Udp.InErrors", "Udp.MemErrors", "TcpExt.ListenDrops", "TcpExt.TCPBacklogDrop"),
        reasons=("SOCKET_RCVBUFF", "PROTO_MEM", "SOCKET_FILTER", "SOCKET_BACKLOG", "UDP_CSUM", "PACKET_SOCK_ERROR"),
        source="include/net/sock.h, sk_drops_add; net/core/sock.c, sock_queue_rcv_skb_reason; net/ipv4/udp.c, "
        "__udp_enqueue_schedule_skb; net/packet/af_packet.c, packet_rcv, tpacket_rcv",
    ),
    Counter(
        name="socket.listen_queue",
        layer="socket",
        direction="rx",
        severity="warning",
        counts="Connections that wait in a listener's accept queue, against the most that fit (its backlog). When it "
        "is full "
        "new connections are refused silently: TcpExt.ListenOverflows and ListenDrops move.",
        cause="accept queue fills: process accepts too slowly",
        causes=(
            "the process accepts too slowly, stands still, or has no free worker or file descriptor",
            "a backlog that is small for bursts (listen(fd, backlog), at most net.core.somaxconn)",
        ),
        remedies=(
            "nettui report sockets --where 'state listen and backlog > 0'  # and backlog_limit: the most that fit",
            "sysctl -w net.core.somaxconn=4096  # then restart the process with a larger backlog",
            "top -H -p PID; ls /proc/PID/fd | wc -l  # busy? out of file descriptors?",
        ),
        along=("TcpExt.ListenOverflows", "TcpExt.ListenDrops", "socket.drops"),
        reasons=("TCP_LISTEN_OVERFLOW",),
        source="include/net/sock.h, sk_acceptq_is_full; net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock; "
        "net/ipv4/tcp_input.c, tcp_conn_request",
    ),
)
