"""TCP retransmissions: what was sent again, why, and what turned out to be needless."""

from __future__ import annotations

from nettui.knowledge.entry import Counter, Direction
from nettui.knowledge.traffic import traffic

INPUT = "net/ipv4/tcp_input.c, "
OUTPUT = "net/ipv4/tcp_output.c, "
TIMER = "net/ipv4/tcp_timer.c, "
WORST = (
    "nettui report sockets --where 'netid tcp and retrans_total > 0' --sort -retrans_total "
    "--columns src,sport,dst,dport,retrans_total,segs_out,rtt,cwnd,process  # toward whom"
)
BELOW = "nettui report drops --where 'direction = tx'  # a loss on this host's own way out: qdisc, device, conntrack"
KINDS = "nettui report protocols --where 'counter ~ Retrans or counter ~ Timeouts'  # by which kind"
SENT_AGAIN = ("Tcp.RetransSegs",)
LOSS = (
    "packets lost on the way, by congestion or a bad link",
    "loss on this host's own way out: a qdisc, a device, a filter",
)

SENT = (
    *traffic("tcp", "Tcp", "tx", {"OutSegs": "TCP segments sent, without retransmitted data."}),
    *traffic("tcp", "TcpExt", "tx", {"TCPOrigDataSent": "TCP segments with new data sent: what loss is a share of."}),
    Counter(
        name="Tcp.RetransSegs",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="TCP segments sent again, SYNs and SYN-ACKs too. What was lost is made good, later. More than 1 % of "
        "TcpExt.TCPOrigDataSent is much.",
        cause="segments or their ACKs lost on the way",
        causes=(
            *LOSS,
            "ACKs lost or late: what was sent again had arrived",
            "a peer that is down: SYNs again and again",
        ),
        remedies=(WORST, BELOW, KINDS, "mtr -T -P PORT -n DST  # where on the way"),
        along=("qdisc.drops", "rtnl_link_stats64.tx_dropped"),
        source=OUTPUT + "__tcp_retransmit_skb, tcp_rtx_synack",
    ),
    Counter(
        name="TcpExt.TCPFastRetrans",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Segments sent again at once, because ACKs told that they are missing (fast retransmit).",
        cause="single segments lost on the way",
        causes=(*LOSS, "packets that overtake each other on the way (reordering)"),
        remedies=(WORST, BELOW),
        part_of=SENT_AGAIN,
        source=OUTPUT + "tcp_xmit_retransmit_queue",
    ),
    Counter(
        name="TcpExt.TCPSlowStartRetrans",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Segments sent again while recovering from a timeout.",
        cause="many segments lost at once, after a timeout",
        causes=("a connection of which nothing arrived for a while", *LOSS),
        remedies=(WORST, BELOW),
        part_of=SENT_AGAIN,
        along=("TcpExt.TCPTimeouts",),
        source=OUTPUT + "tcp_xmit_retransmit_queue",
    ),
    Counter(
        name="TcpExt.TCPLostRetransmit",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Segments sent again that were lost once more.",
        cause="a retransmission was lost too",
        causes=("heavy loss or a policer on the way", "a qdisc or filter here that drops the same flow steadily"),
        remedies=(WORST, BELOW),
        part_of=SENT_AGAIN,
        source=INPUT + "tcp_mark_skb_lost, tcp_skb_mark_lost_uncond_verify",
    ),
    Counter(
        name="TcpExt.TCPSynRetrans",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="SYNs and SYN-ACKs sent again.",
        cause="a peer does not answer the handshake",
        causes=(
            "the peer is down or does not exist",
            "a firewall drops the handshake silently, here or there",
            "the peer's accept queue is full",
            "a SYN flood with forged sources: SYN-ACKs that nobody answers",
        ),
        remedies=(
            "nettui report sockets --where 'state syn-sent' --columns src,dst,dport,retransmits,process  # to whom",
            "nettui report sockets --where 'state syn-recv'  # from whom",
            "nettui report routes --to DST  # the way there",
        ),
        part_of=SENT_AGAIN,
        source=OUTPUT + "__tcp_retransmit_skb, tcp_rtx_synack",
    ),
    Counter(
        name="TcpExt.TCPRetransFail",
        layer="tcp",
        direction="tx",
        severity="loss",
        counts="Segments that were to be sent again and could not be: dropped below TCP on this host.",
        cause="dropped on this host's own way out",
        causes=("a qdisc or a device that drops", "a rule in OUTPUT or POSTROUTING that drops", "no route, no memory"),
        remedies=(
            BELOW,
            "nettui report qdiscs --where 'drops > 0' --sort -drops",
            "nettui report netfilter --where 'verdict = drop and packets > 0'",
        ),
        part_of=SENT_AGAIN,
        along=("qdisc.drops", "rule.drop"),
        reasons=("QDISC_DROP", "NETFILTER_DROP"),
        source=OUTPUT + "__tcp_retransmit_skb",
    ),
)

