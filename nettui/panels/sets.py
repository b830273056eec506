"""Sets: sets and maps of nftables that have a name, and ipset's sets."""

from nettui.panels.panel import Panel

SETS = Panel(
    name="sets",
    title="Sets",
    key="N",
    show=(
        "world", "family", "table", "name", "elements", "type", "map", "size", "flags", "timeout", "stmt",
        "references", "comment",
    ),
    more=(
        "maxelem", "memsize", "range", "netmask", "policy", "auto-merge", "gc-interval", "hashsize", "bucketsize",
        "handle", "index", "revision",
    ),
    command="nft list sets; nft list maps; ipset list -t",
    empty="no set or map of nftables that has a name, and no ipset",
    pivots=(
        ("its elements", "set_elements", "world {world} and set {name}"),
        ("rules that ask it", "netfilter", "set {name}"),
    ),
)  # fmt: skip
