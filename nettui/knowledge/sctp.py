"""SCTP (Sctp), from /proc/net/sctp/snmp."""

from __future__ import annotations

from nettui.knowledge.entry import Counter, Direction, Severity
from nettui.knowledge.traffic import traffic

ASSOCIATIONS = "nettui report sockets --where 'netid = sctp'  # associations and listeners"
PATHS = "cat /proc/net/sctp/assocs /proc/net/sctp/remaddr  # retransmissions, RTO and state of each path"
CAPTURE = "tcpdump -nvi any sctp  # chunks, vtags, from whom"
RECEIVE = "net/sctp/input.c, sctp_rcv"
STATES = "net/sctp/sm_statefuns.c, "


def entry(
    name: str,
    direction: Direction,
    severity: Severity,
    counts: str,
    cause: str,
    causes: tuple[str, ...],
    source: str,
    part_of: tuple[str, ...] = (),
    remedies: tuple[str, ...] = (PATHS, ASSOCIATIONS, CAPTURE),
) -> Counter:
    return Counter(
        name=f"Sctp.{name}",
        layer="sctp",
        direction=direction,
        severity=severity,
        counts=counts,
        cause=cause,
        causes=causes,
        remedies=remedies,
        part_of=part_of,
        source=source,
    )


PLAIN = (
    *traffic(
        "sctp",
        "Sctp",
        "",
        {
            "CurrEstab": "A level, not a counter: associations open now.",
            "ActiveEstabs": "Associations opened from here.",
            "PassiveEstabs": "Associations that listeners here took.",
            "Shutdowns": "Associations closed in good order.",
            "DelaySackExpireds": "Times that the delay of a SACK was over: sent.",
            "AutocloseExpireds": "Idle associations closed by the process's wish (SCTP_AUTOCLOSE).",
        },
    ),
    *traffic(
        "sctp",
        "Sctp",
        "rx",
        {
            "InSCTPPacks": "SCTP packets received for a peer that is known.",
            "InCtrlChunks": "Control chunks received.",
            "InOrderChunks": "Data chunks received, ordered.",
            "InUnorderChunks": "Data chunks received, unordered.",
            "ReasmUsrMsgs": "Messages put together from several chunks.",
            "InPktSoftirq": "Packets handled at once on receipt.",
            "InPktBacklog": "Packets put aside because a process held the socket.",
        },
    ),
    *traffic(
        "sctp",
        "Sctp",
        "tx",
        {
            "OutSCTPPacks": "SCTP packets sent.",
            "OutCtrlChunks": "Control chunks sent.",
            "OutOrderChunks": "Data chunks sent, ordered.",
            "OutUnorderChunks": "Data chunks sent, unordered.",
            "FragUsrMsgs": "Messages cut into several chunks.",
        },
    ),
)

LOST = (
    entry(
        "Aborteds",
        "",
        "loss",
        "Associations that ended by ABORT, from either end, or were given up.",
        "aborted by an end, or given up",
        ("the peer or a process here aborts", "all paths failed: too many retransmissions"),
        STATES + "sctp_stop_t1_and_abort, sctp_sf_do_9_1_abort",
    ),
    entry(
        "OutOfBlues",
        "rx",
        "refused",
        "Packets of no association and no listener here; answered by ABORT.",
        "no association or listener for it",
        ("a service that is down", "an association that is gone at this end only", "a scan"),
        RECEIVE + ", sctp_rcv_ootb",
    ),
    entry(
        "ChecksumErrors",
        "rx",
        "loss",
        "Packets dropped because their checksum (CRC32c) is wrong.",
        "damaged on the way, or a NAT's fault",
        ("a device on the way that damages packets", "an offload or NAT that does not compute CRC32c"),
        "net/sctp/input.c, sctp_rcv_checksum",
        part_of=("Sctp.InPktDiscards",),
        remedies=(CAPTURE, "ethtool -k DEV | grep sctp  # offloads"),
    ),
    entry(
        "InPktDiscards",
        "rx",
        "loss",
        "Packets dropped on receipt: wrong checksum, too short, wrong address, a filter or policy, or the socket's "
        "backlog full.",
        "checksum, length, policy or full backlog",
        ("wrong checksums: ChecksumErrors moves too", "a socket whose process does not keep up", "an IPsec policy"),
        RECEIVE,
    ),
    entry(
        "InDataChunkDiscards",
        "rx",
        "loss",
        "Data chunks dropped: received before, no room in the receive buffer, or an invalid stream.",
        "duplicates, or receive buffer full",
        ("the peer sent again what had arrived", "the process reads too slowly"),
        STATES + "sctp_sf_eat_data_6_2, sctp_eat_data",
    ),
    *(
        entry(
            name,
            "tx",
            "warning",
            counts,
            cause,
            ("a peer that is down", "a path that loses packets", "a firewall that does not let SCTP through"),
            "net/sctp/" + source,
        )
        for name, counts, cause, source in (
            (
                "T1InitExpireds",
                "INITs not answered in time; sent again.",
                "peer does not answer INIT",
                "sm_statefuns.c, sctp_sf_t1_init_timer_expire",
            ),
            (
                "T1CookieExpireds",
                "COOKIE ECHOs not answered in time; sent again.",
                "peer does not answer COOKIE ECHO",
                "sm_statefuns.c, sctp_sf_t1_cookie_timer_expire",
            ),
            (
                "T2ShutdownExpireds",
                "SHUTDOWNs not answered in time; sent again.",
                "peer does not answer SHUTDOWN",
                "sm_statefuns.c, sctp_sf_t2_timer_expire",
            ),
            (
                "T3RtxExpireds",
                "Data not acknowledged within the timeout of a path.",
                "path lost packets, or peer down",
                "sm_statefuns.c, sctp_sf_do_6_3_3_rtx",
            ),
            (
                "T4RtoExpireds",
                "Address changes (ASCONF) not answered in time.",
                "peer does not answer ASCONF",
                "sm_statefuns.c, sctp_sf_t4_timer_expire",
            ),
            (
                "T5ShutdownGuardExpireds",
                "Shutdowns given up because they took too long.",
                "shutdown took too long",
                "sm_statefuns.c, sctp_sf_t5_timer_expire",
            ),
            (
                "T3Retransmits",
                "Times that data was sent again after a timeout.",
                "path lost packets, or peer down",
                "outqueue.c, sctp_retransmit",
            ),
            (
                "PmtudRetransmits",
                "Times that data was sent again because the path MTU is smaller.",
                "a smaller MTU on the way",
                "outqueue.c, sctp_retransmit",
            ),
            (
                "FastRetransmits",
                "Times that data was sent again because SACKs told that it is missing.",
                "single packets lost on the way",
                "outqueue.c, sctp_retransmit",
            ),
        )
    ),
)

SCTP = (*PLAIN, *LOST)
