"""What each CPU counts of its receive backlog: /proc/net/softnet_stat."""

from nettui.knowledge.entry import Counter

SHOW = "net/core/net-procfs.c, softnet_seq_show"

SOFTNET = (
    Counter(
        name="softnet.dropped",
        layer="softnet",
        direction="rx",
        severity="loss",
        counts="Packets that did not fit into this CPU's receive backlog; it holds what virtual devices (veth, "
        "loopback, "
        "tunnels) and RPS hand over.",
        cause="CPU backlog full: this CPU is too slow",
        causes=(
            "one CPU gets the packets of all virtual devices and cannot keep up",
            "bursts larger than net.core.netdev_max_backlog",
            "the flow limit of a large flow (softnet.flow_limit moves too)",
        ),
        remedies=(
            "nettui report softnet  # which CPU; is the work on one only?",
            "sysctl -w net.core.netdev_max_backlog=N  # whole host; more packets wait, more latency and memory",
            "echo MASK > /sys/class/net/DEV/queues/rx-0/rps_cpus  # spread over CPUs; costs interrupts between them",
        ),
        along=("rtnl_link_stats64.rx_dropped", "rtnl_link_stats64.tx_dropped"),
        reasons=("CPU_BACKLOG",),
        source="net/core/dev.c, enqueue_to_backlog",
    ),
    Counter(
        name="softnet.flow_limit",
        layer="softnet",
        direction="rx",
        severity="loss",
        counts="Packets refused because their flow had more than half of the last packets while the backlog was half "
        "full.",
        cause="one large flow fills this CPU's backlog",
        causes=("one flow (an attack, a backup, a tunnel) sends most of the packets and its CPU cannot keep up",),
        remedies=(
            "sysctl net.core.flow_limit_cpu_bitmap net.core.flow_limit_table_len  # where the limit is on",
            "nettui report softnet  # which CPU; then capture on its devices to find the flow",
        ),
        part_of=("softnet.dropped",),
        along=("rtnl_link_stats64.rx_dropped",),
        reasons=("CPU_BACKLOG",),
        source="net/core/dev.c, skb_flow_limit, enqueue_to_backlog",
    ),
    Counter(
        name="softnet.time_squeeze",
        layer="softnet",
        direction="rx",
        severity="warning",
        counts="Times that the receive softirq stopped with work left, because its packets (netdev_budget) or its time "
        "(netdev_budget_usecs) were used up. Nothing is lost by this alone.",
        cause="more packets than one softirq run may take",
        causes=(
            "a busy CPU: small numbers are usual under load",
            "all receive queues are served by one CPU",
            "slow work for each packet: long rule chains, capture, XDP in generic mode",
        ),
        remedies=(
            "nettui report softnet  # one CPU or all?",
            "cat /proc/interrupts | grep DEV  # are the queues spread over the CPUs?",
            "sysctl -w net.core.netdev_budget=600 net.core.netdev_budget_usecs=4000  # other tasks of the CPU wait "
            "longer",
        ),
        along=("rtnl_link_stats64.rx_missed_errors", "softnet.dropped"),
        source="net/core/dev.c, net_rx_action",
    ),
    Counter(
        name="softnet.processed",
        layer="softnet",
        direction="rx",
        severity="traffic",
        counts="Packets that this CPU took from device queues and backlogs.",
        cause="traffic",
        source=SHOW,
    ),
    Counter(
        name="softnet.received_rps",
        layer="softnet",
        direction="rx",
        severity="traffic",
        counts="Wake-ups of this CPU by others that steered packets to it (RPS).",
        cause="packets steered by RPS",
        source=SHOW,
    ),
    Counter(
        name="softnet.cpu_collision",
        layer="softnet",
        direction="tx",
        severity="traffic",
        counts="Times that a transmit lock was busy; always 0 since 4.7.",
        cause="not counted any more",
        source=SHOW,
    ),
    Counter(
        name="softnet.backlog_len",
        layer="softnet",
        direction="rx",
        severity="traffic",
        counts="Packets that wait in this CPU's backlog now; netdev_max_backlog is the limit.",
        cause="a size, not a loss",
        since="5.10",
        source=SHOW,
    ),
)
