"""MPTCP (MPTcpExt): connections over several ways, and where they fall back to plain TCP."""

from __future__ import annotations

from nettui.knowledge.entry import Counter, Direction, Severity
from nettui.knowledge.traffic import traffic

LATER = "5.7 or later"  # MPTcpExt came with 5.7; the file's column tells whether this kernel has the counter
CONNECTIONS = "nettui report sockets --where 'has mptcp' --columns src,sport,dst,dport,state,mptcp,process"
ENDPOINTS = "ip mptcp endpoint show; ip mptcp limits show  # addresses that may be used, and how many"
HANDSHAKES = "tcpdump -nvi any 'tcp[13] & 2 != 0' | grep mptcp  # who offers and who answers MPTCP"
FALLBACK = ("the peer or a middlebox does not speak MPTCP or strips its options: works on as plain TCP, over one way",)


def entry(
    name: str,
    direction: Direction,
    severity: Severity,
    counts: str,
    cause: str,
    causes: tuple[str, ...],
    source: str,
    remedies: tuple[str, ...] = (CONNECTIONS, ENDPOINTS),
    part_of: tuple[str, ...] = (),
    along: tuple[str, ...] = (),
    since: str = LATER,
) -> Counter:
    """An entry of MPTcpExt; ``source``: file and functions under net/mptcp/."""
    return Counter(
        name=f"MPTcpExt.{name}",
        layer="mptcp",
        direction=direction,
        severity=severity,
        counts=counts,
        cause=cause,
        causes=causes,
        remedies=remedies,
        part_of=part_of,
        along=along,
        since=since,
        source=f"net/mptcp/{source}",
    )


PLAIN = (
    *traffic(
        "mptcp",
        "MPTcpExt",
        "rx",
        {
            "MPCapableSYNRX": "SYNs received that offer MPTCP.",
            "MPCapableSYNACKRX": "SYN-ACKs received that agree to MPTCP.",
            "MPCapableACKRX": "Last ACKs of handshakes received that agree to MPTCP.",
            "MPJoinSynRx": "SYNs received that add a subflow to a connection.",
            "MPJoinSynBackupRx": "SYNs received that add a subflow as backup.",
            "MPJoinSynAckRx": "SYN-ACKs received for a subflow added from here.",
            "MPJoinSynAckBackupRx": "SYN-ACKs received for a subflow that the peer wants as backup.",
            "MPJoinAckRx": "Last ACKs received of subflows added by the peer.",
            "MPJoinPortSynRx": "SYNs received for a subflow, to a port other than the connection's.",
            "MPJoinPortSynAckRx": "SYN-ACKs received for a subflow, from a port other than the connection's.",
            "MPJoinPortAckRx": "Last ACKs received of subflows to a port other than the connection's.",
            "OFOQueueTail": "Segments put at the end of the queue of those ahead of their turn.",
            "OFOQueue": "Segments that came ahead of their turn over the subflows: usual with several ways.",
            "OFOMerge": "Segments ahead of their turn that were joined with others.",
            "AddAddr": "ADD_ADDR received: a peer told of another address.",
            "EchoAdd": "ADD_ADDR echoes received: a peer has seen the address told.",
            "PortAdd": "ADD_ADDR received with a port.",
            "RmAddr": "REMOVE_ADDR received: a peer's address is gone.",
            "MPPrioRx": "MP_PRIO received: a peer makes a subflow backup, or not.",
            "MPFastcloseRx": "MP_FASTCLOSE received: a peer ended a connection at once.",
        },
        since=LATER,
    ),
    *traffic(
        "mptcp",
        "MPTcpExt",
        "tx",
        {
            "MPCapableSYNTX": "SYNs sent that offer MPTCP.",
            "MPJoinSynTx": "SYNs sent that add a subflow.",
            "AddAddrTx": "ADD_ADDR sent: told a peer of another address.",
            "EchoAddTx": "ADD_ADDR echoes sent.",
            "RmAddrTx": "REMOVE_ADDR sent: told a peer that an address is gone.",
            "MPPrioTx": "MP_PRIO sent: a subflow made backup, or not.",
            "MPFastcloseTx": "MP_FASTCLOSE sent: a connection ended at once from here.",
            "SndWndShared": "Times that a subflow could send more, by the window of the whole connection.",
            "WinProbe": "Window probes sent on behalf of the whole connection.",
        },
        since=LATER,
    ),
    *traffic(
        "mptcp",
        "MPTcpExt",
        "",
        {
            "RmSubflow": "Subflows removed.",
            "SubflowRecover": "Subflows used again after they had been stale.",
            "RcvWndShared": "Times that a subflow offered more, by the window of the whole connection.",
            "RcvWndConflictUpdate": "Times that two subflows updated the window at once; settled.",
            "RcvWndConflict": "Times that updating the window had to be tried again, for another subflow did it too.",
            "MPCurrEstab": "A level, not a counter: MPTCP connections open now.",
        },
        since=LATER,
    ),
)

