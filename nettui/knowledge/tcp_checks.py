"""TCP segments that fail a check: old timestamps, wrong sequence numbers, resets to be proved, MD5 and TCP-AO."""

from __future__ import annotations

from nettui.knowledge.entry import Counter
from nettui.knowledge.traffic import traffic

INPUT = "net/ipv4/tcp_input.c, "
MINI = "net/ipv4/tcp_minisocks.c, "
ERR = "net/ipv4/tcp_ipv4.c, tcp_v4_err; net/ipv6/tcp_ipv6.c, tcp_v6_err"
KEYS = "net/ipv4/tcp.c, tcp_inbound_md5_hash"
AO = "net/ipv4/tcp_ao.c, tcp_inbound_ao_hash, tcp_ao_verify_hash"
RATE = "sysctl net.ipv4.tcp_invalid_ratelimit  # ms between such ACKs of a connection"
PEERS = "nettui report sockets --where 'netid tcp and drops > 0' --sort -drops --columns src,sport,dst,dport,drops"
BGP = "nettui report sockets --where 'netid tcp and (sport 179 or dport 179)'  # signed sessions are mostly BGP"
SIGNED = "tcpdump -nvi any 'tcp port 179' -M KEY  # checks MD5 signatures with the key given"

TIMESTAMPS = (
    Counter(
        name="TcpExt.PAWSEstab",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Segments of open connections dropped because their timestamp is older than one seen before (PAWS).",
        cause="timestamps that go backwards (NAT, duplicates)",
        causes=(
            "very late duplicates",
            "several hosts behind one NAT address that use the same port again",
            "a load balancer or firewall that rewrites timestamps",
        ),
        remedies=(PEERS, "tcpdump -nvi any 'tcp and host PEER'  # TS val: which sender's goes backwards"),
        along=("socket.drops",),
        reasons=("TCP_RFC7323_PAWS",),
        source=INPUT + "tcp_validate_incoming; " + MINI + "tcp_check_req",
    ),
    Counter(
        name="TcpExt.PAWSOldAck",
        layer="tcp",
        direction="rx",
        severity="noise",
        counts="Pure ACKs with an old timestamp and an old sequence number: late duplicates, dropped.",
        cause="late ACKs that others overtook",
        causes=("ACKs that overtake each other on the way",),
        remedies=(PEERS,),
        along=("socket.drops",),
        reasons=("TCP_RFC7323_PAWS_ACK",),
        since="6.14",
        source=INPUT + "tcp_validate_incoming",
    ),
    Counter(
        name="TcpExt.PAWSActive",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="SYN-ACKs dropped because the timestamp they echo is none that was sent; answered by RST.",
        cause="SYN-ACK of another connection",
        causes=("a late SYN-ACK of an earlier attempt", "a middlebox that changes timestamps"),
        remedies=("tcpdump -nvi any 'tcp[13] == 18'  # SYN-ACKs: TS ecr", "sysctl net.ipv4.tcp_timestamps"),
        along=("socket.drops", "Tcp.OutRsts"),
        reasons=("TCP_RFC7323_PAWS",),
        source=INPUT + "tcp_rcv_synsent_state_process",
    ),
    Counter(
        name="TcpExt.PAWSTimewait",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Segments to a connection in TIME_WAIT with an old timestamp; a SYN among them is a new connection "
        "that must wait.",
        cause="port reused behind a NAT while in TIME_WAIT",
        causes=("clients behind one NAT address reuse a port within a minute", "late duplicates"),
        remedies=("nettui report sockets --where 'state time-wait' --columns src,sport,dst,dport,timer_expires",),
        reasons=("TCP_RFC7323_TW_PAWS",),
        since="6.16",
        source=MINI + "tcp_timewait_state_process",
    ),
    Counter(
        name="TcpExt.TSEcrRejected",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Last ACKs of handshakes dropped because the timestamp they echo is none that was sent.",
        cause="a middlebox changes timestamps, or forged ACK",
        causes=("a middlebox that rewrites timestamps", "forged ACKs"),
        remedies=("tcpdump -nvi any 'tcp and host PEER'  # TS ecr", "sysctl net.ipv4.tcp_timestamps"),
        along=("socket.drops",),
        reasons=("TCP_RFC7323_TSECR",),
        since="6.15",
        source=MINI + "tcp_check_req",
    ),
)

