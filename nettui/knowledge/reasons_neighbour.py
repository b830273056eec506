"""Drop reasons of neighbours: ARP, and what waits for a link-layer address."""

from nettui.knowledge.entry import Reason

CORE = "net/core/neighbour.c, "
FAILED = "nettui report neighbours --where 'state FAILED or state INCOMPLETE'  # who does not answer"
FILL = "sysctl net.ipv4.neigh.default.gc_thresh3 net.ipv6.neigh.default.gc_thresh3; ip neigh show | wc -l"

REASONS_NEIGHBOUR = (
    Reason(
        name="NEIGH_CREATEFAIL",
        layer="neighbour",
        severity="loss",
        meaning="No entry could be made for the next hop: the neighbour table is full (gc_thresh3), or no memory.",
        cause="neighbour table full (gc_thresh3)",
        causes=("more hosts in the networks of this host than gc_thresh3", "a scan of a large network"),
        remedies=(FILL, "sysctl -w net.ipv4.neigh.default.gc_thresh3=8192  # whole host; raise the others with it"),
        counters=("neigh.table_fulls", "Ip.OutDiscards", "Ip6.OutDiscards", "Ip6.OutNoRoutes"),
        since="5.18",
        source="net/ipv4/ip_output.c, ip_finish_output2; net/ipv6/ip6_output.c, ip6_finish_output2",
    ),
    Reason(
        name="NEIGH_FAILED",
        layer="neighbour",
        severity="loss",
        meaning="The next hop did not answer ARP or neighbour solicitations.",
        cause="next hop does not answer ARP or NDP",
        causes=("the host is down, gone, or in another VLAN", "ARP is filtered on the way", "a wrong gateway"),
        remedies=(FAILED, "arping -I DEV ADDRESS  # ndisc6 for IPv6", "tcpdump -eni DEV 'arp or icmp6'"),
        counters=("neigh.res_failed",),
        since="5.18",
        source=CORE + "__neigh_event_send",
    ),
    Reason(
        name="NEIGH_QUEUEFULL",
        layer="neighbour",
        severity="loss",
        meaning="More packets waited for the next hop's answer than its queue holds (unres_qlen_bytes); the oldest "
        "is lost.",
        cause="next hop does not answer; its queue is full",
        causes=("the next hop does not answer, and much is sent to it", "a burst before the first answer"),
        remedies=(FAILED, "sysctl net.ipv4.neigh.default.unres_qlen_bytes"),
        counters=("neigh.unresolved_discards",),
        since="5.18",
        source=CORE + "__neigh_event_send",
    ),
    Reason(
        name="NEIGH_DEAD",
        layer="neighbour",
        severity="loss",
        meaning="The next hop's entry was being removed.",
        cause="entry of the next hop is being removed",
        causes=("the device goes down, or entries are flushed (ip neigh flush)",),
        remedies=(FAILED,),
        since="5.18",
        source=CORE + "__neigh_event_send",
    ),
    Reason(
        name="NEIGH_HH_FILLFAIL",
        layer="neighbour",
        severity="loss",
        meaning="The link-layer header could not be written before the packet.",
        cause="link-layer header could not be made",
        causes=("an address that does not fit the device",),
        remedies=("ip neigh show dev DEV; ip -d link show dev DEV",),
        since="6.16",
        source=CORE + "neigh_resolve_output, neigh_connected_output",
    ),
    Reason(
        name="ARP_PVLAN_DISABLE",
        layer="neighbour",
        severity="refused",
        meaning="An ARP request whose answer would lead back through the same device, and proxy_arp_pvlan is off.",
        cause="proxy ARP back to the same device is off",
        causes=("proxy ARP for hosts that are in the same network already: usual",),
        remedies=("sysctl net.ipv4.conf.DEV.proxy_arp_pvlan  # 1: answer such requests (private VLANs)",),
        since="6.13",
        source="net/ipv4/arp.c, arp_process",
    ),
)
