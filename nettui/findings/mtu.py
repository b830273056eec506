"""A device on the way takes less than the one before it sends: veth pairs, bridge ports, tunnels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote

from nettui.findings.finding import Diagnosis, Finding, Tables, number, rate
from nettui.findings.rows import Row, capped, has, is_one_of, listed, picked

COLUMNS = ("ifindex", "ifname", "mtu", "kind", "slave_kind", "flags", "master_index", "link_index", "link_netnsid",
           "info_data", "tx_dropped", "tx_dropped_rate")  # fmt: skip
# bytes that each kind puts around a packet of its MTU: over IPv4, over IPv6, and more with a key
ETHERNET, UDP, VXLAN, GRE, KEY = 14, 8, 8, 4, 4
IPV4, IPV6, ENCAP_LIMIT = 20, 40, 8
AROUND: Mapping[str, int] = {
    "vxlan": UDP + VXLAN + ETHERNET, "geneve": UDP + VXLAN + ETHERNET, "gre": GRE, "gretap": GRE + ETHERNET,
    "ipip": 0, "sit": 0, "ip6gre": GRE, "ip6gretap": GRE + ETHERNET, "ip6tnl": 0,
}  # fmt: skip
OVER_IPV6 = frozenset({"ip6gre", "ip6gretap", "ip6tnl"})


def find(tables: Tables) -> Iterator[Finding]:
    links = tables["links"]
    known = is_one_of(links, "kind", "veth", "bridge", *AROUND) | is_one_of(links, "slave_kind", "bridge")
    used = has(links, "UP")
    rows = list(picked(links, known & used, *COLUMNS))
    lower = {number(row, "ifindex"): row for row in picked(links, used, "ifindex", "ifname", "mtu")}
    yield from capped(pairs([row for row in rows if row.get("kind") == "veth"], there(tables)))
    yield from capped(bridges(rows))
    yield from capped(each for row in rows if row.get("kind") in AROUND for each in tunnel(row, lower))


def there(tables: Tables) -> dict[tuple[int, int], Row]:
    """Devices of other namespaces by namespace id and index, where their MTU could be read."""
    if "peers" not in tables or "mtu" not in tables["peers"]:
        return {}
    return {(number(row, "netnsid"), number(row, "ifindex")): row for row in tables["peers"].rows()}


def pairs(ends: list[Row], others: Mapping[tuple[int, int], Row]) -> Iterator[Finding]:
    """Each pair once, told of the end with the larger MTU where that is here."""
    here = {number(row, "ifindex"): row for row in ends}
    for row in ends:
        space, index = row.get("link_netnsid"), number(row, "link_index")
        other = here.get(index) if space is None else others.get((number(row, "link_netnsid"), index))
        if other is None or "mtu" not in other or (space is None and number(row, "mtu") < number(other, "mtu")):
            continue
        if row["mtu"] != other["mtu"]:
            yield pair(row, other, "" if space is None else f" (in namespace id {space})")


def pair(row: Row, other: Row, place: str) -> Finding:
    own, far = number(row, "mtu"), number(other, "mtu")
    name, peer = str(row["ifname"]), f"{other['ifname']}{place}"
    sender, taker = (name, peer) if own > far else (peer, name)
    losing = own > far and rate(row, "tx_dropped") > 0
    now = f"; {name} is losing {rate(row, 'tx_dropped'):,.0f} packets/s" if losing else ""
    return Finding(
        "error" if losing else "warning",
        name,
        f"{sender} sends packets of up to {max(own, far)} bytes and its peer {taker} takes {min(own, far)}: larger ones"
        f" are dropped between them{now}",
        (
            f"links: {name} mtu {own}, tx_dropped {number(row, 'tx_dropped'):,}",
            f"links of the peer: {other['ifname']} mtu {far}",
        ),
        (
            f"nettui report links --where 'ifindex {row['ifindex']}'  # rx_dropped and tx_dropped of this end",
            f"ip link set dev {quote(name)} mtu {min(own, far)}  # changes the host; or the peer's: both must agree",
        ),
        "links",
        f"ifindex {row['ifindex']}",
    )


def bridges(rows: list[Row]) -> Iterator[Finding]:
    """A bridge drops frames that are larger than the port they should leave by; it cannot fragment them."""
    ports: dict[int, list[Row]] = {}
    for row in rows:
        if row.get("slave_kind") == "bridge":
            ports.setdefault(number(row, "master_index"), []).append(row)
    for row in rows:
        members = ports.get(number(row, "ifindex"), [])
        mtus = {number(member, "mtu") for member in members}
        if row.get("kind") != "bridge" or not members or min(mtus) >= max(*mtus, number(row, "mtu")):
            continue
        yield bridge(row, members, min(mtus))


def bridge(row: Row, members: list[Row], least: int) -> Finding:
    narrow = [str(member["ifname"]) for member in members if number(member, "mtu") == least]
    wide = [
        f"{each['ifname']} {each['mtu']}" for each in sorted((*members, row), key=lambda each: -number(each, "mtu"))
        if number(each, "mtu") > least
    ]  # fmt: skip
    return Finding(
        "warning",
        str(row["ifname"]),
        f"{len(narrow)} of {len(members)} ports of bridge {row['ifname']} take {least} bytes only ({listed(narrow)}):"
        f" larger frames from {listed(wide)} to them are dropped",
        (f"links: mtu of {row['ifname']} {row['mtu']}", f"mtu of its ports {least}, {listed(wide)}"),
        (
            f"nettui report links --where 'master_index {row['ifindex']}' --columns ifname,mtu,tx_dropped  # its ports",
            f"ip link set dev {quote(narrow[0])} mtu N  # changes the host; a bridge and all its ports need one MTU",
        ),
        "links",
        f"master_index {row['ifindex']}",
    )


def tunnel(row: Row, links: Mapping[int, Row]) -> Iterator[Finding]:
    details = row.get("info_data")
    details = details if isinstance(details, dict) else {}
    below = None if row.get("link_netnsid") is not None else links.get(number(row, "link_index"))
    if below is None:
        name = details.get("link")
        below = next((link for link in links.values() if name and link["ifname"] == name), None)
    around = overhead(str(row["kind"]), details)
    if below is None or number(row, "mtu") + around <= number(below, "mtu"):
        return
    own, outer, name = number(row, "mtu"), number(below, "mtu"), str(row["ifname"])
    yield Finding(
        "warning",
        name,
        f"a packet of {name}'s MTU {own} becomes {own + around} bytes in {row['kind']}, and {below['ifname']} below"
        f" takes {outer}: it is fragmented there or dropped",
        (f"links: {name} mtu {own}", f"{row['kind']} adds {around} bytes", f"links: {below['ifname']} mtu {outer}"),
        (
            f"ping -M do -s {outer - around - 28} ADDRESS  # through the tunnel: the largest that must pass",
            f"ip link set dev {quote(name)} mtu {outer - around}  # changes the host; segments get smaller",
        ),
        "links",
        f"ifindex {row['ifindex']}",
    )


def overhead(kind: str, details: Mapping[str, object]) -> int:
    """Bytes around a packet of the tunnel's MTU."""
    six = kind in OVER_IPV6 or any(f"{end}6" in details for end in ("remote", "local", "group"))
    limit = ENCAP_LIMIT if kind in ("ip6tnl", "ip6gre", "ip6gretap") and "encap_limit" in details else 0
    optional = sum(KEY for word in ("okey", "ocsum", "oseq") if word in details)
    return AROUND[kind] + (IPV6 if six else IPV4) + optional + limit


MTU = Diagnosis("mtu", "a device on the way takes smaller packets than its ends", ("links",), find, ("peers",))