TIMED = (
    Counter(
        name="TcpExt.TCPTimeouts",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Times that nothing came back for a whole retransmission timeout (0.2 s or more), for data, SYN or "
        "SYN-ACK. A connection stood still for that long.",
        cause="nothing came back: peer down, or much lost",
        causes=(
            "a peer or a way that is down",
            "all of a window, or its last segments, lost",
            "a firewall or conntrack entry that went away under an idle connection",
        ),
        remedies=(
            "nettui report sockets --where 'netid tcp and retransmits > 0' "
            "--columns src,sport,dst,dport,state,retransmits,rto,timer_expires,process  # that wait now",
            "nettui report neighbours --where 'state = FAILED'",
            BELOW,
        ),
        source=TIMER + "tcp_retransmit_timer, tcp_syn_ack_timeout",
    ),
    Counter(
        name="TcpExt.TCPSpuriousRTOs",
        layer="tcp",
        direction="tx",
        severity="noise",
        counts="Timeouts that turned out to be needless: the ACK was only late (found by F-RTO).",
        cause="ACKs late, not lost",
        causes=("delays that jump: a mobile link, a busy virtual machine, a deep queue",),
        remedies=(WORST, "nettui report qdiscs --where 'backlog > 0'  # a deep queue here?"),
        source=INPUT + "tcp_process_loss, tcp_try_undo_loss",
    ),
    Counter(
        name="TcpExt.TCPLossProbes",
        layer="tcp",
        direction="tx",
        severity="noise",
        counts="Probes sent when the end of a transfer was not acknowledged within about two round trips (TLP): a new "
        "segment, or the last one again.",
        cause="the last ACKs are late or lost",
        causes=("loss at the end of a transfer", "peers that delay their ACKs: usual"),
        remedies=(WORST,),
        along=SENT_AGAIN,
        source=OUTPUT + "tcp_send_loss_probe",
    ),
    Counter(
        name="TcpExt.TCPLossProbeRecovery",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Losses at the end of a transfer that a probe (TLP) found and made good.",
        cause="the last segments of transfers lost",
        causes=LOSS,
        remedies=(WORST, BELOW),
        source=INPUT + "tcp_process_tlp_ack",
    ),
)

WORDS = {"Reno": "without SACK", "Sack": "with SACK"}
RECOVERED = tuple(
    entry
    for kind, words in WORDS.items()
    for entry in (
        Counter(
            name=f"TcpExt.TCP{kind}Recovery",
            layer="tcp",
            direction="tx",
            severity="warning",
            counts=f"Times that a connection ({words}) noticed a loss by ACKs and began to make it good.",
            cause="segments lost on the way",
            causes=LOSS,
            remedies=(WORST, BELOW),
            source=INPUT + "tcp_enter_recovery",
        ),
        Counter(
            name=f"TcpExt.TCP{kind}RecoveryFail",
            layer="tcp",
            direction="tx",
            severity="warning",
            counts=f"Timeouts of a connection ({words}) that was just making good a loss.",
            cause="so much lost that fast recovery failed",
            causes=LOSS,
            remedies=(WORST, BELOW),
            part_of=("TcpExt.TCPTimeouts",),
            source=TIMER + "tcp_retransmit_timer",
        ),
        Counter(
            name=f"TcpExt.TCP{kind}Failures",
            layer="tcp",
            direction="tx",
            severity="warning",
            counts=f"Timeouts of a connection ({words}) that had signs of loss, too few to send again at once.",
            cause="loss in a small window, or much of it",
            causes=LOSS,
            remedies=(WORST, BELOW),
            part_of=("TcpExt.TCPTimeouts",),
            source=TIMER + "tcp_retransmit_timer",
        ),
    )
)
FAILED = (
    Counter(
        name="TcpExt.TCPLossFailures",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Timeouts of a connection that was still recovering from an earlier timeout.",
        cause="heavy loss; timeouts one after another",
        causes=LOSS,
        remedies=(WORST, BELOW),
        part_of=("TcpExt.TCPTimeouts",),
        source=TIMER + "tcp_retransmit_timer",
    ),
    Counter(
        name="TcpExt.TCPSACKReneging",
        layer="tcp",
        direction="rx",
        severity="warning",
        counts="Times that a peer took back what it had acknowledged by SACK; all of it is sent again.",
        cause="the peer is short of memory and threw data away",
        causes=("a peer whose receive buffer is overfull (its OfoPruned moves)", "a middlebox that mangles SACK"),
        remedies=(WORST,),
        source=INPUT + "tcp_check_sack_reneging",
    ),
    Counter(
        name="TcpExt.TCPSpuriousRtxHostQueues",
        layer="tcp",
        direction="tx",
        severity="warning",
        counts="Retransmissions left undone, because the segment itself still waits in a queue of this host.",
        cause="a queue on this host is deeper than an RTT",
        causes=("a deep qdisc or device queue here", "a driver that is slow to tell of sent packets"),
        remedies=("nettui report qdiscs --where 'backlog > 0' --sort -backlog", "ethtool -g DEV; ethtool -c DEV"),
        source=OUTPUT + "skb_still_in_host_queue",
    ),
)