FALLEN: tuple[tuple[str, Direction, str, str, str], ...] = (
        (
            "MPCapableFallbackACK", "rx", "Connections taken with MPTCP whose client fell back to TCP in its last ACK.",
            "client fell back to TCP", "subflow.c, subflow_syn_recv_sock",
        ),
        (
            "MPCapableFallbackSYNACK", "rx", "Connections opened with MPTCP to which the server answered as plain TCP.",
            "server does not speak MPTCP", "subflow.c, subflow_finish_connect",
        ),
        (
            "MPCapableSYNTXDrop", "tx", "Connections opened as plain TCP after SYNs with MPTCP were not answered.",
            "a firewall drops SYNs with MPTCP", "ctrl.c, mptcp_active_detect_blackhole",
        ),
        (
            "MPCapableSYNTXDisabled", "tx", "Connections opened as plain TCP, since MPTCP was found blocked lately.",
            "MPTCP found blocked a while ago", "ctrl.c, mptcp_active_should_disable",
        ),
        (
            "Blackhole", "tx", "Times that MPTCP was found to be blocked by the network, and was switched off a while.",
            "a firewall drops SYNs with MPTCP", "ctrl.c, mptcp_active_disable",
        ),
        (
            "MPFallbackTokenInit", "", "Connections that fell back to TCP because no token could be made.",
            "no free token (chance, or no memory)", "subflow.c, subflow_check_req",
        ),
        (
            "DSSCorruptionFallback", "rx", "Connections that fell back to TCP for broken MPTCP sequence numbers.",
            "a middlebox changes the stream", "protocol.c, mptcp_dss_corruption",
        ),
        (
            "InfiniteMapTx", "tx", "Connections told to go on as plain TCP from here on (infinite mapping).",
            "checksum failed: fallback", "protocol.c, mptcp_update_infinite_map",
        ),
        (
            "InfiniteMapRx", "rx", "Connections that the peer told to go on as plain TCP (infinite mapping).",
            "peer fell back to TCP", "subflow.c, get_mapping_status",
        ),
        (
            "MPCapableDataFallback", "rx", "Connections that fell back: the first data came without MPTCP's option.",
            "options stripped on the way", "options.c, check_fully_established",
        ),
        (
            "MD5SigFallback", "", "Connections that are plain TCP because MD5 signatures are in use.",
            "TCP MD5 and MPTCP exclude each other", "protocol.c, mptcp_connect",
        ),
        (
            "DssFallback", "rx", "Connections that fell back for a missing or bad mapping (DSS).",
            "options stripped on the way", "subflow.c, subflow_check_data_avail",
        ),
        (
            "SimultConnectFallback", "", "Connections that fell back because both ends opened them at once.",
            "both ends connected at once", "subflow.c, subflow_state_change",
        ),
)  # fmt: skip
FALLBACKS = tuple(
    entry(name, direction, "warning", counts, cause, FALLBACK, source, (HANDSHAKES, CONNECTIONS))
    for name, direction, counts, cause, source in FALLEN
)

