"""TCP listeners: full queues, SYN cookies, connections that do not come about."""

from __future__ import annotations

from nettui.knowledge.entry import Counter
from nettui.knowledge.traffic import traffic

INPUT = "net/ipv4/tcp_input.c, "
MINI = "net/ipv4/tcp_minisocks.c, "
FASTOPEN = "net/ipv4/tcp_fastopen.c, "
QUEUES = (
    "nettui report sockets --where 'netid tcp and state listen' --sort -backlog "
    "--columns src,sport,backlog,backlog_limit,drops,process  # whose queue is full"
)
HALF_OPEN = "nettui report sockets --where 'state syn-recv'  # from whom: many sources of one SYN each are a flood"
SOMAXCONN = "sysctl net.core.somaxconn net.ipv4.tcp_max_syn_backlog  # most that listen() may ask for; half open ones"
RAISE = "sysctl -w net.core.somaxconn=N  # then the service must call listen() anew with a larger backlog"
COOKIES = "sysctl net.ipv4.tcp_syncookies  # 1: cookies when the queue is full (usual), 0: never, 2: always"
FASTOPEN_SETTING = "sysctl net.ipv4.tcp_fastopen  # bits: 1 as client, 2 as server"

QUEUED = (
    Counter(
        name="TcpExt.ListenDrops",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="SYNs and last ACKs of handshakes that a listener dropped, for whatever reason: accept queue full, SYN "
        "queue full, no memory, no route back, options it does not take. The client tries again.",
        cause="a listener's queue is full, mostly",
        causes=(
            "the accept queue is full: ListenOverflows moves by the same number",
            "the queue of half open connections is full and SYN cookies are off: TCPReqQFullDrop moves too",
            "neither moves: no memory, no route back to the client, a bad Fast Open or TCP-AO option",
        ),
        remedies=(QUEUES, HALF_OPEN, SOMAXCONN),
        along=("socket.drops",),
        reasons=("TCP_LISTEN_OVERFLOW",),
        source=INPUT + "tcp_conn_request; net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock; include/net/tcp.h, tcp_listendrop",
    ),
    Counter(
        name="TcpExt.ListenOverflows",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="SYNs and last ACKs of handshakes dropped because the listener's accept queue was full.",
        cause="accept queue full: process accepts too slowly",
        causes=(
            "the service hangs, is overloaded, or accepts in one thread that is busy",
            "a burst of connections larger than the backlog given to listen(), or than somaxconn",
        ),
        remedies=(QUEUES, "top -H -p PID  # is its accepting thread busy, or does it wait?", SOMAXCONN, RAISE),
        part_of=("TcpExt.ListenDrops",),
        along=("socket.drops", "socket.listen_queue"),
        reasons=("TCP_LISTEN_OVERFLOW",),
        source=INPUT + "tcp_conn_request; net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock",
    ),
    Counter(
        name="TcpExt.TCPReqQFullDrop",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="SYNs dropped because the listener's queue of half open connections was full and SYN cookies are off.",
        cause="SYN queue full, and SYN cookies are off",
        causes=(
            "a SYN flood",
            "many clients at once, far away: each half open connection waits for a round trip",
            "a small backlog given to listen()",
        ),
        remedies=(
            HALF_OPEN,
            COOKIES,
            SOMAXCONN,
            "sysctl -w net.ipv4.tcp_syncookies=1  # no cost until a queue is full",
        ),
        part_of=("TcpExt.ListenDrops",),
        along=("socket.drops",),
        source=INPUT + "tcp_syn_flood_action, tcp_conn_request",
    ),
    Counter(
        name="TcpExt.TCPReqQFullDoCookies",
        layer="tcp",
        direction="rx",
        severity="warning",
        counts="SYNs that found the queue of half open connections full and were answered with a SYN cookie instead.",
        cause="SYN queue full; answered with cookies",
        causes=(
            "a SYN flood",
            "many clients at once: the backlog given to listen() is small for them",
            "net.ipv4.tcp_syncookies=2: cookies always",
        ),
        remedies=(HALF_OPEN, COOKIES, SOMAXCONN),
        along=("TcpExt.SyncookiesSent",),
        source=INPUT + "tcp_syn_flood_action",
    ),
    Counter(
        name="TcpExt.SyncookiesSent",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="SYN-ACKs sent with a SYN cookie, because the queue of half open connections was full.",
        cause="SYN flood, or a small backlog",
        causes=("a SYN flood", "many clients at once: the backlog given to listen() is small for them"),
        remedies=(HALF_OPEN, QUEUES, SOMAXCONN),
        along=("TcpExt.TCPReqQFullDoCookies",),
        source="net/ipv4/syncookies.c, cookie_v4_init_sequence; net/ipv6/syncookies.c, cookie_v6_init_sequence",
    ),
    *traffic("tcp", "TcpExt", "rx", {"SyncookiesRecv": "ACKs with a valid SYN cookie: connections that came about."}),
    Counter(
        name="TcpExt.SyncookiesFailed",
        layer="tcp",
        direction="rx",
        severity="warning",
        counts="ACKs to a listener that had lately sent SYN cookies, and that hold no valid cookie; answered by RST.",
        cause="ACKs that no SYN cookie fits: flood, scan",
        causes=(
            "an ACK flood, together with a SYN flood",
            "clients whose ACK comes after the cookie expired (about 2 minutes)",
            "late segments of connections that are gone",
        ),
        remedies=("tcpdump -ni any 'tcp[13] == 16 and dst port PORT'  # from whom", HALF_OPEN),
        along=("Tcp.OutRsts",),
        source="net/ipv4/syncookies.c, cookie_tcp_check; net/ipv6/syncookies.c, cookie_tcp_check",
    ),
    Counter(
        name="TcpExt.EmbryonicRsts",
        layer="tcp",
        direction="rx",
        severity="warning",
        counts="Half open connections that ended by a RST from the client, or were reset here for a strange SYN.",
        cause="reset before the handshake was complete",
        causes=(
            "a SYN scan, or a load balancer's health check that hangs up with RST",
            "clients that gave up, or a firewall on the way that resets",
            "net.ipv4.tcp_abort_on_overflow=1 with a full accept queue",
        ),
        remedies=(
            "tcpdump -ni any 'tcp[13] & 4 != 0'  # resets: from whom, to which port",
            "sysctl net.ipv4.tcp_abort_on_overflow  # 1: overflow resets the client",
        ),
        along=("Tcp.AttemptFails", "socket.drops"),
        source=MINI + "tcp_check_req",
    ),
    Counter(
        name="TcpExt.TCPDeferAcceptDrop",
        layer="tcp",
        direction="rx",
        severity="noise",
        counts="Last ACKs of handshakes put aside, because the service wants connections only with data "
        "(TCP_DEFER_ACCEPT). The client's data opens the connection.",
        cause="service waits for the client's first data",
        causes=("a web server with deferred accept: one for each connection",),
        remedies=("nettui report sockets --where 'state syn-recv'  # clients that never send data stay here",),
        source=MINI + "tcp_check_req",
    ),
    Counter(
        name="TcpExt.TCPTimeWaitOverflow",
        layer="tcp",
        direction="",
        severity="warning",
        counts="Closed connections that did not get a TIME_WAIT state: there are too many (tcp_max_tw_buckets), or no "
        "memory.",
        cause="more TIME_WAIT than tcp_max_tw_buckets",
        causes=("very many short connections that are closed from here",),
        remedies=(
            "grep TCP: /proc/net/sockstat; sysctl net.ipv4.tcp_max_tw_buckets  # tw: in use; per namespace",
            "sysctl -w net.ipv4.tcp_max_tw_buckets=N  # about 250 bytes each",
        ),
        source=MINI + "tcp_time_wait; net/ipv4/inet_timewait_sock.c, inet_twsk_alloc",
    ),
    Counter(
        name="TcpExt.TCPMigrateReqFailure",
        layer="tcp",
        direction="",
        severity="loss",
        counts="Half open or waiting connections of a listener that went away, and that no other listener of its "
        "SO_REUSEPORT group could take over.",
        cause="listener closed; no other took them over",
        causes=("the other listeners' accept queues are full", "no memory"),
        remedies=(QUEUES, "sysctl net.ipv4.tcp_migrate_req  # 1: such connections move to another listener"),
        since="5.14",
        source=MINI + "tcp_check_req; net/ipv4/inet_connection_sock.c, reqsk_timer_handler, inet_csk_listen_stop",
    ),
    *traffic(
        "tcp",
        "TcpExt",
        "",
        {"TCPMigrateReqSuccess": "Connections of a closed listener that another of its SO_REUSEPORT group took over."},
        since="5.14",
    ),
)

