"""UDP and UDP-Lite."""

from nettui.knowledge.entry import Counter

UDP = (
    Counter(
        name="Udp.RcvbufErrors",
        layer="udp",
        direction="rx",
        severity="loss",
        counts="Datagrams thrown away because the receive buffer of the socket they were for was full.",
        cause="receive buffer full: its process reads too slowly",
        causes=(
            "the process behind the socket reads more slowly than datagrams come, or pauses",
            "bursts larger than the socket's receive buffer",
        ),
        remedies=(
            "nettui report sockets --where 'netid udp and drops > 0'  # which socket, and which process",
            "sysctl net.core.rmem_max net.core.rmem_default  # the process may ask for SO_RCVBUF up to rmem_max",
        ),
        part_of=("Udp.InErrors",),
        along=("socket.drops",),
        reasons=("SOCKET_RCVBUFF",),
        source="net/ipv4/udp.c, __udp_queue_rcv_skb",
    ),
)