BROKEN: tuple[tuple[str, Direction, str, str, str], ...] = (
    (
        "MPFailTx",
        "tx",
        "MP_FAIL sent: data arrived damaged.",
        "data damaged on a way",
        "options.c, mptcp_established_options_mp_fail",
    ),
    (
        "MPFailRx",
        "rx",
        "MP_FAIL received: data from here arrived damaged.",
        "data damaged on a way",
        "pm.c, mptcp_pm_mp_fail_received",
    ),
    (
        "MPRstTx",
        "tx",
        "MP_RST sent: a subflow reset from here.",
        "subflow reset",
        "options.c, mptcp_established_options_rst",
    ),
    (
        "MPRstRx",
        "rx",
        "MP_RST received: a subflow reset by the peer.",
        "subflow reset by the peer",
        "options.c, mptcp_incoming_options",
    ),
    (
        "SubflowStale",
        "tx",
        "Subflows put aside because nothing came back on them.",
        "one of the ways is broken or slow",
        "pm.c, mptcp_pm_subflow_chk_stale",
    ),
)
LOST = (
    entry(
        "MPTCPRetrans",
        "tx",
        "warning",
        "Segments sent again over another subflow.",
        "a subflow lost or stalled",
        ("one of the ways lost packets or broke down; what was on it is sent over another",),
        "protocol.c, __mptcp_retrans",
        along=("Tcp.RetransSegs",),
    ),
    entry(
        "RcvPruned",
        "rx",
        "loss",
        "Segments dropped because the connection's receive buffer was full; 6.18 has no such counter.",
        "receive buffer full: process reads too slowly",
        ("the process behind the socket reads more slowly than data comes",),
        "protocol.c, __mptcp_move_skb",
    ),
    entry(
        "NoDSSInWindow",
        "rx",
        "loss",
        "Segments dropped because they lie outside the window of the whole connection.",
        "data beyond the window",
        ("subflows whose windows do not agree; the peer sends it again",),
        "protocol.c, mptcp_data_queue_ofo",
    ),
    entry(
        "DuplicateData",
        "rx",
        "noise",
        "Segments dropped because their data came over another subflow before.",
        "sent over two subflows",
        ("the peer sent again over another subflow what was only late",),
        "subflow.c, mptcp_subflow_discard_data; protocol.c, __mptcp_move_skb",
    ),
    entry(
        "DataCsumErr",
        "rx",
        "loss",
        "Data dropped because MPTCP's checksum over it is wrong.",
        "a middlebox changed the data",
        ("an application gateway or proxy on one of the ways",),
        "subflow.c, validate_data_csum",
        along=("MPTcpExt.MPFailTx",),
    ),
    entry(
        "DSSNotMatching",
        "rx",
        "loss",
        "Mappings received that do not agree with those before.",
        "a middlebox changed the stream",
        ("a middlebox that joins, splits or rewrites segments", "a faulty peer"),
        "subflow.c, get_mapping_status",
    ),
    entry(
        "DSSNoMatchTCP",
        "rx",
        "loss",
        "Mappings received that do not fit TCP's sequence numbers.",
        "a middlebox changed sequence numbers",
        ("a middlebox that rewrites sequence numbers without MPTCP's mapping",),
        "subflow.c, validate_mapping",
    ),
    entry(
        "DSSCorruptionReset",
        "rx",
        "loss",
        "Subflows reset for broken MPTCP sequence numbers, when the connection could not fall back.",
        "a middlebox changes the stream",
        ("a middlebox on that way", "a faulty peer"),
        "protocol.c, mptcp_dss_corruption",
        along=("MPTcpExt.MPRstTx",),
    ),
    entry(
        "FallbackFailed",
        "",
        "loss",
        "Connections or subflows reset because they should fall back to TCP and could not: several subflows in use.",
        "options lost when several ways were in use",
        ("a way that changed in the middle to one that strips options",),
        "subflow.c, subflow_finish_connect; options.c, check_fully_established",
    ),
    *(
        entry(name, direction, "warning", counts, cause, ("a checksum failed, or a subflow broke down",), source)
        for name, direction, counts, cause, source in BROKEN
    ),
)

