"""TCP: connections, resets, aborts, errors, and what tells of no loss. Queues, retransmissions, memory and checks are
in modules of their own."""

from __future__ import annotations

from nettui.knowledge.entry import Counter
from nettui.knowledge.traffic import traffic

RECEIVE = "net/ipv4/tcp_ipv4.c, tcp_v4_rcv; net/ipv6/tcp_ipv6.c, tcp_v6_rcv; net/ipv4/tcp_input.c, "
CLOSE = "net/ipv4/tcp.c, __tcp_close"
RESETS = "tcpdump -ni any 'tcp[13] & 4 != 0'  # resets: who sends them, about which port"
ORPHANS = "grep TCP: /proc/net/sockstat; sysctl net.ipv4.tcp_max_orphans net.ipv4.tcp_mem  # orphan, mem: in use"

CONNECTIONS = (
    *traffic(
        "tcp",
        "Tcp",
        "",
        {
            "RtoAlgorithm": "A setting, not a counter: how timeouts are computed (1: other).",
            "RtoMin": "A setting, not a counter: shortest timeout in ms.",
            "RtoMax": "A setting, not a counter: longest timeout in ms.",
            "MaxConn": "A setting, not a counter: most connections (-1: no limit).",
            "CurrEstab": "A level, not a counter: connections in ESTABLISHED or CLOSE_WAIT now.",
            "ActiveOpens": "Connections that processes here began to open (connect).",
            "PassiveOpens": "Connections that listeners here took.",
        },
    ),
    *traffic("tcp", "Tcp", "rx", {"InSegs": "TCP segments received, those with errors too."}),
    Counter(
        name="Tcp.AttemptFails",
        layer="tcp",
        direction="",
        severity="warning",
        counts="Connections that did not come about: refused by RST, timed out, or reset while half open.",
        cause="connect refused or timed out, or SYN scan",
        causes=(
            "a service elsewhere that is down: connect from here is refused (health checks, retries)",
            "a peer that does not answer at all",
            "half open connections here that the client reset: scans, health checks",
        ),
        remedies=(
            "nettui report sockets --where 'state syn-sent' --columns src,dst,dport,process  # to whom, from which",
            RESETS,
        ),
        along=("TcpExt.EmbryonicRsts", "TcpExt.TCPAbortOnTimeout"),
        source="net/ipv4/tcp.c, tcp_done; net/ipv4/tcp_minisocks.c, tcp_check_req",
    ),
    Counter(
        name="Tcp.EstabResets",
        layer="tcp",
        direction="",
        severity="warning",
        counts="Open connections that ended at once, without the usual close: reset by the peer, aborted or timed out "
        "here.",
        cause="reset by the peer, or aborted here",
        causes=(
            "the peer sent RST: crashed, restarted, or closed with unread data",
            "a firewall or load balancer that resets idle connections",
            "a process here that closes with unread data or with SO_LINGER 0: TCPAbortOn… moves too",
        ),
        remedies=(RESETS, "nettui report protocols --where 'counter ~ TCPAbort'  # aborted here, and why"),
        along=("TcpExt.TCPAbortOnClose", "TcpExt.TCPAbortOnData", "TcpExt.TCPAbortOnTimeout"),
        source="net/ipv4/tcp.c, tcp_set_state; net/ipv4/tcp_input.c, tcp_reset",
    ),
    Counter(
        name="Tcp.OutRsts",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Resets sent: segments to a port or connection that is not here, and connections aborted here.",
        cause="nothing listens there, or aborted here",
        causes=(
            "clients that connect to a port on which nothing listens: service down, or a scan",
            "segments of connections that are gone (after a restart or failover)",
            "a process here that closes with unread data or with SO_LINGER 0",
        ),
        remedies=(
            "tcpdump -ni any 'tcp[13] & 4 != 0'  # resets: to whom, from which port",
            "nettui report sockets --where 'netid tcp and state listen' --columns src,sport,process  # who listens",
        ),
        reasons=("NO_SOCKET",),
        source="net/ipv4/tcp_ipv4.c, tcp_v4_send_reset; net/ipv4/tcp_output.c, tcp_send_active_reset",
    ),
    Counter(
        name="Tcp.InErrs",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="TCP segments dropped for an error in them: wrong checksum, impossible header length, a SYN within an "
        "open connection.",
        cause="wrong checksum, or a SYN in a connection",
        causes=(
            "wrong checksums: InCsumErrors moves by the same number",
            "else TCPSYNChallenge moves: peers restarted",
        ),
        remedies=(
            "nettui report protocols --where 'counter in (Tcp.InErrs, Tcp.InCsumErrors, TcpExt.TCPSYNChallenge)'",
            "tcpdump -nvi any tcp | grep 'incorrect'  # from whom (sent by this host: no sign, offload)",
        ),
        reasons=("TCP_CSUM", "PKT_TOO_SMALL", "TCP_INVALID_SYN"),
        source=RECEIVE + "tcp_rcv_established, tcp_validate_incoming",
    ),
    Counter(
        name="Tcp.InCsumErrors",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="TCP segments dropped because their checksum is wrong.",
        cause="damaged on the way, or by a faulty offload",
        causes=(
            "a device on the way, or this host's, that damages packets or computes checksums wrongly",
            "a NAT or tunnel that changes addresses and not the checksum",
        ),
        remedies=(
            "tcpdump -nvi any tcp | grep 'incorrect'  # from whom (sent by this host: no sign, offload)",
            "ethtool -K DEV rx off  # to see whether the device is at fault; costs CPU for each packet",
        ),
        part_of=("Tcp.InErrs",),
        along=("socket.drops",),
        reasons=("TCP_CSUM",),
        source=RECEIVE + "tcp_rcv_established; net/ipv4/tcp_ipv4.c, tcp_v4_do_rcv, tcp_add_backlog",
    ),
)

