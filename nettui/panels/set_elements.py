"""Set elements: what is in nft's sets and maps that have a name, and in ipsets."""

from nettui.panels.panel import Panel

SET_ELEMENTS = Panel(
    name="set_elements",
    title="Set elements",
    key="E",
    show=(
        "set", "elem", "data", "packets", "packets_rate", "bytes", "timeout", "expires", "comment", "stmt", "flags",
    ),
    more=(
        "bytes_rate", "world", "family", "table", "skbmark", "skbprio", "skbqueue",
    ),
    command="nft list ruleset; ipset save",
    empty="no element in any set or map that has a name",
    pivots=(("its set", "sets", "name {set}"),),
)  # fmt: skip
