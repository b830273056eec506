"""Drop reasons that subsystems have of their own, "openvswitch.3", and names that other kernels give to reasons."""

from nettui.knowledge.entry import Reason, Severity

FLOWS = "ovs-dpctl dump-flows -m  # flows of the kernel, with their actions"
# earlier names, and the subsystems' own: the name by which the entry is found
OTHER_NAMES = {
    "TC_ERROR": "TC_COOKIE_ERROR",
    "VXLAN_NO_REMOTE": "NO_TX_TARGET",
    "PTYPE_ABSENT": "UNHANDLED_PROTO",
    "QDISC_EGRESS": "TC_EGRESS",
    "QDISC_INGRESS": "TC_INGRESS",
    "OVS_DROP_LAST_ACTION": "openvswitch.1",
    "OVS_DROP_ACTION_ERROR": "openvswitch.2",
    "OVS_DROP_EXPLICIT": "openvswitch.3",
    "OVS_DROP_EXPLICIT_WITH_ERROR": "openvswitch.4",
    "OVS_DROP_METER": "openvswitch.5",
    "OVS_DROP_RECURSION_LIMIT": "openvswitch.6",
    "OVS_DROP_DEFERRED_LIMIT": "openvswitch.7",
    "OVS_DROP_FRAG_L2_TOO_LONG": "openvswitch.8",
    "OVS_DROP_FRAG_INVALID_PROTO": "openvswitch.9",
    "OVS_DROP_CONNTRACK": "openvswitch.10",
    "OVS_DROP_IP_TTL": "openvswitch.11",
}


def switched(name: str, severity: Severity, meaning: str, cause: str, causes: tuple[str, ...]) -> Reason:
    """Open vSwitch's data path, enum ovs_drop_reason, by its number."""
    source = "net/openvswitch/drop.h; net/openvswitch/actions.c"
    return Reason(
        OTHER_NAMES[name], "bridge", severity, f"{name}: {meaning}", cause, causes, (FLOWS,), (), "6.6", source
    )


REASONS_SUBSYSTEMS = (
    switched(
        "OVS_DROP_LAST_ACTION",
        "refused",
        "the flow's actions ended and none of them sent the packet on.",
        "OVS: the flow sends it nowhere",
        ("a flow without output: actions=drop", "no flow of the controller fits"),
    ),
    switched(
        "OVS_DROP_ACTION_ERROR",
        "loss",
        "an action of the flow failed.",
        "OVS: an action failed",
        ("no memory, or a packet that the action cannot change",),
    ),
    switched(
        "OVS_DROP_EXPLICIT",
        "refused",
        "the flow says drop.",
        "OVS: the flow says drop",
        ("a flow with the drop action",),
    ),
    switched(
        "OVS_DROP_EXPLICIT_WITH_ERROR",
        "loss",
        "the flow says drop, because user space found a fault in the packet or the rules.",
        "OVS: dropped for an error of the rules",
        ("rules that go round (recursion), a tunnel that fails, a malformed packet",),
    ),
    switched(
        "OVS_DROP_METER",
        "refused",
        "a meter's rate was exceeded.",
        "OVS: a meter's rate",
        ("more than the meter lets",),
    ),
    switched(
        "OVS_DROP_RECURSION_LIMIT",
        "loss",
        "actions called each other too deeply.",
        "OVS: actions too deep",
        ("patch ports or recirculation that go round",),
    ),
    switched(
        "OVS_DROP_DEFERRED_LIMIT",
        "loss",
        "too many actions were put off for the packet.",
        "OVS: too many actions put off",
        ("many recirculations of one packet",),
    ),
    switched(
        "OVS_DROP_FRAG_L2_TOO_LONG",
        "loss",
        "the packet is larger than the MTU and its link-layer header too long to cut it.",
        "OVS: cannot be fragmented",
        ("MTU too small behind several VLAN tags or a tunnel",),
    ),
    switched(
        "OVS_DROP_FRAG_INVALID_PROTO",
        "loss",
        "the packet is larger than the MTU and neither IPv4 nor IPv6.",
        "OVS: larger than the MTU, not IP",
        ("an MTU that is too small for the protocol",),
    ),
    switched(
        "OVS_DROP_CONNTRACK",
        "loss",
        "connection tracking refused the packet.",
        "OVS: conntrack refuses it",
        ("the table or the zone's limit is full", "a malformed packet"),
    ),
    switched("OVS_DROP_IP_TTL", "loss", "the TTL was used up.", "OVS: TTL used up", ("a loop, or traceroute",)),
    Reason(
        name="mac80211",
        layer="device",
        severity="loss",
        meaning="Wireless: a received frame could not be used (replayed, not decrypted, malformed, of no station).",
        cause="wireless frame that cannot be used",
        causes=("bad reception", "a station that is not associated, or keys that differ", "copies: usual"),
        remedies=("iw dev DEV station dump  # rx drop misc, signal", "iw event -t"),
        since="6.4",
        source="net/mac80211/drop.h; net/mac80211/rx.c",
    ),
)