ABORTS = (
    Counter(
        name="TcpExt.TCPAbortOnClose",
        layer="tcp",
        direction="",
        severity="loss",
        counts="Connections closed by a process here that had not read all their data: data thrown away, RST sent.",
        cause="process closed with data unread",
        causes=(
            "a process that exits or is killed while data comes",
            "a server that closes after its answer without reading the rest of the request",
        ),
        remedies=(RESETS, "strace -f -e trace=close,shutdown -p PID  # slows the process; test with care"),
        along=("Tcp.OutRsts", "Tcp.EstabResets"),
        source=CLOSE,
    ),
    Counter(
        name="TcpExt.TCPAbortOnData",
        layer="tcp",
        direction="",
        severity="warning",
        counts="Connections reset because data came after a process here had closed, or because it closed with "
        "SO_LINGER 0 (RST instead of FIN) or TCP_LINGER2 below 0.",
        cause="data after close, or closed by SO_LINGER 0",
        causes=("the peer goes on sending after this end closed", "load balancers and health checks: SO_LINGER 0"),
        remedies=(
            RESETS,
            "nettui report sockets --where 'state fin-wait-1 or state fin-wait-2'  # closed here, not there",
        ),
        along=("Tcp.OutRsts", "Tcp.EstabResets"),
        reasons=("TCP_ABORT_ON_DATA",),
        source=CLOSE + "; net/ipv4/tcp_input.c, tcp_rcv_state_process",
    ),
    Counter(
        name="TcpExt.TCPAbortOnMemory",
        layer="tcp",
        direction="",
        severity="loss",
        counts="Closed connections with data still to send that were thrown away: too many orphans, or TCP's memory "
        "used up.",
        cause="too many orphans, or TCP memory used up",
        causes=(
            "many peers that vanished after this end closed: orphans pile up",
            "tcp_mem used up (the kernel logs: out of memory -- consider tuning tcp_mem)",
        ),
        remedies=(
            ORPHANS,
            "nettui report sockets --where 'state fin-wait-1 or state last-ack or state closing' --sort -send_q",
            "sysctl -w net.ipv4.tcp_max_orphans=N  # up to 64 kB each, whole host",
        ),
        along=("Tcp.OutRsts",),
        source=CLOSE + "; net/ipv4/tcp_timer.c, tcp_out_of_resources",
    ),
    Counter(
        name="TcpExt.TCPAbortOnTimeout",
        layer="tcp",
        direction="",
        severity="loss",
        counts="Connections given up after too many retransmissions, probes or keepalives without an answer.",
        cause="peer did not answer for long: given up",
        causes=(
            "a peer or a way that is down",
            "a firewall or NAT that forgot the connection",
            "keepalive or TCP_USER_TIMEOUT set short by the process",
        ),
        remedies=(
            "nettui report sockets --where 'netid tcp and retransmits > 2' --columns src,sport,dst,dport,state,"
            "retransmits,timer_expires,process  # the next to be given up",
            "nettui report neighbours --where 'state = FAILED'",
            "sysctl net.ipv4.tcp_retries2 net.ipv4.tcp_syn_retries net.ipv4.tcp_keepalive_time",
        ),
        along=("Tcp.EstabResets", "Tcp.AttemptFails"),
        source="net/ipv4/tcp_timer.c, tcp_write_err",
    ),
    Counter(
        name="TcpExt.TCPAbortOnLinger",
        layer="tcp",
        direction="",
        severity="warning",
        counts="Connections reset when the process closed them with its FIN acknowledged already, and does not want to "
        "wait for the peer's (TCP_LINGER2 below 0). Acknowledged later, they are in TCPAbortOnData.",
        cause="process does not wait for the peer's FIN",
        causes=("TCP_LINGER2 set below 0 by the process", "peers that do not close their end"),
        remedies=(RESETS, "sysctl net.ipv4.tcp_fin_timeout"),
        along=("Tcp.OutRsts",),
        source=CLOSE,
    ),
    Counter(
        name="TcpExt.TCPAbortFailed",
        layer="tcp",
        direction="tx",
        severity="loss",
        counts="Resets that were to be sent and could not be: no memory, or dropped below. The peer is not told.",
        cause="RST dropped by a rule or queue here",
        causes=("a rule in OUTPUT or a qdisc that drops", "no route, no memory"),
        remedies=(
            "nettui report netfilter --where 'verdict = drop and packets > 0'",
            "nettui report qdiscs --where 'drops > 0'",
        ),
        part_of=("Tcp.OutRsts",),
        along=("rule.drop", "qdisc.drops"),
        source="net/ipv4/tcp_output.c, tcp_send_active_reset",
    ),
    Counter(
        name="TcpExt.TCPMTUPFail",
        layer="tcp",
        direction="tx",
        severity="noise",
        counts="Probes with larger segments that did not get through (packetization layer path MTU discovery).",
        cause="path MTU is smaller than the probe",
        causes=("as wanted with tcp_mtu_probing: the path takes no more",),
        remedies=("sysctl net.ipv4.tcp_mtu_probing",),
        source="net/ipv4/tcp_input.c, tcp_mtup_probe_failed",
    ),
)

