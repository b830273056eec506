"""Services: Kubernetes services and published ports of containers, each with the endpoints behind it."""

from nettui.netfilter import filters
from nettui.panels.panel import Panel

TABLE = "world {world} and family {family} and table nat"

SERVICES = Panel(
    name="services",
    title="Services",
    key="V",
    show=(
        "service", "endpoint", "probability", "packets_rate", "packets", "address", "port", "proto", "kind", "manager",
    ),
    more=("bytes", "bytes_rate", "chain", "family", "world"),
    command="iptables-save -c -t nat",
    empty="no Kubernetes service and no published port of a container in iptables' chains",
    pivots=(
        ("flows that the endpoint answers", "conntrack", filters.endpoint),
        ("rules that send there", "netfilter", f"{TABLE} and chain {{chain}}"),
        ("rules that lead to that chain", "netfilter", f"{TABLE} and target {{chain}}"),
        ("same service", "services", "service {service}"),
        ("same endpoint", "services", "endpoint {endpoint}"),
    ),
)  # fmt: skip
