"""What queueing disciplines and their classes count (tc -s qdisc, tc -s class): struct gnet_stats_queue."""

from nettui.knowledge.entry import Counter

STATS = "include/net/sch_generic.h, qdisc_qstats_drop"
WHO = "tc -s qdisc show dev DEV  # which one drops, how much waits (backlog)"

QDISCS = (
    Counter(
        name="qdisc.drops",
        layer="qdisc",
        direction="tx",
        severity="loss",
        counts="Packets that a queueing discipline dropped: its queue was full, its rate used up, or its delay too "
        "long. A "
        "parent counts what its children drop, so sum only the root or only the leaves.",
        cause="send queue full: more is sent than the rate lets",
        causes=(
            "more traffic than the link or the shaper (tbf, htb, cake) lets through",
            "codel, fq_codel, cake, red: drops on purpose to make TCP slow down; a few are usual",
            "netem loss, a police action, or a filter with drop",
            "no carrier: the noop qdisc takes the packets and has no row (tx_dropped counts them since 6.11)",
            "fq: a flow above flow_limit, or a send time beyond the horizon",
        ),
        remedies=(
            WHO,
            "tc -s class show dev DEV  # the class that drops",
            "tc qdisc change dev DEV root handle H: KIND limit N  # a longer queue; more latency",
            "ip -br link show dev DEV  # LOWER_UP? without carrier all is dropped",
        ),
        along=("Ip.OutDiscards", "Udp.SndbufErrors", "TcpExt.TCPRetransFail"),
        reasons=(
            "QDISC_DROP",
            "QDISC_OVERLIMIT",
            "QDISC_CONGESTED",
            "FQ_BAND_LIMIT",
            "FQ_HORIZON_LIMIT",
            "FQ_FLOW_LIMIT",
            "CAKE_FLOOD",
            "DUALPI2_STEP_DROP",
            "TC_EGRESS",
        ),
        source=STATS + "; net/core/dev.c, __dev_xmit_skb",
    ),
    Counter(
        name="qdisc.overlimits",
        layer="qdisc",
        direction="tx",
        severity="noise",
        counts="Times that a discipline held a packet back because its rate was used up, or refused one; kinds differ.",
        cause="the shaper shapes: packets wait",
        causes=("the shaper works as it was told: packets wait, they are not lost (qdisc.drops tells that)",),
        remedies=(WHO, "tc class change dev DEV classid C htb rate R ceil R  # a higher rate, if the link has it"),
        source="include/net/sch_generic.h, qdisc_qstats_overlimit",
    ),
    Counter(
        name="qdisc.requeues",
        layer="qdisc",
        direction="tx",
        severity="noise",
        counts="Packets put back because the driver could not take them (its ring was full or its lock busy); sent "
        "later.",
        cause="transmit ring full: sent a little later",
        causes=("the transmit ring is full for a moment: the link is at its limit",),
        remedies=(
            "ethtool -g DEV  # the transmit ring's size",
            "ethtool -S DEV | grep -iE 'tx.*(busy|stop|restart)'  # how often the driver stopped its queue",
        ),
        source="net/sched/sch_generic.c, dev_requeue_skb",
    ),
    Counter(
        name="qdisc.backlog",
        layer="qdisc",
        direction="tx",
        severity="traffic",
        counts="Bytes that wait in the queue now.",
        cause="a size, not a loss",
        source=STATS,
    ),
    Counter(
        name="qdisc.qlen",
        layer="qdisc",
        direction="tx",
        severity="traffic",
        counts="Packets that wait in the queue now.",
        cause="a size, not a loss",
        source=STATS,
    ),
    Counter(
        name="class.drops",
        layer="qdisc",
        direction="tx",
        severity="loss",
        counts="Packets that one class of a discipline dropped; its own queue and the root count the same packet.",
        cause="this class sends more than its rate lets",
        causes=("the class has less rate than its traffic needs, and its leaf queue is full",),
        remedies=(
            "tc -s class show dev DEV  # rate, ceil, backlog of the class",
            "tc filter show dev DEV  # which traffic goes to it",
            "tc class change dev DEV classid C htb rate R ceil R  # takes it from the others",
        ),
        part_of=("qdisc.drops",),
        along=("Ip.OutDiscards", "Udp.SndbufErrors"),
        reasons=("QDISC_DROP", "QDISC_OVERLIMIT"),
        source="net/sched/sch_htb.c, htb_enqueue; " + STATS,
    ),
    Counter(
        name="class.overlimits",
        layer="qdisc",
        direction="tx",
        severity="noise",
        counts="Times that a class came to have neither rate left nor anything to borrow, and had to wait.",
        cause="the class is held to its rate",
        causes=("the shaper works as it was told",),
        remedies=("tc -s class show dev DEV",),
        source="net/sched/sch_htb.c, htb_change_class_mode",
    ),
    Counter(
        name="class.requeues",
        layer="qdisc",
        direction="tx",
        severity="noise",
        counts="Packets that were put back into a class; most disciplines never count it.",
        cause="sent a little later",
        causes=("the driver could not take the packet at that moment",),
        remedies=("tc -s class show dev DEV",),
        source="include/uapi/linux/gen_stats.h, struct gnet_stats_queue",
    ),
    Counter(
        name="clsact.drops",
        layer="tc",
        direction="",
        severity="refused",
        counts="Packets that filters and actions at the ingress or clsact qdisc dropped, both ways together: an "
        "action drop, "
        "a policer, a BPF program that returned TC_ACT_SHOT. rx_dropped of the device does not move. A program "
        "attached without a qdisc (tcx, 6.6) is counted nowhere: only its reason tells.",
        cause="a tc filter, policer or BPF program drops",
        causes=(
            "a policer: more traffic than its rate",
            "a filter with action drop",
            "a BPF program at tc (Cilium, Calico): its policy refuses the packet, or it has a fault",
        ),
        remedies=(
            "tc -s filter show dev DEV ingress; tc -s filter show dev DEV egress  # the action that counts",
            "bpftool net show dev DEV  # the programs attached",
        ),
        along=("Ip.OutDiscards", "Udp.SndbufErrors"),
        reasons=("TC_INGRESS", "TC_EGRESS", "TC_COOKIE_ERROR", "TC_CHAIN_NOTFOUND", "TC_RECLASSIFY_LOOP"),
        source="net/core/dev.c, tc_run (mini_qdisc_qstats_cpu_drop), sch_handle_ingress, sch_handle_egress",
    ),
    Counter(
        name="clsact.overlimits",
        layer="tc",
        direction="",
        severity="noise",
        counts="Never moved by ingress and clsact themselves; policers count in their action.",
        cause="not counted here",
        causes=("nothing known moves it",),
        remedies=("tc -s actions list action police  # the policers' own numbers",),
        source="net/sched/sch_ingress.c; net/sched/act_police.c",
    ),
)
