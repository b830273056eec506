"""Overview: what is wrong, what moves, what is lost and how full the tables are, layer by layer."""

from collections.abc import Callable, Mapping

from collectors.values import Cell
from nettui.panels.panel import Panel

# sections that findings point to
LOOKED_AT = (
    "links", "addresses", "routes", "neighbours", "qdiscs", "softnet", "protocols", "sockets", "netfilter",
    "conntrack", "conntrack_statistics",
)  # fmt: skip


def among(section: str) -> Callable[[Mapping[str, Cell]], str]:
    """The filter of a finding that is looked at in this section."""
    return lambda row: str(row.get("where") or "") if row.get("section") == section else ""


OVERVIEW = Panel(
    name="overview",
    title="Overview",
    key="1",
    show=("layer", "scope", "what", "value", "rate", "fill", "unit", "limit", "says"),
    more=("source", "section", "where"),
    pivots=tuple((f"the finding among {name}", name, among(name)) for name in LOOKED_AT),
    command="ip -s link; nstat; ss -s",
    empty="nothing to show",
)
