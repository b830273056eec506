"""Drop reasons of traffic control: filters at ingress and egress, and queueing disciplines."""

from nettui.knowledge.entry import Reason

QDISCS = "nettui report qdiscs --where 'drops > 0' --sort -drops  # which device, which queue"
FILTERS = "tc -s filter show dev DEV ingress; tc -s filter show dev DEV egress"
FQ = "net/sched/sch_fq.c, fq_enqueue"
CLASSIFY = "net/core/dev.c, tc_run; net/sched/cls_api.c, tcf_classify"


def queued(
    name: str,
    meaning: str,
    cause: str,
    causes: tuple[str, ...],
    remedies: tuple[str, ...],
    source: str,
    since: str = "6.14",
) -> Reason:
    """A queueing discipline dropped the packet."""
    return Reason(name, "qdisc", "loss", meaning, cause, causes, (QDISCS, *remedies), ("qdisc.drops",), since, source)


REASONS_QUEUE = (
    Reason(
        name="TC_INGRESS",
        layer="tc",
        severity="refused",
        meaning="A filter, policer or BPF program at a device's ingress dropped the packet.",
        cause="a tc filter or BPF program drops at ingress",
        causes=("a filter with action drop, or a police action", "a container network's BPF program (Cilium, Calico)"),
        remedies=(FILTERS, "bpftool net show dev DEV  # BPF programs there"),
        counters=("clsact.drops",),
        since="5.18",
        source="net/core/dev.c, sch_handle_ingress",
    ),
    Reason(
        name="TC_EGRESS",
        layer="tc",
        severity="refused",
        meaning="A filter, policer or BPF program at a device's egress dropped the packet.",
        cause="a tc filter or BPF program drops at egress",
        causes=("a filter with action drop, or a police action", "a container network's BPF program (Cilium, Calico)"),
        remedies=(FILTERS, "bpftool net show dev DEV  # BPF programs there"),
        counters=("clsact.drops",),
        since="5.18",
        source="net/core/dev.c, sch_handle_egress",
    ),
    Reason(
        name="TC_COOKIE_ERROR",
        layer="tc",
        severity="loss",
        meaning="A packet that hardware had classified in part came back with a mark that tc does not know (any more).",
        cause="offloaded filter changed meanwhile",
        causes=("filters in hardware are removed or replaced while packets are on their way",),
        remedies=(FILTERS, "ethtool -K DEV hw-tc-offload off  # for a test"),
        counters=("clsact.drops",),
        since="6.7 (as TC_ERROR), 6.8",
        source=CLASSIFY,
    ),
    Reason(
        name="TC_CHAIN_NOTFOUND",
        layer="tc",
        severity="loss",
        meaning="A filter, or hardware, sent the packet to a tc chain that does not exist.",
        cause="tc goto chain: no such chain",
        causes=("a filter's goto_chain names a chain that was removed",),
        remedies=(FILTERS, "tc chain show dev DEV ingress"),
        counters=("clsact.drops",),
        since="6.8",
        source=CLASSIFY,
    ),
    Reason(
        name="TC_RECLASSIFY_LOOP",
        layer="tc",
        severity="loss",
        meaning="Filters of tc sent the packet round too many times (reclassify).",
        cause="tc filters send it in a circle",
        causes=("actions with reclassify or goto chain that lead back",),
        remedies=(FILTERS,),
        counters=("clsact.drops",),
        since="6.8",
        source=CLASSIFY,
    ),
    queued(
        "QDISC_DROP",
        "A queueing discipline did not take the packet, or threw it away; also of a device without carrier (noop).",
        "send queue full, or no carrier",
        (
            "more is sent than the rate of the device, or of its tbf or htb, lets through",
            "the device lost its carrier or is down: its noop queue drops all",
            "a qdisc was replaced while it held packets",
        ),
        ("nettui report links --where 'operstate DOWN or operstate LOWERLAYERDOWN'  # no carrier",),
        "net/core/dev.c, __dev_xmit_skb; include/net/sch_generic.h, tcf_kfree_skb_list",
        "5.18",
    ),
    queued(
        "QDISC_OVERLIMIT",
        "A queueing discipline was full: the packet is more than its limit.",
        "send queue full (limit)",
        ("more is sent than the rate lets through", "a limit that is small for the bursts"),
        ("tc qdisc change dev DEV root KIND limit N  # a longer queue: more delay",),
        "net/sched/sch_fq_codel.c, fq_codel_enqueue; net/sched/sch_sfq.c; net/sched/sch_pie.c",
    ),
    queued(
        "QDISC_CONGESTED",
        "An algorithm against long queues (codel, pie, red, …) dropped the packet so that its sender slows down.",
        "AQM tells the sender to slow down",
        (
            "a queue stood longer than its target: the link is full, and this is how senders learn it",
            "a target that is too small for a slow link",
        ),
        ("tc -s qdisc show dev DEV  # target, interval, ecn_mark",),
        "net/sched/sch_fq_codel.c, drop_func; net/sched/sch_codel.c; net/sched/sch_pie.c; net/sched/sch_red.c",
    ),
    queued(
        "CAKE_FLOOD",
        "cake's protection against floods (BLUE) dropped a packet of a flow that does not slow down.",
        "cake: a flow that does not slow down",
        ("a UDP flow or a flood fills its queue without heeding losses",),
        ("tc -s qdisc show dev DEV  # bk_flows, un_flows: unresponsive flows",),
        "net/sched/sch_cake.c, cobalt_should_drop",
    ),
    queued(
        "FQ_BAND_LIMIT",
        "fq's limit for one of its three priority bands was reached.",
        "fq: a priority band is full",
        ("more is sent in one band than the device takes",),
        ("tc qdisc change dev DEV root fq limit N",),
        FQ,
    ),
    queued(
        "FQ_HORIZON_LIMIT",
        "The time at which fq should send the packet lies too far in the future.",
        "fq: send time too far in the future",
        ("a program with SO_TXTIME or a pacing rate that is wrong", "clocks of container and host differ (BPF)"),
        ("tc qdisc change dev DEV root fq horizon 20s horizon_cap",),
        FQ,
    ),
    queued(
        "FQ_FLOW_LIMIT",
        "One flow has more packets in fq than its flow_limit.",
        "fq: one flow sends too much at once",
        ("a UDP sender with large bursts; TCP keeps below it (TSQ)", "packets without a socket count as one flow"),
        ("tc qdisc change dev DEV root fq flow_limit N",),
        FQ,
    ),
    queued(
        "DUALPI2_STEP_DROP",
        "dualpi2's low-latency queue stood longer than its step threshold, and the packet cannot carry an ECN mark.",
        "dualpi2: low-latency queue too long",
        ("a flow in the low-latency queue without ECN", "the link is full"),
        ("tc -s qdisc show dev DEV  # step_marks",),
        "net/sched/sch_dualpi2.c, dualpi2_qdisc_dequeue",
        "6.17",
    ),
)