SEQUENCE = (
    Counter(
        name="TcpExt.BeyondWindow",
        layer="tcp",
        direction="rx",
        severity="loss",
        counts="Segments dropped because they reach beyond the window that this host offered.",
        cause="peer sends more than it was offered",
        causes=("a peer or middlebox that does not heed the window", "the window was shrunk under it"),
        remedies=(PEERS, "tcpdump -ni any 'tcp and host PEER'  # win and seq"),
        along=("socket.drops",),
        reasons=("TCP_INVALID_SEQUENCE", "TCP_INVALID_END_SEQUENCE"),
        since="6.17",
        source=INPUT + "tcp_validate_incoming",
    ),
    Counter(
        name="TcpExt.TCPChallengeACK",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="ACKs sent to ask the peer whether a doubtful RST, SYN or ACK is its own (RFC 5961).",
        cause="RST or SYN that does not quite fit",
        causes=(
            "a peer that restarted and opens the same connection anew",
            "a firewall or load balancer that resets with a sequence number of its own",
            "an attack that guesses",
        ),
        remedies=("tcpdump -ni any 'tcp[13] & 6 != 0'  # SYN and RST: from whom", RATE),
        source=INPUT + "tcp_send_challenge_ack",
    ),
    Counter(
        name="TcpExt.TCPSYNChallenge",
        layer="tcp",
        direction="rx",
        severity="warning",
        counts="SYNs received within an open connection; dropped, and answered by a challenge ACK.",
        cause="peer restarted and uses the same port",
        causes=(
            "a client that lost its state (crash, failover) and reuses its port",
            "clients behind one NAT that got the same port",
        ),
        remedies=(
            "tcpdump -ni any 'tcp[13] == 2'  # SYNs: from whom",
            "nettui report sockets --where 'dst = 192.0.2.7'  # put the peer's address",
        ),
        along=("Tcp.InErrs", "TcpExt.TCPChallengeACK", "socket.drops"),
        reasons=("TCP_INVALID_SYN",),
        source=INPUT + "tcp_validate_incoming",
    ),
    *(
        Counter(
            name=f"TcpExt.TCPACKSkipped{name}",
            layer="tcp",
            direction="tx",
            severity="noise",
            counts=f"ACKs left unsent {where}, because one was sent just before (rate limit).",
            cause="many doubtful segments in a short time",
            causes=("late or double segments in a row", "two ends that disagree and answer each other without end"),
            remedies=(RATE, PEERS),
            source=source,
        )
        for name, where, source in (
            ("SynRecv", "to SYNs and ACKs of a half open connection", MINI + "tcp_check_req"),
            ("PAWS", "to segments with an old timestamp", INPUT + "tcp_validate_incoming"),
            ("Seq", "to segments outside the window", INPUT + "tcp_validate_incoming"),
            ("FinWait2", "to segments outside the window, in FIN_WAIT2", MINI + "tcp_timewait_state_process"),
            ("TimeWait", "to segments of connections in TIME_WAIT", MINI + "tcp_timewait_state_process"),
            ("Challenge", "that would ask the peer whether a RST or SYN is its own", INPUT + "tcp_send_challenge_ack"),
        )
    ),
    Counter(
        name="TcpExt.TCPMinTTLDrop",
        layer="tcp",
        direction="rx",
        severity="refused",
        counts="Segments dropped because their TTL is smaller than the process allows (IP_MINTTL, GTSM).",
        cause="sender farther away than allowed (GTSM)",
        causes=("a BGP session with TTL security whose peer is not directly connected, or does not send TTL 255",),
        remedies=("tcpdump -nvi any 'tcp port 179'  # ttl", BGP),
        along=("socket.drops",),
        reasons=("TCP_MINTTL",),
        source="net/ipv4/tcp_ipv4.c, tcp_v4_rcv, tcp_v4_err; net/ipv6/tcp_ipv6.c, tcp_v6_rcv",
    ),
    Counter(
        name="TcpExt.OutOfWindowIcmps",
        layer="tcp",
        direction="rx",
        severity="noise",
        counts="ICMP errors about TCP ignored, because the segment they quote is not one on its way now.",
        cause="late or forged ICMP errors",
        causes=("an ICMP error that comes after the ACK", "forged ICMP errors that guess sequence numbers"),
        remedies=("tcpdump -nvi any 'icmp[0] == 3 or icmp[0] == 11'  # from whom, about what",),
        source=ERR,
    ),
    Counter(
        name="TcpExt.LockDroppedIcmps",
        layer="tcp",
        direction="rx",
        severity="noise",
        counts="ICMP errors about TCP that came while a process held the socket locked; not acted on at once.",
        cause="ICMP error while the socket was in use",
        causes=("a busy socket: chance",),
        remedies=("tcpdump -nvi any 'icmp[0] == 3 or icmp[0] == 11'  # from whom, about what",),
        source=ERR,
    ),
)

