"""TCP queues, windows and memory: data that came and could not be kept, and peers told to wait."""

from __future__ import annotations

from nettui.knowledge.entry import Counter
from nettui.knowledge.traffic import traffic

INPUT = "net/ipv4/tcp_input.c, "
OUTPUT = "net/ipv4/tcp_output.c, "
UNREAD = (
    "nettui report sockets --where 'netid tcp and recv_q > 0' --sort -recv_q "
    "--columns src,sport,dst,dport,recv_q,skmem_rcvbuf,drops,process  # who does not read"
)
UNSENT = (
    "nettui report sockets --where 'netid tcp and send_q > 0' --sort -send_q "
    "--columns src,sport,dst,dport,send_q,notsent,rwnd_limited,process  # which peer does not take it"
)
MEMORY = "sysctl net.ipv4.tcp_mem; grep TCP: /proc/net/sockstat  # pages: low, pressure, most; and those in use (mem)"
BUFFERS = "sysctl net.ipv4.tcp_rmem  # bytes of a receive buffer: least, first, most"
MORE = "sysctl -w net.ipv4.tcp_rmem='4096 131072 N'  # most per socket; costs memory, cures only short pauses"
SLOW = (
    "the process reads more slowly than data comes, or pauses",
    "small segments that fill the buffer with overhead",
)

