"""Objects of nftables: named counters, quotas, limits, helpers, timeouts, and flowtables."""

from nettui.panels.panel import Panel

NFT_OBJECTS = Panel(
    name="nft_objects",
    title="Nft objects",
    key="O",
    show=(
        "type", "family", "table", "name", "text", "packets", "packets_rate", "bytes", "bytes_rate", "used", "quota",
        "references", "comment",
    ),
    more=(
        "dev", "hook", "prio", "flags", "handle",
    ),
    command="nft list counters; nft list quotas; nft list limits; nft list flowtables",
    empty="no named counter, quota, limit, helper, timeout or flowtable",
)  # fmt: skip