SIGNATURES = (
    *(
        Counter(
            name=f"TcpExt.{name}",
            layer="tcp",
            direction="rx",
            severity="loss",
            counts=counts,
            cause=cause,
            causes=causes,
            remedies=(BGP, SIGNED, "journalctl -k -g 'MD5|AO hash'  # the kernel names the peer"),
            along=("socket.drops",),
            reasons=(reason,),
            since=since,
            source=source,
        )
        for name, reason, since, source, counts, cause, causes in (
            (
                "TCPMD5NotFound",
                "TCP_MD5NOTFOUND",
                "",
                KEYS,
                "Segments dropped because they have no MD5 signature and the socket has a key for the peer.",
                "peer sends without MD5 signature",
                ("the peer has no key set", "a middlebox that strips the option"),
            ),
            (
                "TCPMD5Unexpected",
                "TCP_MD5UNEXPECTED",
                "",
                KEYS,
                "Segments dropped because they have an MD5 signature and the socket has no key for the peer.",
                "peer signs with MD5; no key here",
                ("no key set here for this peer's address", "the daemon here is down or has another address"),
            ),
            (
                "TCPMD5Failure",
                "TCP_MD5FAILURE",
                "",
                KEYS,
                "Segments dropped because their MD5 signature is wrong.",
                "MD5 keys differ",
                ("the two ends have different keys", "a NAT between them: addresses are part of the signature"),
            ),
            (
                "TCPAORequired",
                "TCP_AONOTFOUND",
                "6.7",
                AO,
                "Segments dropped because they are not signed and the socket asks for TCP-AO.",
                "peer sends without TCP-AO",
                ("the peer has no key set", "a middlebox that strips the option"),
            ),
            (
                "TCPAOBad",
                "TCP_AOFAILURE",
                "6.7",
                AO,
                "Segments dropped because their TCP-AO signature is wrong.",
                "TCP-AO keys differ",
                ("the two ends have different keys or algorithms", "a NAT or middlebox changes the segments"),
            ),
            (
                "TCPAOKeyNotFound",
                "TCP_AOKEYNOTFOUND",
                "6.7",
                AO,
                "Segments dropped because they are signed by a TCP-AO key id that is not known here.",
                "TCP-AO key id not known here",
                ("keys were changed at one end only", "no TCP-AO set up here for this peer"),
            ),
        )
    ),
    *traffic("tcp", "TcpExt", "rx", {"TCPAOGood": "Segments whose TCP-AO signature is right."}, since="6.7"),
    Counter(
        name="TcpExt.TCPAODroppedIcmps",
        layer="tcp",
        direction="rx",
        severity="refused",
        counts="ICMP errors about connections with TCP-AO ignored, since anybody could have sent them.",
        cause="TCP-AO connections ignore ICMP errors",
        causes=("an ICMP error about a signed connection: ignored by design (RFC 5925)",),
        remedies=("tcpdump -nvi any 'icmp[0] == 3'  # from whom, about what", BGP),
        since="6.7",
        source="net/ipv4/tcp_ao.c, tcp_ao_ignore_icmp",
    ),
)

TCP_CHECKS = (*TIMESTAMPS, *SEQUENCE, *SIGNATURES)