RECEIVE = (
    Counter(
        name="TcpExt.TCPBacklogDrop",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Segments dropped because the process held its socket locked while more came than the socket's "
        "backlog takes (about twice the receive buffer).",
        cause="process kept its socket locked too long",
        causes=(
            "a process that was stopped or starved of CPU within a system call on the socket",
            "a small SO_RCVBUF set by the process, and fast data",
        ),
        remedies=(
            "nettui report sockets --where 'netid tcp and drops > 0' --sort -drops  # which socket, which process",
            "top -H -p PID; cat /proc/PID/schedstat  # busy, or waiting for a CPU?",
            BUFFERS,
        ),
        along=("socket.drops",),
        reasons=("SOCKET_BACKLOG",),
        source="net/ipv4/tcp_ipv4.c, tcp_add_backlog",
    ),
    Counter(
        name="TcpExt.PFMemallocDrop",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Packets dropped because they lie in the kernel's emergency memory and their socket does not serve "
        "swapping.",
        cause="memory so short that reserves are used",
        causes=("memory of the host used up", "vm.min_free_kbytes too small for the rate of the network"),
        remedies=(
            "free -m; cat /proc/pressure/memory",
            "sysctl vm.min_free_kbytes",
            "sysctl -w vm.min_free_kbytes=N  # takes that memory from all else",
        ),
        along=("socket.drops",),
        reasons=("PFMEMALLOC",),
        source="net/core/filter.c, sk_filter_trim_cap; net/ipv4/tcp_ipv4.c, tcp_add_backlog",
    ),
    Counter(
        name="TcpExt.TCPRcvQDrop",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Segments in order that were dropped, for the socket's receive buffer or TCP's memory was full. The "
        "peer sends them again.",
        cause="receive buffer or TCP memory full",
        causes=(*SLOW, "TCP's memory (tcp_mem) or a cgroup's is used up: TCPMemoryPressures moves too"),
        remedies=(UNREAD, MEMORY, BUFFERS, MORE),
        along=("socket.drops", "TcpExt.RcvPruned"),
        reasons=("PROTO_MEM",),
        since="4.19",
        source=INPUT + "tcp_data_queue, tcp_send_rcvq",
    ),
    Counter(
        name="TcpExt.TCPOFODrop",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Segments that came ahead of their turn and were dropped, for the socket's receive buffer or TCP's "
        "memory was full. The peer sends them again.",
        cause="receive buffer full while a segment is missing",
        causes=("loss or reordering on the way fills the buffer with what waits for the missing segment", *SLOW),
        remedies=(UNREAD, MEMORY, BUFFERS, MORE),
        along=("socket.drops", "TcpExt.RcvPruned"),
        reasons=("PROTO_MEM",),
        source=INPUT + "tcp_data_queue_ofo",
    ),
    Counter(
        name="TcpExt.TCPZeroWindowDrop",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Segments dropped because the peer sent them while this host's window was zero.",
        cause="peer sends although told to wait",
        causes=(
            "the process does not read, and the peer had sent before it saw the zero window",
            "a peer that probes with data",
        ),
        remedies=(UNREAD, BUFFERS),
        along=("socket.drops", "TcpExt.TCPToZeroWindowAdv"),
        reasons=("TCP_ZEROWINDOW",),
        since="4.19",
        source=INPUT + "tcp_data_queue",
    ),
    Counter(
        name="TcpExt.PruneCalled",
        layer="tcp",
        direction="rx",
        severity="warning",
        counts="Times that a socket's receive buffer was full and the kernel tried to make room: squeezing queued "
        "segments together, then dropping those ahead of their turn.",
        cause="receive buffer full: process reads too slowly",
        causes=SLOW,
        remedies=(UNREAD, BUFFERS, MORE),
        source=INPUT + "tcp_prune_queue",
    ),
    Counter(
        name="TcpExt.RcvPruned",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Times that no room could be made in a full receive buffer, so that the segment just received is "
        "dropped (mostly: one into an empty queue is taken all the same).",
        cause="receive buffer full, no room to be made",
        causes=SLOW,
        remedies=(UNREAD, MEMORY, BUFFERS, MORE),
        part_of=("TcpExt.PruneCalled", "TcpExt.TCPRcvQDrop", "TcpExt.TCPOFODrop"),  # in the one or the other
        along=("socket.drops",),
        reasons=("PROTO_MEM",),
        source=INPUT + "tcp_prune_queue",
    ),
    Counter(
        name="TcpExt.OfoPruned",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Times that segments waiting for a missing one were thrown away to make room (several segments each "
        "time). The peer sends them again.",
        cause="buffer full of segments ahead of their turn",
        causes=("loss or reordering on the way, with a receive buffer too small for it", *SLOW),
        remedies=(UNREAD, MEMORY, BUFFERS, MORE),
        along=("socket.drops",),
        reasons=("TCP_OFO_QUEUE_PRUNE",),
        source=INPUT + "tcp_prune_ofo_queue",
    ),
    Counter(
        name="TcpExt.TCPRcvCollapsed",
        layer="tcp",
        direction="rx",
        severity="warning",
        counts="Queued segments squeezed together to make room in a full receive buffer. Nothing lost; CPU spent.",
        cause="receive buffer full of small segments",
        causes=SLOW,
        remedies=(UNREAD, BUFFERS),
        along=("TcpExt.PruneCalled",),
        source=INPUT + "tcp_collapse_one",
    ),
    Counter(
        name="TcpExt.TCPOFOQueue",
        layer="tcp",
        direction="rx",
        severity="noise",
        counts="Segments that came ahead of their turn, for which there was room: one before them is lost or late.",
        cause="loss or reordering on the way here",
        causes=("packets from the peer lost on the way", "packets that overtake each other (ECMP, bonding, RSS)"),
        remedies=(
            "nettui report sockets --where 'rcv_ooopack > 0' --sort -rcv_ooopack --columns src,dst,rcv_ooopack,process",
            "nettui report drops --where 'direction = rx'  # a loss on this host's own way in",
        ),
        source=INPUT + "tcp_data_queue_ofo",
    ),
    Counter(
        name="TcpExt.TCPOFOMerge",
        layer="tcp",
        direction="rx",
        severity="noise",
        counts="Segments received twice ahead of their turn: the same bytes waited already; dropped.",
        cause="peer sent data twice",
        causes=("the peer sent again what had arrived",),
        remedies=("nettui report sockets --where 'rcv_ooopack > 0' --sort -rcv_ooopack --columns src,dst,rcv_ooopack",),
        part_of=("TcpExt.TCPOFOQueue",),
        along=("socket.drops",),
        reasons=("TCP_OFOMERGE",),
        source=INPUT + "tcp_data_queue_ofo",
    ),
)

WINDOW = (
    Counter(
        name="TcpExt.TCPToZeroWindowAdv",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Times that a peer was told to stop sending: window zero, the receive buffer is full.",
        cause="a process here does not read its data",
        causes=("the process behind the socket is busy, stopped or blocked elsewhere",),
        remedies=(UNREAD, "top -H -p PID  # busy, or waiting?", BUFFERS),
        source=OUTPUT + "tcp_select_window",
    ),
    *traffic(
        "tcp", "TcpExt", "tx", {"TCPFromZeroWindowAdv": "Times that a peer was told to go on after a zero window."}
    ),
    Counter(
        name="TcpExt.TCPWantZeroWindowAdv",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Times that the receive buffer was full and the window should be zero, but could not be taken back.",
        cause="a process here does not read its data",
        causes=("the process behind the socket is busy, stopped or blocked elsewhere",),
        remedies=(UNREAD,),
        source=OUTPUT + "tcp_select_window",
    ),
    Counter(
        name="TcpExt.TCPWinProbe",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Probes sent to a peer whose window is zero: data waits here until it reads.",
        cause="the peer does not read its data",
        causes=("the process at the other end is busy, stopped or blocked",),
        remedies=(UNSENT,),
        source=OUTPUT + "tcp_send_probe0, tcp_write_wakeup",
    ),
)

ALL_SOCKETS = (
    Counter(
        name="TcpExt.TCPMemoryPressures",
        layer="tcp",
        direction="",
        severity="warning",
        counts="Times that TCP came under memory pressure: all sockets of the host together hold more than tcp_mem's "
        "second number. Buffers and windows shrink from then on.",
        cause="TCP memory (tcp_mem) nearly used up",
        causes=(
            "many connections whose processes do not read, or whose peers do not take data",
            "sockets left open and forgotten, orphans",
            "a small tcp_mem for this number of connections",
        ),
        remedies=(
            MEMORY,
            UNREAD,
            UNSENT,
            "sysctl -w net.ipv4.tcp_mem='LOW PRESSURE MOST'  # pages, whole host; takes memory from all else",
        ),
        source="net/ipv4/tcp.c, tcp_enter_memory_pressure",
    ),
    Counter(
        name="TcpExt.TCPMemoryPressuresChrono",
        layer="tcp",
        direction="",
        severity="warning",
        counts="Milliseconds that TCP has been under memory pressure.",
        cause="TCP memory (tcp_mem) nearly used up",
        causes=("see TcpExt.TCPMemoryPressures",),
        remedies=(MEMORY, UNREAD),
        along=("TcpExt.TCPMemoryPressures",),
        source="net/ipv4/tcp.c, tcp_leave_memory_pressure",
    ),
    Counter(
        name="TcpExt.TCPWqueueTooBig",
        layer="tcp",
        direction="tx",
        severity="loss",
        counts="Times that a segment could not be cut into smaller ones, because too much waits to be sent: the "
        "guard against tiny segments (SACK panic). The connection may stall.",
        cause="tiny segments: attack, or small send buffer",
        causes=("a peer that asks for a tiny MSS on purpose", "a small SO_SNDBUF with much unacknowledged data"),
        remedies=(
            "nettui report sockets --where 'netid tcp and mss < 500' --columns src,dst,mss,send_q,process",
            "sysctl net.ipv4.tcp_min_snd_mss",
        ),
        since="5.2",
        source=OUTPUT + "tcp_fragment",
    ),
)

TCP_MEMORY = (*RECEIVE, *WINDOW, *ALL_SOCKETS)