PLAIN = (
    *traffic(
        "tcp",
        "TcpExt",
        "rx",
        {
            "TCPHPHits": "Data segments received that took the fast path (header prediction).",
            "TCPPureAcks": "ACKs without data received that took the slow path.",
            "TCPHPAcks": "ACKs received that took the fast path.",
            "TCPRcvCoalesce": "Segments received that were joined to the one before in the queue.",
            "TCPDelivered": "Segments that peers acknowledged (sent again ones count once).",
            "TCPDeliveredCE": "Segments that peers acknowledged as marked by congestion (ECN).",
            "BusyPollRxPackets": "Packets received by polling the device from a system call (busy poll).",
        },
    ),
    *traffic(
        "tcp",
        "TcpExt",
        "rx",
        {"TCPBacklogCoalesce": "Segments joined to the one before while a process held the socket."},
        since="5.0",
    ),
    *traffic(
        "tcp",
        "TcpExt",
        "",
        {
            "TW": "Connections that ended their TIME_WAIT by time.",
            "TWRecycled": "TIME_WAIT states reused for a new connection from here (tcp_tw_reuse).",
            "TWKilled": "TIME_WAIT states ended early; 0 in kernels of today.",
            "TCPSackShifted": "SACKed segments whose data was moved to a neighbour in the send queue.",
            "TCPSackMerged": "SACKed segments joined with a neighbour in the send queue.",
            "TCPSackShiftFallback": "SACKed segments that could not be joined with a neighbour.",
            "TCPHystartTrainDetect": "Slow starts ended by HyStart because ACKs came spread out.",
            "TCPHystartTrainCwnd": "Sum of congestion windows at those ends: divide by TCPHystartTrainDetect.",
            "TCPHystartDelayDetect": "Slow starts ended by HyStart because the round trip grew.",
            "TCPHystartDelayCwnd": "Sum of congestion windows at those ends: divide by TCPHystartDelayDetect.",
        },
    ),
    *traffic(
        "tcp",
        "TcpExt",
        "tx",
        {
            "DelayedACKs": "ACKs sent late on purpose, when the delay was over.",
            "DelayedACKLocked": "Late ACKs put off further, because a process held the socket.",
            "TCPAutoCorking": "Times that small writes were held back to fill a segment.",
            "TCPKeepAlive": "Keepalive probes sent.",
            "TCPMTUPSuccess": "Probes with larger segments that got through.",
            "TCPAckCompressed": "ACKs saved by sending one for several segments out of order.",
        },
    ),
    *traffic(
        "tcp",
        "TcpExt",
        "tx",
        {
            "TcpTimeoutRehash": "Times that a connection took another path (flow hash) after a timeout.",
            "TcpDuplicateDataRehash": "Times that a connection took another path since its ACKs seem not to arrive.",
        },
        since="5.6",
    ),
    *traffic(
        "tcp",
        "TcpExt",
        "tx",
        {"TCPPLBRehash": "Times that a connection took another path for congestion (PLB)."},
        "6.2",
    ),
)

TCP = (*CONNECTIONS, *ABORTS, *PLAIN)
