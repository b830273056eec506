"""Softnet: each CPU's receive backlog."""

from nettui.panels.panel import Panel

SOFTNET = Panel(
    name="softnet",
    title="Softnet",
    key="8",
    show=(
        "cpu", "processed", "processed_rate", "dropped", "dropped_rate", "time_squeeze", "time_squeeze_rate",
        "backlog_len", "flow_limit",
    ),
    more=(
        "received_rps", "cpu_collision", "input_queue_len", "process_queue_len",
    ),
    command="cat /proc/net/softnet_stat",
    empty="no CPU is listed",
)  # fmt: skip