def needless(name: str, direction: Direction, counts: str, cause: str, functions: str, since: str = "") -> Counter:
    """A sign of segments that came twice or out of order."""
    return Counter(
        name=f"TcpExt.{name}",
        layer="tcp",
        direction=direction,
        severity="noise",
        counts=counts,
        cause=cause,
        causes=("ACKs lost or late on the way", "packets that overtake each other (reordering), or are doubled"),
        remedies=(WORST,),
        since=since,
        source=INPUT + functions,
    )


TWICE = "sent again in vain"
PEER = "the peer sends again in vain"
ORDER = "packets overtake each other"
NEEDLESS = (
    needless("TCPDSACKRecv", "rx", "DSACKs received: the peer got a segment twice.", TWICE, "tcp_check_dsack"),
    needless("TCPDSACKOfoRecv", "rx", "DSACKs received about a segment ahead of its turn.", TWICE, "tcp_check_dsack"),
    needless(
        "TCPDSACKRecvSegs",
        "rx",
        "Segments that peers got twice, by the DSACKs received.",
        TWICE,
        "tcp_dsack_seen",
        "5.9",
    ),
    needless("TCPDSACKOldSent", "tx", "DSACKs sent: a segment came that had been here before.", PEER, "tcp_dsack_set"),
    needless(
        "TCPDSACKOfoSent", "tx", "DSACKs sent about a segment that came twice ahead of its turn.", PEER, "tcp_dsack_set"
    ),
    needless(
        "DelayedACKLost",
        "rx",
        "Segments received whose data had been received before; dropped and acknowledged.",
        PEER,
        "tcp_send_dupack, tcp_data_queue",
    ),
    needless(
        "TCPDSACKIgnoredOld",
        "rx",
        "DSACKs received that are too old to be used.",
        "late DSACK",
        "tcp_sacktag_write_queue",
    ),
    needless(
        "TCPDSACKIgnoredNoUndo",
        "rx",
        "DSACKs received when nothing that was sent again could be taken back.",
        "DSACK without use",
        "tcp_sacktag_write_queue",
    ),
    needless(
        "TCPDSACKIgnoredDubious",
        "rx",
        "DSACKs received that tell of more than was ever sent again.",
        "strange DSACK",
        "tcp_dsack_seen",
        "5.10",
    ),
    needless(
        "TCPSACKDiscard", "rx", "SACK blocks received that make no sense.", "strange SACK", "tcp_sacktag_write_queue"
    ),
    needless(
        "TCPSACKReorder",
        "rx",
        "Times that SACK showed segments overtaking each other on the way.",
        ORDER,
        "tcp_check_sack_reordering",
    ),
    needless(
        "TCPRenoReorder",
        "rx",
        "Times that ACKs without SACK showed segments overtaking each other.",
        ORDER,
        "tcp_check_reno_reordering",
    ),
    needless(
        "TCPTSReorder",
        "rx",
        "Times that timestamps showed segments overtaking each other.",
        ORDER,
        "tcp_try_undo_partial",
    ),
)

UNDONE = traffic(
    "tcp",
    "TcpExt",
    "tx",
    {
        "TCPFullUndo": "Slow-downs taken back: all that had been sent again was not lost.",
        "TCPPartialUndo": "Slow-downs taken back in part: some of what had been sent again was not lost.",
        "TCPDSACKUndo": "Slow-downs taken back because DSACKs told that nothing was lost.",
        "TCPLossUndo": "Timeouts taken back: the segment was not lost.",
    },
)

TCP_RETRANSMISSION = (*SENT, *TIMED, *RECOVERED, *FAILED, *NEEDLESS, *UNDONE)