ADDRESSES: tuple[tuple[str, Direction, str, str], ...] = (
    ("AddAddrDrop", "rx", "ADD_ADDR received and not handled.", "pm.c, mptcp_pm_add_addr_received"),
    ("AddAddrTxDrop", "tx", "ADD_ADDR that could not be sent.", "pm.c, mptcp_pm_announce_addr"),
    ("EchoAddTxDrop", "tx", "ADD_ADDR echoes that could not be sent.", "pm.c, mptcp_pm_announce_addr"),
    ("RmAddrDrop", "rx", "REMOVE_ADDR received and not handled.", "pm.c, mptcp_pm_rm_addr_received"),
    ("RmAddrTxDrop", "tx", "REMOVE_ADDR that could not be sent.", "pm.c, mptcp_pm_remove_addr"),
)
JOINS = (
    entry(
        "MPJoinNoTokenFound",
        "rx",
        "refused",
        "SYNs that want to add a subflow to a connection that is not here; answered by RST.",
        "connection is gone, or on another server",
        ("the connection has ended", "a load balancer sends the subflow to another server than the connection"),
        "subflow.c, subflow_check_req",
        along=("Tcp.OutRsts", "TcpExt.ListenDrops", "socket.drops"),
    ),
    *(
        entry(
            f"MPJoin{part}HMacFailure",
            "rx",
            "refused",
            f"{words} of subflows that did not prove to belong to the connection (HMAC); answered by RST. Some kernels "
            "count both kinds as MPJoinAckHMacFailure.",
            "subflow without the connection's key",
            ("a load balancer or proxy between the ends", "an attack"),
            "subflow.c, subflow_finish_connect, subflow_syn_recv_sock",
            along=("Tcp.OutRsts",),
        )
        for part, words in (("SynAck", "SYN-ACKs"), ("Ack", "Last ACKs"))
    ),
    entry(
        "MPJoinRejected",
        "rx",
        "refused",
        "Subflows of a peer refused by this host's path manager.",
        "more subflows than the limit allows",
        ("ip mptcp limits: as many subflows as allowed exist",),
        "subflow.c, subflow_check_req, subflow_syn_recv_sock",
    ),
    entry(
        "MPCapableEndpAttempt",
        "rx",
        "refused",
        "New connections to a port that only takes further subflows (an endpoint with a port).",
        "connect to a port that is for subflows only",
        ("a client that uses the port it was told of by ADD_ADDR for a new connection",),
        "subflow.c, subflow_check_req",
    ),
    *(
        entry(
            f"MPJoinSynTx{what}Err",
            "tx",
            "warning",
            f"Subflows that could not be added from here: {words}.",
            cause,
            ("an endpoint whose address or device is gone", "no route by that way", "no memory"),
            "subflow.c, __mptcp_subflow_connect",
        )
        for what, words, cause in (
            ("CreatSk", "no socket", "no memory for the socket"),
            ("Bind", "its address could not be bound", "endpoint's address is not here"),
            ("Connect", "connect failed", "no way to the peer by that address"),
        )
    ),
    *(
        entry(
            f"MismatchPort{part}Rx",
            "rx",
            "refused",
            f"{words} of subflows to a port that was not told to the peer (ADD_ADDR).",
            "subflow to a port that was not offered",
            ("a NAT that changes ports", "an endpoint that was removed"),
            "subflow.c, subflow_check_req, subflow_syn_recv_sock",
        )
        for part, words in (("Syn", "SYNs"), ("Ack", "Last ACKs"))
    ),
    *(
        entry(
            name,
            direction,
            "warning",
            counts,
            "too many at once, or no room in the option",
            ("more addresses told than can be handled: ip mptcp limits", "no room among the TCP options"),
            source,
        )
        for name, direction, counts, source in ADDRESSES
    ),
)

MPTCP = (*PLAIN, *FALLBACKS, *LOST, *JOINS)
