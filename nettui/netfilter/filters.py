"""Filters that lead from a rule to the flows and sockets that it may see, and from a flow to the rules that may see it.

A filter never leaves out what the kernel would match: what a rule does not plainly say narrows nothing, and a flow is
looked at as its packets may look in either direction, before NAT and after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.values import Cell

Row = Mapping[str, Cell]

# what a packet of a flow may carry: in the flow's own direction before NAT and after, and in replies
FLOW = {"src": ("src", "reply_dst"), "dst": ("dst", "reply_src"),
        "sport": ("sport", "reply_dport"), "dport": ("dport", "reply_sport")}  # fmt: skip
REPLY = {"src": FLOW["dst"], "dst": FLOW["src"], "sport": FLOW["dport"], "dport": FLOW["sport"]}
SENT = {name: (name,) for name in FLOW}
RECEIVED = {"src": ("dst",), "dst": ("src",), "sport": ("dport",), "dport": ("sport",)}
ANYWHERE = ("0.0.0.0", "::")
TRANSPORT = frozenset({"tcp", "udp", "udplite", "sctp", "dccp"})


def flows(rule: Row) -> str:
    """Of conntrack: the flows whose packets may match the rule; "" when it matches nothing plainly."""
    return joined(rule, [selected(rule, FLOW), selected(rule, REPLY)])


def sockets(rule: Row) -> str:
    """Of sockets: those that may send or get a packet which matches, listening ones too."""
    if rule.get("proto") not in (None, *TRANSPORT):
        return ""
    hook = rule.get("hook")
    ways = [RECEIVED] if hook == "input" else [SENT] if hook == "output" else [SENT, RECEIVED]
    return joined(rule, [selected(rule, way, open_ended=True) for way in ways])


def endpoint(service: Row) -> str:
    """Of conntrack: the flows that a service's endpoint answers, whichever address they were sent to."""
    address, _, port = str(service.get("endpoint") or "").rpartition(":")
    if not address:
        return ""
    parts = [f"proto {service['proto']}"] if service.get("proto") else []
    return " and ".join([*parts, f"reply_src {address.strip('[]')}", f"reply_sport {port}"])


def joined(rule: Row, ways: Sequence[str]) -> str:
    """Protocol and any of the ways; a way without a condition lets every packet pass."""
    parts = [f"proto {rule['proto']}"] if rule.get("proto") else []
    if all(ways):
        distinct = list(dict.fromkeys(ways))
        parts.append(either(distinct))
    return " and ".join(parts)


def selected(rule: Row, places: Mapping[str, Sequence[str]], open_ended: bool = False) -> str:
    """What the rule plainly matches, asked of the columns in which it may stand."""
    conditions = []
    for name, columns in places.items():
        value = rule.get(name)
        if value is None:
            continue
        if isinstance(value, list):
            asked = f"in ({', '.join(map(str, value))})" if len(value) > 1 else str(value[0])
            anywhere = ["dport 0", "not has dport"] if open_ended and "dport" in columns else []
        else:
            asked = f"in {value}" if "/" in str(value) else str(value)
            anywhere = [f"{columns[0]} {address}" for address in ANYWHERE if open_ended]
            anywhere += [f"not has {columns[0]}"] if open_ended else []
        parts = [*(f"{column} {asked}" for column in columns), *anywhere]
        conditions.append(either(parts))
    return " and ".join(conditions)


def either(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({' or '.join(bracketed(part) for part in parts)})"


def bracketed(part: str) -> str:
    return f"({part})" if " and " in part else part


def rules(flow: Row) -> str:
    """Of netfilter or hooks: the rules that do not plainly leave the flow's packets out."""
    return f"kind rule and {admitting(flow)}"


def way(flow: Row) -> str:
    """Of hooks: all that the flow's packets may meet, kernel stages and base chains too."""
    return f"kind != rule or ({admitting(flow)})"


def admitting(flow: Row) -> str:
    parts = [unless("proto", [f"proto {flow['proto']}"])] if flow.get("proto") else []
    ways = [admitted(flow, FLOW), admitted(flow, REPLY)]
    return " and ".join([*parts, either(list(dict.fromkeys(ways)))])


def admitted(flow: Row, places: Mapping[str, Sequence[str]]) -> str:
    """The rule's condition is absent, or one of the flow's values meets it."""
    conditions = []
    for name, columns in places.items():
        values = list(dict.fromkeys(str(flow[column]) for column in columns if flow.get(column) is not None))
        asked = "covers " if name in ("src", "dst") else ""
        conditions.append(unless(name, [f"{name} {asked}{value}" for value in values]))
    return " and ".join(conditions)


def unless(name: str, parts: Sequence[str]) -> str:
    return either([f"not has {name}", *parts])
