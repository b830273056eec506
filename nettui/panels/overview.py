"""Overview: what moves, what is lost and how full the tables are, layer by layer."""

from nettui.panels.panel import Panel

OVERVIEW = Panel(
    name="overview",
    title="Overview",
    key="1",
    show=("layer", "scope", "what", "value", "rate", "fill", "unit", "limit"),
    command="ip -s link; nstat; ss -s",
    empty="nothing to show",
)
