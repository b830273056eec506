"""Classes: what each class of a classful qdisc sent, held back and dropped."""

from nettui.panels.panel import Panel

CLASSES = Panel(
    name="classes",
    title="Classes",
    key="T",
    show=(
        "dev", "kind", "handle", "parent", "bytes_rate", "drops", "drops_rate", "overlimits", "backlog", "qlen",
    ),
    more=("bytes", "packets", "requeues", "leaf", "options", "xstats", "ifindex"),
    command="tc -s class show dev DEV",
    empty="no classes: no device has a classful qdisc",
    pivots=(("link", "links", "ifindex {ifindex}"), ("qdiscs", "qdiscs", "ifindex {ifindex}")),
)  # fmt: skip