FAST_OPEN = (
    *traffic(
        "tcp",
        "TcpExt",
        "",
        {
            "TCPFastOpenActive": "Connections opened from here by Fast Open, the SYN's data acknowledged at once.",
            "TCPFastOpenPassive": "Connections accepted here by Fast Open, with the SYN's data.",
            "TCPFastOpenCookieReqd": "SYNs that asked this host for a Fast Open cookie.",
        },
    ),
    *traffic(
        "tcp",
        "TcpExt",
        "",
        {"TCPFastOpenPassiveAltKey": "Connections accepted by Fast Open with a cookie of the second (older) key."},
        since="5.3",
    ),
    Counter(
        name="TcpExt.TCPFastOpenActiveFail",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Fast Opens from here whose data the server did not take with the SYN, or that timed out; the data "
        "was sent again.",
        cause="server or firewall does not take Fast Open",
        causes=("the server forgot its key or has Fast Open off", "a firewall drops SYNs with data or the option"),
        remedies=(FASTOPEN_SETTING, "ip tcp_metrics show DST  # fo_cookie, fo_syn_drops"),
        source=INPUT
        + "tcp_rcv_fastopen_synack, tcp_send_syn_data; "
        + FASTOPEN
        + "tcp_fastopen_active_detect_blackhole",
    ),
    Counter(
        name="TcpExt.TCPFastOpenPassiveFail",
        layer="tcp",
        direction="rx",
        severity="warning",
        counts="SYNs with a Fast Open cookie that did not open a connection at once: wrong cookie, or no room. The "
        "usual handshake follows.",
        cause="wrong Fast Open cookie, or no room",
        causes=("servers behind one address with different keys (tcp_fastopen_key)", "forged SYNs"),
        remedies=(FASTOPEN_SETTING, "nettui report protocols --where 'counter ~ FastOpen'  # overflow moves too?"),
        source=FASTOPEN + "tcp_try_fastopen",
    ),
    Counter(
        name="TcpExt.TCPFastOpenListenOverflow",
        layer="tcp",
        direction="rx",
        severity="warning",
        counts="SYNs with a Fast Open cookie that found as many such connections waiting as the service allows; the "
        "usual handshake follows.",
        cause="service allows fewer Fast Opens at once",
        causes=("a burst, or the number that the service gave to TCP_FASTOPEN is small",),
        remedies=(QUEUES, FASTOPEN_SETTING),
        source=FASTOPEN + "tcp_fastopen_queue_check",
    ),
    Counter(
        name="TcpExt.TCPFastOpenBlackhole",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Times that Fast Open from here was switched off for a while, since a firewall seems to swallow it.",
        cause="a firewall swallows Fast Open connections",
        causes=("a firewall on the way drops segments of Fast Open connections",),
        remedies=("sysctl net.ipv4.tcp_fastopen_blackhole_timeout_sec  # s, first time; 0: never switched off",),
        source=FASTOPEN + "tcp_fastopen_active_disable",
    ),
)

TCP_LISTEN = (*QUEUED, *FAST_OPEN)
