"""Nexthops: the objects that routes name by nhid, and their groups."""

from nettui.panels.panel import Panel

NEXTHOPS = Panel(
    name="nexthops",
    title="Nexthops",
    key="H",
    show=("id", "family", "gateway", "dev", "group", "type", "blackhole", "protocol", "scope", "flags"),
    more=("fdb", "encap", "encap_info", "resilient_args", "oif"),
    command="ip nexthop",
    empty="no nexthop objects: the routes carry their next hops themselves",
    pivots=(("routes that use it", "routes", "nhid {id}"), ("link", "links", "ifindex {oif}")),
)
